"""USID files, as pyUSID, pycroscopy and sidpy write them."""

from nxscan.translators.usid.translator import UsidTranslator

__all__ = ["UsidTranslator"]
