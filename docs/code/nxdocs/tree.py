"""A picture of what is in a file: the tree, and the reason for each part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import matplotlib.pyplot as plt

from nxdocs.places import PLACES, Place, find_place, is_of_results, paths_in

_COLORS = {
    "NXdata": "#1b6e3c",
    "NXdetector": "#8a4b08",
    "NXentry": "#333333",
    "NXprocess": "#5b3a8e",
    "NXparameters": "#5b3a8e",
    "USID group": "#0b5d8f",
}
_ROW = 0.34
_FRAME = ("/entry", "/Measurement_000")
"""What leads to the results."""


def draw_tree(path: str | Path, *, results: bool = False) -> Any:
    """Draw the groups and main fields of a master, with the reason for each.

    With ``results``, only what results add to it.
    """
    with h5py.File(path) as file:
        found: dict[Place, list[str]] = {}
        for one in paths_in(file):
            place = find_place(one)
            if place.brief and (not results or is_of_results(place) or one in _FRAME):
                found.setdefault(place, []).append(one)
    places = [place for place in PLACES if place in found]
    figure, ax = plt.subplots(figsize=(11, _ROW * (len(places) + 1.0)))
    ax.set_xlim(0, 100)
    ax.set_ylim(len(places) - 0.3, -1.2)
    ax.axis("off")
    ax.text(0, -0.8, Path(path).name, family="monospace", weight="bold", size=12, va="center")
    for row, place in enumerate(places):
        _draw_row(ax, row, place, found[place])
    _draw_lines(ax, places)
    figure.tight_layout(pad=0.2)
    plt.close(figure)
    return figure


def _draw_row(ax: Any, row: int, place: Place, paths: list[str]) -> None:
    left = 3.2 * _depth(place)
    kind = place.what if place.what.startswith(("NX", "USID")) else ""
    color = _COLORS.get(place.what, "#444444")
    name = _name(paths)
    weight = "bold" if kind else "normal"
    ax.text(left, row, name, family="monospace", size=10.5, va="center", weight=weight, color=color)
    if kind:
        ax.text(33, row, kind, family="monospace", size=9, va="center", color=color)
    ax.text(50, row, place.brief, size=10, va="center", color="#222222")


def _name(paths: list[str]) -> str:
    names = list(dict.fromkeys(path.rpartition("/")[2] for path in paths))
    if len(names) <= 3:
        return ", ".join(names)
    return f"{', '.join(names[:2])} … ({len(names)})"


def _depth(place: Place) -> int:
    return place.shown.count("/")


def _draw_lines(ax: Any, places: list[Place]) -> None:
    """Draw the branches: down from each group to its last child, and across to each."""
    for row, place in enumerate(places):
        depth = _depth(place)
        parent = next((r for r in range(row - 1, -1, -1) if _depth(places[r]) < depth), -1)
        x = 3.2 * depth - 2.2
        ax.plot([x, x, x + 1.8], [parent + 0.45, row, row], color="#aaaaaa", lw=1)
