"""nxscan's own layout: a version that is known, and no frame lost on the way."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import h5py

from nxscan.hdf5.opening import open_reading
from nxscan.nexus.layout import LAYOUT_VERSION
from nxscan.validate.contract import Skip, Target
from nxscan.validate.finding import Finding
from nxscan.validate.tree import beside, join, member, signal_of, texts

_PARAMETERS = "translation/parameters"
_AGAIN = "translate the scan again"


def layout(target: Target) -> Iterator[Finding]:
    """Check that the layout is known, all raw frames are there, and the files belong together."""
    require_own(target)
    for entry in target.own_entries:
        version = number(entry, "layout_version")
        path = join(entry.name, f"{_PARAMETERS}/layout_version")
        if version is None:
            message = "is not a whole number"
            yield Finding("error", path, "layout version", message, _AGAIN)
        elif version > LAYOUT_VERSION:
            message = f"is {version}, and this nxscan knows layouts up to {LAYOUT_VERSION}"
            hint = "upgrade nxscan: pip install --upgrade nxscan"
            yield Finding("error", path, "layout version", message, hint)
        else:
            yield from _frame_counts(entry)
            yield from _frames_belong(target.path, entry)


def require_own(target: Target) -> None:
    """Skip the check for files that nxscan did not write."""
    if not target.own_entries:
        raise Skip("no nxscan translation in this file")


def number(entry: h5py.Group, name: str) -> int | None:
    """Return a whole number from the translation's parameters."""
    item = member(entry, f"{_PARAMETERS}/{name}")
    if not isinstance(item, h5py.Dataset) or item.shape != () or item.dtype.kind not in "iu":
        return None
    return int(item[()])


def frames_of(entry: h5py.Group) -> h5py.Dataset | None:
    """Return the frames that an entry's main plot shows."""
    group = member(entry, "data")
    name = signal_of(group) if isinstance(group, h5py.Group) else None
    frames = member(group, name) if name else None
    return frames if isinstance(frames, h5py.Dataset) else None


def scan_shape(entry: h5py.Group, frames: h5py.Dataset) -> tuple[int, ...] | None:
    """Return the shape of the scan: the first dimensions of the frames."""
    rank = number(entry, "scan_rank")
    checksums = member(entry, f"{_PARAMETERS}/frame_checksum")
    if rank is None and isinstance(checksums, h5py.Dataset):
        rank = checksums.ndim
    return None if rank is None else frames.shape[:rank]


def _frame_counts(entry: h5py.Group) -> Iterator[Finding]:
    frames = frames_of(entry)
    if frames is None:
        hint = "see the findings about links; put the frames file back, or translate again"
        yield Finding("error", join(entry.name, "data"), "frames", "the frames are not there", hint)
        return
    shape = scan_shape(entry, frames)
    if shape is None:
        message = "neither scan_rank nor frame_checksum says which dimensions are the scan's"
        yield Finding("error", join(entry.name, _PARAMETERS), "frame count", message, _AGAIN)
        return
    found = math.prod(shape)
    for what, expected in _expected_counts(entry):
        if expected != found:
            message = f"{what} {expected} raw frames, but the signal has {found}"
            yield Finding("error", frames.name, "frame count", message, _AGAIN)


def _expected_counts(entry: h5py.Group) -> Iterator[tuple[str, int]]:
    raw_frames = number(entry, "raw_frames")
    listed = _listed_frames(entry)
    if raw_frames is not None and (raw_frames or listed is not None):
        yield "the translation recorded", raw_frames
    if listed is not None and listed != raw_frames:
        yield "the sources that are listed hold", listed


def _listed_frames(entry: h5py.Group) -> int | None:
    """Count the frames of the sources that were used for the scan, where they are listed."""
    counts = member(entry, "translation/sources/frames")
    roles = member(entry, "translation/sources/role")
    if not isinstance(counts, h5py.Dataset) or not isinstance(roles, h5py.Dataset):
        return None
    names = texts(roles[()]) or []
    pairs = zip(counts[()].ravel().tolist(), names, strict=False)
    return sum(int(count) for count, role in pairs if role == "scan")


def _frames_belong(master: Path, entry: h5py.Group) -> Iterator[Finding]:
    """Check that a frames file beside the master carries the identifier of the same scan."""
    own = _identifier(entry)
    for name in _linked_files(entry):
        found = beside(master, name)
        if found is None or own is None:
            continue
        try:
            with open_reading(found) as file:
                other = _identifier(file["entry"]) if "entry" in file else None
        except OSError:
            continue  # that it cannot be read is said by the check of links
        if other is not None and other != own:
            message = f"{name} holds the frames of another scan ({other}, this one is {own})"
            hint = "put this scan's own frames file back beside it"
            yield Finding("error", join(entry.name, "instrument"), "frames", message, hint)


def _linked_files(entry: h5py.Group) -> set[str]:
    instrument = member(entry, "instrument")
    if not isinstance(instrument, h5py.Group):
        return set()
    detectors = [g for name in instrument if isinstance(g := member(instrument, name), h5py.Group)]
    found = (detector.get("data", getlink=True) for detector in detectors)
    return {str(link.filename) for link in found if isinstance(link, h5py.ExternalLink)}


def _identifier(entry: h5py.Group) -> str | None:
    item = member(entry, "entry_identifier_uuid")
    found = texts(item[()]) if isinstance(item, h5py.Dataset) else None
    return found[0] if found else None
