"""The check of tag numbers, each time with a file that is broken in one way."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.sacla import FIRST, write_run

import nxscan
from nxscan.validate.own_tags import tags

TAGS = FIRST + 2 * np.arange(6)
STATUS = "bl_3_lh_1_laser_pulse_selector_status"


@pytest.fixture(scope="module")
def translated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tagged")
    raw = write_run(folder / "raw" / "simulated.h5", TAGS.tolist())
    nxscan.translate(raw, folder / "scan.nxs")
    return folder / "scan.nxs"


@pytest.fixture
def broken(translated, tmp_path, findings_of) -> Any:
    """Put other values in the place of a dataset, and return what is found."""

    def go(name: str, values: Any) -> list[str]:
        path = tmp_path / "scan.nxs"
        shutil.copy(translated, path)
        with h5py.File(path, "r+") as file:
            del file[name]
            if values is None:
                del file[name.replace("data", "counters")]
            else:
                file[name] = values
        return [f"{one.severity} {one.path} {one.message}" for one in findings_of(tags, path)]

    return go


def test_a_run_that_was_translated_has_no_findings(translated, findings_of):
    assert findings_of(tags, translated) == []


def test_a_file_without_tags_has_no_findings(make_scan, findings_of):
    assert findings_of(tags, make_scan()) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "there is no tag_number"),
        (TAGS[:-1].astype("f8"), "holds 5 tags, but there are 6 frames"),
        (TAGS + 0.5, "6 of its values are no whole numbers"),
        (np.append(TAGS[:-1], np.nan), "1 of its values are no whole numbers"),
        (np.append(TAGS[:-1], TAGS[0]), f"1 tags are there more than once: {TAGS[0]}"),
        (TAGS.astype("f4"), "holds float32, in which neighboring tags are one number"),
        (np.array([b"a"] * 6), "not numbers"),
    ],
)
def test_tags_that_are_none_are_errors(broken, values, message):
    found = broken("entry/data/tag_number", values)
    assert any(text.startswith("error /entry") and message in text for text in found)


def test_a_status_of_another_length_is_an_error(broken):
    (found,) = broken(f"entry/data/{STATUS}", np.zeros(5))
    assert found == f"error /entry/data/{STATUS} holds 5 values, but there are 6 frames"
