"""Files that are written past the cache hold what was written, whatever the order of it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.nexus import durable, uncached
from nxscan.nexus.planes import rows_in_chunk, write_table
from nxscan.nexus.uncached import UncachedFile


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncached, "BLOCK", 3 * 4096)
    monkeypatch.setattr(uncached, "_LARGE", 500)
    monkeypatch.setattr(uncached, "_GAP", 6000)


@settings(max_examples=60)
@given(
    places=st.lists(st.tuples(st.integers(-9000, 20_000), st.integers(1, 30_000)), max_size=20),
    reads=st.sets(st.integers(0, 19)),
    way=st.sampled_from(["direct", "half", "none"]),
)
def test_a_file_holds_what_was_written_at_any_place(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[tuple[int, int]],
    reads: set[int],
    way: str,
) -> None:
    rng = np.random.default_rng(len(places))
    path, expected, end = tmp_path_factory.mktemp("uncached") / "x", bytearray(), 0
    with pytest.MonkeyPatch.context() as patch:
        if way == "none":
            patch.setattr(durable, "open_direct", lambda path: None)
        elif way == "half":  # a write that stops early
            patch.setattr(durable, "write_direct", lambda file, offset, data: 0)
        file = UncachedFile(path)
        for number, (step, size) in enumerate(places):
            start = max(0, end + step)
            data = rng.bytes(size)
            expected.extend(bytes(max(0, start + size - len(expected))))
            expected[start : start + size] = data
            file.write(start, memoryview(data))
            end = start + size
            if number in reads:
                found = bytearray(size)
                assert file.readinto(start, memoryview(found)) == size
                assert found == data
        assert file.size() == len(expected)
        file.close()
    assert path.read_bytes() == expected


@pytest.mark.parametrize("lengths", [(5,), (7, 6), (3, 4, 5)])
@pytest.mark.parametrize("dtype", ["<u4", "<f8"])
def test_a_table_of_a_grid_is_what_numpy_makes_of_it(
    tmp_path: Path, lengths: tuple[int, ...], dtype: str
) -> None:
    columns = [np.random.default_rng(n).integers(0, 9000, n) for n in lengths]
    rows = rows_in_chunk(lengths, 2 * lengths[-1] + 1)
    total = int(np.prod(lengths))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        chunks = (len(lengths), rows * lengths[-1])
        options = {"chunks": chunks, "shuffle": True, "compression": "gzip"}
        dataset = file.create_dataset("x", (len(lengths), total), dtype, **options)
        write_table(dataset, columns, rows)
        expected = [grid.ravel() for grid in np.meshgrid(*columns, indexing="ij")][::-1]
        np.testing.assert_array_equal(dataset[()], expected)
