"""The scans that lie in a set of image files, told apart by name, scan number and shape."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translate.report import Problem
from nxscan.translate.series.names import bare_name, find_role, split_name
from nxscan.translate.series.order import in_order

if TYPE_CHECKING:
    from nxscan.model.provenance import FrameRole
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.series.frame import Frame, UnfinishedError

    Kind = tuple[tuple[int, ...], str]


@dataclass(frozen=True)
class Series:
    """The frames of one scan.

    Attributes
    ----------
    title : str
        Unique among the series of one call.
    folder : str
        Where they lie.
    frames : tuple of Frame
        In the order they were taken, all of one shape and type.
    darks, flats : tuple of Frame
        Dark and flat frames of the same shape from the same folder.
    odd : tuple of Frame
        Frames of the same names that have another shape or type.
    told_apart : str
        The scan key that tells it from others, for inspection.
    problems : tuple of Problem
        What was seen while the files were sorted into scans.
    unfinished : tuple of UnfinishedError
        Files at its end whose headers are not complete.

    """

    title: str
    folder: str
    frames: tuple[Frame, ...]
    darks: tuple[Frame, ...] = ()
    flats: tuple[Frame, ...] = ()
    odd: tuple[Frame, ...] = ()
    told_apart: str = ""
    problems: tuple[Problem, ...] = ()
    unfinished: tuple[UnfinishedError, ...] = ()


def kind_of(frame: Frame) -> Kind:
    """Return shape and type of a frame, as they are in memory."""
    return frame.place.layout.shape, np.dtype(frame.place.layout.dtype).name


def kind_text(kind: Kind) -> str:
    """Return shape and type for a message.

    >>> kind_text(((270, 320), "uint16"))
    '270 × 320 uint16'
    """
    return " × ".join(map(str, kind[0])) + f" {kind[1]}"


def find_series(frames: Sequence[Frame], mapping: Mapping) -> list[Series]:
    """Sort frames into scans.

    Files of one folder whose names differ in the last number only belong together, unless a
    scan key of the mapping or their shape tells them apart. Dark and flat frames are kept
    beside the scans of their folder that have their shape; where nothing else is there, they
    are the scans.

    Parameters
    ----------
    frames : sequence of Frame
        Of all files.
    mapping : Mapping
        Says which keys tell scans apart and which are times.

    """
    buckets: dict[tuple[str, str, FrameRole], list[Frame]] = defaultdict(list)
    for frame in frames:
        path = Path(frame.place.path)
        role = find_role(path.name, frame.header.values)
        buckets[(str(path.parent), split_name(path.name)[0], role)].append(frame)
    roles = {role for _, _, role in buckets}
    found = [
        series
        for (folder, _, role), bucket in buckets.items()
        if role == "scan" or "scan" not in roles
        for series in _split(bucket, folder, mapping)
    ]
    if "scan" not in roles:
        return _with_unique_titles([_only_role(series, roles) for series in found])
    for role in ("dark", "flat"):
        beside = [f for key, bucket in buckets.items() if key[2] == role for f in bucket]
        found = _with_role(found, role, beside)
    return _with_unique_titles(found)


def _only_role(series: Series, roles: set[FrameRole]) -> Series:
    names = " and ".join(sorted(roles))
    note = Problem("note", series.title, f"there are only {names} frames: they are taken as scans")
    return replace(series, problems=(*series.problems, note))


def _with_role(found: list[Series], role: str, beside: list[Frame]) -> list[Series]:
    """Give each series the dark or flat frames of its folder that have its shape."""
    chosen = [_fitting(series, beside) for series in found]
    used = {id(frame) for frames in chosen for frame in frames}
    unused = [frame for frame in beside if id(frame) not in used]
    return [
        replace(
            replace(series, darks=frames) if role == "dark" else replace(series, flats=frames),
            problems=(*series.problems, *_left_out(role, unused, series)),
        )
        for series, frames in zip(found, chosen, strict=True)
    ]


def _fitting(series: Series, beside: Sequence[Frame]) -> tuple[Frame, ...]:
    shape = kind_of(series.frames[0])[0]
    near = [frame for frame in beside if str(Path(frame.place.path).parent) == series.folder]
    return one_kind([frame for frame in near if kind_of(frame)[0] == shape])


def one_kind(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Return the frames of the most frequent shape and type, in the order of their names."""
    if not frames:
        return ()
    kind = Counter(map(kind_of, frames)).most_common(1)[0][0]
    return tuple(frame for frame in frames if kind_of(frame) == kind)


def _left_out(role: str, unused: Sequence[Frame], series: Series) -> list[Problem]:
    """Warn of dark or flat frames in the folder of a series that fit no scan."""
    near = [f for f in unused if str(Path(f.place.path).parent) == series.folder]
    first = {kind_text(kind_of(frame)): frame.place.path for frame in reversed(near)}
    expected = kind_text(kind_of(series.frames[0]))
    return [
        Problem(
            "warning",
            path,
            f"{role} frames of {kind} are not used: the scan's are {expected}",
            f"give others with --{role}",
        )
        for kind, path in first.items()
    ]


def _split(frames: list[Frame], folder: str, mapping: Mapping) -> list[Series]:
    """Split the frames of one name by scan keys, then by shape and type."""
    ordered = in_order(frames, mapping).frames
    return [
        replace(series, told_apart=told_apart)
        for told_apart, part in _by_scan_keys(ordered, mapping)
        for series in _by_kind(part, folder)
    ]


def _by_scan_keys(frames: Sequence[Frame], mapping: Mapping) -> list[tuple[str, tuple[Frame, ...]]]:
    keys = [key for key in mapping.scan_keys if _tells_apart(key, frames)]
    parts: dict[tuple[str, ...], list[Frame]] = defaultdict(list)
    for frame in frames:
        parts[tuple(frame.header.values.get(key, "") for key in keys)].append(frame)
    return [
        (", ".join(f"{k} = {v}" for k, v in zip(keys, values, strict=True)), tuple(part))
        for values, part in parts.items()
    ]


def _tells_apart(key: str, frames: Sequence[Frame]) -> bool:
    """Tell whether a key numbers scans rather than frames.

    A key that is named after scans does. Another one (``run``) does if each of its values
    stands in one unbroken row of frames and there are fewer values than frames.
    """
    values = [frame.header.values.get(key, "") for frame in frames]
    different = len(set(values))
    if different == 1:
        return False
    if "scan" in key.lower():
        return True
    rows = sum(1 for _ in groupby(values))
    return rows == different and 2 * different <= len(values)


def _by_kind(frames: Sequence[Frame], folder: str) -> list[Series]:
    """Split where the shape changes for good; single frames of another shape are an error."""
    rows = [(kind, tuple(row)) for kind, row in groupby(frames, key=kind_of)]
    if len(rows) > 1 and all(len(row) > 1 for _, row in rows):
        return [Series(_title(row), folder, row) for _, row in rows]
    usual = one_kind(frames)
    title = _title(frames)
    expected = kind_of(usual[0])
    odd = tuple(frame for frame in frames if kind_of(frame) != expected)
    problems = tuple(
        Problem(
            "error",
            frame.place.path,
            f"frame {frame.place.index} is {kind_text(kind_of(frame))}, the others of the series "
            f"are {kind_text(expected)}",
            "leave this file out, or translate it on its own",
        )
        for frame in odd
    )
    return [Series(title, folder, usual, odd=odd, problems=problems)]


def _title(frames: Sequence[Frame]) -> str:
    paths = {frame.place.path for frame in frames}
    first = frames[0].place.path
    if len(paths) == 1:
        return bare_name(first)
    return split_name(first)[0].rstrip("_-. ") or Path(first).parent.name or bare_name(first)


def _with_unique_titles(found: list[Series]) -> list[Series]:
    """Tell equal titles apart by their scan key, else by a number."""
    counts = Counter(series.title for series in found)
    taken: set[str] = set()
    renamed = []
    for series in found:
        title = series.title
        if counts[title] > 1 and series.told_apart:
            title = f"{title} {series.told_apart.replace(' = ', ' ')}"
        plain, number = title, 1
        while title in taken:
            number += 1
            title = f"{plain} {number}"
        taken.add(title)
        renamed.append(replace(series, title=title))
    return renamed
