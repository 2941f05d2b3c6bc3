"""MDA: what saveData of EPICS' sscan records, as at the APS."""

from nxscan.translators.mda.translator import MdaTranslator

__all__ = ["MdaTranslator"]
