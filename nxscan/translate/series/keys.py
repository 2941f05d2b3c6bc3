"""The headers of a scan's frames as columns: what is constant, what varies, motors, counters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.mapping import Pair
from nxscan.translate.mapping_model import key_matches
from nxscan.translate.report import Problem
from nxscan.translate.series.pairs import read_pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.mapping import Mapping
    from nxscan.translate.series.frame import Header

    Column = NDArray[np.float64]
    Raw = str | NDArray[Any]

_EXACT = 2**53
_STRUCTURE = ("HeaderID", "Image", "Size", "ByteOrder", "DataType", "Dim_*", "EDF_*")


@dataclass(frozen=True)
class Keys:
    """The keys of a series of frames, one column for each.

    Attributes
    ----------
    values : dict of str to str or ndarray, shape (frames,)
        Each key as the headers have it: one text, or numbers or texts where it varies.
    motors, counters : dict of str to ndarray, shape (frames,)
        What was read; NaN where a frame lacks it.
    lists : frozenset of str
        Keys that list the values of motors and counters.
    problems : tuple of Problem
        What is missing or does not fit.

    """

    values: dict[str, Raw]
    motors: dict[str, Column] = field(default_factory=dict)
    counters: dict[str, Column] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    @property
    def raw_values(self) -> dict[str, Raw]:
        """The values without the long lists that vary; what they hold is in motors and counters."""
        return {
            key: value
            for key, value in self.values.items()
            if isinstance(value, str) or key not in self.lists
        }


def read_keys(headers: Sequence[Header], mapping: Mapping) -> Keys:
    """Read the headers of a series.

    Motors and counters come from pairs of keys that list names and values; in headers without
    pairs, keys that the mapping knows as motors are motors. Other numbers that vary are
    counters, unless the mapping says that they are neither (``run``, ``point_no``).

    Parameters
    ----------
    headers : sequence of Header
        One a frame, in the order they were taken.
    mapping : Mapping
        Names the pairs, and the motors of headers with one key a motor.

    """
    texts = _columns(headers)
    values = {key: parse_column(column) for key, column in texts.items()}
    problems = list(_repeated(headers))
    found: dict[str, dict[str, Column]] = {"motors": {}, "counters": {}}
    lists, paired = set(), set()
    for pair in _pairs(texts, mapping):
        paired |= {pair.mnemonics, pair.positions}
        columns, doubts = read_pair(pair, texts[pair.mnemonics], texts[pair.positions])
        problems += doubts
        if pair.what in found:
            lists.add(pair.positions)
            for name, column in columns.items():
                found[pair.what].setdefault(name, column)
    for key, column in _single_numbers(values, paired, len(headers)):
        if key in mapping.motors:
            found["motors"].setdefault(key, column)
        elif _varies(column) and _is_counter(key, mapping):
            found["counters"].setdefault(key, column)
    problems += _gaps(found["counters"])
    return Keys(values, found["motors"], found["counters"], frozenset(lists), tuple(problems))


def _is_counter(key: str, mapping: Mapping) -> bool:
    """Tell whether a number that varies was measured, rather than counted or set."""
    known = key in mapping.counters or any(time.key == key for time in mapping.time_keys)
    return known or not (_matches(key, _STRUCTURE) or mapping.never_a_motor(key))


def is_motor_name(key: str, mapping: Mapping) -> bool:
    """Tell whether a key that varies may be a motor, as far as the mapping says."""
    return not mapping.never_a_motor(key)


def _matches(key: str, patterns: Sequence[str]) -> bool:
    return any(key_matches(pattern, key) for pattern in patterns)


def _columns(headers: Sequence[Header]) -> dict[str, list[str | None]]:
    keys = dict.fromkeys(key for header in headers for key in header.values)
    return {key: [header.values.get(key) for header in headers] for key in keys}


def parse_column(texts: Sequence[str | None]) -> str | NDArray[Any]:
    """Return a column as one text, as numbers if all are, else as texts.

    A number that is missing is NaN, a text that is missing is empty. Numbers that float64
    would round to others stay text.

    >>> parse_column(["1", "1"]), parse_column(["1", None])
    ('1', array([ 1., nan]))
    """
    if len(set(texts)) == 1 and texts[0] is not None:
        return texts[0]
    numbers = [math.nan if text is None else to_number(text) for text in texts]
    if None in numbers:
        return np.array([text or "" for text in texts], dtype=np.str_)
    return np.array(numbers, dtype=np.float64)


def to_number(text: str) -> float | None:
    """Return the finite number that ``text`` writes, or None.

    >>> to_number("1e3"), to_number("nan"), to_number("12345678901234567891")
    (1000.0, None, None)
    """
    if "_" in text or not text.isascii():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or (abs(number) >= _EXACT and text.lstrip("+-").isdecimal()):
        return None
    return number


def _repeated(headers: Sequence[Header]) -> Iterator[Problem]:
    keys = dict.fromkeys(key for header in headers for key in header.repeated)
    differing = {key for header in headers for key in header.repeated if _differs(header, key)}
    for key in keys:
        hint = f"all are kept, as {key}, {key}_2 …"
        if key in differing:
            message = "the key comes more than once in a header, with different values"
            yield Problem("warning", key, message, f"the first one is used; {hint}")
        else:
            yield Problem("note", key, "the key comes more than once in a header", hint)


def _differs(header: Header, key: str) -> bool:
    """Tell whether a key that is repeated in a header says different things."""
    again = (header.values.get(f"{key}_{k}") for k in range(2, 2 + len(header.repeated)))
    return any(text not in (None, header.values[key]) for text in again)


def _pairs(texts: dict[str, list[str | None]], mapping: Mapping) -> Iterator[Pair]:
    """Yield the mapping's pairs that are there, then any other ``X_mne``, ``X_pos``."""
    known = [pair for pair in mapping.pairs if {pair.mnemonics, pair.positions} <= texts.keys()]
    yield from known
    for key in texts:
        other = key.removesuffix("_mne") + "_pos"
        if key.endswith("_mne") and other in texts and key not in {p.mnemonics for p in known}:
            yield Pair(mnemonics=key, positions=other, what="other")


def _single_numbers(
    values: dict[str, Raw], paired: set[str], frames: int
) -> Iterator[tuple[str, Column]]:
    for key, value in values.items():
        if key in paired:
            continue
        if isinstance(value, str):
            number = to_number(value)
            if number is not None:
                yield key, np.full(frames, number)
        elif value.dtype.kind == "f":
            yield key, value


def _varies(column: Column) -> bool:
    found = column[np.isfinite(column)]
    return bool(found.size) and bool(np.any(found != found[0]))


def _gaps(counters: dict[str, Column]) -> Iterator[Problem]:
    """Warn of counters with gaps; the axis finder does so for motors."""
    for name, column in counters.items():
        missing = int(np.sum(np.isnan(column)))
        if missing:
            message = f"counter {name} has no value in {missing} of {len(column)} frames"
            yield Problem("warning", name, message, "it is NaN there")
