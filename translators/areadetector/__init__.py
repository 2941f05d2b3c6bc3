"""EPICS areaDetector: HDF5 files of NDFileHDF5, with NDAttributes for each frame."""

from nxscan.translators.areadetector.translator import AreaDetectorTranslator

__all__ = ["AreaDetectorTranslator"]
