"""Originals that are moved, missing, changed, many, or have namesakes: never a wrong value."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import linking
from helpers.linking import Case

from nxscan.errors import LayoutError
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.model import Source
from nxscan.nexus import read_scan
from nxscan.nexus.linked import write_linked
from nxscan.nexus.linktable import checksum_of
from nxscan.validate import validate

Make = Callable[[Path], Case]
UUID = "8d7f1a6e-0000-4000-8000-000000000000"
BOTH = pytest.mark.parametrize("make", [linking.modules, linking.zigzag_of_single_frame_files])


def link(tmp_path: Path, case: Case) -> Path:
    return write_linked(case.scan(), tmp_path / "out" / "linked.nxs", UUID)


def move(tmp_path: Path) -> Path:
    """Move originals and master together; return the master."""
    for name in ("raw", "out"):
        (tmp_path / "new").mkdir(exist_ok=True)
        shutil.move(tmp_path / name, tmp_path / "new" / name)
    return tmp_path / "new" / "out" / "linked.nxs"


def with_namesakes(folder: Path, make: Make) -> Path:
    """Make a working directory where files of the same names and sizes hold other frames."""
    for name in ("raw", "out/raw", "."):
        (folder / name).mkdir(parents=True, exist_ok=True)
        make(folder / name)
    for path in [*folder.rglob("*.edf"), *folder.rglob("*.h5")]:
        data = bytearray(path.read_bytes())
        half = len(data) // 2
        data[half:] = bytes(b ^ 255 for b in data[half:])
        path.write_bytes(data)
    return folder


@BOTH
def test_a_namesake_in_the_working_directory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    case = make(tmp_path / "raw")
    path = link(tmp_path, case)
    monkeypatch.chdir(with_namesakes(tmp_path / "cwd", make))
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)
    relative = Path(os.path.relpath(path))
    np.testing.assert_array_equal(read_scan(relative).signal[...], case.values)
    assert validate(path, external=False).findings == ()
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], case.values)


@BOTH
def test_a_namesake_in_the_working_directory_does_not_replace_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    path = link(tmp_path, make(tmp_path / "raw"))
    shutil.rmtree(tmp_path / "raw")
    monkeypatch.chdir(with_namesakes(tmp_path / "cwd", make))
    with pytest.raises(LayoutError, match=r"raw.* is not there.*nxscan relink"):
        read_scan(path)


@BOTH
def test_master_and_originals_move_together(tmp_path: Path, make: Make) -> None:
    case = make(tmp_path / "raw")
    link(tmp_path, case)
    np.testing.assert_array_equal(read_scan(move(tmp_path)).signal[...], case.values)


def test_hdf5_finds_originals_that_moved_with_the_master(tmp_path: Path) -> None:
    case = linking.modules(tmp_path / "raw")
    link(tmp_path, case)
    path = move(tmp_path)
    assert validate(path, external=False).findings == ()
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], case.values)


def test_validate_says_that_hdf5_does_not_find_plain_bytes_that_moved(tmp_path: Path) -> None:
    link(tmp_path, linking.zigzag_of_single_frame_files(tmp_path / "raw"))
    path = move(tmp_path)
    (found,) = validate(path, external=False).findings
    assert f"has moved to {tmp_path}/new/raw/00.edf (and 11 more files)" in found.message
    assert found.hint == "nxscan relink linked.nxs"


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def replace(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-100] + bytes(100))
    os.utime(path, (1000, 1000))


@BOTH
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (Path.unlink, "is not there"),
        (shorten, "has changed: it has .* bytes, and had"),
        (replace, "has changed: its time of last change is another one"),
    ],
)
def test_an_original_that_is_not_what_it_was_is_named_once(
    tmp_path: Path, make: Make, harm: Callable[[Path], None], said: str
) -> None:
    path = link(tmp_path, make(tmp_path / "raw"))
    harmed = sorted((tmp_path / "raw").iterdir())[1]
    harm(harmed)
    with pytest.raises(LayoutError, match=rf"{harmed} {said}"):
        read_scan(path)
    (found,) = validate(path, external=False).findings
    assert (found.severity, found.rule) == ("error", "source of data")
    assert found.message.startswith(str(harmed))


def test_many_missing_originals_are_counted(tmp_path: Path) -> None:
    frames = [linking.plain(tmp_path / "raw" / f"{k}.edf", linking.DATA[:1]) for k in range(30)]
    values = np.repeat(linking.DATA[:1], 30, axis=0)
    path = link(tmp_path, Case(VirtualSignal.of(frames), values))
    shutil.rmtree(tmp_path / "raw")
    with pytest.raises(LayoutError, match=r"raw/0\.edf is not there, and 29 more files"):
        read_scan(path)
    messages = [found.message for found in validate(path, external=False).findings]
    assert len(messages) == len(set(messages)) == 21
    assert messages[-1] == "10 more files are gone or have changed"


def test_a_folder_behind_a_symbolic_link_is_recorded_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    case = linking.multi_frame_file(tmp_path / "disk" / "raw")
    (tmp_path / "raw").symlink_to(tmp_path / "disk" / "raw", target_is_directory=True)
    through = linking.RawFrames(
        tmp_path / "raw" / "50% é.edf",
        case.signal.sources[0].offsets,
        (6, 5),
        np.dtype(">u2"),
    )
    path = link(tmp_path, Case(VirtualSignal.of([through]), case.values))
    (tmp_path / "raw").unlink()
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], case.values)


def test_a_checksum_that_was_asked_for_is_recorded(tmp_path: Path) -> None:
    case = linking.one_file(tmp_path / "raw")
    scan = case.scan()
    file = tmp_path / "raw" / "50% é.h5"
    stat = file.stat()
    scan.provenance.sources = [
        Source(str(file), stat.st_size, stat.st_mtime, linking.COUNT, checksum="feed")
    ]
    with h5py.File(write_linked(scan, tmp_path / "linked.nxs", UUID)) as master:
        table = master["entry/translation/linked"]
        assert table["checksum"][0] == b"feed"
        assert table["path"][0].decode() == "raw/50% é.h5"
        assert table["place"][0].decode() == str(file)
        assert table["size"][0] == stat.st_size


def test_a_checksum_finds_what_size_and_time_do_not_show(tmp_path: Path) -> None:
    case = linking.multi_frame_file(tmp_path / "raw")
    (file,) = (tmp_path / "raw").iterdir()
    scan, stat = case.scan(), file.stat()
    sum_ = checksum_of(file)
    scan.provenance.sources = [
        Source(str(file), stat.st_size, stat.st_mtime, linking.COUNT, checksum=sum_)
    ]
    path = write_linked(scan, tmp_path / "linked.nxs", UUID)
    assert validate(path, data=True, external=False).findings == ()
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert validate(path, external=False).findings == ()
    (found,) = validate(path, data=True, external=False).findings
    assert found.message == f"{file} has changed: its SHA-256 is another one"


MANY = """
import resource, sys
from pathlib import Path
import numpy as np
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
from nxscan.nexus import read_scan
from nxscan.validate import validate
path = Path(sys.argv[1])
found = read_scan(path).signal[...]
assert found.shape == (1500, 2, 3), found.shape
assert (found == np.arange(1500)[:, None, None]).all()
assert validate(path, external=False).findings == ()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("kind", ["hdf5", "plain"])
def test_more_originals_than_files_that_may_be_open(tmp_path: Path, kind: str) -> None:
    raw = tmp_path / "raw"
    values = np.ones((1500, 2, 3), "u2") * np.arange(1500, dtype="u2")[:, None, None]
    frames = [
        linking.stored(raw / f"{k}.h5", values[k : k + 1])
        if kind == "hdf5"
        else linking.plain(raw / f"{k}.edf", values[k : k + 1])
        for k in range(1500)
    ]
    path = link(tmp_path, Case(VirtualSignal.of(frames), values))
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
