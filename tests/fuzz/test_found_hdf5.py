"""What damaged HDF5 sources have brought to light, each once."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscan
from fuzz import sources
from nxscan.errors import NxscanError


def damage_header(path: Path, place: str) -> None:
    """Change the version of an object's header, which HDF5 then refuses."""
    with h5py.File(path) as file:
        at = h5py.h5o.get_info(file[place].id).addr
    data = bytearray(path.read_bytes())
    data[at] = 0xFF
    path.write_bytes(data)


def rename(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert len(old) == len(new)
    assert data.count(old) >= 1
    path.write_bytes(data.replace(old, new))


@pytest.fixture
def master(tmp_path: Path) -> Path:
    """Return a BLISS master of two scans."""
    (tmp_path / "raw").mkdir()
    sources.bliss(tmp_path / "raw")
    return tmp_path / "raw" / "simulated_0001.h5"


def test_a_scan_that_is_damaged_is_not_left_out_without_a_word(
    master: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage_header(master, "2.1")
    with caplog.at_level(logging.WARNING, "nxscan"):
        assert [ref.number for ref in nxscan.scans(master)] == ["1.1"]
    assert "scan 2.1 is damaged, and left out" in caplog.text


def test_a_scan_without_its_title_is_not_left_out_without_a_word(
    master: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with h5py.File(master, "r+") as file:
        file["2.1"].move("title", "title?")
    with caplog.at_level(logging.WARNING, "nxscan"):
        assert [ref.number for ref in nxscan.scans(master)] == ["1.1"]
    assert "2.1 has no title or no measurement, and is left out" in caplog.text


def test_a_counter_that_is_damaged_is_not_left_out_without_a_word(
    master: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage_header(master, "1.1/instrument/elapsed_time/data")
    told = ""
    with caplog.at_level(logging.WARNING, "nxscan"):
        try:
            nxscan.inspect(master, scan="1.1")
        except NxscanError as error:
            told = str(error)
    assert "simulated_0001.h5: Link visitation failed" in told or (
        "/1.1/measurement/elapsed_time is damaged, and left out" in caplog.text
    )


def test_a_counter_that_was_never_there_is_no_damage(
    master: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with h5py.File(master, "r+") as file:
        del file["1.1/instrument/elapsed_time"]
    with caplog.at_level(logging.WARNING, "nxscan"):
        nxscan.inspect(master, scan="1.1")
    assert "damaged" not in caplog.text


@pytest.mark.parametrize("pattern", ["scan_*", ""])
def test_names_that_are_no_text_stop_no_mapping(tmp_path: Path, pattern: str) -> None:
    sources.generic(tmp_path)
    mapping = tmp_path / "mine.toml"
    if not pattern:
        mapping.write_text(sources.GENERIC.replace('groups = ["scan_*"]\n', ""))
    with h5py.File(tmp_path / "raw.h5", "r+") as file:
        file["spoiled"] = 1
        file["scan_1/spoiled"] = 1
    rename(tmp_path / "raw.h5", b"spoiled", b"\xff\xfepoil\xff")
    try:
        report = nxscan.inspect(tmp_path / "raw.h5", mapping=mapping)
    except NxscanError:
        return  # without a group that has the signal
    assert len(report.refs) == 2 if pattern else report.refs


def test_names_that_are_no_text_stop_no_plain_nexus(tmp_path: Path) -> None:
    sources.plain_nexus(tmp_path)
    path = tmp_path / "plain.nxs"
    with h5py.File(path, "r+") as file:
        for place in ("entry", "entry/data", "entry/instrument", "entry/instrument/camera"):
            h5py.h5o.link(file["entry/title"].id, file[place].id, b"\xff\xfe")
    inspection = nxscan.inspect(path)
    assert inspection.scan is not None
    assert inspection.scan.signal.shape == (4, 9, 7)


@pytest.mark.parametrize("ends", ["first = inf", "first = nan", "first = -1.7e308"])
def test_an_axis_without_an_end_is_refused(tmp_path: Path, ends: str) -> None:
    (tmp_path / "raw").mkdir()
    sources.generic(tmp_path / "raw")
    mapping = tmp_path / "raw" / "mine.toml"
    text = sources.GENERIC.replace("first = -0.01", ends).replace('"@last"', "1.7e308")
    mapping.write_text(text)
    with pytest.raises(NxscanError, match="axis mu"):
        nxscan.translate(
            tmp_path / "raw" / "raw.h5", tmp_path / "out" / "s.nxs", scan=1, mapping=mapping
        )


def damaged_everywhere(path: Path, step: int) -> Any:
    """Yield copies of a file with one bit changed, at places far apart."""
    data = path.read_bytes()
    for place in range(0, len(data), step):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        yield place
    path.write_bytes(data)


@pytest.mark.filterwarnings("error")
def test_no_translator_fails_over_a_file_that_it_is_asked_about(tmp_path: Path) -> None:
    from nxscan.translate.registry import translators

    sources.areadetector(tmp_path)
    path = tmp_path / "series.h5"
    with h5py.File(path) as file:
        expected = np.asarray(file["entry/data/data"])
    answers = []
    for _ in damaged_everywhere(path, 997):
        answers += [one.can_open(path) for one in translators().values()]
    assert {True, False} == set(answers)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"], expected)
