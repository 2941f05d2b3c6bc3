"""A Scan as NeXus files and back, with the USID face, and how such files are replaced."""

from nxscan.hdf5.h5signal import HDF5Signal
from nxscan.nexus.frames import Progress
from nxscan.nexus.reader import read_scan
from nxscan.nexus.writer import write_scan

__all__ = ["HDF5Signal", "Progress", "read_scan", "write_scan"]
