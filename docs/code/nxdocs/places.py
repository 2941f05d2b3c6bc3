"""Every place in a file that nxscan writes, with its reason; checked against real files.

The list is in ``places.txt``, one line each: path, what it is, why it is there, and the same in
brief for the picture of the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py


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
        pattern = re.sub(r"[A-Z]{3,}", "[^/]+", re.escape(self.shown))
        return re.fullmatch(pattern, path) is not None


def _read() -> tuple[Place, ...]:
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    return tuple(Place(*line.split(" | ")) for line in text.splitlines())


PLACES = _read()
"""All of them, in the order in which they are shown."""


def find_place(path: str) -> Place:
    """Return what is known of a path; a path that nobody described is an error."""
    for place in sorted(PLACES, key=lambda one: one.shown != path):
        if place.matches(path):
            return place
    raise LookupError(f"{path} is in the file, but not in docs/code/nxdocs/places.txt")


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


def layout_table(files: Iterable[str | Path]) -> str:
    """Return a Markdown table of all places, or raise if files and table do not agree."""
    seen = set()
    for path in files:
        with h5py.File(path) as file:
            seen |= {find_place(one) for one in paths_in(file)}
    unseen = [place.shown for place in PLACES if place not in seen]
    if unseen:
        raise LookupError(f"described, but in none of the files: {', '.join(unseen)}")
    rows = [f"| `{place.shown}` | {place.what} | {place.why} |" for place in PLACES]
    return "\n".join(["| path | what | why |", "|---|---|---|", *rows])
