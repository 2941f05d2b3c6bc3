"""Moved to nxscan/hdf5/decode.py: edit there; this alias goes."""

import sys

from nxscan.hdf5 import decode

sys.modules[__name__] = decode
