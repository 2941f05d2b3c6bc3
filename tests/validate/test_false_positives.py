"""Known false positives do not count, and what looks like one but is not does."""

from __future__ import annotations

from importlib.util import find_spec

import h5py
import numpy as np
import pytest

from nxscan.validate import validate
from nxscan.validate.false_positives import KNOWN

needs_punx = pytest.mark.skipif(find_spec("punx") is None, reason="punx is not installed")


@pytest.fixture
def outcome(only):
    """Return a function that gives the paths of one validator's findings: those that count,
    and those set aside.
    """

    def judge(path, source):
        only(source)
        report = validate(path)
        assert [check.source for check in report.checks] == [source]
        counting = {finding.path for finding in report.findings}
        return counting, {item.finding.path for item in report.suppressed}

    return judge


def test_every_one_has_a_reason():
    assert all(len(known.reason) > 40 for known in KNOWN)


@needs_punx
def test_dot_axis_collection_and_upper_case_in_punx(foreign, outcome):
    path = foreign(axes=["."])
    with h5py.File(path, "r+") as file:
        collection = file.create_group("entry/vendor")
        collection.attrs["NX_class"] = "NXcollection"
        collection["Anything"] = 1
        file["entry/Upper"] = h5py.SoftLink("/entry/data")
        file["entry"].create_group("Sample").attrs["NX_class"] = "NXsample"
    counting, aside = outcome(path, "punx")
    assert counting == set()
    assert {"/entry/data@axes", "/entry/vendor/Anything", "/entry/Sample"} <= aside


@needs_punx
def test_other_names_that_punx_refuses_count(foreign, outcome):
    path = foreign(axes=["mu chi"])
    counting, _ = outcome(path, "punx")
    assert "/entry/data@axes" in counting


def test_scatter_in_nexusformat(foreign, outcome):
    path = foreign(axes=["mu", "chi"])
    with h5py.File(path, "r+") as file:
        file["entry/data/chi"] = np.arange(5.0)
        file["entry/data"].attrs["chi_indices"] = [0]
    counting, aside = outcome(path, "nexusformat")
    assert (counting, aside) == (set(), {"/entry/data"})


def test_too_many_axes_that_are_no_scatter_count(foreign, outcome):
    path = foreign(axes=["mu", "chi"])
    with h5py.File(path, "r+") as file:
        file["entry/data/chi"] = np.arange(4.0)
    counting, _ = outcome(path, "nexusformat")
    assert "/entry/data" in counting


def test_integer_axis_called_x(foreign, outcome):
    path = foreign(axes=["x"])
    with h5py.File(path, "r+") as file:
        file["entry/data/x"] = np.arange(5)
        file["entry/data/x"].attrs["units"] = "pixel"
    counting, aside = outcome(path, "nexusformat")
    assert (counting, aside) == (set(), {"/entry/data/x"})


def test_field_of_a_detector_that_a_plot_links_to(foreign, outcome):
    path = foreign()
    with h5py.File(path, "r+") as file:
        instrument = file.create_group("entry/instrument")
        instrument.attrs["NX_class"] = "NXinstrument"
        detector = instrument.create_group("pco")
        detector.attrs["NX_class"] = "NXdetector"
        detector["counts"] = file["entry/data/counts"]
        detector["unknown"] = 1.0
    counting, aside = outcome(path, "nexusformat")
    assert (counting, aside) == (
        {"/entry/instrument/pco/unknown"},
        {"/entry/instrument/pco/counts"},
    )


@pytest.mark.parametrize("length", [6, 4])
def test_axis_of_a_virtual_signal_in_one_piece_in_nexusformat(tmp_path, outcome, length):
    frames = np.arange(6 * 5 * 4, dtype="f4").reshape(6, 5, 4)
    with h5py.File(tmp_path / "frames.h5", "w") as file:
        file["frames"] = frames
    whole = h5py.VirtualLayout(frames.shape, "f4")
    whole[...] = h5py.VirtualSource("frames.h5", "frames", frames.shape, "f4")
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        plot = file.create_group("entry/data")
        file["entry"].attrs["NX_class"] = "NXentry"
        plot.attrs.update(NX_class="NXdata", signal="data", axes=["mu", ".", "."])
        plot.create_virtual_dataset("data", whole)
        plot["mu"] = np.arange(float(length))
    counting, aside = outcome(path, "nexusformat")
    found = aside if length == 6 else counting
    assert "/entry/data" in found
    assert ("/entry/data" in counting) == (length != 6)
