"""Moved to nxscan/hdf5/h5signal.py: edit there; this alias goes."""

import sys

from nxscan.hdf5 import h5signal

sys.modules[__name__] = h5signal
