"""Corrections: what frames are read through, one a module."""
