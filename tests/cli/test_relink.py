"""``nxscan relink``: originals that have moved are found again, and nothing else changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import linking
from helpers.linking import Case
from helpers.results import add, write_master

import nxscan
from nxscan.nexus import read_scan
from nxscan.nexus.layout import USID_MAIN
from nxscan.nexus.linked import write_linked
from nxscan.nexus.linktable import checksum_of
from nxscan.process.commit_target import commit_target
from nxscan.validate import validate

Make = Callable[[Path], Case]
UUID = "8d7f1a6e-0000-4000-8000-000000000000"
BOTH = pytest.mark.parametrize("make", [linking.modules, linking.zigzag_of_single_frame_files])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder whose name HDF5 takes for a pattern, unless told."""
    made = tmp_path / "50% ü"
    made.mkdir()
    return made


def link(folder: Path, case: Case) -> Path:
    return write_linked(case.scan(), folder / "out" / "linked.nxs", UUID)


def move_originals(folder: Path) -> Path:
    return Path(shutil.move(folder / "raw", folder / "archive"))


def seal_of(path: Path) -> dict[bytes, tuple[int, int]]:
    with h5py.File(path) as file:
        group = file["entry/translation/checksums"]
        columns = [group[name][()].tolist() for name in ("path", "attributes", "value")]
    return {path: (a, v) for path, a, v in zip(*columns, strict=True)}


def test_another_time_is_taken_when_the_user_says_that_nothing_else_changed(
    nxscan_, folder: Path
) -> None:
    case = linking.modules(folder / "raw")
    path = link(folder, case)
    for file in (folder / "raw").iterdir():
        os.utime(file, (1e9, 1e9))
    assert "--accept" in nxscan_("relink", path).err
    assert not validate(path).ok
    ended = nxscan_("relink", path, "--accept")
    assert (ended.status, ended.err) == (0, "")
    assert validate(path).ok
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)
    first = next(iter((folder / "raw").iterdir()))
    with first.open("ab") as file:
        file.write(b"more")
    assert "bytes" in nxscan_("relink", path, "--accept").err


def test_originals_that_moved_with_the_master_may_move_again(nxscan_, folder: Path) -> None:
    case = linking.modules(folder / "raw")
    link(folder, case)
    elsewhere = Path(shutil.move(folder, folder.parent / "elsewhere"))
    (elsewhere / "raw").rename(elsewhere / "archive")
    path = elsewhere / "out" / "linked.nxs"
    ended = nxscan_("relink", path, "--from", elsewhere / "raw", "--to", elsewhere / "archive")
    assert (ended.status, ended.err) == (0, "")
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)


@BOTH
def test_originals_in_another_folder_are_found_again(nxscan_, folder: Path, make: Make) -> None:
    case = make(folder / "raw")
    path = link(folder, case)
    add(path)
    seal, archive = seal_of(path), move_originals(folder)
    ended = nxscan_("relink", path, "--from", folder / "raw", "--to", archive)
    count = len(list(archive.iterdir()))
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == f"{path}: {count} files relinked\n"
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], case.values)
        main = file[USID_MAIN]
        np.testing.assert_array_equal(main[()], case.values.reshape(main.shape))
        assert file["entry/entry_identifier_uuid"][()].decode() == UUID
        tool = file["Measurement_000/Channel_000/Raw_Data_Moments_000"]
        assert file[tool.attrs["source_000"]] == main
        assert file[main.attrs["Position_Indices"]].shape[0] == linking.COUNT
    assert [result.group for result in nxscan.results(path)] == ["moments_000"]
    assert seal_of(path) == seal
    assert validate(path).findings == ()


def test_plain_bytes_that_moved_with_the_master_are_found_by_others_again(
    nxscan_, folder: Path
) -> None:
    case = linking.zigzag_of_single_frame_files(folder / "raw")
    link(folder, case)
    new = Path(shutil.move(folder, folder.with_name("new")))
    path = new / "out" / "linked.nxs"
    with h5py.File(path) as file, pytest.raises(OSError, match="external"):
        file["entry/data/data"][()]
    assert nxscan_("relink", path).out == f"{path}: 12 files relinked\n"
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], case.values)
    assert validate(path, external=False).findings == ()


def test_the_same_folder_twice_means_where_the_files_are_found(nxscan_, folder: Path) -> None:
    case = linking.multi_frame_file(folder / "raw")
    link(folder, case)
    new = Path(shutil.move(folder, folder.with_name("new")))
    path = new / "out" / "linked.nxs"
    assert nxscan_("relink", path, "--from", new / "raw", "--to", new / "raw").status == 0
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], case.values)


def test_frames_of_another_master_that_moved(nxscan_, folder: Path) -> None:
    (folder / "raw").mkdir()
    source = write_master(folder / "raw" / "scan.nxs", apart=True)
    expected = read_scan(source).signal[...]
    path = commit_target(source, folder / "results.nxs").master
    archive = move_originals(folder)
    assert nxscan_("relink", path, "--from", folder / "raw", "--to", archive).status == 0
    np.testing.assert_array_equal(read_scan(path).signal[...], expected)
    assert validate(path, external=False).findings == ()


def test_files_elsewhere_stay_where_they_are(folder: Path) -> None:
    case = linking.modules(folder / "raw")
    path = link(folder, case)
    (folder / "archive").mkdir()
    shutil.move(folder / "raw" / "lower.h5", folder / "archive" / "lower.h5")
    old, new = (folder / name / "lower.h5" for name in ("raw", "archive"))
    assert nxscan.relink(path, old, new) == 1
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)


@BOTH
def test_other_files_in_the_new_place_are_refused(nxscan_, folder: Path, make: Make) -> None:
    path = link(folder, make(folder / "raw"))
    archive = move_originals(folder)
    first, second, third, *_ = sorted(archive.iterdir())
    first.write_bytes(first.read_bytes() + b"more")
    os.utime(second, (1000, 1000))
    third.unlink()
    before = path.read_bytes()
    ended = nxscan_("relink", path, "--from", folder / "raw", "--to", archive)
    assert ended.status == 1
    assert f"{first} has {first.stat().st_size} bytes, but" in ended.err
    assert f"{second} has another time of last change" in ended.err
    assert f"{third} is not there" in ended.err
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_checksum_decides_where_the_time_is_another_one(nxscan_, folder: Path) -> None:
    case = linking.one_file(folder / "raw")
    (file,) = (folder / "raw").iterdir()
    scan = case.scan()
    stat = file.stat()
    scan.provenance.sources = [
        nxscan.model.Source(str(file), stat.st_size, 1.0, linking.COUNT, checksum=checksum_of(file))
    ]
    path = write_linked(scan, folder / "out" / "linked.nxs", UUID)
    (copy,) = move_originals(folder).iterdir()
    os.utime(copy, (1000, 1000))
    words = "relink", path, "--from", folder / "raw", "--to", folder / "archive"
    ended = nxscan_(*words)
    assert (ended.status, ended.err) == (0, "")
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(data)
    os.utime(copy, (2000, 2000))
    ended = nxscan_("relink", path, "--from", folder / "archive", "--to", folder / "archive")
    assert ended.status == 1
    assert "has other bytes than what was linked" in ended.err


def test_a_folder_that_nothing_lies_in_is_refused(nxscan_, folder: Path) -> None:
    path = link(folder, linking.grid(folder / "raw"))
    ended = nxscan_("relink", path, "--from", folder / "elsewhere", "--to", folder / "new")
    assert ended.status == 1
    assert f"none of the 4 files that linked.nxs leads to lies in {folder}/elsewhere" in ended.err
    assert f"they lie in {folder}/raw" in ended.err


def test_a_master_with_its_own_frames_has_nothing_to_relink(nxscan_, folder: Path) -> None:
    path = write_master(folder / "scan.nxs")
    ended = nxscan_("relink", path, "--from", folder, "--to", folder)
    assert ended.status == 1
    assert "there is nothing to relink" in ended.err


def test_one_of_from_and_to_alone_is_wrong_usage(nxscan_, folder: Path) -> None:
    path = link(folder, linking.grid(folder / "raw"))
    assert nxscan_("relink", path, "--from", folder).status == 2
