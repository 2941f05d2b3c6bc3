"""pyUSID and sidpy open the same file and read the same numbers."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest
from helpers.scans import make_scan
from hypothesis import given, settings
from hypothesis import strategies as st

import nxscan.nexus.layout
import nxscan.nexus.usid
from nxscan.nexus import write_scan
from nxscan.nexus.layout import USID_MAIN

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pyUSID = pytest.importorskip("pyUSID")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("inline_limit", [2**20, 0])
@pytest.mark.parametrize(
    ("scan_shape", "frame_shape"),
    [((3, 4), (6, 5)), ((5,), (6, 5)), ((2, 3, 4), (5, 6)), ((4, 3), ()), ((), (7, 6))],
)
def test_pyusid_reads_the_frames_bit_for_bit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scan_shape: tuple[int, ...],
    frame_shape: tuple[int, ...],
    inline_limit: int,
) -> None:
    monkeypatch.setattr(nxscan.nexus.layout, "INLINE_LIMIT", inline_limit)
    scan, data = make_scan(scan_shape, frame_shape)
    with h5py.File(write_scan(scan, tmp_path / "100% scan.nxs")) as file:
        main = file[USID_MAIN]
        assert pyUSID.hdf_utils.check_if_main(main)
        dataset = pyUSID.USIDataset(main)
        dataset.toggle_sorting()
        found = np.asarray(dataset.get_n_dim_form())
        np.testing.assert_array_equal(found.reshape(data.shape), data)
        labels = [axis.long_name for axis in scan.main_axes()]
        assert [label for label in dataset.n_dim_labels if label != "none"] == labels
        for axis in scan.main_axes():
            values = (
                dataset.get_pos_values(axis.long_name)
                if axis.role == "scan"
                else dataset.get_spec_values(axis.long_name)
            )
            np.testing.assert_array_equal(values, axis.values)


def test_ancillaries_list_the_fastest_dimension_first(tmp_path: Path) -> None:
    scan, _ = make_scan((2, 3), (1, 1))
    with h5py.File(write_scan(scan, tmp_path / "scan.nxs")) as file:
        indices = file[USID_MAIN].parent["Position_Indices"]
        expected = [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]
        assert indices[()].tolist() == expected
        assert indices.dtype == np.uint32
        assert list(indices.attrs["labels"]) == ["chi, tilt", "mu, tilt"]


@pytest.mark.parametrize("blocks", [2, 10**6])
@pytest.mark.parametrize("most", [1, 10**6])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_part_of_the_virtual_dataset_is_right(
    tmp_path_factory: pytest.TempPathFactory, most: int, blocks: int, data: st.DataObject
) -> None:
    """HDF5 maps rank-changing selections wrongly in some cases: try many."""
    folder = tmp_path_factory.mktemp("usid")
    scan, frames = make_scan((3, 4), (5, 6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nxscan.nexus.usid, "_MOST_MAPPINGS", most)
        patch.setattr(nxscan.nexus.usid, "_MOST_BLOCKS", blocks)
        path = write_scan(scan, folder / "scan.nxs")
    flat = frames.reshape(12, 30)
    with h5py.File(path) as file:
        for _ in range(10):
            start, stop = sorted(data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))
            low, high = sorted(data.draw(st.tuples(st.integers(0, 30), st.integers(0, 30))))
            found = file[USID_MAIN][start:stop, low:high]
            np.testing.assert_array_equal(found, flat[start:stop, low:high])


@pytest.mark.parametrize(("lengths", "most"), [((7,), 3), ((2, 5), 4), ((2048,), 512), ((3,), 9)])
def test_blocks_of_rows_have_every_row_once_and_in_order(
    lengths: tuple[int, ...], most: int
) -> None:
    numbers = np.arange(np.prod(lengths)).reshape(lengths)
    blocks = nxscan.nexus.usid.row_blocks(lengths, most)
    parts = [
        numbers[tuple(slice(k, k + n) for k, n in zip(first, extent, strict=True))].ravel()
        for first, extent in blocks
    ]
    np.testing.assert_array_equal(np.concatenate(parts), numbers.ravel())
    assert len(blocks) <= most
