"""Plain NeXus files: any NXentry with an NXdata, whoever wrote it."""

from nxscan.translators.nexus.translator import NexusTranslator

__all__ = ["NexusTranslator"]
