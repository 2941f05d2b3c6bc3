"""What only follows from another finding: a link that leads nowhere, frames that are damaged."""

from __future__ import annotations

from collections.abc import Collection

import h5py

from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.tree import member

REASON = "follows from another finding; validate again when that is mended"
"""Why a consequence does not count."""

_DEAD_LINK, _DAMAGE, _LOST = "link", "frame checksum", "source of data"
_UNREADABLE = "the default plot cannot be read"


def consequences(found: Collection[Finding], target: Target) -> frozenset[Finding]:
    """Return the findings that are there only because of another one.

    Validators stop at a link that leads nowhere, each in its own words; what they say is set
    aside as long as the link itself is a finding. So is a default plot that cannot be read,
    where the damaged frames are named, or files that it reads from are gone.
    """
    own = [finding for finding in found if finding.source == "nxscan"]
    damaged = {finding.path for finding in own if finding.rule == _DAMAGE}
    lost = any(one.rule == _LOST and one.severity == "error" for one in own)
    missing = {f.message.removeprefix("leads to ") for f in own if f.rule == _DEAD_LINK}
    return frozenset(
        finding
        for finding in found
        if (missing and _follows_from_link(finding, missing, target))
        or ((lost or finding.path in damaged) and _UNREADABLE in finding.message)
    )


def _follows_from_link(finding: Finding, missing: Collection[str], target: Target) -> bool:
    if finding.rule == "validator crash":
        return finding.source != "nxscan"
    if finding.source == "silx":
        return finding.path == "/" or _has_dead_link(target, finding.path)
    if finding.source != "nxscan":
        return False
    if finding.rule == "source of data":
        return finding.message.removeprefix("reads from ") in missing
    is_empty = finding.rule == "default plot" and "leads nowhere" in finding.message
    return (is_empty or finding.rule == "frames") and _has_dead_link(target, finding.path)


def _has_dead_link(target: Target, path: str) -> bool:
    group = member(target.file, path)
    return isinstance(group, h5py.Group) and any(member(group, name) is None for name in group)
