"""Raw HDF5 files are opened without touching them, and what is wrong with one is said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscan.errors import SourceError
from nxscan.translate.h5source import (
    check_filters,
    find_links,
    get_node,
    is_hdf5,
    open_source,
)

WRITER = """
import sys, h5py
file = h5py.File(sys.argv[1], "w", libver="latest")
file["values"] = [1, 2, 3]
if sys.argv[2] == "swmr":
    file.swmr_mode = True
file.flush()
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "raw.h5"
    with h5py.File(path, "w") as file:
        file["entry/data"] = np.arange(2000)
    return path


def _writer(path: Path, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), how],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


def test_a_file_that_is_open_for_writing_is_refused_with_who_may_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "held.h5"
    process = _writer(path, "plain")
    try:
        with pytest.raises(SourceError, match="holds it open for writing") as error:
            open_source(path).__enter__()
    finally:
        process.communicate("\n")
    assert "h5clear" in error.value.hint


def test_a_file_that_is_written_in_swmr_mode_is_read_beside_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "live.h5"
    process = _writer(path, "swmr")
    try:
        with open_source(path) as file:
            assert file["values"][()].tolist() == [1, 2, 3]
    finally:
        process.communicate("\n")


def test_opening_changes_nothing_in_the_folder(raw: Path) -> None:
    before = {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in raw.parent.iterdir()
    }
    with open_source(raw) as file:
        file["entry/data"][()]
    after = {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in raw.parent.iterdir()
    }
    assert after == before


def test_a_truncated_file_is_said_to_be_truncated(raw: Path) -> None:
    raw.write_bytes(raw.read_bytes()[:3000])
    with pytest.raises(SourceError, match=r"raw\.h5: the HDF5 file is truncated: 3000 bytes"):
        open_source(raw).__enter__()


@pytest.mark.parametrize("content", [b"", b"no HDF5", b"\x89PNG\r\n\x1a\n" + bytes(600)])
def test_what_is_no_hdf5_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.h5"
    path.write_bytes(content)
    assert not is_hdf5(path)
    with pytest.raises(SourceError, match="is no HDF5 file"):
        open_source(path).__enter__()


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        open_source(tmp_path / "none.h5").__enter__()


def test_a_user_block_does_not_hide_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "block.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["a"] = 1
    assert is_hdf5(path)


@pytest.mark.parametrize("place", range(100, 1000, 47))
def test_damaged_bytes_never_give_another_error(raw: Path, place: int) -> None:
    data = bytearray(raw.read_bytes())
    data[place : place + 8] = b"\xff" * 8
    raw.write_bytes(bytes(data))
    with suppress(SourceError), open_source(raw) as file:
        find_links(file)
        get_node(file, "entry/data")


def test_links_that_dangle_or_leave_the_folder_are_listed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "scan", tmp_path / "elsewhere"
    inside.mkdir()
    outside.mkdir()
    with h5py.File(outside / "frames.h5", "w") as file:
        file["data"] = [1]
    shutil.copy(outside / "frames.h5", inside / "near.h5")
    with h5py.File(inside / "raw.h5", "w") as file:
        file["entry/a"] = 1
        file["entry/soft"] = h5py.SoftLink("/entry/a")
        file["entry/lost"] = h5py.SoftLink("/entry/b")
        file["entry/near"] = h5py.ExternalLink("near.h5", "/data")
        file["entry/far"] = h5py.ExternalLink("../elsewhere/frames.h5", "/data")
        file["entry/gone"] = h5py.ExternalLink("gone.h5", "/data")
        file["entry/empty"] = h5py.ExternalLink("near.h5", "/nothing")
    with open_source(inside / "raw.h5") as file:
        links = {link.path.rpartition("/")[2]: link for link in find_links(file["entry"])}
        assert get_node(file, "entry/far")[()].tolist() == [1]
        with pytest.raises(
            SourceError, match=r"/entry/gone leads to /data of .*gone\.h5, which is"
        ):
            get_node(file, "entry/gone")
    assert {name for name, link in links.items() if link.dangling} == {"lost", "gone", "empty"}
    assert {name for name, link in links.items() if link.outside} == {"far"}


def test_a_namesake_in_the_working_directory_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scan").mkdir()
    (tmp_path / "cwd").mkdir()
    with h5py.File(tmp_path / "cwd" / "frames.h5", "w") as file:
        file["data"] = [13]
    with h5py.File(tmp_path / "scan" / "raw.h5", "w") as file:
        file["data"] = h5py.ExternalLink("frames.h5", "/data")
    monkeypatch.chdir(tmp_path / "cwd")
    with open_source(tmp_path / "scan" / "raw.h5") as file:
        assert [link.dangling for link in find_links(file)] == [True]
        with pytest.raises(SourceError, match=r"frames\.h5, which is not there"):
            get_node(file, "data")


def test_a_filter_that_is_not_installed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "packed.h5"
    with h5py.File(path, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((1, 4, 4))
        plist.set_filter(32765, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((2, 4, 4))
        h5py.h5d.create(file.id, b"frames", h5py.h5t.STD_U16LE, space, plist)
    with (
        open_source(path) as file,
        pytest.raises(SourceError, match=r"packed\.h5: /frames is compressed .* filter 32765"),
    ):
        check_filters(file["frames"])
