"""Moved to nxscan/hdf5/rawio.py: edit there; this alias goes."""

import sys

from nxscan.hdf5 import rawio

sys.modules[__name__] = rawio
