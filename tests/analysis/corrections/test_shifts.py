"""Frames are moved back by the shifts that were found, in floats, edges NaN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.blocks import scan_of as images_of
from helpers.chains import bind, layout_of, scan_of, through
from helpers.results import write_master
from scipy import ndimage

from nxscan.analysis.corrections.binning import Binning
from nxscan.analysis.corrections.moving import Moved, filled
from nxscan.analysis.corrections.roi import Roi
from nxscan.analysis.corrections.shifts import Shifts
from nxscan.analysis.mean import Mean
from nxscan.analysis.shifts import Shifts as FindShifts
from nxscan.errors import ProcessError
from nxscan.model import Scan
from nxscan.process import Correction, Frames
from nxscan.process.result import results
from nxscan.simulate.drift import drifting_scan

METHODS = ["linear", "cubic", "fourier"]


def moved(data: np.ndarray[Any, Any], shifts: Any, method: str = "cubic", **kwargs: Any) -> Frames:
    scan = scan_of(data, 1)
    values = np.broadcast_to(np.asarray(shifts, float), (len(data), 2))
    return through(scan, [Moved(layout_of(scan), values, method)], **kwargs)


def smooth(y: Any, x: Any) -> Any:
    return 100 + 30 * np.sin(0.20 * y + 0.1) * np.cos(0.15 * x + 0.3)


@pytest.mark.parametrize(("method", "worst"), [("linear", 0.2), ("cubic", 0.01), ("fourier", 0.03)])
def test_a_smooth_image_is_what_it_is_at_the_moved_places(method: str, worst: float) -> None:
    y, x = np.mgrid[:60, :50].astype(float)
    shift = (0.35, -2.2)
    found = moved(smooth(y, x)[None], shift, method).data[0]
    there = ~np.isnan(found)
    error = np.abs(found - smooth(y + shift[0], x + shift[1]))
    assert error[6:-6, 8:-8].max() < worst
    edge = 2 if method == "cubic" else 1
    assert not there[:, : edge + 1].any()  # 2.2 pixels to the left, and a neighbour
    assert there[edge:-edge, edge + 2 : -1].all()


def test_linear_interpolation_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    data = rng.random((3, 20, 30))
    shifts = np.array([[0.3, 0.7], [-1.25, 2.5], [4.0, -3.1]])
    found = moved(data, shifts, "linear").data
    for frame, shift, one in zip(data, shifts, found, strict=True):
        expected = ndimage.shift(frame, -shift, order=1, mode="constant", cval=np.nan)
        np.testing.assert_allclose(one, expected, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_whole_pixels_move_as_they_are(method: str) -> None:
    data = np.random.default_rng(1).integers(0, 65535, (1, 9, 8)).astype(np.uint16)
    found = moved(data, (2.0, -1.0), method).data[0]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:7, 1:], data[0, 2:, :7])
    assert np.isnan(found[7:]).all()
    assert np.isnan(found[:, 0]).all()


@pytest.mark.parametrize("method", METHODS)
def test_large_counts_and_parts_of_counts_are_kept(method: str) -> None:
    ramp = np.broadcast_to(np.linspace(30000, 36000, 64), (64, 64))
    found = moved(ramp.astype(np.uint16)[None], (0.0, 0.5), method).data[0]
    exact = np.rint(ramp).astype(float)
    np.testing.assert_allclose(found[30, 8:-8], (exact[30, 8:-8] + exact[30, 9:-7]) / 2, atol=60)
    assert (found[30, 8:-8] > 30000).all()  # darfix: 41 above 32767


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_the_variance_is_what_moved_noise_scatters_by(method: str) -> None:
    rng = np.random.default_rng(2)
    data = rng.poisson(100, (6000, 8, 8)).astype(np.uint16)
    found = moved(data, (0.4, 0.25), method, variance=np.full(data.shape, 100.0))
    inner = found.data[:, 3:5, 3:5]
    np.testing.assert_allclose(inner.var(axis=0), found.variance[0, 3:5, 3:5], rtol=0.08)
    np.testing.assert_allclose(inner.mean(axis=0), 100, rtol=0.01)


def test_the_variance_of_fourier_is_what_moved_noise_scatters_by() -> None:
    rng = np.random.default_rng(3)
    data = rng.poisson(100, (1500, 64, 64)).astype(np.uint16)
    found = moved(data, (0.4, 0.25), "fourier", variance=np.full(data.shape, 100.0))
    assert found.data[:, 24:40, 24:40].var(axis=0).mean() == pytest.approx(
        found.variance[0, 30, 30], rel=0.05
    )


@pytest.mark.parametrize("method", METHODS)
def test_what_is_missing_stays_missing_and_invalid(method: str) -> None:
    data = np.full((1, 16, 16), 7.0)
    data[0, 8, 8] = np.nan
    valid = np.ones(data.shape, bool)
    valid[0, 3, 3] = False
    found = moved(data, (0.5, 0.5), method, valid=valid, variance=np.ones(data.shape))
    assert np.isnan(found.data[0, 7:9, 7:9]).all()
    assert np.isnan(found.variance[0, 7:9, 7:9]).all()
    assert not found.valid[0, 7:9, 7:9].any()
    assert not found.valid[0, 2:4, 2:4].any()
    np.testing.assert_allclose(found.data[0, 11:14, 2:14], 7, rtol=1e-6)


def test_positions_without_a_shift() -> None:
    nan = np.nan
    known = np.array([[nan, nan], [1.0, 2.0], [nan, nan], [3.0, 6.0], [nan, nan]])
    expected = [[1, 2], [1, 2], [2, 4], [3, 6], [3, 6]]
    np.testing.assert_array_equal(filled(known), expected)
    found = moved(np.ones((2, 9, 9)), [[nan, nan], [0.5, 0.5]], valid=np.ones((2, 9, 9), bool))
    assert np.isnan(found.data[0]).all()
    assert not found.valid[0].any()
    assert found.data[1, 4, 4] == 1


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scan]:
    """A scan with its shifts in the file."""
    shifts = np.arange(12)[:, None] * [0.5, -0.25]
    made = drifting_scan((64, 80), np.arange(12) * 0.01, shifts=shifts, spread=0, width=1)
    scan = images_of(made.frames, {"mu": made.angles})
    path = write_master(tmp_path_factory.mktemp("drift") / "scan.nxs", scan=scan)
    FindShifts(model="linear").run(path, workers=1)
    return path, scan


def test_a_scan_is_read_through_its_own_shifts(drifted: tuple[Path, Scan]) -> None:
    path, scan = drifted
    still = Mean().run(path, corrections=["shifts:result=shifts_000"], workers=1)
    blurred = Mean().run(path, workers=1)
    inner = (slice(12, -12), slice(12, -12))
    texture = scan.signal.read(...).astype(float)[:, 12:-12, 12:-12].std(axis=(1, 2)).mean()
    assert np.nanstd(still["mean"][inner]) == pytest.approx(texture, rel=0.15)
    assert np.std(blurred["mean"][inner]) < 0.8 * texture
    assert still.stored.corrections[0]["parameters"]["result"] == "shifts_000"


def test_other_shifts_make_another_result(drifted: tuple[Path, Scan]) -> None:
    path, _ = drifted
    Mean().run(path, corrections=["shifts"], workers=1)
    before = len(results(path))
    Mean().run(path, corrections=["shifts:result=shifts_000"], workers=1)
    assert len(results(path)) == before  # the newest one is shifts_000
    FindShifts(method="pairs").run(path, workers=1)
    Mean().run(path, corrections=["shifts"], workers=1)
    assert len(results(path)) == before + 2


def test_shifts_of_another_file_are_named_by_its_path(drifted: tuple[Path, Scan]) -> None:
    path, scan = drifted
    chain = bind(scan, Shifts(path=str(path)).located(Path("elsewhere.nxs")))
    assert chain[0].shifts[-1, 0] - chain[0].shifts[0, 0] == pytest.approx(5.5, abs=0.2)


def test_pixels_may_be_larger_when_frames_are_moved(drifted: tuple[Path, Scan]) -> None:
    path, scan = drifted
    shifts = Shifts(result="shifts_000").located(path)
    alone = bind(scan, shifts)[-1].shifts
    np.testing.assert_allclose(bind(scan, Binning(factor=2), shifts)[-1].shifts, alone / 2)
    np.testing.assert_array_equal(bind(scan, Roi(region="8:40,8:40"), shifts)[-1].shifts, alone)


def test_what_is_wrong_is_said(drifted: tuple[Path, Scan]) -> None:
    path, scan = drifted
    with pytest.raises(ProcessError, match=r"has no result 'gone'; there are: shifts_000"):
        Shifts(result="gone").located(path)
    with pytest.raises(ProcessError, match="no file to take the shifts from"):
        bind(scan, Shifts())
    other = images_of(np.ones((5, 64, 80)), {"mu": np.arange(5)})
    with pytest.raises(ProcessError, match=r"\(12,\) positions, but the scan has \(5,\)"):
        bind(other, Shifts(result="shifts_000").located(path))
    mean = Mean().run(path, workers=1)
    with pytest.raises(ProcessError, match=f"{mean.group} in .* has no shift_y"):
        Shifts(result=mean.group).located(path)


def test_it_is_a_correction(drifted: tuple[Path, Scan]) -> None:
    assert isinstance(Shifts(), Correction)
    assert Shifts().needs == ()
    assert len(Shifts().located(drifted[0]).needs) == 1
