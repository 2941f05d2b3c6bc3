"""What follows from a link that leads nowhere: said once, where the link is."""

from __future__ import annotations

from collections.abc import Collection

import h5py

from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.tree import member

REASON = "follows from what is not there; validate again when it is back"
"""Why a consequence does not count."""

_CAUSES = ("link", "source of data")


def consequences(found: Collection[Finding], target: Target) -> frozenset[Finding]:
    """Return the findings that are there only because a link leads nowhere.

    Validators stop at such a link, each in its own words. What they say is set aside as long as
    the link itself is a finding; nothing else is.
    """
    causes = [finding for finding in found if _is_cause(finding)]
    if not causes:
        return frozenset()
    missing = {cause.message.removeprefix("leads to ") for cause in causes if cause.rule == "link"}
    return frozenset(
        finding
        for finding in found
        if _follows(finding, target) or finding.message.removeprefix("reads from ") in missing
    ) - {cause for cause in causes if cause.rule == "link"}


def _is_cause(finding: Finding) -> bool:
    return finding.source == "nxscan" and finding.severity == "error" and finding.rule in _CAUSES


def _follows(finding: Finding, target: Target) -> bool:
    if finding.source == "nxscan":
        is_empty = finding.rule == "default plot" and "leads nowhere" in finding.message
        return (is_empty or finding.rule == "frames") and _has_dead_link(target, finding.path)
    if finding.rule == "validator crash":
        return True
    if finding.source != "silx":
        return False
    return finding.path == "/" or _has_dead_link(target, finding.path)


def _has_dead_link(target: Target, path: str) -> bool:
    group = member(target.file, path)
    return isinstance(group, h5py.Group) and any(member(group, name) is None for name in group)
