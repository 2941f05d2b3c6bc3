"""What tests of vendors' HDF5 share: pixels that say where they were, ways to break files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import nxscan
from nxscan.translate.contract import Options
from nxscan.translate.report import Report


def coded(*shape: int, dtype: str = "u2") -> np.ndarray[Any, Any]:
    """Return an array whose every value is another, so that no swap goes unseen."""
    whole = np.arange(int(np.prod(shape))).reshape(shape)
    assert whole.max(initial=0) <= np.iinfo(dtype).max
    return whole.astype(dtype)


def open_scan(translator: Any, source: Any, number: int = 1, **options: Any) -> tuple[Any, Report]:
    """Open a scan of a source, which is a file, a folder or several files; with its report."""
    from nxscan.translate.sources import expand

    report = Report()
    refs = translator.scans(expand(source))
    return translator.open(refs[number - 1], Options(**options), report), report


def errors(report: Report) -> list[str]:
    """Return the errors of a report as the user reads them."""
    return [str(problem) for problem in report.errors]


def warnings_of(report: Report) -> list[str]:
    """Return the warnings of a report as the user reads them."""
    return [str(problem) for problem in report.problems if problem.severity == "warning"]


def refused(source: Any, tmp_path: Path, **options: Any) -> str:
    """Translate what cannot be translated; return the message, having seen that nothing is left."""
    out = tmp_path / "refused" / "out.nxs"
    out.parent.mkdir(exist_ok=True)
    try:
        nxscan.translate(source, out, link=False, **options)
    except nxscan.NxscanError as error:
        assert list(out.parent.iterdir()) == []
        return str(error)
    raise AssertionError(f"{source} was translated")


def translated(source: Any, tmp_path: Path, **options: Any) -> Any:
    """Translate a source as a copy, check it with nxscan's own validator, and open it."""
    out = tmp_path / "out" / "scan.nxs"
    out.parent.mkdir(exist_ok=True)
    nxscan.translate(source, out, link=False, **options)
    found = nxscan.validate(out, data=True)
    assert found.ok, found
    return nxscan.open(out)


def linked_and_moved(source: Path, tmp_path: Path) -> tuple[Any, Any]:
    """Link to a source folder by default, move both, and read as nxscan and as HDF5 alone do."""
    work = tmp_path / "work"
    work.mkdir()
    source.rename(work / "raw")
    nxscan.translate(work / "raw", work / "scan.nxs")
    assert nxscan.validate(work / "scan.nxs", data=True).ok
    moved = work.rename(tmp_path / "moved")
    with h5py.File(moved / "scan.nxs") as file:
        assert file["/entry/data/data"].is_virtual
        plain = file["/entry/data/data"][...]
    return nxscan.open(moved / "scan.nxs").signal[...], plain


def cut(path: Path, keep: float = 0.6) -> None:
    """Cut the end of a file off."""
    os.truncate(path, int(path.stat().st_size * keep))


def grow(path: Path, dataset: str, frames: int) -> None:
    """Make room for more frames than were written."""
    with h5py.File(path, "r+") as file:
        file[dataset].resize(frames, axis=0)


def rewritten(path: Path, dataset: str, values: np.ndarray[Any, Any]) -> None:
    """Put other values in the place of a dataset's, its attributes kept."""
    with h5py.File(path, "r+") as file:
        said = dict(file[dataset].attrs)
        del file[dataset]
        file[dataset] = values
        file[dataset].attrs.update(said)


def snapshot(paths: Iterable[Path]) -> dict[str, tuple[bytes, int]]:
    """Return bytes and time of change of every file below some folders."""
    return {
        str(file): (file.read_bytes(), file.stat().st_mtime_ns)
        for folder in paths
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
