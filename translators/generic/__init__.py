"""Any HDF5 file that a mapping describes."""

from nxscan.translators.generic.translator import GenericTranslator

__all__ = ["GenericTranslator"]
