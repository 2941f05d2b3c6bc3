"""What nxscan wrote is what is there: text and numbers that HDF5 itself does not guard."""

from __future__ import annotations

from collections.abc import Iterator

from nxscan.nexus.seal import differences
from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.own_layout import require_own

_RULE = "checksum"
_HINT = "restore the file from a copy, or translate again; an edit on purpose does this, too"
_MOST_NAMED = 20


def seal(target: Target) -> Iterator[Finding]:
    """Check that every object has the attributes and the value that it was written with."""
    require_own(target)
    found = list(differences(target.file))
    for path, why in found[:_MOST_NAMED]:
        yield Finding("error", path, _RULE, why, _HINT)
    if len(found) > _MOST_NAMED:
        message = f"{len(found) - _MOST_NAMED} more objects changed or cannot be read"
        yield Finding("error", "/", _RULE, message, _HINT)
