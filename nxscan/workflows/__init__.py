"""Workflows that come with nxscan, run by their names: ``nxscan run --workflow mosaicity``."""
