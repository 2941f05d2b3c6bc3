"""The order in which frames were taken, and whether all of them are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from nxscan.translate.mapping import TimeKey
from nxscan.translate.mapping_values import parse_float, time_from_ctime
from nxscan.translate.series.names import split_name
from nxscan.translate.sources import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nxscan.translate.mapping import Mapping
    from nxscan.translate.series.frame import Frame


@dataclass(frozen=True)
class Order:
    """Frames in the order they were taken.

    Attributes
    ----------
    frames : tuple of Frame
        First to last.
    evidence : str
        What ordered them.
    conflict : str
        Where times and file names disagree; empty if they do not.

    """

    frames: tuple[Frame, ...]
    evidence: str
    conflict: str = ""


def in_order(frames: Sequence[Frame], mapping: Mapping) -> Order:
    """Put frames into the order they were taken: by time, then by name.

    Header keys that number images (``Image``, ``run``) are not used: they repeat and jump. A
    time is used only if every frame has it and it is not the same in all. Equal times keep
    the natural order of the file names, then that in the file.

    Parameters
    ----------
    frames : sequence of Frame
        In any order.
    mapping : Mapping
        Says which keys are times.

    """
    named = sorted(frames, key=lambda frame: (natural_key(frame.place.path), frame.place.index))
    for key in mapping.time_keys:
        times = _times(named, key, mapping)
        if times is None:
            continue
        ranks = sorted(range(len(named)), key=times.__getitem__)
        moved = sum(rank != k for k, rank in enumerate(ranks))
        conflict = f"{moved} frames lie elsewhere by {key.key} than by file name" if moved else ""
        return Order(tuple(named[k] for k in ranks), f"ordered by the time in {key.key}", conflict)
    return Order(tuple(named), "ordered by file name: no header key has a time for every frame")


def _times(frames: Sequence[Frame], key: TimeKey, mapping: Mapping) -> list[float] | None:
    texts = [_text(frame, key.key, mapping) for frame in frames]
    if None in texts or len(set(texts)) < 2:
        return None
    try:
        return [_seconds(text or "", key) for text in texts]
    except (ValueError, OverflowError):
        return None


def _text(frame: Frame, key: str, mapping: Mapping) -> str | None:
    """Return a key's text, or that of the counter or motor of this name."""
    values = frame.header.values
    if key in values:
        return values[key]
    for pair in mapping.pairs:
        names = values.get(pair.mnemonics, "").split()
        numbers = values.get(pair.positions, "").split()
        if key in names and len(names) == len(numbers):
            return numbers[names.index(key)]
    return None


def _seconds(text: str, key: TimeKey) -> float:
    if key.format == "epoch":
        return parse_float(text)
    if key.format == "iso":
        return datetime.fromisoformat(text).timestamp()
    return datetime.fromisoformat(time_from_ctime(text, None)).timestamp()


def missing_numbers(frames: Sequence[Frame]) -> list[int]:
    """Return the file numbers that a series lacks between its first and last.

    Numbers that do not go in equal steps say nothing, and neither do fewer than three.
    """
    numbers = sorted({number for number, _ in _numbered(frames)})
    steps = Counter(b - a for a, b in pairwise(numbers))
    if len(numbers) < 3:
        return []
    step, count = steps.most_common(1)[0]
    if 2 * count < len(numbers) - 1 or any(other % step for other in steps):
        return []
    present = set(numbers)
    return [n for n in range(numbers[0], numbers[-1], step) if n not in present][:10_000]


def repeated_files(frames: Sequence[Frame]) -> list[tuple[str, str]]:
    """Return pairs of files that have one name and number, packed and plain."""
    first: dict[tuple[str, int], str] = {}
    pairs = []
    for number, path in dict.fromkeys(_numbered(frames)):
        known = first.setdefault((split_name(path)[0], number), path)
        if known != path:
            pairs.append((known, path))
    return pairs


def _numbered(frames: Sequence[Frame]) -> Iterator[tuple[int, str]]:
    for frame in frames:
        number = split_name(frame.place.path)[1]
        if number is not None:
            yield number, frame.place.path
