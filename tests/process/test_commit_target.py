"""Where results go: into the scan's master, or a new one that links to frames it never writes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers.results import add, write_master
from helpers.scans import make_scan

import nxscan
from nxscan.errors import LayoutError, OutputError, SourceError
from nxscan.nexus import mapped
from nxscan.nexus.foreign import read_foreign
from nxscan.nexus.results import results
from nxscan.process.commit_target import commit_target
from nxscan.validate import validate

DATA = make_scan()[1]
FRAMES = DATA.reshape(12, 6, 5)
MU = np.linspace(0.0, 1.1, 12)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of one's own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def make_foreign(path: Path) -> Path:
    """Write NeXus as a facility might."""
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry_0000"
        entry = file.create_group("entry_0000")
        entry.attrs["NX_class"] = "NXentry"
        entry.attrs["default"] = "measurement"
        entry["title"] = "a foreign scan"
        plot = entry.create_group("measurement")
        plot.attrs["NX_class"] = "NXdata"
        plot.attrs["signal"] = "data"
        plot.attrs["axes"] = ["mu", ".", "."]
        plot.create_dataset("data", data=FRAMES, chunks=(1, 6, 5), compression="gzip")
        plot["data"].attrs["units"] = "counts"
        plot["mu"] = MU
        plot["mu"].attrs["units"] = "deg"
    return path


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}


def read_only(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make a folder read-only, also for a user who may write anywhere."""
    allowed = os.access

    def access(path: Path, mode: int) -> bool:
        return not (mode & os.W_OK and folder in (Path(path), *Path(path).parents)) and allowed(
            path, mode
        )

    monkeypatch.setattr(os, "access", access)


def test_a_master_takes_its_own_results(raw: Path) -> None:
    path = write_master(raw / "scan.nxs")
    target = commit_target(path)
    assert target.master == path
    with h5py.File(path) as file:
        assert target.uuid == file["entry/entry_identifier_uuid"][()].decode()
    assert commit_target(path, path) == target


@pytest.mark.parametrize("apart", [False, True], ids=["inline", "apart"])
def test_a_new_master_links_to_frames_that_are_never_written(
    raw: Path, tmp_path: Path, apart: bool
) -> None:
    path = write_master(raw / "scan.nxs", apart=apart)
    for file in raw.iterdir():
        file.chmod(0o444)
    before = snapshot(raw)
    out = tmp_path / "out" / "results.nxs"
    target = commit_target(path, out)
    assert (target.master, target.uuid) == (out, commit_target(path).uuid)
    add(out)
    assert out.stat().st_size < 500_000
    scan = nxscan.open(out)
    np.testing.assert_array_equal(scan.signal[...], DATA)
    assert nxscan.results(out)[0]["center"].shape == (6, 5)
    assert commit_target(path, out) == target
    assert [found.group for found in results(out)] == ["moments_000"]
    assert validate(out, data=True).findings == ()
    assert snapshot(raw) == before
    assert [p.name for p in out.parent.iterdir()] == [out.name]


def test_both_move_together(raw: Path, tmp_path: Path) -> None:
    path = write_master(raw / "scan.nxs", apart=True)
    foreign = make_foreign(raw / "50% foreign.h5")
    for source in (path, foreign):
        commit_target(source, tmp_path / "out" / f"{source.stem}.nxs")
    shutil.copytree(raw, tmp_path / "new" / "raw")
    shutil.copytree(tmp_path / "out", tmp_path / "new" / "out")
    times = foreign.stat()
    os.utime(tmp_path / "new" / "raw" / foreign.name, ns=(times.st_atime_ns, times.st_mtime_ns))
    shutil.rmtree(raw)
    for source in (path, foreign):
        scan = nxscan.open(tmp_path / "new" / "out" / f"{source.stem}.nxs")
        np.testing.assert_array_equal(np.ravel(scan.signal[...]), DATA.ravel())


def test_results_of_a_read_only_master_go_to_the_current_folder(
    raw: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_master(raw / "scan.nxs")
    before = snapshot(raw)
    read_only(monkeypatch, raw)
    target = commit_target(path)
    assert target.master == here / "scan_results.nxs"
    add(target.master)
    assert snapshot(raw) == before
    with pytest.raises(OutputError, match="may not be written"):
        commit_target(path, path)


def test_a_foreign_file_gets_its_results_in_a_master_that_leads_to_it(
    raw: Path, here: Path
) -> None:
    source = make_foreign(raw / "50% foreign.h5")
    before = snapshot(raw)
    target = commit_target(source)
    assert target.master == here / "50% foreign_results.nxs"
    add(target.master)
    scan = nxscan.open(target.master)
    np.testing.assert_array_equal(scan.signal[...], FRAMES)
    np.testing.assert_array_equal(scan.axes["mu"].values, MU)
    assert scan.title == "a foreign scan"
    assert scan.axes["mu"].units == "deg"
    assert commit_target(source) == target
    assert commit_target(target.master) == target
    with h5py.File(target.master) as file:  # what other readers see
        np.testing.assert_array_equal(file["entry/data/data"][()], FRAMES)
        flat = file["Measurement_000/Channel_000/Raw_Data"][()]
        np.testing.assert_array_equal(flat, FRAMES.reshape(12, 30))
    assert validate(target.master, data=True).findings == ()
    assert snapshot(raw) == before


@pytest.mark.parametrize(("most", "mappings"), [(12, 12), (11, 1)])
def test_foreign_frames_of_a_long_scan_are_mapped_in_one_piece(
    raw: Path, here: Path, monkeypatch: pytest.MonkeyPatch, most: int, mappings: int
) -> None:
    monkeypatch.setattr(mapped, "MOST_MAPPINGS", most)
    source = make_foreign(raw / "foreign.h5")
    with h5py.File(commit_target(source).master) as file:
        found = file["entry/data/data"]
        np.testing.assert_array_equal(found[()], FRAMES)
        np.testing.assert_array_equal(found[1:, 2:3], FRAMES[1:, 2:3])
        assert len(found.virtual_sources()) == mappings


def test_a_foreign_file_that_has_changed_is_not_read(raw: Path, tmp_path: Path) -> None:
    source = make_foreign(raw / "foreign.h5")
    out = commit_target(source, tmp_path / "out.nxs").master
    size = source.stat().st_size
    with source.open("ab") as file:
        file.write(b"more")
    with pytest.raises(LayoutError, match=rf"foreign.h5.*has changed.*{size + 4} bytes.*{size}"):
        nxscan.open(out)
    make_foreign(source)
    os.utime(source, (1000, 1000))
    with pytest.raises(LayoutError, match="time of last change"):
        commit_target(source, out)
    source.unlink()
    with pytest.raises(LayoutError, match="is not there"):
        nxscan.open(out)


def test_nothing_is_put_beside_foreign_data_unasked(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_foreign(raw / "foreign.h5")
    monkeypatch.chdir(raw)
    with pytest.raises(OutputError, match=r"unasked; .*--into"):
        commit_target(source)
    with pytest.raises(OutputError, match="nothing is written into it"):
        commit_target(source, source)
    assert [p.name for p in raw.iterdir()] == ["foreign.h5"]
    assert commit_target(source, raw / "asked.nxs").master == raw / "asked.nxs"


def test_a_file_that_holds_something_else_is_not_used(raw: Path, tmp_path: Path) -> None:
    path = write_master(raw / "scan.nxs")
    other = write_master(tmp_path / "other.nxs", scan=make_scan(seed=1)[0])
    plain = make_foreign(tmp_path / "plain.h5")
    before = other.read_bytes(), plain.read_bytes()
    with pytest.raises(OutputError, match="holds another scan"):
        commit_target(path, other)
    with pytest.raises(OutputError, match="exists already"):
        commit_target(path, plain)
    assert (other.read_bytes(), plain.read_bytes()) == before


def test_a_file_that_is_no_hdf5_is_refused(tmp_path: Path) -> None:
    (tmp_path / "frame.edf").write_bytes(b"{ HeaderID = EH:000001:000000:000000 ; }\n" * 20)
    (tmp_path / "cut.nxs").write_bytes(b"\x89HDF\r\n")
    for name, said in (
        ("frame.edf", "frame.edf"),
        ("missing.nxs", "there is no such file"),
        ("cut.nxs", "is no HDF5 file"),
    ):
        with pytest.raises(SourceError, match=said):
            commit_target(tmp_path / name)


@pytest.mark.parametrize(
    ("interpretation", "rank"), [("image", 1), ("spectrum", 2), ("scalar", 3), (None, 1)]
)
def test_interpretation_says_which_dimensions_are_the_detector_s(
    raw: Path, interpretation: str | None, rank: int
) -> None:
    source = make_foreign(raw / "foreign.h5")
    if interpretation is not None:
        with h5py.File(source, "r+") as file:
            file["entry_0000/measurement/data"].attrs["interpretation"] = interpretation
    scan, files = read_foreign(source)
    assert len(scan.scan_shape) == rank
    assert files == [source]
    np.testing.assert_array_equal(scan.signal[...], FRAMES)


def test_frames_that_another_file_holds_are_found_there(raw: Path, tmp_path: Path) -> None:
    make_foreign(raw / "frames.h5")
    with h5py.File(raw / "master.h5", "w") as file:
        plot = file.create_group("entry")
        plot.attrs["signal"] = "data"
        plot["data"] = h5py.ExternalLink("frames.h5", "/entry_0000/measurement/data")
        file.attrs["default"] = "entry"
    scan, files = read_foreign(raw / "master.h5")
    assert files == [raw / "frames.h5"]
    np.testing.assert_array_equal(scan.signal[...], FRAMES)
    (raw / "frames.h5").unlink()
    with pytest.raises((SourceError, LayoutError)):
        commit_target(raw / "master.h5", tmp_path / "out.nxs")


def test_a_virtual_dataset_whose_source_is_missing_is_refused(raw: Path, tmp_path: Path) -> None:
    make_foreign(raw / "frames.h5")
    layout = h5py.VirtualLayout((12, 6, 5), "u2")
    layout[...] = h5py.VirtualSource("frames.h5", "/entry_0000/measurement/data", (12, 6, 5))
    with h5py.File(raw / "virtual.h5", "w") as file:
        plot = file.create_group("entry")
        plot.attrs["signal"] = "data"
        plot.create_virtual_dataset("data", layout)
        file.attrs["default"] = "entry"
    out = commit_target(raw / "virtual.h5", tmp_path / "out.nxs").master
    np.testing.assert_array_equal(nxscan.open(out).signal[...], FRAMES)
    (raw / "frames.h5").unlink()
    with pytest.raises(LayoutError, match=r"frames\.h5"):
        nxscan.open(out)
    with pytest.raises(LayoutError, match=r"reads from .*frames.h5, which is not there"):
        commit_target(raw / "virtual.h5", tmp_path / "new.nxs")


def test_a_file_without_a_plot_says_so(raw: Path) -> None:
    with h5py.File(raw / "empty.h5", "w") as file:
        file["numbers"] = FRAMES
    with pytest.raises(SourceError, match="there is no plot"):
        commit_target(raw / "empty.h5")
    named = commit_target(Path(f"{raw / 'empty.h5'}::/numbers"))
    scan = nxscan.open(named.master)
    assert (scan.scan_shape, scan.frame_shape) == ((12,), (6, 5))
    np.testing.assert_array_equal(scan.signal[...], FRAMES)
    with pytest.raises(SourceError, match="has no /other"):
        read_foreign(raw / "empty.h5", "/other")
