"""SPEC files: scans of motors and counters, many in one file that grows."""

from nxscan.translators.spec.translator import SpecTranslator

__all__ = ["SpecTranslator"]
