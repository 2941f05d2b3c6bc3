"""Bad pixels, saturated values and gap values are no measurements."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import fabio
import numpy as np
import pytest
from helpers.chains import bind, corrected, scan_of

from nxscan.analysis.corrections.dark import Dark
from nxscan.analysis.corrections.mask import Mask
from nxscan.errors import ProcessError


def masked(data: np.ndarray, **parameters: object) -> list[bool]:
    found = corrected(
        scan_of(data, 1),
        Mask(**parameters),
        variance=np.ones(data.shape),
        valid=np.ones(data.shape, bool),
    )
    missing = np.isnan(found.data)
    np.testing.assert_array_equal(np.isnan(found.variance), missing)
    np.testing.assert_array_equal(found.valid, ~missing)
    np.testing.assert_array_equal(found.data[~missing], data[~missing])
    return missing.ravel().tolist()


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("u2", [0, 65534, 65535], [False, False, True]),
        ("u4", [0, 65535, 2**32 - 2, 2**32 - 1], [False, False, False, True]),
        ("i4", [-3, -2, -1, 0, 2**31 - 1], [False, True, True, False, False]),
        ("i2", [-2, -1, 7], [True, True, False]),
        ("u1", [254, 255], [False, True]),
        ("f4", [-1, 65535], [False, False]),
    ],
)
def test_what_detectors_write_for_no_value_is_masked(
    dtype: str, values: list[int], expected: list[bool]
) -> None:
    assert masked(np.array([values], dtype)) == expected


@pytest.mark.parametrize("off", [None, "none"])
def test_saturation_can_be_left_alone(off: str | None) -> None:
    assert masked(np.array([[0, 65535]], np.uint16), saturation=off) == [False, False]


@pytest.mark.parametrize(
    ("dtype", "level", "expected"),
    [
        ("u2", 60000, [False, True, True]),
        ("u2", 59999.5, [False, True, True]),
        ("u2", 1e6, [False, False, False]),
        ("f8", 60000, [False, True, True]),
        ("i4", 60000, [False, True, True]),
        ("f8", 60000.5, [False, False, True]),
    ],
)
def test_saturation_can_be_given(dtype: str, level: float, expected: list[bool]) -> None:
    assert masked(np.array([[59999, 60000, 65000]], dtype), saturation=level) == expected


def test_the_scans_own_mask_is_taken_unless_told_otherwise() -> None:
    scan = scan_of(np.ones((2, 3), np.uint16), 1)
    scan.mask = np.array([0, 4, 0])
    assert np.isnan(corrected(scan, Mask()).data).tolist() == [[False, True, False]] * 2
    assert not np.isnan(corrected(scan, Mask(pixel_mask=False)).data).any()


@pytest.mark.parametrize(
    ("polarity", "bad"), [("bad=1", [True, False, False]), ("good=1", [False, True, True])]
)
def test_a_files_mask_means_what_is_said(
    tmp_path: Path, polarity: str, bad: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    np.save(tmp_path / "mask.npy", np.array([1, 0, 0], np.uint8))
    with caplog.at_level(logging.WARNING):
        found = masked(np.ones((1, 3)), path=tmp_path / "mask.npy", polarity=polarity)
    assert found == bad
    assert ("2 of 3 pixels" in caplog.text) == (polarity == "good=1")


def test_a_file_whose_polarity_is_not_said_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.zeros(3))
    with pytest.raises(ProcessError, match=r"what does 1 mean in .*mask\.npy"):
        masked(np.ones((1, 3)), path=tmp_path / "mask.npy")


def test_a_mask_of_every_pixel_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.zeros(3))
    with pytest.raises(ProcessError, match=r"all 3 pixels .* polarity"):
        masked(np.ones((1, 3)), path=tmp_path / "mask.npy", polarity="good=1")


def test_saturation_is_not_looked_for_where_it_cannot_be_seen() -> None:
    scan = scan_of(np.ones((2, 3), np.uint16), 1, dark=np.zeros((1, 3)))
    with pytest.raises(ProcessError, match="give it first in the chain, or saturation=none"):
        bind(scan, Dark(), Mask())
    bind(scan, Dark(), Mask(saturation=None))


def test_a_mask_of_another_shape_is_refused() -> None:
    scan = scan_of(np.ones((2, 3)), 1)
    scan.mask = np.zeros(4)
    with pytest.raises(ProcessError, match=r"mask of 'a test' has shape \(4,\)"):
        bind(scan, Mask())


def test_masks_work_for_point_detectors() -> None:
    assert masked(np.array([3, 65535], np.uint16)) == [False, True]


def test_gaps_of_a_real_pilatus_are_masked(shared_data: Callable[[str], Path]) -> None:
    data = fabio.open(shared_data("cbf/dials_ximg2700_00001.cbf")).data
    found = corrected(scan_of(data[None], 1), Mask()).data[0]
    assert data.min() == -2
    np.testing.assert_array_equal(np.isnan(found), data < 0)
    np.testing.assert_array_equal(found[data >= 0], data[data >= 0])
