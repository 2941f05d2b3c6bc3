"""A source that changes while it is read is refused by name, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from durability.sources import COLUMNS, ROWS, frames, write_source

import nxscan
from nxscan import plan, targets
from nxscan.errors import SourceError
from nxscan.translators.edf import pixels
from nxscan.translators.edf.signal import EdfSignal


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(512))


def shrink(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


HARMS: list[Callable[[Path], None]] = [grow, shrink, Path.unlink]


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare these tests the validators."""
    monkeypatch.setattr("nxscan.targets._check", lambda path: None)


def refused(folder: Path, culprit: Path) -> None:
    """Translate, and see that the culprit is named and nothing is left."""
    with pytest.raises(SourceError) as caught:
        nxscan.translate(folder / "raw", folder / "out" / "scan.nxs")
    assert culprit.name in str(caught.value)
    assert not (folder / "out").exists() or list((folder / "out").iterdir()) == []


@pytest.mark.parametrize("kind", [".edf", ".edf.gz", "multi"])
def test_a_source_that_holds_still_is_translated(tmp_path: Path, kind: str) -> None:
    write_source(tmp_path / "raw", kind)
    path = nxscan.translate(tmp_path / "raw", tmp_path / "out" / "scan.nxs")
    np.testing.assert_array_equal(nxscan.open(path).signal[...], frames())


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("kind", [".edf", ".edf.gz", "multi"])
@pytest.mark.parametrize("step", [(plan, "open_scan"), (targets, "write")], ids=lambda s: s[1])
def test_a_file_that_changes_after_it_was_listed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: tuple[Any, str],
    kind: str,
    harm: Callable[[Path], None],
) -> None:
    culprit = write_source(tmp_path / "raw", kind)[-1]
    done = getattr(*step)

    def late(*args: Any, **options: Any) -> Any:
        harm(culprit)
        return done(*args, **options)

    monkeypatch.setattr(*step, late)
    refused(tmp_path, culprit)


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("kind", [".edf", ".edf.gz", "multi"])
def test_a_file_that_changes_while_frames_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, harm: Callable[[Path], None]
) -> None:
    culprit = write_source(tmp_path / "raw", kind)[-1]
    read, last = EdfSignal.read_into, np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)[-1, -1]

    def late(signal: EdfSignal, selection: Any, out: Any) -> None:
        positions = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)[selection[:2]]
        if last in positions and culprit.exists():
            harm(culprit)
        read(signal, selection, out)

    monkeypatch.setattr(EdfSignal, "read_into", late)
    refused(tmp_path, culprit)


def test_a_file_that_shrinks_under_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    culprit = write_source(tmp_path / "raw", ".edf")[-1]
    opened = pixels.open_listed

    def late(place: Any) -> Any:
        file = opened(place)
        if place.path == str(culprit):
            shrink(culprit)
        return file

    monkeypatch.setattr(pixels, "open_listed", late)
    refused(tmp_path, culprit)
