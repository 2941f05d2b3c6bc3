"""Moved to nxscan/hdf5/storage.py: edit there; this alias goes."""

import sys

from nxscan.hdf5 import storage

sys.modules[__name__] = storage
