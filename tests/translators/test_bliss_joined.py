"""Scans of BLISS masters that are joined into one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.bliss import add_scan, frames, new_master

from nxscan.errors import SourceError
from nxscan.translate.contract import Options
from nxscan.translate.mapping import parse_mapping
from nxscan.translate.report import Report
from nxscan.translators.bliss import BlissTranslator

BLISS = BlissTranslator()


def energy_series(path: Path, **further) -> None:
    with new_master(path) as file:
        for k in range(3):
            add_scan(
                file,
                f"{k + 1}.1",
                "ascan mu 0 1 3 1",
                motors={"mu": [0.0, 0.3, 0.6, 1]},
                counters={"mon": 10.0 * k + np.arange(4)},
                images={"cam": frames(4, first=4 * k)},
                positions={"ccmth": 5.9 + 0.005 * k, "obx": 1.0}
                | {name: values[k] for name, values in further.items()},
            )


def test_scans_are_joined_with_the_motor_between_them_as_slow_axis(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    energy_series(path)
    ref = BLISS.join(BLISS.scans([path]))
    assert (ref.frames, ref.declared) == (12, 12)
    scan = BLISS.open(ref, Options(), Report())
    assert [axis.name for axis in scan.main_axes()[:2]] == ["ccmth", "mu"]
    np.testing.assert_allclose(scan.axes["ccmth"].values, [5.9, 5.905, 5.91])
    np.testing.assert_array_equal(scan.signal[..., 0, 0], 1000 * np.arange(12).reshape(3, 4))
    np.testing.assert_array_equal(
        scan.counters["mon"].value, 10 * np.arange(3)[:, None] + np.arange(4)
    )
    assert scan.metadata["instrument/obx/value"].value == 1.0


def test_a_mapping_joins_scans_by_the_motor_it_names(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    energy_series(path, samx=[1.0, 2.0, 3.0])
    refs = BLISS.scans([path])
    with pytest.raises(SourceError, match=r"2 motors moved.*ccmth, samx"):
        BLISS.open(BLISS.join(refs), Options(), Report())
    text = 'name = "series"\n[scans]\njoin = "instrument/positioners/ccmth"\n'
    mapping = parse_mapping(text, "series.toml")
    (ref,) = BLISS.scans([path], mapping)
    scan = BLISS.open(ref, Options(mapping=mapping), Report())
    assert scan.main_axes()[0].name == "ccmth"
    np.testing.assert_array_equal(scan.readings["samx"].value, np.repeat([[1.0], [2], [3]], 4, 1))


def test_what_drifts_between_scans_is_no_axis(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    energy_series(path, encoder=[0.0, 3e-4, 1e-4])
    scan = BLISS.open(BLISS.join(BLISS.scans([path])), Options(), Report())
    assert scan.main_axes()[0].name == "ccmth"


def test_scans_of_other_commands_are_not_joined(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        for number, title in ((1, "ascan mu 0 1 2 1"), (2, "ascan mu 0 2 2 1")):
            add_scan(file, f"{number}.1", title, counters={"mon": [1.0, 2, 3]})
    with pytest.raises(SourceError, match=r"1\.1 and 2\.1 cannot be joined"):
        BLISS.join(BLISS.scans([path]))
