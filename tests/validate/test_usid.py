"""The rules of USID, on files that break one of them each, and on real USID files."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from nxscan.validate.contract import Skip
from nxscan.validate.with_usid import usid

CHANNEL = "Measurement_000/Channel_000"


def replace(file, name, values):
    """Give an ancillary dataset other values, and have the Main dataset refer to them."""
    old = file[f"{CHANNEL}/{name}"]
    attributes = dict(old.attrs)
    del file[f"{CHANNEL}/{name}"]
    made = file.create_dataset(f"{CHANNEL}/{name}", data=values)
    made.attrs.update(attributes)
    file[f"{CHANNEL}/Raw_Data"].attrs[name] = made.ref


def without_quantity(file):
    del file[f"{CHANNEL}/Raw_Data"].attrs["quantity"]


def without_reference(file):
    del file[f"{CHANNEL}/Raw_Data"].attrs["Position_Values"]


def dead_reference(file):
    del file[f"{CHANNEL}/Position_Values"]


def short_position(file):
    for part, dtype in (("Indices", np.uint32), ("Values", np.float64)):
        replace(file, f"Position_{part}", np.zeros((11, 2), dtype))


def transposed_spectroscopic(file):
    values = file[f"{CHANNEL}/Spectroscopic_Values"][()]
    replace(file, "Spectroscopic_Values", values.T)


def too_few_labels(file):
    for part in ("Indices", "Values"):
        file[f"{CHANNEL}/Position_{part}"].attrs["labels"] = ["mu"]


def different_units(file):
    file[f"{CHANNEL}/Position_Values"].attrs["units"] = ["degree", "degree"]


def signed_indices(file):
    values = file[f"{CHANNEL}/Position_Indices"][()]
    replace(file, "Position_Indices", values.astype(np.int32))


def indices_from_one(file):
    values = file[f"{CHANNEL}/Spectroscopic_Indices"][()]
    replace(file, "Spectroscopic_Indices", values + np.array([[0], [1]], np.uint32))


def three_dimensions(file):
    attributes = dict(file[f"{CHANNEL}/Raw_Data"].attrs)
    del file[f"{CHANNEL}/Raw_Data"]
    file[f"{CHANNEL}/Raw_Data"] = np.zeros((4, 3, 30))
    file[f"{CHANNEL}/Raw_Data"].attrs.update(attributes)


def same_labels(file):
    for part in ("Indices", "Values"):
        file[f"{CHANNEL}/Position_{part}"].attrs["labels"] = ["mu", "mu"]


@pytest.mark.parametrize(
    ("spoil", "where", "what"),
    [
        (without_quantity, "Raw_Data", "@quantity"),
        (without_reference, "Raw_Data", "@Position_Values is no reference"),
        (dead_reference, "Raw_Data", "@Position_Values is no reference"),
        (short_position, "Position_Indices", "needs (12, U)"),
        (transposed_spectroscopic, "Spectroscopic_Values", "needs (V, 30)"),
        (too_few_labels, "Position_Indices", "2 dimensions, but 1"),
        (different_units, "Position_Values", "@units are not those"),
        (signed_indices, "Position_Indices", "not unsigned"),
        (indices_from_one, "Spectroscopic_Indices", "dimension 1 starts at 1"),
        (three_dimensions, "Raw_Data", "2 dimensions"),
        (same_labels, "Position_Indices", "same label"),
    ],
)
def test_broken_rule_is_found(make_scan, findings_of, spoil, where, what):
    path = make_scan()
    with h5py.File(path, "r+") as file:
        spoil(file)
    found = findings_of(usid, path)
    assert any(what in f.message and f.path.endswith(where) for f in found), found
    assert all(finding.source == "usid" for finding in found)


@pytest.mark.parametrize(("shape", "rank"), [((), 0), ((4,), 1), ((4, 7), 1), ((4, 3, 6, 5), 2)])
def test_right_file_has_no_findings(make_scan, findings_of, shape, rank):
    assert findings_of(usid, make_scan(np.zeros(shape), rank)) == []


def test_measurement_without_main_dataset(make_scan, findings_of):
    path = make_scan()
    with h5py.File(path, "r+") as file:
        file.create_group("Measurement_001")
    (found,) = findings_of(usid, path)
    assert (found.severity, found.path) == ("warning", "/Measurement_001")


def test_file_without_measurement_is_skipped(foreign, findings_of):
    with pytest.raises(Skip):
        findings_of(usid, foreign())


@pytest.mark.parametrize(
    "name",
    ["AFM_Force_Curve_dce477c.h5", "AFM_Force_Curve_ccfec12.h5", "SingFreqPFM_0003_7dede48.h5"],
)
def test_real_usid_files_follow_the_rules(shared_data, findings_of, name):
    assert findings_of(usid, shared_data(f"usid/{name}")) == []
