"""Projections along any axes, against numpy."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
from helpers.blocks import drive, scan_of
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.analysis.projection import Projection
from nxscan.errors import ProcessError

NAMES = ["chi", "mu", "y", "x"]
PLACES = {"chi": np.arange(3), "mu": np.arange(4)}
SUBSETS = list(chain.from_iterable(combinations(NAMES, k) for k in (1, 2, 3)))
RNG = np.random.default_rng(3)
DATA = RNG.integers(0, 60000, (3, 4, 5, 6)).astype("u2")


@pytest.mark.parametrize("along", SUBSETS, ids="-".join)
def test_it_adds_along_the_named_axes_and_keeps_the_others(along):
    scan = scan_of(DATA, PLACES)
    process = Projection(along=",".join(along))
    found = drive(process, scan)["projection"]
    axis = tuple(NAMES.index(name) for name in along)
    np.testing.assert_array_equal(found, DATA.sum(axis=axis, dtype=float))
    mean = drive(Projection(along=list(along), kind="mean"), scan)["projection"]
    np.testing.assert_allclose(mean, DATA.mean(axis=axis, dtype=float), rtol=1e-14)


@given(
    along=st.sampled_from(SUBSETS),
    cuts=st.tuples(*(st.lists(st.integers(1, n - 1), max_size=2) for n in DATA.shape)),
    kind=st.sampled_from(["sum", "mean"]),
    masked=st.booleans(),
)
@settings(max_examples=60)
def test_any_cut_gives_the_whole_without_what_is_masked(along, cuts, kind, masked):
    scan = scan_of(DATA, PLACES)
    valid = np.random.default_rng(1).random(DATA.shape) > 0.4 if masked else None
    found = drive(Projection(along=list(along), kind=kind), scan, cuts, valid=valid)
    axis = tuple(NAMES.index(name) for name in along)
    good = np.ones(DATA.shape, bool) if valid is None else valid
    count = good.sum(axis=axis)
    expected = np.where(good, DATA, 0).sum(axis=axis).astype(float)
    if kind == "mean":
        expected /= np.maximum(count, 1)
    expected[count == 0] = np.nan
    np.testing.assert_allclose(found["projection"], expected, rtol=1e-14)


def test_nan_is_left_out_and_all_nan_is_nan():
    data = DATA.astype("f4")
    data[0, 0, 0, 0] = np.nan
    data[:, :, 1, 1] = np.nan
    found = drive(Projection(along=["chi", "mu"]), scan_of(data, PLACES))["projection"]
    assert np.isnan(found[1, 1])
    assert np.isnan(found).sum() == 1
    expected = np.nansum(data[:, :, 0, 0].astype(float))
    assert found[0, 0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("along", ["phi", "chi,phi"])
def test_an_unknown_axis_is_named_with_those_there_are(along):
    with pytest.raises(ProcessError, match=r"'phi' is no axis.*chi, mu, y, x"):
        Projection(along=along).outputs(scan_of(DATA, PLACES))


def test_along_everything_is_refused():
    with pytest.raises(ProcessError, match="all axes"):
        Projection(along=NAMES).outputs(scan_of(DATA, PLACES))


def test_along_must_be_given():
    with pytest.raises(ProcessError, match="'along' must be given"):
        Projection()
