"""Steps of motors and counters become values in the units of a mapping, once."""

from __future__ import annotations

import numpy as np
import pytest

from nxscan.errors import MappingError
from nxscan.model import ArraySignal
from nxscan.translate.axes import find_axes
from nxscan.translate.build import Found, build_scan
from nxscan.translate.calibration import calibrated
from nxscan.translate.mapping import parse_mapping
from nxscan.translate.report import Report

MAPPING = """
name = "mine"
[motors]
delay = { units = "fs", factor = 6.5, offset = -13.0 }
sweep = { units = "degree", factor = -2.0 }
[counters]
diode = { units = "V", offset = 0.5 }
"""


class Frames(ArraySignal):
    """An array with what `build_scan` asks of a detector."""

    def arranged(self, scan_shape, order):
        shape = (*scan_shape, *self.shape[1:])
        return ArraySignal(self.read(...)[order].reshape(shape))


def found() -> Found:
    return Found(
        title="simulated",
        detectors={"detector": Frames(np.zeros((4, 2, 2)))},
        motors={"delay": np.array([0.0, 2.0, 4.0, 6.0]), "still": np.full(4, 3.0)},
        counters={"diode": np.array([1.0, np.nan, 3.0, 4.0])},
        integrated={"sweep": (1.0, 4.0)},
    )


def test_any_translators_scan_has_axes_counters_and_sweeps_in_units():
    mapping, raw = parse_mapping(MAPPING, "mine"), found()
    axes = find_axes(raw.motors, 4)
    scan = build_scan(raw, axes, mapping, Report(), "any")
    np.testing.assert_array_equal(scan.axes["delay"].values, [-13.0, 0.0, 13.0, 26.0])
    np.testing.assert_array_equal(scan.readings["delay"].value, [-13.0, 0.0, 13.0, 26.0])
    np.testing.assert_array_equal(scan.counters["diode"].value, [1.5, np.nan, 3.5, 4.5])
    sweep = scan.integrated["sweep"]
    assert (sweep.values[0], sweep.width[0], sweep.units) == (-5.0, -6.0, "degree")


def test_what_is_in_units_is_not_scaled_again():
    mapping = parse_mapping(MAPPING, "mine")
    once = calibrated(found(), mapping)
    scan = build_scan(once, find_axes(once.motors, 4), mapping, Report(), "any")
    np.testing.assert_array_equal(scan.axes["delay"].values, [-13.0, 0.0, 13.0, 26.0])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("m = { factor = 2.0 }", "no units are given"),
        ("m = { offset = 2.0 }", "no units are given"),
        ('m = { units = "mm", factor = 0.0 }', "0.0 is no factor"),
        ('m = { units = "mm", factor = inf }', "inf is no factor"),
        ('m = { units = "mm", offset = nan }', "nan is no offset"),
    ],
)
def test_a_scale_that_is_none_is_refused(line, message):
    with pytest.raises(MappingError, match=message):
        parse_mapping(f'name = "mine"\n[motors]\n{line}', "mine")
