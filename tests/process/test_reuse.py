"""Blocks and results are reused for the very same run, and for no other.

The cases are those in which pyUSID's Process returns results of another analysis.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.scans import make_scan

from nxscan import Output, Process, ProcessParameters
from nxscan.errors import NxscanError, ProcessError
from nxscan.nexus import read_scan, write_scan
from nxscan.nexus.results import results
from nxscan.process import partition
from nxscan.process.status import unfinished


class Spy:
    """What compute was asked for, and where it is to fail.

    It cannot be pickled, so that it is no part of what a run depends on, as a list would be.
    """

    def __init__(self) -> None:
        self.computed: list[int] = []
        self.fragile: set[int] = set()

    def __reduce__(self) -> Any:
        raise TypeError


spy = Spy()


class Fit(Process):
    """Mean of every frame, times something."""

    per = "position"

    class Parameters(ProcessParameters):
        thr: float | None = None
        k: int = 0
        energies: tuple[float, ...] | float = ()

    def outputs(self, scan: Any) -> list[Output]:
        return [Output("level", units="counts", default=True)]

    def compute(self, block: Any) -> dict[str, Any]:
        first = block.selection[0].start * 100 + block.selection[1].start
        spy.computed.append(first)
        if first in spy.fragile:
            raise ValueError("this block is too much")
        factor = (self.parameters.thr or 1.0) + self.parameters.k
        return {"level": factor * block.data.mean(axis=(-2, -1))}


class ShoFit(Fit):
    """The same numbers under another name."""


class Levels(Fit):
    """The same class but for its version."""

    name = "fit"
    version = "2"


@pytest.fixture(autouse=True)
def quiet() -> None:
    spy.computed.clear()
    spy.fragile.clear()


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Cut the scan into a block for each position; return their number."""
    monkeypatch.setattr(partition, "BLOCK_BYTES", 1)
    return 12


@pytest.fixture
def master(tmp_path: Path) -> Path:
    return write_scan(make_scan()[0], tmp_path / "scan.nxs") or tmp_path / "scan.nxs"


OTHERS = {
    "a parameter differs": (Fit(thr=5), Fit(thr=6)),
    "a parameter is left out": (Fit(thr=5), Fit()),
    "a parameter is None": (Fit(thr=5), Fit(thr=None)),
    "the name ends alike": (ShoFit(k=1), Fit(k=1)),
    "an array differs by 5e-6": (Fit(energies=(10.0, 10.5)), Fit(energies=(10.00005, 10.5))),
    "a number for an array of one": (Fit(energies=(10.0,)), Fit(energies=10.0)),
    "the version": (Fit(k=1), Levels(k=1)),
}


@pytest.mark.parametrize(("done", "asked"), OTHERS.values(), ids=OTHERS)
def test_a_finished_run_is_not_taken_for_another(master: Path, done: Fit, asked: Fit) -> None:
    first = done.run(master)
    before = len(spy.computed)
    second = asked.run(master)
    assert len(spy.computed) > before
    assert second.group != first.group
    assert len(results(master)) == 2


@pytest.mark.parametrize(("done", "asked"), OTHERS.values(), ids=OTHERS)
def test_blocks_of_an_interrupted_run_are_not_taken_for_anothers(
    master: Path, small_blocks: int, done: Fit, asked: Fit
) -> None:
    spy.fragile.add(203)
    with pytest.raises(ProcessError):
        done.run(master, workers=1)
    interrupted = unfinished(master)
    assert [status.blocks_done for status in interrupted] == [small_blocks - 1]
    spy.fragile.clear()
    spy.computed.clear()
    asked.run(master)
    assert len(spy.computed) == small_blocks
    assert unfinished(master) == interrupted


@pytest.mark.parametrize("given", [{"thr": 5}, {"energies": (10.0, 10.5)}, {}], ids=str)
def test_the_same_run_is_found_at_once(master: Path, given: dict[str, Any]) -> None:
    first = Fit(**given).run(master)
    spy.computed.clear()
    again = Fit(**given).run(master)
    assert (again.group, spy.computed) == (first.group, [])


def test_numbers_that_are_the_same_are_the_same_run(master: Path) -> None:
    assert Fit(thr=5).run(master).group == Fit(thr=5.0).run(master).group
    energies = np.array([10.0, 10.5])
    first = Fit(energies=tuple(energies)).run(master)
    assert Fit(energies=(10.0, 10.5)).run(master).group == first.group


def interrupt(master: Path, **options: Any) -> None:
    spy.fragile.add(203)
    with pytest.raises(ProcessError):
        Fit(thr=2).run(master, workers=1, **options)
    spy.fragile.clear()
    spy.computed.clear()


def test_a_scan_that_was_translated_again_gets_none_of_its_blocks(
    master: Path, small_blocks: int
) -> None:
    interrupt(master)
    scan, data = make_scan(seed=1)
    write_scan(scan, master, overwrite=True)
    result = Fit(thr=2).run(master)
    assert len(spy.computed) == small_blocks
    np.testing.assert_array_equal(result["level"], 2 * data.mean(axis=(-2, -1)))


def make_foreign(path: Path, seed: int) -> np.ndarray[Any, Any]:
    data = np.random.default_rng(seed).integers(0, 99, (3, 4, 6, 5)).astype(np.uint16)
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "data"})
        plot = entry.create_group("data")
        plot.attrs.update({"NX_class": "NXdata", "signal": "frames"})
        plot["frames"] = data
    return data


@pytest.mark.parametrize("seen_from", ["source", "results"])
def test_a_source_that_changed_in_between_gives_no_mixture(
    tmp_path: Path, small_blocks: int, seen_from: str
) -> None:
    """It is refused by name, or all is computed anew."""
    source, into = tmp_path / "raw" / "raw.h5", tmp_path / "out.nxs"
    source.parent.mkdir()
    make_foreign(source, 1)
    interrupt(source, into=into)
    data = make_foreign(source, 2)
    asked = {"into": into} if seen_from == "source" else {}
    os.utime(source, (later := source.stat().st_mtime + 10, later))
    refusal: NxscanError | None = None
    try:
        result = Fit(thr=2).run(source if seen_from == "source" else into, **asked)
    except NxscanError as error:
        refusal = error
    if refusal is not None:
        assert "raw.h5" in str(refusal)
        assert spy.computed == []
    else:
        assert len(spy.computed) == small_blocks
        np.testing.assert_array_equal(result["level"], 2 * data.mean(axis=(-2, -1)))
    assert [path.name for path in source.parent.iterdir()] == ["raw.h5"]


def copied(master: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in master.parent.iterdir():
        target = folder / path.name
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, target)
    return folder / master.name


def renamed(master: Path, folder: Path) -> Path:
    return master.parent.rename(folder) / master.name


@pytest.mark.parametrize("moved", [copied, renamed])
def test_a_folder_that_was_moved_with_its_journal_goes_on(
    tmp_path: Path, small_blocks: int, moved: Callable[[Path, Path], Path]
) -> None:
    (tmp_path / "here").mkdir()
    master = tmp_path / "here" / "scan.nxs"
    write_scan(make_scan()[0], master)
    interrupt(master)
    there = moved(master, tmp_path / "there")
    result = Fit(thr=2).run(there)
    assert spy.computed == [203]
    np.testing.assert_array_equal(result["level"], 2 * make_scan()[1].mean(axis=(-2, -1)))


def test_adding_a_result_changes_no_identity(master: Path, small_blocks: int) -> None:
    interrupt(master)
    Fit(k=3).run(master)
    spy.computed.clear()
    Fit(thr=2).run(master)
    assert spy.computed == [203]
    assert unfinished(master) == []


def test_a_damaged_block_is_computed_again(master: Path, small_blocks: int) -> None:
    interrupt(master)
    paths = sorted(unfinished(master)[0].folder.glob("*.block"))
    paths[0].write_bytes(paths[0].read_bytes()[:-1])
    result = Fit(thr=2).run(master)
    assert len(spy.computed) == 2
    np.testing.assert_array_equal(result["level"], 2 * read_scan(master).signal[...].mean((-2, -1)))
