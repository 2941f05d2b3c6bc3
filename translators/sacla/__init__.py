"""SACLA: DataConvert's "tagged" HDF5 and Cheetah's, everything joined by tag number."""

from nxscan.translators.sacla.translator import SaclaTranslator

__all__ = ["SaclaTranslator"]
