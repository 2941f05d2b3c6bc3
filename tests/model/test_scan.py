"""Frames by motor value, pixels as curves, names and units."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from helpers.scans import make_scan
from hypothesis import given
from hypothesis import strategies as st

from nxscan.errors import NxscanError
from nxscan.model import ArraySignal, Axis, Field, Group
from nxscan.model.names import is_valid_name, nexus_name
from nxscan.model.units import convert, is_unit


def test_a_frame_is_found_by_motor_values() -> None:
    scan, data = make_scan((3, 4), (6, 5))
    np.testing.assert_array_equal(scan.frame(mu=0.1, chi=-0.9), data[1, 0])


def test_a_value_outside_the_scan_is_refused() -> None:
    scan, _ = make_scan((3, 4), (6, 5))
    with pytest.raises(NxscanError, match=r"mu=3 is not in this scan.*-1 to 1 degree"):
        scan.frame(mu=3, chi=0)


def test_a_tag_without_frame_is_never_its_neighbor() -> None:
    axis = Axis("tag_number", np.array([219817054.0, 219817058.0, 219817060.0]))
    assert axis.index(219817058) == 1
    with pytest.raises(NxscanError, match=r"tag_number=219817056 .* 219817054 to 219817060"):
        axis.index(219817056)


def test_an_open_dimension_is_asked_for() -> None:
    scan, _ = make_scan((3, 4), (6, 5))
    with pytest.raises(NxscanError, match="give chi=value"):
        scan.frame(mu=0)


def test_an_unknown_motor_is_named_with_those_there_are() -> None:
    scan, _ = make_scan((3, 4), (6, 5))
    with pytest.raises(NxscanError, match=r"'phi' is no scan axis.*mu, chi"):
        scan.frame(phi=0)


def test_a_pixel_is_its_curve_along_the_scan() -> None:
    scan, data = make_scan((3, 4), (6, 5))
    np.testing.assert_array_equal(scan.pixel(2, 3), data[:, :, 2, 3])
    with pytest.raises(NxscanError, match=r"\(6, 0\) is outside the frame of 6 × 5"):
        scan.pixel(6, 0)


def test_a_dimension_of_length_one_may_be_left_out() -> None:
    scan, data = make_scan((1, 4), (6, 5))
    np.testing.assert_array_equal(scan.frame(chi=1.0), data[0, 3])


def test_the_nearest_of_uneven_steps_is_taken() -> None:
    axis = Axis("mu", np.array([0.0, 0.1, 1.0]), "degree")
    assert [axis.index(v) for v in (0.04, 0.06, 0.9)] == [0, 1, 2]


@given(st.text(max_size=80), st.sets(st.text(max_size=5)))
def test_every_raw_key_gets_a_valid_free_name(original: str, taken: set[str]) -> None:
    name = nexus_name(original, taken)
    assert is_valid_name(name)
    assert name not in taken


def test_keys_that_collide_after_renaming_stay_apart() -> None:
    taken: set[str] = set()
    for key in ("a b", "a-b", "a.b"):
        taken.add(nexus_name(key, taken))
    assert taken == {"a_b", "a_b_2", "a_b_3"}


def test_units_are_converted_or_refused() -> None:
    np.testing.assert_allclose(convert([0, 180], "degree", "radian"), [0, np.pi])
    with pytest.raises(NxscanError, match="'furlongs per' is not known"):
        convert(1, "furlongs per", "m")
    with pytest.raises(NxscanError, match="cannot convert 'mm' to 's'"):
        convert(1, "mm", "s")
    assert not is_unit("kev per banana")


def test_groups_keep_class_and_unit() -> None:
    entry = Group("NXentry")
    entry.group("instrument/beam", "NXinstrument", "NXbeam").set("energy", Field(17.0, "keV"))
    assert dict(entry.walk()) == {"instrument/beam/energy": Field(17.0, "keV")}
    with pytest.raises(NxscanError, match="is NXbeam, not NXsource"):
        entry.group("instrument/beam", "NXinstrument", "NXsource")
    with pytest.raises(NxscanError, match="no NeXus name"):
        entry.set("two words", Field(1))


def test_a_signal_survives_pickling() -> None:
    signal = ArraySignal(np.arange(12).reshape(3, 4), "counts", "intensity")
    again = pickle.loads(pickle.dumps(signal))
    assert again.units == "counts"
    np.testing.assert_array_equal(np.asarray(again), signal.values)
