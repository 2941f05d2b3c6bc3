"""Validation: is a file right, by every validator and by nxscan's own checks.

`validate` runs them all and returns a `Report`. Each check is a small generator of
`Finding`; known false positives are in one table, `nxscan.validate.false_positives`.
"""

from nxscan.validate.finding import Finding, Severity, Source
from nxscan.validate.report import CheckRun, Report, Suppressed
from nxscan.validate.run import validate

__all__ = ["CheckRun", "Finding", "Report", "Severity", "Source", "Suppressed", "validate"]
