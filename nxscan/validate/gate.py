"""The gate that every file passes before it gets its name: what is not valid is not kept."""

from __future__ import annotations

from pathlib import Path

from nxscan.errors import OutputError
from nxscan.validate.run import validate


def refuse_invalid(path: Path, message: str, hint: str) -> None:
    """Raise OutputError if a file that nxscan has just made has an error or a warning.

    Parameters
    ----------
    path : Path
        The file, under the name that it has until it is published.
    message : str
        What the error says before it lists what was found.
    hint : str
        What to do about it.

    """
    report = validate(path, external=False)
    if not report.ok:
        lines = "".join(
            f"\n  {finding.severity}: {finding.path}: {finding.message} [{finding.source}]"
            for finding in report.findings
            if finding.severity != "note"
        )
        raise OutputError(f"{message}:{lines}", hint)
