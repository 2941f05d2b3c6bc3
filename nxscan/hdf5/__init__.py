"""Datasets of HDF5 files, and frames in other files, as signals that are read directly."""
