"""Block files: whole or not there, the same bits as were given, quick to make."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from nxscan.errors import OutputError, ProcessError
from nxscan.nexus import durable
from nxscan.process.blockfile import block_files
from nxscan.process.journal import read_block, write_block

DTYPES = st.one_of(
    arrays_of.integer_dtypes(),
    arrays_of.unsigned_integer_dtypes(),
    arrays_of.floating_dtypes(),
    arrays_of.boolean_dtypes(),
    arrays_of.complex_number_dtypes(),
    arrays_of.unicode_string_dtypes(),
)
ARRAYS = DTYPES.flatmap(
    lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, min_side=0))
)


@given(st.dictionaries(st.text(), ARRAYS, max_size=4))
def test_what_is_read_is_what_was_written_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, Any]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    write_block(folder, 1, 2, arrays)
    found = read_block(folder, 1, 2)
    assert found is not None
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()
        assert found[name].flags.writeable


def test_views_and_nan_bits_are_kept(tmp_path: Path) -> None:
    strange = np.array([0x7FF8000000000123, 0xFFF0000000000000], np.uint64).view(np.float64)
    cube = np.arange(60).reshape(3, 4, 5)
    write_block(
        tmp_path, 0, 0, {"nan": strange, "view": cube.transpose(2, 0, 1)[::2], "none": cube[:0]}
    )
    found = read_block(tmp_path, 0, 0)
    assert found is not None
    assert found["nan"].tobytes() == strange.tobytes()
    np.testing.assert_array_equal(found["view"], cube.transpose(2, 0, 1)[::2])
    assert found["none"].shape == (0, 4, 5)


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    written = write_block(tmp_path, 3, 14, {"a": np.arange(5)})
    path = tmp_path / written.name
    assert (written.pass_index, written.block) == (3, 14)
    assert written.nbytes == path.stat().st_size
    assert block_files(tmp_path) == {(3, 14): path}
    assert write_block(tmp_path, 3, 14, {"a": np.arange(5)}).checksum == written.checksum
    assert write_block(tmp_path, 3, 14, {"a": np.arange(1, 6)}).checksum != written.checksum


@pytest.mark.parametrize("dtype", ["O", [("a", "f8")]], ids=str)
def test_objects_are_refused_by_name(tmp_path: Path, dtype: Any) -> None:
    with pytest.raises(ProcessError, match="array 'a' of block 4 is of type"):
        write_block(tmp_path, 0, 4, {"a": np.zeros(3, dtype)})
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_block(tmp_path, 0, 0) is None


def test_any_byte_that_changed_or_is_missing_is_noticed(tmp_path: Path) -> None:
    arrays = {"a": np.arange(7.0), "b": np.array(["x", "yz"])}
    path = tmp_path / write_block(tmp_path, 0, 0, arrays).name
    whole = path.read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        for content in (bytes(damaged), whole[:at]):
            path.write_bytes(content)
            assert read_block(tmp_path, 0, 0) is None, at
            assert not path.exists()  # so that the next run computes it
    path.write_bytes(whole)
    assert read_block(tmp_path, 0, 0) is not None


def test_truncated_blocks_are_not_there(tmp_path: Path) -> None:
    paths = [tmp_path / write_block(tmp_path, 0, k, {"a": np.arange(99)}).name for k in range(4)]
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    paths[2].write_bytes(b"")
    (tmp_path / "p0_b9.block.tmp").write_bytes(paths[0].read_bytes())
    assert set(block_files(tmp_path)) == {(0, 0), (0, 3)}


def test_a_file_of_another_block_is_not_taken_for_this_one(tmp_path: Path) -> None:
    path = tmp_path / write_block(tmp_path, 0, 1, {"a": np.arange(3)}).name
    path.rename(tmp_path / "p0_b2.block")
    assert read_block(tmp_path, 0, 2) is None


def test_a_block_is_synced_before_it_has_its_name(tmp_path: Path, monkeypatch: Any) -> None:
    told: list[str] = []
    monkeypatch.setattr(durable, "observer", lambda name, *_: told.append(name))
    write_block(tmp_path, 0, 0, {"a": np.arange(3)})
    assert [name for name in told if name != "write"] == ["create", "sync", "rename", "sync_folder"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("at", ["create", "write", "sync", "rename"])
def test_a_disk_that_refuses_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: Any, at: str, number: int
) -> None:
    def refuse(name: str, *_: Any) -> None:
        if name == at:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(durable, "observer", refuse)
    with pytest.raises(OutputError) as caught:
        write_block(tmp_path, 0, 0, {"a": np.arange(3)})
    assert "goes on from the blocks that are finished" in str(caught.value)
    assert ("make room" in str(caught.value)) == (number != errno.EIO)
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_was_dropped_meanwhile_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is gone"):
        write_block(tmp_path / "gone", 0, 0, {"a": np.arange(3)})
