"""How scans are cut into blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.process.partition import (
    BLOCK_BYTES,
    Cutter,
    chunk_edges,
    fine_cut,
    hull,
    inside,
    volume,
)

MB = 2**20


def cutter(shape, chunks, rank, itemsize=2):
    return Cutter(shape, itemsize, rank, chunk_edges(shape, chunks, rank))


def lengths(block):
    return tuple(part.stop - part.start for part in block)


@st.composite
def layouts(draw):
    rank = draw(st.integers(0, 2))
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=rank + 1, max_size=rank + 2)))
    chunks = draw(st.one_of(st.none(), st.tuples(*(st.integers(1, n) for n in shape))))
    # so large that a handful of values makes a block
    itemsize = draw(st.sampled_from([1, BLOCK_BYTES // 64, BLOCK_BYTES // 7, BLOCK_BYTES]))
    return cutter(shape, chunks, rank, itemsize)


@given(layouts(), st.sampled_from(["pixel", "position", "scan"]), st.booleans())
def test_every_value_is_in_one_block(layout, per, mergeable):
    seen = np.zeros(layout.shape, int)
    partition = layout.cut(per, mergeable=mergeable, state_values=2)
    for block in partition.blocks:
        seen[block] += 1
    assert (seen == 1).all()
    assert sorted(k for cell in partition.cells for k in cell) == list(range(len(partition)))


@given(layouts(), st.sampled_from(["pixel", "position"]))
def test_blocks_of_what_cannot_be_merged_hold_whole_curves_or_frames(layout, per):
    rank = layout.scan_rank
    for block in layout.cut(per, mergeable=False).blocks:
        whole = block[:rank] if per == "pixel" else block[rank:]
        wanted = layout.shape[:rank] if per == "pixel" else layout.shape[rank:]
        assert lengths(whole) == wanted


@given(layouts(), st.sampled_from(["pixel", "position"]), st.booleans())
def test_no_stored_chunk_is_in_two_cells(layout, per, mergeable):
    partition = layout.cut(per, mergeable=mergeable)
    for cell in partition.cells:
        region = hull([partition.blocks[k] for k in cell])
        for part, edges in zip(region, layout.edges, strict=True):
            assert part.start in edges
            assert part.stop in edges


def test_tiled_frames_are_cut_into_tiles_of_about_64_megabytes():
    partition = cutter((41, 2048, 2048), (1, 512, 512), 1).cut("pixel", mergeable=False)
    assert {lengths(block)[0] for block in partition.blocks} == {41}
    sizes = [2 * volume(block) for block in partition.blocks]
    assert max(sizes) <= 64 * MB
    assert len(partition.blocks) == len(partition.cells) == 8


def test_frames_of_a_4_d_scan_are_cut_into_runs_of_whole_rows():
    partition = cutter((64, 64, 256, 256), None, 2).cut("position", mergeable=False)
    assert lengths(partition.blocks[0]) == (8, 64, 256, 256)
    assert len(partition.blocks) == 8


def test_chunks_that_span_the_detector_make_one_cell_of_many_blocks():
    partition = cutter((400, 2048, 2048), (1, 2048, 2048), 1).cut("pixel", mergeable=False)
    assert len(partition.cells) == 1
    assert all(lengths(block)[0] == 400 for block in partition.blocks)
    assert max(2 * volume(block) for block in partition.blocks) <= 64 * MB


def test_a_reduction_streams_small_frames_whose_chunks_span_the_detector():
    partition = cutter((40_000, 256, 256), (1, 256, 256), 1).cut("pixel", mergeable=True)
    assert len(partition.cells) == len(partition.blocks) > 10
    assert {lengths(block)[1:] for block in partition.blocks} == {(256, 256)}


def test_large_frames_that_a_reduction_adds_up_are_read_many_at_once_and_added_tile_by_tile():
    partition = cutter((400, 2048, 2048), (1, 2048, 2048), 1).cut("pixel", mergeable=True)
    hulls = [hull([partition.blocks[k] for k in cell]) for cell in partition.cells]
    assert {lengths(whole)[1:] for whole in hulls} == {(2048, 2048)}
    assert [lengths(whole)[0] for whole in hulls] == [67, 67, 67, 67, 67, 65]
    assert max(2 * volume(block) for block in partition.blocks) <= 64 * MB


@pytest.mark.parametrize("shape", [(400, 2048, 2048), (40_000, 256, 256)])
def test_partial_states_stay_smaller_than_the_data_they_come_from(shape):
    layout = cutter(shape, (1, *shape[1:]), 1)
    partition = layout.cut("pixel", mergeable=True, state_values=6)
    state = 6 * 8 * shape[1] * shape[2]
    held = [2 * sum(volume(partition.blocks[k]) for k in cell) for cell in partition.cells]
    assert min(held[:-1]) >= 2 * state


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=4),
    st.integers(1, 300),
    st.data(),
)
def test_a_fine_cut_keeps_below_its_limit_where_it_may_cut(parts, most, data):
    region = tuple(slice(start, start + n) for start, n in parts)
    dims = data.draw(st.lists(st.sampled_from(range(len(parts))), unique=True).map(sorted))
    pieces = list(fine_cut(region, dims, most))
    free = math.prod(n for d, (_, n) in enumerate(parts) if d not in dims)
    assert sum(volume(piece) for piece in pieces) == volume(region)
    assert all(volume(piece) <= max(most, free) for piece in pieces)


@pytest.mark.parametrize("chunks", [None, (2, 3)])
def test_edges_begin_with_0_and_end_with_the_length(chunks):
    for edges, length in zip(chunk_edges((5, 7), chunks, 1), (5, 7), strict=True):
        assert (edges[0], edges[-1]) == (0, length)


def test_a_region_is_found_inside_an_array_of_a_larger_one():
    region, outer = (slice(3, 5), slice(2, 4)), (slice(1, 9), slice(2, 8))
    values = np.arange(100).reshape(10, 10)
    np.testing.assert_array_equal(values[outer][inside(region, outer)], values[region])
