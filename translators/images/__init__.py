"""Images that fabio reads: CBF, TIFF, MarCCD and their like, one file a frame or several."""

from nxscan.translators.images.translator import ImagesTranslator

__all__ = ["ImagesTranslator"]
