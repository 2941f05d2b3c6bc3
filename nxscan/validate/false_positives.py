"""Known false positives of the validators: each with the reason why it does not count.

What stands here is set aside, not lost: the report keeps it, and ``--all`` shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import h5py

from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding, Source
from nxscan.validate.tree import attributes, member, nx_class, signal_of


@dataclass(frozen=True)
class FalsePositive:
    """One kind of finding that a validator is known to be wrong about.

    Attributes
    ----------
    source : str
        The validator.
    reason : str
        Why it is wrong, or does not matter.
    matches : callable
        Tells whether a finding is of this kind; it may look at the file.

    """

    source: Source
    reason: str
    matches: Callable[[Finding, Target], bool]


def reason_against(finding: Finding, target: Target) -> str | None:
    """Return why a finding does not count, or ``None`` if it counts."""
    for known in KNOWN:
        if known.source == finding.source and known.matches(finding, target):
            return known.reason
    return None


def _dot_axis(finding: Finding, target: Target) -> bool:
    del target
    return finding.rule == "valid name @axes['.']"


def _collection(finding: Finding, target: Target) -> bool:
    del target
    return finding.message == "NXcollection contains non-NeXus content"


def _relaxed_name(finding: Finding, target: Target) -> bool:
    del target
    return finding.severity == "note" and finding.message.startswith("relaxed pattern")


def _scatter(finding: Finding, target: Target) -> bool:
    """Recognize points with coordinates: a 1-D signal and several axes of its length."""
    if finding.message != '"@axes" length does not match the signal rank':
        return False
    group = member(target.file, finding.path)
    if not isinstance(group, h5py.Group):
        return False
    signal = member(group, signal_of(group) or ".")
    axes = [member(group, name) for name in attributes(group, "axes") or []]
    return (
        isinstance(signal, h5py.Dataset)
        and signal.ndim == 1
        and len(axes) > 1
        and all(isinstance(axis, h5py.Dataset) and axis.shape == signal.shape for axis in axes)
    )


def _integer_axis(finding: Finding, target: Target) -> bool:
    """Recognize an axis that happens to be called x, y or z, and holds integers."""
    if finding.message != "The field value is not a valid NX_FLOAT":
        return False
    parent, _, name = finding.path.rpartition("/")
    group = member(target.file, parent or "/")
    field = member(target.file, finding.path)
    return (
        isinstance(group, h5py.Group)
        and nx_class(group) == "NXdata"
        and name in (attributes(group, "axes") or [])
        and isinstance(field, h5py.Dataset)
        and field.dtype.kind in "iu"
    )


def _linked_into_plot(finding: Finding, target: Target) -> bool:
    """Recognize a field that an NXdata shows by a link, under the same name."""
    if not finding.message.startswith("This field is not defined in NX"):
        return False
    field = member(target.file, finding.path)
    name = finding.path.rpartition("/")[2]
    return isinstance(field, h5py.Dataset) and any(
        group.name != finding.path.rpartition("/")[0] and member(group, name) == field
        for group in target.plots
    )


def _counted_mappings(finding: Finding, target: Target) -> bool:
    """Recognize an axis that fits a virtual signal of more, or fewer, mappings than indices."""
    named = re.fullmatch(r'Axis "(.+)" size is inconsistent.*', finding.message)
    group = member(target.file, finding.path)
    if named is None or not isinstance(group, h5py.Group):
        return False
    signal, axis = member(group, signal_of(group) or "."), member(group, named[1])
    names = attributes(group, "axes") or []
    if not (isinstance(signal, h5py.Dataset) and isinstance(axis, h5py.Dataset)):
        return False
    if named[1] not in names or len(names) != signal.ndim or not signal.is_virtual:
        return False
    length = signal.shape[names.index(named[1])]
    mappings = signal.id.get_create_plist().get_virtual_count()
    return mappings != signal.shape[0] and axis.shape in ((length,), (length + 1,))


KNOWN: tuple[FalsePositive, ...] = (
    FalsePositive(
        "punx",
        'NXdata allows "." in @axes for a dimension that has no axis; punx takes it for a name',
        _dot_axis,
    ),
    FalsePositive(
        "punx",
        "NXcollection is there to hold anything; punx warns of whatever is in one",
        _collection,
    ),
    FalsePositive(
        "punx",
        "NeXus allows upper case in names (USID asks for it); punx notes that lower case is usual",
        _relaxed_name,
    ),
    FalsePositive(
        "nexusformat",
        "a scatter (a 1-D signal, several axes of its length) is usual and plotted by viewers, "
        "though @axes is longer than the signal's rank",
        _scatter,
    ),
    FalsePositive(
        "nexusformat",
        "NXdata asks for floats in fields called x, y, z, but allows any number in an axis that "
        "@axes names",
        _integer_axis,
    ),
    FalsePositive(
        "nexusformat",
        "a detector's field that an NXdata links to under the same name: the NeXus manual's own "
        "example (writer_2_1) stores and links data like this",
        _linked_into_plot,
    ),
    FalsePositive(
        "nexusformat",
        "nexusformat takes the number of mappings of a virtual dataset for its length, and so "
        "compares an axis that fits with a wrong length",
        _counted_mappings,
    ),
)
"""All of them. A finding is compared with the table in this order."""
