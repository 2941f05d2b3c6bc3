"""Frames that show nothing are told from those that do, and can be left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.blocks import drive, scan_of
from helpers.results import write_master
from scipy.ndimage import uniform_filter

from nxscan.analysis.corrections.partition import Partition as LeftOut
from nxscan.analysis.partition import KEPT, LOW, MASKED, Partition, low_frames
from nxscan.analysis.sum import Sum
from nxscan.errors import ProcessError

MU = np.linspace(-1.0, 1.0, 31)
RNG = np.random.default_rng(5)


def rocked() -> np.ndarray[Any, Any]:
    """Return counts of a bright disk that is seen near mu = 0 on a uniform background."""
    y, x = np.mgrid[:24, :30]
    disk = 400.0 * ((y - 12) ** 2 + (x - 14) ** 2 < 36)
    curve = np.exp(-(MU**2) / (2 * 0.1**2))
    return RNG.poisson(20 + curve[:, None, None] * disk).astype("u2")


@pytest.fixture(scope="module")
def scan():
    return scan_of(rocked(), {"mu": MU})


def test_frames_without_the_disk_are_low(scan):
    found = drive(Partition(), scan, cuts=[[7, 20]])
    # a tenth of the highest intensity is reached at 0.1 · sqrt(2 ln 10) = 0.21
    assert (found["status"][np.abs(MU) < 0.18] == KEPT).all()
    assert (found["status"][np.abs(MU) > 0.26] == LOW).all()


def test_the_measure_is_the_variance_of_the_smoothed_frame(scan):
    found = drive(Partition(), scan)
    frames = scan.signal.read((...,)).astype(float)
    expected = [uniform_filter(frame, 3, mode="nearest").var() for frame in frames]
    np.testing.assert_allclose(found["measure"], expected, rtol=1e-12)
    mean = drive(Partition(by="mean"), scan)["measure"]
    np.testing.assert_allclose(mean, frames.mean(axis=(1, 2)), rtol=1e-12)


def test_a_scan_whose_frames_are_all_alike_has_no_low_ones():
    data = RNG.poisson(rocked()[15].astype(float), (31, 24, 30)).astype("u2")
    assert (drive(Partition(), scan_of(data, {"mu": MU}))["status"] == KEPT).all()


def test_one_odd_frame_changes_nothing_for_the_others(scan):
    plain = drive(Partition(), scan)["status"]
    data = scan.signal.read((...,)).copy()
    data[2, :12] = 60000
    odd = drive(Partition(), scan_of(data, {"mu": MU}))["status"]
    assert odd[2] == KEPT
    np.testing.assert_array_equal(np.delete(odd, 2), np.delete(plain, 2))


def test_masked_pixels_do_not_count(scan):
    data = scan.signal.read((...,)).copy()
    valid = np.ones(data.shape, bool)
    data[:, 3, 4], valid[:, 3, 4], valid[6] = 65535, False, False
    found = drive(Partition(), scan_of(data, {"mu": MU}), valid=valid)
    plain = drive(Partition(), scan)
    assert found["status"][6] == MASKED
    assert np.isnan(found["measure"][6])
    np.testing.assert_array_equal(np.delete(found["status"], 6), np.delete(plain["status"], 6))


def test_positions_of_two_motors_keep_their_places():
    data = np.zeros((2, 3, 8, 9))
    data[1, 2, :4] = 100.0
    data[0, 1, :4] = 200.0
    scan = scan_of(data, {"chi": np.arange(2.0), "mu": np.arange(3.0)})
    found = drive(Partition(smooth=1), scan, cuts=[[1], [2]])
    np.testing.assert_allclose(found["measure"], [[0, 1e4, 0], [0, 0, 2500]])


def test_few_frames_have_a_lowest_and_a_highest():
    assert low_frames(np.array([2.0]), 0.01, 4).tolist() == [KEPT]
    assert low_frames(np.array([]), 0.01, 4).size == 0


def test_the_correction_leaves_low_frames_out(tmp_path, scan):
    path = write_master(tmp_path / "scan.nxs", scan=scan)
    status = Partition().run(path)["status"]
    assert 0 < (status == LOW).sum() < MU.size
    total = Sum().run(path, corrections=["partition"])
    np.testing.assert_allclose(
        total["sum"], scan.signal.read((...,))[status == KEPT].sum(axis=0, dtype=float)
    )
    assert total.stored.corrections[0]["parameters"]["result"] == "partition_000"


def test_the_correction_wants_a_result_of_the_process(tmp_path, scan):
    path = write_master(tmp_path / "scan.nxs", scan=scan)
    with pytest.raises(ProcessError, match="no result 'partition'"):
        Sum().run(path, corrections=["partition"])
    Sum().run(path)
    with pytest.raises(ProcessError, match=r"sum_000 in .* is a result of sum"):
        Sum().run(path, corrections=[LeftOut(result="sum_000")])


def test_a_single_frame_is_refused():
    with pytest.raises(ProcessError, match="partition tells images"):
        Partition().outputs(scan_of(rocked()[3], {}))
