"""Processes on raw files: a master that leads to them is made first."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers.plugins import RANGE

import nxscan
from nxscan import Output, Process
from nxscan.errors import NxscanError, OutputError, SourceError
from nxscan.process.commit_target import commit_target
from nxscan.process.raw_source import Choice
from nxscan.process.status import unfinished
from nxscan.simulate import BlissScan, realistic_counts, write_bliss, write_edf
from nxscan.validate import validate

SHAPE = (12, 10)
SCAN = realistic_counts(7, SHAPE)
FRAMES = np.stack([SCAN.frame(k) for k in range(7)])


class Range(Process):
    """Largest minus smallest count of every pixel."""

    per = "pixel"

    def outputs(self, scan):
        return [Output("range", units="counts")]

    def compute(self, block):
        return {"range": np.ptp(block.data.astype(float), axis=0)}


class Broken(Range):
    """Stops."""

    name = "broken"

    def compute(self, block):
        raise ValueError("broken")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def check(result, folder: Path, before: dict[str, tuple[int, bytes]]) -> None:
    np.testing.assert_array_equal(result["range"], np.ptp(FRAMES.astype(float), axis=0))
    np.testing.assert_array_equal(nxscan.open(result.path).signal[...], FRAMES)
    assert validate(result.path).findings == ()
    assert contents(folder) == before


def test_a_folder_of_edf_files(tmp_path, here):
    write_edf(SCAN, tmp_path / "raw")
    before = contents(tmp_path / "raw")
    result = Range().run(f"{tmp_path}/raw", into="mine.nxs")
    check(result, tmp_path / "raw", before)
    assert result.path == here / "mine.nxs"
    assert Range().run(tmp_path / "raw", into="mine.nxs").group == result.group
    named = Range().run(str(tmp_path / "raw" / "*.edf"))
    assert named.path.name == f"{nxscan.scans(tmp_path / 'raw')[0].title}_results.nxs"


def test_a_scan_of_a_bliss_master(tmp_path, here):
    master = write_bliss([BlissScan(realistic_counts(3, SHAPE)), BlissScan(SCAN)], tmp_path / "raw")
    before = contents(tmp_path / "raw")
    check(Range().run(f"{master}::/2.1"), tmp_path / "raw", before)
    check(Range().run(master, scan="2.1", into="other.nxs"), tmp_path / "raw", before)
    with pytest.raises(NxscanError, match="none was chosen"):
        Range().run(master, into="third.nxs")
    counter = Range().run(master, scan="2.1", detector="srcur", into="counter.nxs")
    assert nxscan.open(counter.path).frame_shape == ()


def test_a_master_is_made_of_the_same_frames_in_the_same_way_only(tmp_path, here):
    write_edf(SCAN, tmp_path / "raw")
    target = commit_target(str(tmp_path / "raw"), here / "mine.nxs")
    assert commit_target(str(tmp_path / "raw"), here / "mine.nxs").uuid == target.uuid
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "mine"\n')
    with pytest.raises(OutputError, match="its mapping was"):
        commit_target(str(tmp_path / "raw"), here / "mine.nxs", Choice(mapping=mine))


def test_compressed_frames_are_to_be_translated_first(tmp_path, here):
    write_edf(SCAN, tmp_path / "raw", suffix=".edf.gz")
    with pytest.raises(SourceError, match=r"compressed.*nxscan translate .*raw.* --copy"):
        Range().run(tmp_path / "raw", into="mine.nxs")
    assert list(here.iterdir()) == []


def test_an_interrupted_run_goes_on_from_the_master_that_was_made(tmp_path, here):
    write_edf(SCAN, tmp_path / "raw")
    with pytest.raises(NxscanError, match="broken"):
        Broken().run(tmp_path / "raw", into="mine.nxs")
    (run,) = unfinished(here / "mine.nxs")
    assert run.resume.split()[-1] == str(here / "mine.nxs")


def test_plain_nexus_is_taken_by_its_default_plot(tmp_path, here):
    folder = tmp_path / "raw"
    folder.mkdir()
    with h5py.File(folder / "plain.h5", "w") as file:
        file.attrs.update(NX_class="NXroot", default="entry")
        entry = file.create_group("entry")
        entry.attrs.update(NX_class="NXentry", default="second")
        for name, frames in (("first", FRAMES[:3]), ("second", FRAMES)):
            plot = entry.create_group(name)
            plot.attrs.update(NX_class="NXdata", signal="counts")
            plot["counts"] = frames
    before = contents(folder)
    check(Range().run(folder / "plain.h5"), folder, before)
    first = Range().run(f"{folder / 'plain.h5'}::/entry/first", into="first.nxs")
    np.testing.assert_array_equal(first["range"], np.ptp(FRAMES[:3].astype(float), axis=0))


def test_what_nothing_can_open_is_said(tmp_path):
    (tmp_path / "notes.txt").write_text(json.dumps(RANGE))
    with pytest.raises(SourceError, match="no translator can open"):
        Range().run(tmp_path / "notes.txt", into="mine.nxs")
