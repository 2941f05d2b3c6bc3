"""Tag numbers: what tells one shot of the machine from another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Tags = NDArray[np.int64]

_NAME = re.compile(rb"tag[_-](\d{1,18})\Z")
_SHOWN = 5


def tagged(names: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """Return the tag and the name of each group that is a shot's, in the order of the numbers.

    >>> tagged([b"tag_100000002", b"detector_info", b"tag_99999998"])
    [(99999998, b'tag_99999998'), (100000002, b'tag_100000002')]
    """
    found = ((_NAME.match(name), name) for name in names)
    return sorted((int(match[1]), name) for match, name in found if match)


def without(tags: Tags, others: Tags) -> Tags:
    """Return the tags that are not among others, ascending and each once."""
    return np.setdiff1d(tags, others)


def ranges(tags: Tags, known: Tags) -> list[tuple[int, int, int]]:
    """Return the first and the last of tags that follow each other, and how many they are.

    Parameters
    ----------
    tags : ndarray of int64
        Some tags.
    known : ndarray of int64
        All tags of a run: two tags follow each other if none of these lies between them.

    Examples
    --------
    >>> ranges(np.array([4, 6, 12]), np.array([2, 4, 6, 8, 10, 12]))
    [(4, 6, 2), (12, 12, 1)]

    """
    if not len(tags):
        return []
    listed = np.unique(tags)
    places = np.searchsorted(np.union1d(known, listed), listed)
    parts = np.split(listed, np.flatnonzero(np.diff(places) > 1) + 1)
    return [(int(part[0]), int(part[-1]), len(part)) for part in parts]


def tags_text(tags: Tags, known: Tags, most: int | None = _SHOWN) -> str:
    """Return tags as people write them; the first few of many, unless ``most`` is None.

    >>> tags_text(np.array([4, 6, 12]), np.array([2, 4, 6, 8, 10, 12]))
    '4–6 (2 tags), 12'
    """
    found = ranges(tags, known)
    texts = [
        str(first) if count == 1 else f"{first}–{last} ({count} tags)"
        for first, last, count in found[:most]
    ]
    more = f" … and {len(found) - len(texts)} more" if len(found) > len(texts) else ""
    return ", ".join(texts) + more


def counted(count: int, what: str = "tag") -> str:
    """Return a number of things in words.

    >>> counted(1), counted(3, "row")
    ('1 tag', '3 rows')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def have(count: int, what: str = "tag") -> str:
    """Return a number of things in words, with a verb.

    >>> have(1), have(3, "shot")
    ('1 tag has', '3 shots have')
    """
    return f"{counted(count, what)} {'has' if count == 1 else 'have'}"
