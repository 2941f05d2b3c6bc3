"""Files that an acquisition writes in SWMR mode, from another process: as far as it flushed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.bliss import frames

import nxscan
from nxscan import targets
from nxscan.simulate.areadetector import AreaDetectorFile, write_areadetector

WRITER = """
import sys
import h5py
import numpy as np

path, columns, images = sys.argv[1], sys.argv[2].split(), sys.argv[3]
file = h5py.File(path, "r+", libver="latest")
file.swmr_mode = True
for line in sys.stdin:
    count = int(line)
    first = len(file[columns[0]])
    for name in columns:
        file[name].resize(count, axis=0)
        file[name][first:] = np.arange(first, count) + 1
        file[name].flush()
    # room for two more, which are not written
    file[images].resize(count + 2, axis=0)
    pixels = np.arange(24).reshape(4, 6)
    file[images][first:count] = 1000 * np.arange(first, count)[:, None, None] + pixels
    file[images].flush()
    print("flushed", flush=True)
"""


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare these tests the validators."""
    monkeypatch.setattr(targets, "_check", lambda path: None)


@pytest.fixture
def hold() -> Iterator[Callable[..., Callable[[int], None]]]:
    """Have another process hold a file; what is returned has it write so many frames in all."""
    held: list[subprocess.Popen[str]] = []

    def go(path: Path, columns: list[str], images: str) -> Callable[[int], None]:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), " ".join(columns), images],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        held.append(process)

        def write(count: int) -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{count}\n")
            process.stdin.flush()
            assert process.stdout.readline().strip() == "flushed"

        return write

    yield go
    for process in held:
        process.communicate()


def bliss(path: Path) -> tuple[list[str], str]:
    """Write a master whose scan has no point yet."""
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["creator"] = "Bliss"
        group = file.create_group("1.1")
        group["title"] = "ascan mu 1 20 19 0.1"
        group.create_dataset("instrument/mu/value", (0,), "f8", maxshape=(None,), chunks=(4,))
        group["measurement/mu"] = h5py.SoftLink("/1.1/instrument/mu/value")
        group.create_dataset(
            "instrument/cam/image", (0, 4, 6), "u2", maxshape=(None, 4, 6), chunks=(1, 4, 6)
        )
        group["measurement/cam"] = h5py.SoftLink("/1.1/instrument/cam/image")
    return ["/1.1/instrument/mu/value"], "/1.1/instrument/cam/image"


def areadetector(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], str]:
    """Write a file of one frame, in the format that SWMR needs."""
    plain = h5py.File
    with monkeypatch.context() as patched:
        patched.setattr(h5py, "File", lambda *a, **k: plain(*a, **{**k, "libver": "latest"}))
        what: dict[str, Any] = {"attributes": {"mu": np.array([1.0])}, "sources": {"mu": "m1.RBV"}}
        write_areadetector(AreaDetectorFile(frames(1), **what), path)
    place = "/entry/instrument/NDAttributes"
    with h5py.File(path) as file:
        columns = [f"{place}/{name}" for name in file[place]]
        columns += [node.name for node in file["/entry/instrument/detector/NDAttributes"].values()]
    return columns, "/entry/instrument/detector/data"


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize("kind", ["bliss", "areadetector"])
def test_a_file_that_is_written_is_translated_as_far_as_it_was_flushed(
    kind: str, link: bool, hold: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "raw" / "m_0001.h5", tmp_path / "out" / "scan.nxs"
    path.parent.mkdir()
    places = bliss(path) if kind == "bliss" else areadetector(path, monkeypatch)
    write = hold(path, *places)
    for count in (6, 9):
        write(count)
        nxscan.translate(path, out, live=True, link=link)
        scan = nxscan.open(out)
        np.testing.assert_array_equal(scan.signal[...], frames(count))
        np.testing.assert_array_equal(scan.axes["mu"].values, np.arange(count) + 1)
