"""X-Spectrum Lambda: a file for each module and part of a scan."""

from nxscan.translators.lambda_xspectrum.translator import LambdaTranslator

__all__ = ["LambdaTranslator"]
