"""Frames are normalized by a monitor, or by an attenuator's transmission."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.chains import bind, corrected, scan_of

from nxscan.analysis.corrections.monitor import Monitor
from nxscan.analysis.corrections.transmission import Transmission
from nxscan.errors import ProcessError
from nxscan.model import Field

DATA = np.array([[10, 20], [10, 20], [10, 20]], np.uint16)


def test_frames_are_scaled_to_the_mean_monitor() -> None:
    scan = scan_of(DATA, 1, mon=np.array([1.0, 2.0, 3.0]))
    found = corrected(scan, Monitor(counter="mon"), variance=DATA)
    factors = np.array([[2.0], [1.0], [2 / 3]])
    np.testing.assert_allclose(found.data, DATA * factors, rtol=1e-6)
    np.testing.assert_allclose(found.variance, DATA * factors**2, rtol=1e-6)
    assert found.data.dtype == np.float32


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_frames_without_beam_are_missing_and_do_not_count_in_the_mean(bad: float) -> None:
    scan = scan_of(DATA, 1, mon=np.array([1.0, bad, 3.0]))
    found = corrected(scan, Monitor(counter="mon"), variance=DATA, valid=np.ones(DATA.shape, bool))
    np.testing.assert_allclose(found.data[[0, 2], 0], [10 * 2, 10 * 2 / 3], rtol=1e-6)
    assert np.isnan(found.data[1]).all()
    assert np.isnan(found.variance[1]).all()
    assert found.valid.tolist() == [[True, True], [False, False], [True, True]]


def test_a_monitor_of_a_grid_belongs_to_each_position() -> None:
    data = np.ones((2, 3, 4))
    monitor = np.arange(1.0, 7.0).reshape(2, 3)
    found = corrected(scan_of(data, 2, mon=monitor), Monitor(counter="mon"))
    np.testing.assert_allclose(found.data[..., 0], 3.5 / monitor)


def test_a_field_of_the_scan_can_be_the_monitor() -> None:
    scan = scan_of(DATA, 1)
    group = scan.metadata.group("instrument/ring", "NXinstrument", "NXsource")
    group.set("current", Field(np.array([1.0, 2.0, 3.0]), "mA"))
    found = corrected(scan, Monitor(counter="instrument/ring/current"))
    np.testing.assert_allclose(found.data[:, 0], [20, 10, 20 / 3], rtol=1e-6)


def test_an_unknown_counter_is_answered_with_those_there_are() -> None:
    scan = scan_of(DATA, 1, mon=np.ones(3), diode=np.ones(3))
    with pytest.raises(ProcessError, match="no counter 'i0'; there are: mon, diode"):
        bind(scan, Monitor(counter="i0"))


def test_a_counter_that_is_not_per_position_is_refused() -> None:
    with pytest.raises(ProcessError, match=r"shape \(2,\).*\(3,\), is needed"):
        bind(scan_of(DATA, 1, mon=np.ones(2)), Monitor(counter="mon"))


def test_a_monitor_that_never_saw_beam_is_refused() -> None:
    with pytest.raises(ProcessError, match="'mon' is nowhere positive"):
        bind(scan_of(DATA, 1, mon=np.zeros(3)), Monitor(counter="mon"))


def test_frames_are_divided_by_the_transmission() -> None:
    found = corrected(scan_of(DATA, 1), Transmission(value=0.25), variance=DATA)
    np.testing.assert_allclose(found.data, DATA * 4.0)
    np.testing.assert_allclose(found.variance, DATA * 16.0)


def test_each_frame_has_its_own_transmission() -> None:
    scan = scan_of(DATA, 1, filter=np.array([1.0, 0.5, 0.1]))
    found = corrected(scan, Transmission(counter="filter"))
    np.testing.assert_allclose(found.data[:, 0], [10, 20, 100], rtol=1e-6)


def test_a_transmission_that_cannot_be_is_an_error_that_names_the_frames() -> None:
    scan = scan_of(np.ones((2, 3, 1)), 2, filter=np.array([[1, 0, 0.5], [1.5, 0.1, np.nan]]))
    with pytest.raises(ProcessError, match=r"3 of 6 frames .*\(0, 1\): 0, \(1, 0\): 1.5, \(1, 2\)"):
        bind(scan, Transmission(counter="filter"))


@pytest.mark.parametrize("value", [0, -0.1, 1.1])
def test_a_number_that_cannot_be_is_refused(value: float) -> None:
    with pytest.raises(ProcessError, match="'value' is"):
        Transmission(value=value)


@pytest.mark.parametrize("given", [{}, {"value": 0.5, "counter": "filter"}])
def test_a_number_or_a_counter_is_needed(given: dict[str, object]) -> None:
    with pytest.raises(ProcessError, match="one of the two"):
        bind(scan_of(DATA, 1), Transmission(**given))


def test_one_frame_can_be_scaled() -> None:
    scan = scan_of(np.array([8.0]), 0, mon=np.array(2.0))
    assert corrected(scan, Monitor(counter="mon")).data.tolist() == [8.0]
