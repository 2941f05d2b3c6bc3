"""What a check finds: how bad, where, what, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
Source = Literal["nexusformat", "punx", "silx", "usid", "nxscan"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check found in a file.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        Errors and warnings make a file invalid; notes do not.
    path : str
        Group, dataset or attribute (``/entry/data@axes``) in the file.
    rule : str
        Short name of what was checked.
    message : str
        What was expected and what is there.
    hint : str
        What to do about it.
    source : {"nexusformat", "punx", "silx", "usid", "nxscan"}
        Which validator says so.

    Examples
    --------
    >>> Finding("error", "/entry/data/mu", "axis length", "5 values for 4 frames").severity
    'error'

    """

    severity: Severity
    path: str
    rule: str
    message: str
    hint: str = ""
    source: Source = "nxscan"

    def to_dict(self) -> dict[str, str]:
        """Return the finding as plain texts, for JSON."""
        return {key: str(value) for key, value in asdict(self).items()}
