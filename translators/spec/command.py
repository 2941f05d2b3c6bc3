"""What a SPEC command asks for: points, and how many of the first columns are motors."""

from __future__ import annotations

from dataclasses import dataclass

from nxscan.translators.bliss.command import parse_command

_SAME = {"mesh": "amesh", "lup": "dscan", "zzmesh": "amesh"}
_HKL = ("hscan", "kscan", "lscan")


@dataclass(frozen=True)
class Asked:
    """What a command asks for.

    Attributes
    ----------
    points : int or None
        How many points, where it says.
    columns : int
        How many of the first columns are what was moved; at least one, which may be the time.
    hkl : bool
        Whether it moves in reciprocal space.

    """

    points: int | None
    columns: int = 1
    hkl: bool = False


def read_command(text: str) -> Asked:
    """Understand a SPEC command; one that is not known has one motor and any number of points.

    >>> read_command("ascan  eta 43.6 44.0  40 1"), read_command("mesh x 0 1 4 y 0 1 2 0.1")
    (Asked(points=41, columns=1, hkl=False), Asked(points=15, columns=2, hkl=False))
    >>> read_command("hklscan 1 1 0 0 0.9 1.1 20 1").points
    21
    """
    words = text.split()
    name = words[0] if words else ""
    intervals = {"hklscan": 7, **dict.fromkeys(_HKL, 3)}.get(name)
    if intervals is not None:
        return Asked(_points(words[intervals : intervals + 1]), 1, hkl=True)
    found = parse_command(" ".join([_SAME.get(name, name), *words[1:]]))
    return Asked(found.points, max(len(found.motors), 1))


def _points(words: list[str]) -> int | None:
    return int(words[0]) + 1 if words and words[0].isdecimal() else None
