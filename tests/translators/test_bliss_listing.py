"""Which scans BLISS masters hold."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from helpers.bliss import add_scan, frames, new_master

import nxscan
from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.translators.bliss import BlissTranslator

BLISS = BlissTranslator()


def test_only_files_with_scans_of_bliss_are_opened(tmp_path: Path) -> None:
    plain, nexus, other = tmp_path / "a.h5", tmp_path / "b.h5", tmp_path / "c.h5"
    with h5py.File(plain, "w") as file:  # structure alone, as files that were cut out have it
        add_scan(file, "layer_0_1.1", "ct 1", counters={"mon": [1.0]})
    with h5py.File(nexus, "w") as file:
        file["entry/title"] = "ascan mu 0 1 2 1"
        file["entry/instrument/det/data"] = np.zeros((3, 4, 4))
        file["1.1"] = 3.0
    other.write_bytes(b"no HDF5 at all")
    assert BLISS.can_open(plain)
    assert not BLISS.can_open(nexus)
    assert not BLISS.can_open(other)
    assert "20.1" in BLISS.refusal(nexus)
    assert "no HDF5" in BLISS.refusal(other)


def test_scans_are_listed_with_command_points_detectors_and_time(tmp_path: Path) -> None:
    path = tmp_path / "sample_0001.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "10.1",
            "ascan mu 0 1 4 1",
            motors={"mu": [0.0, 0.25, 0.5]},
            counters={"mon": [1.0, 2, 3], "mca": np.ones((3, 16))},
            images={"small": frames(3, (2, 3)), "large": frames(3, (4, 6))},
        )
        add_scan(file, "10.2", "ascan mu 0 1 4 1", counters={"slow": [1.0]})
        add_scan(file, "2.1", "loopscan 2 1", counters={"mon": [1.0, 2]})
    first, second = BLISS.scans([path])
    assert (first.number, first.command, first.frames, first.declared) == (
        "2.1",
        "loopscan 2 1",
        2,
        2,
    )
    assert (second.number, second.frames, second.declared) == ("10.1", 3, 5)
    assert second.detectors == ("large", "small", "mca", "mon")
    assert second.shape == (4, 6)
    assert second.dtype == "uint16"
    assert second.started == "2023-03-08T03:11:00.332696+01:00"
    assert second.title == "sample_0001 10.1"


def test_an_aborted_scan_among_complete_ones_is_listed_as_such(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        for number, length in ((1, 3), (2, 3), (3, 2)):
            columns = {f"c{k:02d}": np.zeros(length) for k in range(20)}
            add_scan(file, f"{number}.1", "ascan mu 0 1 2 1", counters=columns)
    assert [ref.frames for ref in BLISS.scans([path])] == [3, 3, 2]
    assert all(len(ref.detectors) == 20 for ref in BLISS.scans([path]))


def test_groups_that_share_a_number_are_called_by_their_whole_name(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        for name in ("layer_10_1.1", "layer_9_1.1"):
            add_scan(file, name, "ct 1", counters={"mon": [1.0]})
    assert [ref.number for ref in BLISS.scans([path])] == ["layer_9_1.1", "layer_10_1.1"]


def test_scans_of_other_files_are_found_through_links(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for k in (1, 2):
        with new_master(tmp_path / "raw" / f"sample_000{k}.h5") as file:
            add_scan(file, "1.1", "ct 1", counters={"mon": [5.0 * k]})
    with new_master(tmp_path / "sample.h5") as file:
        for k in (1, 2, 3):
            file[f"sample_000{k}_1.1"] = h5py.ExternalLink(f"./raw/sample_000{k}.h5", "/1.1")
    refs = BLISS.scans([tmp_path / "sample.h5"])
    assert [ref.number for ref in refs] == ["sample_0001_1.1", "sample_0002_1.1"]
    scan = BLISS.open(refs[1], Options(detector="mon"), Report())
    assert scan is not None
    assert scan.signal[...] == 10.0
    both = BLISS.scans([tmp_path / "sample.h5", tmp_path / "raw" / "sample_0001.h5"])
    assert len(both) == 2


def test_a_subscan_without_its_scan_is_listed_itself(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(file, "3.2", "ct 1", counters={"mon": [1.0]})
        add_scan(file, "4.1", "ct 1", counters={"mon": [1.0]})
        add_scan(file, "4.2", "ct 1", counters={"slow": [1.0]})
    assert [ref.number for ref in BLISS.scans([path])] == ["3.2", "4.1"]


def test_a_subscan_is_a_scan_in_time_when_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "raw" / "m.h5"
    path.parent.mkdir()
    clock = {"epoch": 1.6e9 + np.array([0.0, 0.5, 0.9]), "heat": [1.0, 2, 3]}
    with new_master(path) as file:
        add_scan(file, "4.1", "ascan mu 0 1 1 1", counters={"mon": [1.0, 2]})
        add_scan(file, "4.2", "ascan mu 0 1 1 1", counters=clock)
    assert [ref.number for ref in nxscan.scans(path)] == ["4.1"]
    found = nxscan.inspect(path, scan="4.2", detector="heat")
    assert not found.report.errors
    assert found.ref.declared is None
    np.testing.assert_array_equal(found.scan.signal[...], [1, 2, 3])
    np.testing.assert_array_equal(found.scan.axes["epoch"].values, clock["epoch"])
    assert found.to_dict()["scan"] == "4.2"
    output = nxscan.translate(path, f"{tmp_path}/out/", scan="4.2", detector="heat")
    assert nxscan.open(output).signal.shape == (3,)
