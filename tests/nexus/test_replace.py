"""A master is replaced as a whole: readers, frames, crashes, full disks."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from durability.simulator import Disk, Loss, Recorder
from helpers.results import add, write_master
from helpers.scans import make_scan

from nxscan.errors import OutputError
from nxscan.nexus import durable, read_scan
from nxscan.nexus.publish import remove_leftovers
from nxscan.nexus.replace import replace_master
from nxscan.nexus.results import results
from nxscan.nexus.seal import Seal, differences

DATA = make_scan()[1]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_who_has_the_master_open_keeps_what_was_there(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    with h5py.File(path) as before:
        add(path)
        np.testing.assert_array_equal(before["entry/data/data"][()], DATA)
        assert "moments" not in before["entry"]
    assert [result.group for result in results(path)] == ["moments_000"]
    assert _names(tmp_path) == ["scan.nxs"]


def test_the_file_of_the_frames_is_never_touched(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs", apart=True)
    frames = tmp_path / "scan_frames.h5"
    frames.chmod(0o444)
    before = frames.stat().st_mtime_ns, frames.read_bytes()
    with Recorder(tmp_path).watching() as recorder:
        add(path)
    assert (frames.stat().st_mtime_ns, frames.read_bytes()) == before
    named = {part for operation in recorder.log for part in operation.arguments}
    assert Path(frames.name) not in named
    np.testing.assert_array_equal(read_scan(path).signal[...], DATA)


@pytest.fixture(params=[False, True], ids=["inline", "apart"])
def commit(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Disk, Recorder]:
    """Record the commit of a result."""
    root = tmp_path / "live"
    root.mkdir()
    path = write_master(root / "scan.nxs", apart=request.param)
    disk = Disk(root)
    with Recorder(root).watching() as recorder:
        add(path)
    return disk, recorder


def test_a_crash_leaves_the_old_master_or_the_new_one(
    tmp_path: Path, commit: tuple[Disk, Recorder]
) -> None:
    """Every prefix of the operations, what was not synced kept, lost, torn or any mix of these."""
    disk, recorder = commit
    seen: dict[object, int] = {}
    for number, operation in enumerate([None, *recorder.log]):
        if operation is not None:
            disk.take(operation)
            if operation.name in ("write", "truncate") and number % 20:
                continue
        kinds = [(n, d) for n in ("kept", "lost", "random") for d in ("kept", "lost", "random")]
        for names, data in kinds:
            state = disk.crash(Loss(names, data, number))
            key = state.key()
            if key in seen:
                continue
            look = tmp_path / f"look-{len(seen)}"
            look.mkdir()
            state.lay_down(look)
            seen[key] = _whole_results(look / "scan.nxs")
    assert set(seen.values()) == {0, 1}


def _whole_results(path: Path) -> int:
    """Count the results of a master that is whole, and see that the next run cleans up."""
    np.testing.assert_array_equal(read_scan(path).signal[...], DATA)
    with h5py.File(path) as file:
        assert list(differences(file)) == []
    found = len(results(path))
    remove_leftovers(path)
    assert [n for n in _names(path.parent) if n not in ("scan.nxs", "scan_frames.h5")] == []
    return found


def test_a_result_that_was_returned_survives_every_crash(
    tmp_path: Path, commit: tuple[Disk, Recorder]
) -> None:
    disk, recorder = commit
    for operation in recorder.log:
        disk.take(operation)
    for number in range(20):
        look = tmp_path / f"after-{number}"
        look.mkdir()
        disk.crash(Loss("random", "random", number)).lay_down(look)
        assert len(results(look / "scan.nxs")) == 1


def test_any_write_that_fails_is_one_error_and_leaves_the_master_as_it_was(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    before = path.read_bytes()
    with Recorder(tmp_path).watching() as whole:
        add(path)
    path.write_bytes(before)
    writes = [k for k, operation in enumerate(whole.log) if operation.name == "write"]
    assert len(writes) > 10
    for first in [*writes[:3], *writes[3::10], writes[-1]]:

        def full(index: int, name: str, first: int = first) -> None:
            if name == "write" and index >= first:
                raise OSError(errno.ENOSPC, "no space left on device")

        with Recorder(tmp_path, full).watching(), pytest.raises(OutputError, match="is full"):
            add(path)
        assert path.read_bytes() == before
        assert _names(tmp_path) == ["scan.nxs"]


FULL = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from helpers.results import add
path = Path(sys.argv[1])
limit = path.stat().st_size + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
add(path)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on file sizes to set")
@pytest.mark.parametrize("spare", [-2000, 0, 500, 5000])
def test_a_disk_that_gets_full_is_one_clear_error(tmp_path: Path, spare: int) -> None:
    path = write_master(tmp_path / "scan.nxs")
    before = path.read_bytes()
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(tests), str(spare)],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert "OutputError: the disk of" in done.stderr
    assert "scan.nxs, which is as it was" in done.stderr
    assert path.read_bytes() == before
    assert _names(tmp_path) == ["scan.nxs"]


def test_a_master_that_another_program_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")

    def append(file: Any, tick: Any) -> list[str]:
        os.utime(path, (1, 1))
        return []

    with pytest.raises(OutputError, match="changed by another program"):
        replace_master(path, append)
    assert path.stat().st_mtime == 1
    assert _names(tmp_path) == ["scan.nxs"]


def test_a_check_that_refuses_leaves_the_master_as_it_was(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs", apart=True)
    before = path.read_bytes()
    seen = []

    def refuse(staged: Path) -> None:
        seen.append(read_scan(staged).signal.shape)  # its frames are found where they are
        raise OutputError("not valid")

    with pytest.raises(OutputError, match="not valid"):
        replace_master(path, lambda file, tick: [], refuse)
    assert seen == [DATA.shape]
    assert path.read_bytes() == before
    assert _names(tmp_path) == ["scan.nxs", "scan_frames.h5"]


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links and permissions")
def test_a_link_to_a_master_stays_one_and_its_permissions_too(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    path.chmod(0o664)
    link = tmp_path / "link.nxs"
    link.symlink_to(path)
    add(link)
    assert link.is_symlink()
    assert len(results(path)) == 1
    assert path.stat().st_mode & 0o777 == 0o664


def test_objects_that_were_there_keep_their_checksums(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    with h5py.File(path, "r+") as file:
        del file["entry/title"]
        file["entry/title"] = "another title"
        before = Seal(file).rows
    add(path)
    add(path)
    with h5py.File(path) as file:
        after = Seal(file).rows
        assert [where for where, _ in differences(file)] == ["/entry/title"]
    assert {where: row for where, row in after.items() if where in before} == before
    assert {"/entry/moments_000/center/data", "/entry/moments/data"} <= set(after)


def test_staging_files_of_living_processes_are_left_alone(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    staged = durable.make_staging_file(path)
    remove_leftovers(path)
    assert staged.exists()
    durable._made.discard(staged)  # as if the process that has this number now were another
    remove_leftovers(path)
    assert _names(tmp_path) == ["scan.nxs"]


def _stage_copy(path: Path, of: Path) -> None:
    """Leave what a translation that was killed would: a staging folder with a master in it."""
    folder = durable.make_staging(path)
    durable._made.discard(folder)
    (folder / path.name).write_bytes(of.read_bytes())


def test_frames_of_another_master_are_never_removed(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs", apart=True)
    other = tmp_path / "other.nxs"
    _stage_copy(other, path)
    remove_leftovers(other)
    assert _names(tmp_path) == ["scan.nxs", "scan_frames.h5"]


def test_frames_that_any_other_master_leads_to_are_never_removed(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs", apart=True)
    kept = tmp_path / "results.nxs"
    path.rename(kept)
    _stage_copy(path, kept)
    remove_leftovers(path)
    assert _names(tmp_path) == ["results.nxs", "scan_frames.h5"]
    np.testing.assert_array_equal(read_scan(kept).signal[...], DATA)


def test_frames_that_nothing_leads_to_are_removed(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs", apart=True)
    _stage_copy(path, path)
    path.unlink()
    remove_leftovers(path)
    assert _names(tmp_path) == []


def test_frames_beside_a_master_that_cannot_be_read_stay(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs", apart=True)
    _stage_copy(path, path)
    damaged = path.read_bytes()
    path.write_bytes(damaged[: len(damaged) // 2])
    remove_leftovers(path)
    assert "scan_frames.h5" in _names(tmp_path)
