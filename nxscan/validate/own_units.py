"""Units are such that a program can convert them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nxscan.model.units import UNKNOWN_UNITS, is_unit
from nxscan.nexus.usid_kept import is_kept
from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.tree import texts

_HINT = "use a name that pint knows (degree, mm, 1/angstrom, counts), or '' for a plain number"


def units(target: Target) -> Iterator[Finding]:
    """Check that every @units of every dataset parses, but for those kept word for word."""
    for dataset in target.tree.datasets:
        if "units" not in dataset.attrs or _is_kept(dataset):
            continue
        found = texts(dataset.attrs["units"])
        where = f"{dataset.name}@units"
        if found is None:
            message = f"is {dataset.attrs['units']!r}, which is not text"
            yield Finding("warning", where, "units", message, _HINT)
            continue
        for unknown in dict.fromkeys(text for text in found if not _is_said(text)):
            yield Finding("warning", where, "units", f"{unknown!r} is not a known unit", _HINT)


def _is_kept(dataset: Any) -> bool:
    """Tell whether a dataset is USID's and says what its source said, whose units are free text."""
    return dataset.name.startswith("/Measurement_") and is_kept(dataset.parent)


def _is_said(text: str) -> bool:
    """Tell whether a unit can be used, or says openly that it is not known."""
    return text == UNKNOWN_UNITS or is_unit(text)
