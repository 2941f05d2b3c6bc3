"""Look raw keys up: exactly, by wildcard, or inside a list of names and positions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.h5units import source_units
from nxscan.translate.mapping_model import STATED, key_matches
from nxscan.translate.spelling import nearest_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.mapping_model import Candidate, Mapping

    Raw = str | NDArray[Any]
    Texts = list[str]
    Warn = Callable[[str], None]

_SHOWN = 3


@dataclass(frozen=True)
class Found:
    """What a raw key holds: texts for each frame, or for all frames alike.

    Attributes
    ----------
    label : str
        The key as reports show it.
    frames : list of list of str
        For each frame (one item if all are alike) the texts of its entries.
    many : bool
        The value is a list of entries rather than one.

    """

    label: str
    frames: list[list[str]]
    many: bool = False

    @property
    def varies(self) -> bool:
        """Whether the frames differ."""
        return len(self.frames) > 1

    @property
    def text(self) -> str:
        """The texts of the first frame."""
        return " ".join(self.frames[0])

    @property
    def raw(self) -> str:
        """What the key holds, as reports show it."""
        texts = [" ".join(frame) for frame in self.frames]
        if len(texts) <= _SHOWN:
            return ", ".join(texts)
        return f"{', '.join(texts[: _SHOWN - 1])}, … {texts[-1]} ({len(texts)} frames)"

    def each(self) -> Iterator[Found]:
        """Yield what each frame that has a value holds, as if all had it."""
        for frame in self.frames:
            if any(frame):
                yield Found(self.label, [frame], self.many)

    def numbers(self, parse: Callable[[str], float]) -> NDArray[np.float64]:
        """Return the numbers: a scalar, (entries,), (frames,) or (frames, entries).

        A frame that has none is NaN.
        """
        values = np.array([[_number(text, parse) for text in frame] for frame in self.frames])
        if not self.many:
            values = values[:, 0]
        return values if self.varies else np.asarray(values[0])


class Lookup:
    """The raw values of a scan, looked up as a mapping's candidates ask."""

    def __init__(self, mapping: Mapping, values: AbstractMapping[str, Raw]) -> None:
        self._values = values
        self._mnemonics = {pair.positions: pair.mnemonics for pair in mapping.pairs}

    def find(self, candidate: Candidate, warn: Warn) -> Found | None:
        """Return what a candidate holds, or None if it is absent or empty."""
        key = self._key(candidate.key, warn)
        if key is None:
            return None
        if candidate.entries:
            return self._entries(key, candidate, warn)
        texts = _texts(self._values[key])
        there = [text for text in texts if text]
        if not there:
            return None
        if len(there) < len(texts) and len(set(there)) == 1:
            lacking = f"{len(texts) - len(there)} of {len(texts)} frames"
            warn(f"{key!r} is missing in {lacking}; it is {there[0]!r} in all others")
            texts = there[:1]
        return Found(key, [[text] for text in texts])

    def number(self, key: str) -> float | None:
        """Return the largest size of the numbers that a key holds; None if absent or no number."""
        found = self._values.get(key)
        if found is None:
            return None
        try:
            return max(abs(float(text)) for text in _texts(found) if text)
        except ValueError:
            return None

    def stated_units(self, found: Found) -> str:
        """Return the unit that an HDF5 file states for a value; ValueError where it does not."""
        said = self._values.get(f"{found.label}{STATED}")
        if not isinstance(said, str):
            raise ValueError("the file does not state its unit, which the mapping takes from it")
        units = source_units(said)
        if units is None:
            raise ValueError(f"the file states its unit as {said!r}, which pint does not know")
        return units

    def nearest(self, candidates: Sequence[Candidate]) -> tuple[str, ...]:
        """Return the raw keys that are spelled most like those of the candidates."""
        found = (near for one in candidates for near in nearest_keys(one.key, self._values))
        return tuple(dict.fromkeys(found))[:_SHOWN]

    def _key(self, wanted: str, warn: Warn) -> str | None:
        if wanted in self._values or "*" not in wanted:
            return wanted if wanted in self._values else None
        keys = [key for key in self._values if key_matches(wanted, key)]
        if len({tuple(_texts(self._values[key])) for key in keys}) > 1:
            warn(
                f"{wanted!r} is found as {', '.join(keys)}, which differ, so none is used; name one"
            )
            return None
        return keys[0] if keys else None

    def _entries(self, key: str, candidate: Candidate, warn: Warn) -> Found | None:
        mnemonics = self._mnemonics.get(key, re.sub(r"_pos$", "_mne", key))
        if mnemonics == key or mnemonics not in self._values:
            return None
        names = [text.split() for text in _texts(self._values[mnemonics])]
        positions = [text.split() for text in _texts(self._values[key])]
        if len(names) > 1 or any(len(row) != len(names[0]) for row in positions):
            warn(f"{mnemonics!r} and {key!r} do not list as many names as values in every frame")
            return None
        if any(names[0].count(entry) != 1 for entry in candidate.entries):
            return None
        columns = [names[0].index(entry) for entry in candidate.entries]
        frames = [[row[column] for column in columns] for row in positions]
        alike = all(row == frames[0] for row in frames)
        label = f"{key}[{' '.join(candidate.entries)}]"
        return Found(label, frames[:1] if alike else frames, many=len(columns) > 1)


def _texts(value: Raw) -> Texts:
    """Return the texts of a key: one if all frames have the same, "" where there is none."""
    if isinstance(value, str):
        return [value.strip()]
    texts = [str(item).strip() for item in np.asarray(value).ravel().tolist()]
    if np.asarray(value).dtype.kind == "f":
        texts = ["" if text == "nan" else text for text in texts]
    return texts[:1] if all(text == texts[0] for text in texts) else texts


def _number(text: str, parse: Callable[[str], float]) -> float:
    if not text:
        return np.nan
    try:
        return parse(text)
    except ValueError as error:
        reason = str(error) if str(error).startswith("it is") else "it is not a number"
        raise ValueError(reason) from error
