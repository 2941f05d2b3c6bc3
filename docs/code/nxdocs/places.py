"""Every place in a file that nxscan writes, with its reason; checked against real files.

The list is in ``places.txt``, one line each: path, what it is, why it is there, and the same in
brief for the picture of the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import h5py

from nxscan.process.plugins import announced


@dataclass(frozen=True)
class Place:
    """One place, or several alike.

    Attributes
    ----------
    shown : str
        Its path; what depends on the scan is in capital letters.
    what : str
        NeXus class, or type and shape.
    why : str
        Why it is there.
    brief : str
        The same for the picture of the tree; empty for what the picture leaves out.

    """

    shown: str
    what: str
    why: str
    brief: str = ""

    def matches(self, path: str) -> bool:
        """Tell whether a path of a file is this place."""
        parts = re.split(r"([A-Z]{3,})", self.shown)
        pattern = "".join(
            _pattern(part) if number % 2 else re.escape(part) for number, part in enumerate(parts)
        )
        return re.fullmatch(pattern, path) is not None


@cache
def _pattern(word: str) -> str:
    """Return what a word in capital letters stands for."""
    if word == "NNN":
        return r"\d{3}"
    names = [point.name for point in announced("process")]
    if word == "PROCESS":
        return f"(?:{'|'.join(names)})"
    return f"(?:{'|'.join(name.title() for name in names)})" if word == "TOOL" else "[^/]+"


def _read() -> tuple[Place, ...]:
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    return tuple(Place(*line.split(" | ")) for line in text.splitlines())


PLACES = _read()
"""All of them, in the order in which they are shown."""


def find_place(path: str) -> Place:
    """Return what is known of a path; a path that nobody described is an error."""
    for place in sorted(PLACES, key=_generality):
        if place.matches(path):
            return place
    raise LookupError(f"{path} is in the file, but not in docs/code/nxdocs/places.txt")


def _generality(place: Place) -> int:
    """Return a number that is smaller, the more of a path is said by its letters."""
    return -len(re.sub("[A-Z]{3,}", "", place.shown))


def paths_in(file: h5py.File) -> Iterator[str]:
    """Yield the path of every object in a file; links are named, not followed."""
    yield "/"
    waiting = [file["/"]]
    while waiting:
        group = waiting.pop()
        for name in group:
            path = f"{group.name.rstrip('/')}/{name}"
            yield path
            if isinstance(group.get(name, getlink=True), h5py.HardLink) and isinstance(
                group[name], h5py.Group
            ):
                waiting.append(group[name])


def is_of_results(place: Place) -> bool:
    """Tell whether a place is there only where results are."""
    return "_NNN" in place.shown or "/PROCESS" in place.shown


def layout_table(files: Iterable[str | Path], *, results: bool = False) -> str:
    """Return a Markdown table of all places, or raise if files and table do not agree.

    With ``results``, the places of results; else all the others.
    """
    seen = set()
    for path in files:
        with h5py.File(path) as file:
            seen |= {find_place(one) for one in paths_in(file)}
    places = [place for place in PLACES if is_of_results(place) == results]
    unseen = [place.shown for place in places if place not in seen]
    if unseen:
        raise LookupError(f"described, but in none of the files: {', '.join(unseen)}")
    rows = [f"| `{place.shown}` | {place.what} | {place.why} |" for place in places]
    return "\n".join(["| path | what | why |", "|---|---|---|", *rows])
