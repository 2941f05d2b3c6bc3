"""ESRF data format (EDF): files, folders and series of frames."""

from nxscan.translators.edf.translator import EdfTranslator

__all__ = ["EdfTranslator"]
