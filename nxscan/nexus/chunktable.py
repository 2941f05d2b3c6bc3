"""Moved to nxscan/hdf5/chunktable.py: edit there; this alias goes."""

import sys

from nxscan.hdf5 import chunktable

sys.modules[__name__] = chunktable
