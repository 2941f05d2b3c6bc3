"""A region of interest: fewer pixels, with the same names."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.chains import bind, corrected, layout_of, scan_of

from nxscan.analysis.corrections.roi import Roi
from nxscan.errors import ProcessError

DATA = np.arange(2 * 6 * 8, dtype=np.uint16).reshape(2, 6, 8)


@pytest.mark.parametrize("region", ["1:4,2:7", (1, 4, 2, 7), ((1, 4), (2, 7)), ["1:4", "2:7"]])
def test_a_region_is_written_in_any_of_these_ways(region: object) -> None:
    found = corrected(scan_of(DATA, 1), Roi(region=region), variance=DATA, valid=DATA > 20)
    np.testing.assert_array_equal(found.data, DATA[:, 1:4, 2:7])
    np.testing.assert_array_equal(found.variance, DATA[:, 1:4, 2:7])
    np.testing.assert_array_equal(found.valid, DATA[:, 1:4, 2:7] > 20)
    assert found.data.dtype == np.uint16
    assert Roi(region=region).parameters == Roi(region="1:4,2:7").parameters


def test_ends_may_be_left_out() -> None:
    assert bind(scan_of(DATA, 1), Roi(region=":3,5:"))[0].after.shape == (2, 3, 3)


def test_axes_keep_the_values_they_have_there() -> None:
    layout = bind(scan_of(DATA, 1), Roi(region="1:4,2:7"))[0].after
    assert layout.axes["d0"].values.tolist() == [1, 2, 3]
    assert layout.axes["d1"].values.tolist() == [2, 3, 4, 5, 6]
    assert len(layout.axes["d1"].width) == 5
    assert len(layout.axes["m0"].values) == 2


def test_chunk_edges_move_with_the_corner() -> None:
    layout = layout_of(scan_of(DATA, 1), [[0, 1, 2], [0, 2, 4, 6], [0, 4, 8]])
    after = Roi(region="1:4,4:8").bind(scan_of(DATA, 1), layout).after
    assert [edges.tolist() for edges in after.edges] == [[0, 1, 2], [0, 1, 3], [0, 4]]


def test_only_the_region_is_read() -> None:
    bound = bind(scan_of(DATA, 1), Roi(region="1:4,2:7"))[0]
    asked = (slice(0, 1), slice(1, 3), slice(0, 5))
    assert bound.source(asked) == (slice(0, 1), slice(2, 4), slice(2, 7))


def test_a_spectrum_has_a_region_too() -> None:
    data = np.arange(10.0).reshape(2, 5)
    assert corrected(scan_of(data, 1), Roi(region="1:3")).data.tolist() == [[1, 2], [6, 7]]


@pytest.mark.parametrize("region", ["0:7,0:8", "3:3,0:8", "4:2,0:8"])
def test_a_region_outside_the_frames_is_refused(region: str) -> None:
    with pytest.raises(ProcessError, match=rf"{region} is not inside the frames .*\(6, 8\)"):
        bind(scan_of(DATA, 1), Roi(region=region))


def test_a_region_of_another_rank_is_refused() -> None:
    with pytest.raises(ProcessError, match="1 ranges, but the frames of 'a test' have 2"):
        bind(scan_of(DATA, 1), Roi(region="0:3"))


@pytest.mark.parametrize("region", ["-3:4,0:8", "a:b,0:8", "1-4,0:8", "1:2:3,0:8"])
def test_what_is_no_region_is_refused(region: str) -> None:
    with pytest.raises(ProcessError, match="is not written first:end"):
        Roi(region=region)
