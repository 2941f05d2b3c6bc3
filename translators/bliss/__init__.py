"""ESRF BLISS masters: many scans in one HDF5 file, with images in files of their own."""

from nxscan.translators.bliss.translator import BlissTranslator

__all__ = ["BlissTranslator"]
