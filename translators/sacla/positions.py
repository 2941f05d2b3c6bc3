"""A table of motor positions, joined to a run's shots by tag."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.table import match
from nxscan.translate.tabled import with_table
from nxscan.translators.sacla.tags import counted, have, tags_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.build import Found
    from nxscan.translate.report import Report
    from nxscan.translate.table import Table

    Tags = NDArray[np.int64]
    Column = NDArray[np.float64]

_TAG = re.compile(r"tag([ _-]?(number|no|nr|id|list|number_list))?\Z", re.IGNORECASE)


def key_of(table: Table) -> str:
    """Return the column that holds tags: the one that is called so, or else the first.

    Raises
    ------
    SourceError
        If that column holds no whole numbers.

    """
    every = [*table.keys, *table.columns, *table.texts]
    named = [name for name in dict.fromkeys(every) if _TAG.match(name.strip())]
    first = named or list(dict.fromkeys([*table.columns, *table.texts, *table.keys]))
    if not first or first[0] not in table.keys:
        called = f"column {first[0]!r}" if first else "a table without columns"
        raise SourceError(
            f"{table.name}: {called} holds no tag numbers: whole numbers, one a row",
            "call the column of the tags tag_number",
        )
    return first[0]


def join_table(
    found: Found, table: Table, tags: Tags, title: str, report: Report
) -> tuple[Found, Tags]:
    """Join a table to shots by tag; report what has no counterpart.

    Parameters
    ----------
    found : Found
        What was found of the shots.
    table : Table
        The table.
    tags : ndarray of int64, shape (n,)
        The shots, ascending.
    title : str
        The run, for messages.
    report : Report
        Takes tags that the scan does not have, shots that the table does not have, and tags with
        several rows that differ, which are an error.

    Returns
    -------
    Found
        The shots that have a row, with what the table says of them.
    ndarray of int64
        Their tags.

    Raises
    ------
    SourceError
        If the table has no column of tags, or no row is of a shot.

    """
    key = key_of(table)
    listed = table.keys[key]
    joined = match(listed, tags)
    there = joined.rows >= 0
    known = np.union1d(tags, listed)
    if not there.any():
        raise SourceError(
            f"{table.name}: none of its {counted(table.rows, 'row')} is of a shot of {title}: it "
            f"lists {_span(listed)}, the shots are {_span(tags)}",
            "is it the table of this run?",
        )
    if len(joined.unknown):
        stray = np.unique(joined.unknown)
        verb = "is" if len(stray) == 1 else "are"
        message = f"{counted(len(stray))} {verb} not in the scan: {tags_text(stray, known)}"
        report.warning(table.name, message, "their rows are left out")
        found.parameters["tags of the table without shot"] = tags_text(stray, known, None)
    if not there.all():
        lost = tags[~there]
        message = f"{have(len(lost), 'shot')} no row in it: {tags_text(lost, known)}"
        report.warning(table.name, message, "they are no part of the scan")
        found.parameters["tags without row in the table"] = tags_text(lost, known, None)
    _check_repeats(table, listed, joined.repeated, known, report)
    return with_table(found, _without(table, key), joined.rows), tags[there]


def _without(table: Table, key: str) -> Table:
    """Return a table without its tags; all other columns are motors where it does not say."""
    columns = {name: column for name, column in table.columns.items() if name != key}
    keys = {name: column for name, column in table.keys.items() if name != key}
    motors = tuple(name for name in table.motors if name != key) or tuple(columns)
    return replace(table, columns=columns, keys=keys, motors=motors)


def _span(tags: Tags) -> str:
    return f"{int(tags.min())} to {int(tags.max())}" if len(tags) else "none"


def _check_repeats(table: Table, listed: Tags, repeated: Tags, known: Tags, report: Report) -> None:
    """Tell which tags have several rows: the same ones are one, others are an error."""
    differ = []
    for tag in repeated.tolist():
        rows = np.flatnonzero(listed == tag)
        parts = [column[rows] for column in table.columns.values()]
        if not all(
            np.array_equal(part, np.full_like(part, part[0]), equal_nan=True) for part in parts
        ):
            differ.append(tag)
    wrong = np.array(differ, np.int64)
    if len(wrong):
        message = f"{have(len(wrong))} several rows that differ: "
        report.error(table.name, message + tags_text(wrong, known, 20), "which is right?")
    same = np.setdiff1d(repeated, wrong)
    if len(same):
        message = f"{have(len(same))} several rows that are the same: "
        report.note(table.name, message + tags_text(same, known), "one of them is taken")


def _is_same(values: Column) -> bool:
    return bool(np.all(values == values[0]) or np.isnan(values).all())
