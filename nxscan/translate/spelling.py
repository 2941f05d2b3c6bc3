"""Which of the keys that are there may have been meant by one that is not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_ALIKE = 0.75
_STEM = 4


def nearest_keys(wanted: str, keys: Iterable[str], most: int = 2) -> list[str]:
    """Return the keys that are spelled so much like ``wanted`` that they may be what was meant.

    It is not enough to have many letters in common: each word of the one must be in the other.

    >>> nearest_keys("acq_expo_time", ["Acq_ExpoTime", "acq_mode", "time"])
    ['Acq_ExpoTime']
    >>> nearest_keys("sample_name", ["sample_mne", "sample_pos"])
    []
    >>> nearest_keys("PSize_1", ["PSize_2", "psize 1"])
    ['psize 1']
    """
    close = {key.lower(): key for key in keys if is_close(wanted, key)}
    found = difflib.get_close_matches(wanted.lower(), close, n=most, cutoff=_ALIKE)
    return [close[key] for key in found]


def is_close(one: str, other: str) -> bool:
    """Tell whether two names are the same word for word, or nearly so."""
    first, second = _words(one), _words(other)
    if "".join(first) == "".join(second):
        return True
    if len(first) > len(second):
        first, second = second, first
    return all(any(_same(word, candidate) for candidate in second) for word in first)


def _words(name: str) -> list[str]:
    """Split a name at other characters, at capital letters, and between letters and digits."""
    return [word.lower() for word in re.findall(r"\d+|[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def _same(word: str, other: str) -> bool:
    if word.isdigit() or other.isdigit():
        return word == other
    stem = min(len(word), len(other))
    if stem >= _STEM and word[:stem] == other[:stem]:
        return True
    return difflib.SequenceMatcher(None, word, other).ratio() >= _ALIKE
