"""What a run recorded for every shot: ``event_info``, one row a tag."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.h5values import read_values
from nxscan.translators.sacla.tags import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tags = NDArray[np.int64]
    Column = NDArray[Any]

TAGS = "tag_number_list"
_LONGEST = 1 << 22


@dataclass(frozen=True, eq=False)
class Events:
    """The rows of ``event_info``, ascending by tag.

    Attributes
    ----------
    tags : ndarray of int64, shape (n,)
        Each tag once.
    columns : dict of str to ndarray, shape (n,)
        Numbers by path below ``event_info``.
    texts : dict of str to ndarray of str, shape (n,)
        Columns that hold texts.
    others : dict of str to str or ndarray
        What is there once, or does not have as many values as there are tags.
    unfit : dict of str to int
        Of these, the columns with other lengths.
    collapsed : ndarray of int64
        Tags that were listed several times with the same values.
    contradictory : ndarray of int64
        Tags that were listed several times with different values; the first row is kept.

    """

    tags: Tags
    columns: dict[str, Column] = field(default_factory=dict)
    texts: dict[str, Column] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    unfit: dict[str, int] = field(default_factory=dict)
    collapsed: Tags = field(default_factory=lambda: np.zeros(0, np.int64))
    contradictory: Tags = field(default_factory=lambda: np.zeros(0, np.int64))


def read_events(run: Any) -> Events | None:
    """Read ``event_info`` of a run's group; None if it has no list of tags.

    Raises
    ------
    SourceError
        If the list of tags holds no whole numbers.

    """
    group = run.get("event_info")
    if not isinstance(group, h5py.Group) or not isinstance(group.get(TAGS), h5py.Dataset):
        return None
    tags = read_tags(group[TAGS])
    values: dict[str, Any] = read_values(group, longest=_LONGEST, attributes=False, lenient=True)
    values.pop(TAGS, None)
    if len(tags) == 1:
        values |= _single(group, values)
    columns, texts, others, unfit = {}, {}, {}, {}
    for path, value in values.items():
        if not isinstance(value, np.ndarray):
            others[path] = value
        elif value.shape != tags.shape:
            others[path] = value
            unfit[path] = len(value)
        elif value.dtype.kind in "biuf":
            columns[path] = value
        else:
            texts[path] = value
    return _each_once(tags, columns, texts, others, unfit)


def read_tags(dataset: Any) -> Tags:
    """Read a list of tags.

    Raises
    ------
    SourceError
        If they are no whole numbers, or of a type that cannot tell neighbors apart.

    """
    name = f"{dataset.file.filename}: {dataset.name}"
    if dataset.shape is None or dataset.ndim != 1 or dataset.dtype.kind not in "iuf":
        raise SourceError(
            f"{name} holds {dataset.dtype} of shape {dataset.shape}, not a list of tag numbers",
            "without it nothing can be joined: copy the file again",
        )
    values = np.asarray(dataset[()])
    if values.dtype.kind == "f":
        largest = 2.0 ** (np.finfo(values.dtype).nmant + 1)
        if not np.isfinite(values).all() or (values % 1).any() or (abs(values) > largest).any():
            raise SourceError(
                f"{name} holds {dataset.dtype}, whose numbers do not tell neighboring tags apart",
                "tags are whole numbers: write them as integers",
            )
    return values.astype(np.int64)


def _single(group: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a run of one tag, which are read as one text each."""
    found = {}
    for path in values:
        dataset = group[path]
        if dataset.shape == (1,) and dataset.dtype.kind in "biuf":
            found[path] = np.asarray(dataset[()])
    return found


def _each_once(
    tags: Tags,
    columns: dict[str, Column],
    texts: dict[str, Column],
    others: dict[str, Any],
    unfit: dict[str, int],
) -> Events:
    """Return the rows ascending by tag; of those of one tag the first."""
    order = np.argsort(tags, kind="stable")
    listed, first, place = np.unique(tags[order], return_index=True, return_inverse=True)
    rows = order[first]
    same = np.ones(len(listed), np.bool_)
    if len(listed) < len(tags):
        for column in (*columns.values(), *texts.values()):
            differs = ~_equal(column[order], column[rows][place])
            same[place[differs]] = False
    counts = np.bincount(place, minlength=len(listed))
    return Events(
        listed,
        {path: column[rows] for path, column in columns.items()},
        {path: column[rows] for path, column in texts.items()},
        others,
        unfit,
        listed[(counts > 1) & same],
        listed[(counts > 1) & ~same],
    )


def _equal(one: Column, two: Column) -> NDArray[np.bool_]:
    alike = one == two
    if one.dtype.kind == "f":
        alike |= np.isnan(one) & np.isnan(two)
    return np.asarray(alike)


def joined_events(several: list[Events]) -> Events:
    """Return the rows of several runs as those of one; what a run lacks is NaN there.

    Raises
    ------
    SourceError
        If a tag is in two of them.

    """
    tags = np.concatenate([one.tags for one in several])
    if len(np.unique(tags)) < len(tags):
        listed, counts = np.unique(tags, return_counts=True)
        twice = listed[counts > 1]
        raise SourceError(
            f"{counted(len(twice))} are in more than one of the runs: {twice[:5].tolist()}",
            "join runs that follow each other",
        )
    columns = {}
    for path in dict.fromkeys(path for one in several for path in one.columns):
        parts = [_or_nan(one.columns.get(path), len(one.tags)) for one in several]
        columns[path] = np.concatenate(parts)
    texts = {}
    for path in dict.fromkeys(path for one in several for path in one.texts):
        blank = [one.texts.get(path, np.full(len(one.tags), "")) for one in several]
        texts[path] = np.concatenate(blank)
    others: dict[str, Any] = {}
    unfit: dict[str, int] = {}
    for one in several:
        others |= {path: value for path, value in one.others.items() if path not in others}
        unfit |= one.unfit
    found = _each_once(tags, columns, texts, others, unfit)
    return Events(
        found.tags,
        found.columns,
        found.texts,
        others,
        unfit,
        np.concatenate([one.collapsed for one in several]),
        np.concatenate([one.contradictory for one in several]),
    )


def _or_nan(column: Column | None, count: int) -> Column:
    return np.full(count, math.nan) if column is None else column
