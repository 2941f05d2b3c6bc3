"""Drift is found to a few hundredths of a pixel, also where bright regions move on their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.blocks import block_of, drive, scan_of

from nxscan.analysis.shifts import CURVES, LINE, NOBODY, OK, PAIRS, Shifts, wanted
from nxscan.analysis.shifts_frames import averaged, binning
from nxscan.analysis.shifts_pairs import Pair
from nxscan.analysis.shifts_solve import Found, line, solve
from nxscan.errors import ProcessError
from nxscan.simulate.drift import DriftingScan, drifting_scan

Outputs = dict[str, np.ndarray[Any, Any]]
ANGLES = np.linspace(-0.3, 0.3, 25)


def found_in(scan: DriftingScan, **parameters: Any) -> Outputs:
    return drive(Shifts(**parameters), scan_of(scan.frames, {"mu": scan.angles}))


def errors_of(found: Outputs, truth: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """Return what is wrong with the shifts that were found, and what they say of it."""
    shifts = np.stack([found["shift_y"], found["shift_x"]], axis=-1)
    said = np.stack([found["shift_y_errors"], found["shift_x_errors"]], axis=-1)
    reference = int(np.nanargmin(np.abs(shifts).sum(axis=1)))
    known = found["status"] == OK
    known[reference] = False
    return (shifts - truth + truth[reference])[known], said[known]


@pytest.fixture(scope="module")
def moving() -> DriftingScan:
    """Bands of light that sweep over a sample which drifts at random."""
    return drifting_scan((320, 320), ANGLES, spread=0.09, seed=4)


@pytest.fixture(scope="module")
def still() -> DriftingScan:
    """A sample that lights up as a whole, and drifts at random."""
    return drifting_scan((128, 160), ANGLES[::2], spread=0, width=0.2, seed=5)


def test_the_drift_of_texture_is_found(still: DriftingScan) -> None:
    found = found_in(still)
    wrong, said = errors_of(found, still.shifts)
    assert (found["found_by"] == PAIRS).all()
    assert np.abs(wrong).max() < 0.05
    assert np.sqrt((wrong**2).mean()) < 0.02
    assert np.sqrt(((wrong / said) ** 2).mean()) < 3


@pytest.mark.parametrize("method", ["auto", "pairs", "curves"])
def test_drift_is_found_where_contrast_moves(moving: DriftingScan, method: str) -> None:
    found = found_in(moving, method=method)
    wrong, said = errors_of(found, moving.shifts)
    assert len(wrong) >= 20
    assert np.sqrt((wrong**2).mean()) < 0.05
    assert 0.2 < np.sqrt(((wrong / said) ** 2).mean()) < 2
    best = CURVES if method == "curves" else PAIRS  # which are sure enough here
    assert (found["found_by"] == best).sum() >= 20


def test_the_line_of_a_uniform_drift() -> None:
    rate = np.array([0.35, -0.2])
    scan = drifting_scan((256, 256), ANGLES, shifts=np.arange(25)[:, None] * rate, spread=0.09)
    found = found_in(scan, model="linear")
    assert (found["found_by"] == LINE).all()
    for name, expected in zip(("shift_y", "shift_x"), rate, strict=True):
        np.testing.assert_allclose(np.diff(found[name]), expected, atol=0.006)


def test_cutting_the_scan_changes_nothing(still: DriftingScan) -> None:
    scan = scan_of(still.frames, {"mu": still.angles})
    whole, cut = drive(Shifts(), scan), drive(Shifts(), scan, [[1, 5, 6]])
    for name, values in whole.items():
        np.testing.assert_array_equal(cut[name], values)


def test_the_drift_along_one_axis_of_a_map() -> None:
    shifts = np.array([[0.0, 0.0], [0.7, -0.3], [1.5, 0.4], [2.1, 0.9]])
    frames = np.stack(
        [
            drifting_scan((96, 96), [0, 0.02, 0.04], shifts=[one] * 3, spread=0, seed=6).frames
            for one in shifts
        ]
    )
    scan = scan_of(frames, {"chi": np.arange(4), "mu": np.arange(3)})
    along = drive(Shifts(axis="chi"), scan, [[1, 3], [2]])
    each = drive(Shifts(), scan)
    assert along["shift_y"].shape == (4,)
    assert each["shift_y"].shape == (4, 3)
    for axis, name in enumerate(("shift_y", "shift_x")):
        expected = shifts[:, axis]
        np.testing.assert_allclose(np.diff(along[name]), np.diff(expected), atol=0.05)
        np.testing.assert_allclose(np.diff(each[name], axis=0).T, np.diff([expected] * 3), atol=0.1)


def test_frames_without_light_have_no_shift(still: DriftingScan) -> None:
    frames = still.frames.copy()
    rng = np.random.default_rng(7)
    frames[[0, 6]] = rng.poisson(5, (2, *frames.shape[1:]))
    found = drive(Shifts(), scan_of(frames, {"mu": still.angles}))
    assert (found["status"] != OK).nonzero()[0].tolist() == [0, 6]
    assert (found["found_by"] == NOBODY).nonzero()[0].tolist() == [0, 6]
    assert np.isnan(found["shift_y"][[0, 6]]).all()
    assert np.isnan(found["shift_x_errors"][[0, 6]]).all()
    assert np.abs(errors_of(found, still.shifts)[0]).max() < 0.05


def test_a_jump_of_many_pixels_is_found() -> None:
    shifts = np.array([[0, 0], [0.2, 0.1], [9.3, -7.6], [9.5, -7.4], [9.4, -7.7]])
    scan = drifting_scan((128, 128), np.arange(5) * 0.01, shifts=shifts, spread=0, width=1)
    wrong, _ = errors_of(found_in(scan), shifts)
    assert len(wrong) == 4
    assert np.abs(wrong).max() < 0.1


def test_larger_pixels_find_the_same_in_pixels_of_the_frames(still: DriftingScan) -> None:
    wrong, _ = errors_of(found_in(still, binning=2), still.shifts)
    assert np.abs(wrong).max() < 0.3


def test_bad_pixels_do_not_hold_the_sample_fast(still: DriftingScan) -> None:
    frames = still.frames.copy()
    bad = np.random.default_rng(8).random(frames.shape[1:]) < 0.01
    frames[:, bad] = 65535
    scan = scan_of(frames, {"mu": still.angles})
    found = drive(Shifts(), scan, valid=np.broadcast_to(~bad, frames.shape))
    assert np.abs(errors_of(found, still.shifts)[0]).max() < 0.06


def test_frames_are_averaged_where_something_is_valid() -> None:
    frames = np.arange(32, dtype=np.uint16).reshape(2, 4, 4)
    valid = np.ones(frames.shape, bool)
    valid[0, :2, :2] = False
    valid[1, 0, 0] = False
    found = averaged(frames, valid, 2)
    assert np.isnan(found[0, 0, 0])
    assert found[0, 1, 1] == (10 + 11 + 14 + 15) / 4
    assert found[1, 0, 0] == pytest.approx((17 + 20 + 21) / 3)
    assert averaged(frames, None, 1).dtype == np.uint16


def test_what_is_kept_of_long_scans_is_bounded() -> None:
    for count in (1, 41, 1000, 20_000):
        factor = binning((2048, 2048), count)
        assert 2048 // factor <= 512
        assert 4 * count * (2048 // factor) ** 2 <= 2**27
    assert binning((40, 4000), 10**6) == 1  # small frames are not made smaller than 32


def pair(first: int, second: int, shift: tuple[float, float]) -> Pair:
    rng = np.random.default_rng(first + 10 * second)
    return Pair(first, second, np.array(shift), np.array(shift) + rng.normal(0, 1e-3, (16, 2)))


def test_pairs_that_agree_outvote_one_that_does_not() -> None:
    truth = np.array([[0, 0], [1, -1], [2, 0], [3, 1], [4, 4.0]])
    pairs = [
        pair(a, b, tuple(truth[b] - truth[a]))
        for a, b in [(0, 1), (1, 2), (2, 3), (3, 4), (0, 2), (1, 3), (2, 4)]
    ]
    pairs[4] = pair(0, 2, (7.0, 7.0))
    found = solve(pairs, np.array([1.0, 1, 9, 1, 1]))
    np.testing.assert_allclose(found.shifts, truth - truth[2], atol=0.02)
    assert (found.errors[2] == 0).all()


def test_frames_that_no_pair_leads_to_are_unknown() -> None:
    found = solve([pair(0, 1, (1, 0)), pair(1, 2, (1, 0)), pair(4, 5, (1, 0))], np.ones(6))
    assert found.known.tolist() == [True, True, True, False, False, False]
    assert solve([], np.array([1.0, 2.0])).known.tolist() == [False, True]


def test_a_line_forgets_outliers_and_leads_through_the_reference() -> None:
    places = np.arange(12.0)
    shifts = np.stack([0.3 * (places - 5), -0.1 * (places - 5)], axis=1)
    shifts[8] += 3
    shifts[2] = np.nan
    found = line(Found(shifts, np.full((12, 2), 0.01)), places)
    np.testing.assert_allclose(found.shifts[:, 0], 0.3 * (places - 5), atol=0.02)
    np.testing.assert_allclose(found.shifts[:, 1], -0.1 * (places - 5), atol=0.02)
    assert (found.errors[5] == 0).all()


def test_pairs_lie_along_the_axes() -> None:
    assert wanted((2, 2)) == [(0, 2), (1, 3), (0, 1), (2, 3)]
    assert wanted(()) == []


def test_one_frame_is_where_it_is(still: DriftingScan) -> None:
    found = drive(Shifts(), scan_of(still.frames[:1], {"mu": [0]}))
    assert found["shift_y"].tolist() == [0]


def test_what_cannot_be_done_is_refused(still: DriftingScan) -> None:
    small = scan_of(np.ones((3, 20, 90)), {"mu": np.arange(3)})
    with pytest.raises(ProcessError, match=r"\(20, 90\), but images of at least 32 × 32"):
        Shifts().outputs(small)
    with pytest.raises(ProcessError, match="'a scan' is one frame"):
        Shifts().outputs(scan_of(still.frames[0], {}))
    scan = scan_of(still.frames, {"mu": still.angles})
    with pytest.raises(ProcessError, match="no scan axis 'chi'"):
        Shifts(axis="chi").outputs(scan)
    grid = scan_of(
        still.frames[:12].reshape(3, 4, 128, 160), {"a": np.arange(3), "b": np.arange(4)}
    )
    process = Shifts(method="curves")
    process.outputs(grid)
    state = process.compute(block_of(grid, [slice(None)] * 4))
    with pytest.raises(ProcessError, match=r"method=curves .* but this one is \(3, 4\)"):
        process.finish(state)
