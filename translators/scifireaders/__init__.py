"""Whatever SciFiReaders reads: electron and probe microscopes' own formats."""

from nxscan.translators.scifireaders.translator import SciFiReadersTranslator

__all__ = ["SciFiReadersTranslator"]
