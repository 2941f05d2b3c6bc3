"""Scans of frames that are files of their own: sorted, ordered, checked, their headers read."""
