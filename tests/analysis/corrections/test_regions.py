"""A region of a corrected scan is what the same region of the whole corrected scan is."""

from __future__ import annotations

import pickle
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.chains import bind, scan_of, through, whole
from hypothesis import given
from hypothesis import strategies as st

from nxscan.analysis.corrections.background import Background
from nxscan.analysis.corrections.binning import Binning
from nxscan.analysis.corrections.dark import Dark
from nxscan.analysis.corrections.flat import Flat
from nxscan.analysis.corrections.hot_pixels import HotPixels
from nxscan.analysis.corrections.mask import Mask
from nxscan.analysis.corrections.monitor import Monitor
from nxscan.analysis.corrections.partition import Partition
from nxscan.analysis.corrections.roi import Roi
from nxscan.analysis.corrections.shifts import Shifts
from nxscan.analysis.corrections.threshold import Threshold
from nxscan.analysis.corrections.transmission import Transmission
from nxscan.model import Scan
from nxscan.process import Correction, Frames, Layout


class Drift(Shifts):
    """Shifts that no file is needed for; one position has none."""

    name = "shifts"

    def _taken(self, name: str, layout: Layout) -> np.ndarray[Any, Any]:
        shifts = np.linspace(-2.3, 9.2, 12).reshape(3, 4) * (1 if name == "shift_y" else -0.7)
        shifts[1, 1] = np.nan
        return shifts

    @property
    def _result(self) -> Any:
        return SimpleNamespace(stored=SimpleNamespace(corrections=[]))


class Low(Partition):
    """A partition that no file is needed for: one frame is low."""

    name = "partition"

    @property
    def _result(self) -> Any:
        return {"status": (np.arange(12) == 5).astype(np.uint8).reshape(3, 4)}


CHAINS: dict[str, list[Correction]] = {
    "background": [Background()],
    "binning": [Binning(factor=(2, 3))],
    "binning_mean": [Binning(factor=2, method="mean")],
    "dark": [Dark()],
    "flat": [Flat()],
    "hot_pixels": [HotPixels(n=1)],
    "hot_pixels_median": [Mask(), HotPixels(n=1, fill="median")],
    "hot_pixels_darfix": [HotPixels(method="darfix", fill="median")],
    "mask": [Mask()],
    "monitor": [Monitor(counter="mon")],
    "partition": [Low(), Dark()],
    "roi": [Roi(region="1:6,2:8")],
    "shifts": [Mask(), Drift()],
    "shifts_linear": [Drift(method="linear", missing="nan"), Roi(region="1:6,2:8")],
    "shifts_fourier": [Mask(), Drift(method="fourier")],
    "threshold": [Threshold(low=5, high=60)],
    "threshold_zero": [Threshold(low=5, fill="zero")],
    "transmission": [Transmission(counter="filter")],
    "usual": [Mask(), Dark(), Flat(), Threshold(low=-5, high=90), Monitor(counter="mon")],
    "all": [
        Threshold(high=95, fill="zero"),
        Background(source="frames"),
        Mask(saturation=None),
        Dark(scale=0.1),
        HotPixels(n=1.5),
        Flat(),
        Transmission(counter="filter"),
        Roi(region="1:7,1:9"),
        Monitor(counter="mon"),
        Binning(factor=2),
        Threshold(low=0),
        Roi(region="0:3,1:4"),
    ],
}


@cache
def scan() -> Scan:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 100, (3, 4, 7, 9)).astype(np.uint16)
    data[rng.random(data.shape) < 0.02] = 65535
    monitor = rng.random((3, 4)) + 0.5
    monitor[1, 2] = 0
    found = scan_of(
        data,
        2,
        dark=rng.integers(0, 9, (4, 7, 9)).astype(np.uint16),
        flat=rng.integers(0, 50, (3, 7, 9)).astype(np.uint16),
        mon=monitor,
        filter=rng.random((3, 4)) * 0.9 + 0.05,
    )
    found.mask = (rng.random((7, 9)) < 0.1).astype(np.uint32)
    return found


def read(name: str, region: tuple[slice, ...] | None = None) -> Frames:
    chain = bind(scan(), *CHAINS[name])
    values = scan().signal.read(...)
    return through(scan(), pickle.loads(pickle.dumps(chain)), region, values + 1.0, values != 7)


read_whole = cache(read)


@pytest.mark.parametrize("name", CHAINS)
@given(data=st.data())
def test_a_region_is_that_of_the_whole(name: str, data: st.DataObject) -> None:
    expected = read_whole(name)
    region = []
    for length in expected.data.shape:
        start = data.draw(st.integers(0, length - 1))
        region.append(slice(start, data.draw(st.integers(start + 1, length))))
    part = tuple(region)
    found = read(name, part)
    assert found.region == part
    np.testing.assert_array_equal(found.data, expected.data[part])
    np.testing.assert_array_equal(found.variance, expected.variance[part])
    np.testing.assert_array_equal(found.valid, expected.valid[part])


@pytest.mark.parametrize("name", CHAINS)
def test_what_was_announced_is_what_comes_out(name: str) -> None:
    after, found = bind(scan(), *CHAINS[name])[-1].after, read_whole(name)
    assert (found.data.shape, found.data.dtype) == (after.shape, after.dtype)
    assert found.region == whole(after.shape)
    assert found.variance.dtype == np.float32
    assert found.valid.dtype == bool
    for axis in after.axes.values():
        assert len(axis.values) == after.shape[axis.dimension]
    for edges, length in zip(after.edges, after.shape, strict=True):
        assert edges[0] == 0
        assert edges[-1] == length
        assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize("name", CHAINS)
def test_values_are_the_same_whether_variances_and_masks_are_wanted_or_not(name: str) -> None:
    chain = bind(scan(), *CHAINS[name])
    raw = scan().signal.read(...)
    plain = through(scan(), chain, variance=raw + 1.0)
    assert plain.valid is None
    np.testing.assert_array_equal(through(scan(), chain).data, plain.data)
    valid = through(scan(), chain, valid=np.ones(raw.shape, bool)).valid
    assert not valid[np.isnan(plain.data)].any()


def test_every_announced_correction_is_here() -> None:
    from importlib.metadata import entry_points

    announced = {entry.name for entry in entry_points(group="nxscan.corrections")}
    tested = {type(one).name for chain in CHAINS.values() for one in chain}
    assert announced <= tested


@pytest.mark.parametrize("name", sorted({type(c).name for chain in CHAINS.values() for c in chain}))
def test_every_parameter_says_what_it_is(name: str) -> None:
    found = next(c for chain in CHAINS.values() for c in chain if type(c).name == name)
    assert type(found).__doc__
    for parameter, field in type(found).Parameters.model_fields.items():
        assert field.description, parameter
