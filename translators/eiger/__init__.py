"""DECTRIS Eiger: a master and its data files, as the detector's FileWriter leaves them."""

from nxscan.translators.eiger.translator import EigerTranslator

__all__ = ["EigerTranslator"]
