"""Stacks are reduced block by block, each chunk read once."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.view import blocks
from nxscan.view.blocks import reduce_stack


class Recorded:
    """An array with a dataset's face that remembers every read."""

    def __init__(self, values: np.ndarray, chunks: tuple[int, ...] | None = None) -> None:
        self.values, self.chunks = values, chunks
        self.shape, self.dtype = values.shape, values.dtype
        self.reads: list[tuple[slice, ...]] = []

    def __getitem__(self, key: Any) -> np.ndarray:
        self.reads.append(key)
        return self.values[key]

    def sizes(self) -> list[int]:
        return [prod(s.stop - s.start for s in key) * self.dtype.itemsize for key in self.reads]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let one read take 4 kB, so that small stacks are read in many blocks."""
    limit = 4096
    monkeypatch.setattr(blocks.block_shape, "__defaults__", (limit,))
    return limit


def stack(shape: tuple[int, ...], dtype: str = "u2") -> np.ndarray:
    return (np.arange(prod(shape)) % 1009).reshape(shape).astype(dtype)


def test_no_read_is_larger_than_the_limit_and_every_value_is_read_once(small_blocks: int) -> None:
    source = Recorded(stack((30, 16, 64)), chunks=(1, 16, 64))
    reduce_stack(source, 2)
    assert max(source.sizes()) <= small_blocks
    assert sum(source.sizes()) == source.values.nbytes
    assert len(source.reads) == 15


@pytest.mark.parametrize("chunks", [(7, 5, 8), (30, 4, 4), (1, 16, 64), (2, 16, 10)])
def test_every_chunk_is_read_once(chunks: tuple[int, ...], small_blocks: int) -> None:
    source = Recorded(stack((30, 16, 64)), chunks)
    reduce_stack(source, 2)
    touched = np.zeros([-(-n // c) for n, c in zip(source.shape, chunks, strict=True)], int)
    for key in source.reads:
        touched[
            tuple(slice(s.start // c, -(-s.stop // c)) for s, c in zip(key, chunks, strict=True))
        ] += 1
    assert (touched == 1).all()


shapes = st.lists(st.integers(1, 6), min_size=1, max_size=5).map(tuple)


@given(shape=shapes, data=st.data())
def test_sums_are_those_of_numpy_for_every_shape_and_chunk(shape: Any, data: Any) -> None:
    chunks = tuple(data.draw(st.integers(1, n)) for n in shape)
    frame_ndim = data.draw(st.integers(0, len(shape)))
    values = stack(shape, data.draw(st.sampled_from(["u2", ">u2", "i4", "f4", "f8"])))
    reduced = reduce_stack(Recorded(values, chunks), frame_ndim)
    split = len(shape) - frame_ndim
    assert np.array_equal(reduced.frame, values.sum(axis=tuple(range(split)), dtype="f8"))
    assert np.array_equal(reduced.curve, values.sum(axis=tuple(range(split, len(shape)))))


@pytest.mark.parametrize("how", ["sum", "mean", "max"])
def test_masked_pixels_are_missing_in_the_frame_and_not_in_the_curve(how: Any) -> None:
    values = stack((5, 6, 7))
    values[:, 2, 3] = 60000
    mask = np.zeros((6, 7), bool)
    mask[2, 3] = True
    reduced = reduce_stack(Recorded(values, (2, 3, 3)), 2, how, mask=mask)
    expected = getattr(values.astype(float)[:, ~mask], how)
    assert np.isnan(reduced.frame[2, 3])
    assert np.allclose(reduced.frame[~mask], expected(axis=0))
    assert np.allclose(reduced.curve, expected(axis=1))


@pytest.mark.parametrize("how", ["sum", "mean", "max"])
def test_nan_is_left_out_and_what_is_all_nan_is_missing(how: Any) -> None:
    values = stack((4, 3, 5), "f4")
    values[:, 0, 0] = np.nan
    values[2, 1, 1] = np.nan
    values[3] = np.inf
    reduced = reduce_stack(Recorded(values, (1, 3, 5)), 2, how)
    kept = np.where(np.isfinite(values), values, np.nan)
    reference = getattr(np, f"nan{how}")
    assert np.isnan(reduced.frame[0, 0])
    assert np.isnan(reduced.curve[3])
    others = kept.reshape(4, -1)[:, 1:]
    assert np.allclose(reduced.frame.flat[1:], reference(others, axis=0))
    assert np.allclose(reduced.curve[:3], reference(kept[:3], axis=(1, 2)))


@pytest.mark.parametrize(
    ("dtype", "gap"), [("u2", 65535), ("u4", 2**32 - 1), ("i4", -1), ("i4", -2)]
)
def test_a_detectors_gaps_are_missing(dtype: str, gap: int) -> None:
    values = stack((4, 6, 7), dtype)
    values[:, 1:3] = gap
    reduced = reduce_stack(Recorded(values), 2)
    good = np.r_[0, 3:6]
    assert np.isnan(reduced.frame[1:3]).all()
    assert np.array_equal(reduced.frame[good], values[:, good].sum(axis=0))
    assert np.array_equal(reduced.curve, values[:, good].sum(axis=(1, 2)))


def test_a_pixel_that_saturates_once_is_kept() -> None:
    values = stack((4, 6, 7))
    values[1, 2, 3] = 65535
    reduced = reduce_stack(Recorded(values), 2)
    assert reduced.frame[2, 3] == values[:, 2, 3].sum(dtype=float)


def test_negative_counts_of_a_corrected_image_are_kept() -> None:
    values = stack((1, 6, 7), "i4") - 20
    assert np.array_equal(reduce_stack(Recorded(values), 2).frame, values[0])


def test_only_the_fixed_index_is_read() -> None:
    source = Recorded(stack((3, 4, 6, 7)), (1, 1, 6, 7))
    reduced = reduce_stack(source, 2, fixed={0: 2, 1: -1})
    assert sum(source.sizes()) == 6 * 7 * 2
    assert np.array_equal(reduced.frame, source.values[2, 3])
    assert reduced.curve.shape == (1, 1)


def test_progress_ends_at_the_total(small_blocks: int) -> None:
    seen: list[tuple[int, int]] = []
    reduce_stack(
        Recorded(stack((30, 16, 64))), 2, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (30 * 16 * 64, 30 * 16 * 64)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
