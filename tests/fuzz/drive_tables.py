"""nxscan over a damaged table of positions, as a scan of its own and beside frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import nxscan
from fuzz import oracle, tables
from fuzz.tools import WrongError, cli, expect_none
from nxscan import plan
from nxscan.errors import NxscanError
from nxscan.nexus import write_scan

_READERS = {
    ".csv": tables.csv_columns,
    ".spec": tables.spec_columns,
    ".mda": tables.mda_columns,
}
_MOST = 10_000_000


def drive_table(damaged: Path, whole: Path, out: Path, full: bool) -> str:
    """Inspect a table, translate every scan in it, and compare it with what plain readers read."""
    status = cli("inspect", damaged, "--json")
    target, refused, taken = out.with_suffix(".nxs"), "", 0
    try:
        found = plan.survey(damaged)
    except NxscanError as error:
        return str(error)
    for ref in found.refs:
        try:
            scan = plan.open_scan(found, ref, plan.make_options(), None)
            table = found.translator.table(ref)
        except NxscanError as error:
            refused = str(error)
            continue
        taken += 1
        expect_none(_differences(damaged, ref.number, table))
        _write(scan, target, full)
        target.unlink()
    if status and taken == len(found.refs):
        raise WrongError("inspect refuses it, translate does not")
    return refused


def _write(scan: Any, target: Path, full: bool) -> None:
    if math.prod(scan.signal.shape) > _MOST:
        raise oracle.UnjudgedError("it is large")
    write_scan(scan, target)
    back = nxscan.open(target)
    if back.signal[...].tobytes() != np.asarray(scan.signal[...]).tobytes():
        raise WrongError("the signal is not what was read")
    report = nxscan.validate(target, data=True)
    if not report.ok:
        raise WrongError(f"translated, but not valid: {report.text()}")
    if full and cli("plot", target, "-o", target.with_suffix(".png")):
        raise WrongError("translated, but plot refuses it")


def _differences(path: Path, key: str, table: Any) -> Iterator[str]:
    try:
        expected = _READERS[path.suffix](path, key)
    except Exception as error:  # what a plain reader meets in a damaged file
        raise oracle.UnjudgedError(f"nothing to compare with: {error!r}") from error
    if not set(expected) & set(table.columns):
        raise oracle.UnjudgedError("no column to compare")
    for name, values in expected.items():
        found = table.columns.get(name)
        if found is None or (len(values) != len(found) and np.isnan(found).any()):
            continue  # a row that has another column instead: it is missing there
        if not np.array_equal(found, np.asarray(values), equal_nan=True):
            yield f"{key}: {name} is {found[:5]}, in the file {values[:5]}"
