"""What damaged masters have brought to light, each once."""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import h5py
import numpy as np
import pytest
from helpers.scans import make_scan

import nxscan
from fuzz import oracle
from fuzz.styles import images
from nxscan.errors import LayoutError, NxscanError, SourceError
from nxscan.model import ArraySignal
from nxscan.nexus import HDF5Signal, layout, write_scan
from nxscan.validate import run
from nxscan.view import info, plot


@pytest.fixture
def master(tmp_path: Path) -> Path:
    """Return a master of 3 × 4 frames, with dark frames."""
    scan = make_scan()[0]
    scan.dark = ArraySignal(np.stack(images(2, shape=(6, 5))), "counts")
    return write_scan(scan, tmp_path / "scan.nxs")


def replace(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert data.count(old) >= 1
    path.write_bytes(data.replace(old, new))


def rules(path: Path, *, data: bool = False) -> list[tuple[str, str]]:
    """Return rule and path of what nxscan's own checks find."""
    own = tuple(check for check in run.CHECKS if not check.apart)
    with patch.object(run, "CHECKS", own):
        found = nxscan.validate(path, data=data).findings
    return [(finding.rule, finding.path) for finding in found]


def test_a_unit_of_which_one_byte_changed_is_refused_and_named(master: Path) -> None:
    replace(master, b"degree", b"dagree")
    with pytest.raises(LayoutError, match=r"scan\.nxs: /entry/\S+: the attributes changed"):
        nxscan.open(master)
    assert ("checksum", "/entry/data/mu") in rules(master)
    assert "the attributes changed" in " ".join(info(master).split())


def test_an_axis_of_which_one_byte_changed_is_refused_and_named(master: Path) -> None:
    values = nxscan.open(master).axes["mu"].values
    changed = values.copy()
    changed[1] = np.nextafter(values[1], 1)
    replace(master, values.tobytes(), changed.tobytes())
    with pytest.raises(LayoutError, match="/entry/data/mu: the value changed"):
        nxscan.open(master)
    assert ("checksum", "/entry/data/mu") in rules(master)


def test_metadata_and_raw_keys_are_compared_when_they_are_read(master: Path) -> None:
    replace(master, b"ESRF", b"ESRG")
    scan = nxscan.open(master)
    with pytest.raises(LayoutError, match="/entry/instrument/source/name: the value changed"):
        scan.metadata.get("instrument/source/name")


def test_raw_headers_are_compared_when_they_are_read(master: Path) -> None:
    replace(master, b"{mu = 11 ;}", b"{mu = 12 ;}")
    scan = nxscan.open(master)
    with pytest.raises(LayoutError, match="/entry/raw_metadata/headers: the value changed"):
        scan.raw_metadata.headers[3]


def test_the_units_of_frames_beside_the_master_are_compared(tmp_path: Path) -> None:
    with patch.object(layout, "INLINE_LIMIT", 0):
        path = write_scan(make_scan()[0], tmp_path / "scan.nxs")
    assert nxscan.open(path).signal.units == "counts"
    replace(tmp_path / "scan_frames.h5", b"counts", b"coumts")
    with pytest.raises(LayoutError, match="/entry/instrument/pco/data: the attributes changed"):
        nxscan.open(path)
    assert ("checksum", "/entry/instrument/pco/data") in rules(path)


def test_a_file_edited_on_purpose_opens_without_the_comparison(master: Path) -> None:
    with h5py.File(master, "r+") as file:
        file["entry/data/mu"].attrs["units"] = "mrad"
    with pytest.raises(LayoutError, match="verify=False"):
        nxscan.open(master)
    assert nxscan.open(master, verify=False).axes["mu"].units == "mrad"


def test_what_others_add_to_a_master_changes_nothing(master: Path) -> None:
    before = oracle.contents(nxscan.open(master))
    with h5py.File(master, "r+") as file:
        file["entry"].attrs["default"] = "result"
        file["entry"].create_group("result").attrs["NX_class"] = "NXdata"
    assert oracle.contents(nxscan.open(master)) == before
    assert "checksum" not in dict(rules(master))


@pytest.mark.skipif(
    h5py.version.hdf5_version_tuple < (2, 0, 0),
    reason="HDF5 1.14 crashes when it copies virtual datasets with references",
)
def test_a_master_that_was_repacked_is_still_what_was_written(master: Path) -> None:
    copy = master.with_name("copy.nxs")
    with h5py.File(master) as source, h5py.File(copy, "w") as target:
        for name in source:
            source.copy(name, target)
        target.attrs.update(dict(source.attrs))
    assert oracle.contents(nxscan.open(copy)) == oracle.contents(nxscan.open(master))
    assert "checksum" not in dict(rules(copy))


def test_a_master_without_checksums_opens(master: Path) -> None:
    before = oracle.contents(nxscan.open(master))
    with h5py.File(master, "r+") as file:
        del file[layout.SEAL]
    assert oracle.contents(nxscan.open(master)) == before


def test_plots_of_changed_files_say_so(master: Path, caplog: pytest.LogCaptureFixture) -> None:
    replace(master, b"degree", b"dagree")
    with caplog.at_level(logging.WARNING, "nxscan"):
        plot(master)
    assert "the attributes changed" in caplog.text


def test_no_byte_of_a_master_changes_what_is_read(master: Path, tmp_path: Path) -> None:
    whole, before = master.read_bytes(), oracle.contents(nxscan.open(master))
    copy = tmp_path / "copy.nxs"
    refused = 0
    for place in range(0, len(whole), len(whole) // 150):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        copy.write_bytes(changed)
        try:
            assert oracle.contents(nxscan.open(copy)) == before, place
        except NxscanError:
            refused += 1
    assert refused > 50


def damage_chunk(path: Path, dataset: str, chunk: tuple[int, ...]) -> None:
    """Change a byte in the middle of one chunk as it is stored."""
    with h5py.File(path) as file:
        stored = file[dataset].id.get_chunk_info_by_coord(chunk)
    data = bytearray(path.read_bytes())
    data[stored.byte_offset + stored.size // 2] ^= 0xFF
    path.write_bytes(data)


def test_a_damaged_chunk_is_reported_with_its_frames(tmp_path: Path) -> None:
    scan, data = make_scan((3, 4), (600, 520))
    path = write_scan(scan, tmp_path / "scan.nxs")
    damage_chunk(path, "entry/instrument/pco/data", (1, 2, 0, 512))
    signal = nxscan.open(path).signal
    np.testing.assert_array_equal(signal[1, 1], data[1, 1])
    np.testing.assert_array_equal(signal[1, 2, :, :512], data[1, 2, :, :512])
    for selection in (..., 1, (1, 2), (slice(0, 2), 2, 5, slice(510, 515)), (..., -1)):
        with pytest.raises(SourceError, match=r"frame \(1, 2\) cannot be read"):
            signal.read(selection)


def test_frames_that_share_a_damaged_chunk_are_reported_together(master: Path) -> None:
    damage_chunk(master, "entry/instrument/pco/data", (1, 0, 0, 0))
    signal = nxscan.open(master).signal
    with pytest.raises(SourceError, match=r"frames \(1, 0\) to \(1, 3\) cannot be read"):
        signal.read((1, 3))
    assert signal[2].shape == (4, 6, 5)
    with pytest.raises(SourceError, match="frame 1 cannot be read"):
        HDF5Signal(master, "/entry/instrument/pco/data", 1)[...]


def test_damaged_dark_frames_are_found_by_validate(master: Path) -> None:
    damage_chunk(master, "entry/dark/data", (0, 0, 0))
    assert rules(master) == []
    assert rules(master, data=True) == [("frame checksum", "/entry/dark/data")]


def damage_object(path: Path, name: str) -> None:
    """Change a byte of the header of a group or dataset, which has a checksum."""
    with h5py.File(path) as file:
        place = h5py.h5o.get_info(file[name].id).addr
    data = bytearray(path.read_bytes())
    data[place + 20] ^= 0xFF
    path.write_bytes(data)


def test_a_damaged_object_is_named(master: Path, caplog: pytest.LogCaptureFixture) -> None:
    damage_object(master, "entry/counters")
    with pytest.raises(LayoutError, match="is damaged"):
        nxscan.open(master)
    assert "/entry/counters cannot be read" in " ".join(info(master).split())
    with caplog.at_level(logging.WARNING, "nxscan"):
        plot(master)
    assert "/entry/counters cannot be read" in caplog.text
    assert ("readable HDF5 file", "/entry/counters") in rules(master)


def test_a_damaged_root_is_one_error(master: Path) -> None:
    damage_object(master, "/")
    for look in (nxscan.open, info, plot):
        with pytest.raises(NxscanError, match=r"damaged|cannot be opened"):
            look(master)
    assert not nxscan.validate(master).ok


def endless_heap(path: Path) -> None:
    """Give the first object of the first global heap no number and no size."""
    data = bytearray(path.read_bytes())
    start = data.index(b"GCOL") + 16
    data[start : start + 16] = struct.pack("<HHIQ", 0, 0, 0, 0)
    path.write_bytes(data)


@pytest.mark.parametrize(
    "look", ["nxscan.open(path)", "nxscan.view.info(path)", "nxscan.view.plot(path)"]
)
def test_a_heap_that_hdf5_would_walk_for_ever_is_refused(master: Path, look: str) -> None:
    endless_heap(master)
    code = (
        "import sys, nxscan, nxscan.view\n"
        "path = sys.argv[1]\n"
        f"try:\n    {look}\n"
        "except nxscan.NxscanError as error:\n    sys.exit(str(error))\n"
    )
    command = [sys.executable, "-c", code, str(master)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "the global heap at byte" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_validate_says_that_a_heap_is_damaged(master: Path) -> None:
    endless_heap(master)
    (finding,) = nxscan.validate(master).findings
    assert finding.rule == "readable HDF5 file"
    assert "heap" in finding.message
