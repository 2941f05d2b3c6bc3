"""BLISS masters that are damaged or contradict themselves: one clear report, and no output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers.bliss import add_scan, frames, new_master

import nxscan
from nxscan.errors import NxscanError

MU = np.linspace(0, 1, 5)


def missing_source(path: Path) -> None:
    layout = h5py.VirtualLayout((5, 4, 6), np.uint16)
    layout[:] = h5py.VirtualSource("scan0001/cam_0000.h5", "entry_0000/data", (5, 4, 6))
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "ascan mu 0 1 4 1",
            motors={"mu": MU},
            counters={"mon": MU},
            images={"cam": layout},
        )


def dangling_link(path: Path) -> None:
    with new_master(path) as file:
        group = add_scan(file, "1.1", "ascan mu 0 1 4 1", motors={"mu": MU})
        group["measurement/cam"] = h5py.SoftLink("/1.1/instrument/cam/image")


def frames_too_few(path: Path) -> None:
    with new_master(path) as file:
        add_scan(file, "1.1", "ascan mu 0 1 4 1", motors={"mu": MU}, images={"cam": frames(4)})


def no_data(path: Path) -> None:
    with new_master(path) as file:
        add_scan(file, "1.1", "ascan mu 0 1 4 1").create_group("measurement")


def all_fill(path: Path) -> None:
    with new_master(path) as file:
        group = add_scan(file, "1.1", "ascan mu 0 1 4 1", motors={"mu": MU})
        group.create_dataset("instrument/cam/image", (5, 4, 6), np.uint16, chunks=(1, 4, 6))
        group["measurement/cam"] = h5py.SoftLink("/1.1/instrument/cam/image")


def partly_fill(path: Path) -> None:
    all_fill(path)
    with h5py.File(path, "r+") as file:
        file["1.1/instrument/cam/image"][:3] = frames(3)


def contradictory_points(path: Path) -> None:
    described = {"motor": "mu", "start_pos": 0.0, "step_size": 0.2, "npoints": 6}
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "fscan mu 0 0.2 5 1",
            motors={"mu": MU},
            images={"cam": frames(5)},
            parameters=described,
        )


def text_instead_of_frames(path: Path) -> None:
    with new_master(path) as file:
        group = add_scan(file, "1.1", "ct 1")
        group["measurement/cam"] = np.full((1, 2, 2), b"frame")


def equally_large(path: Path) -> None:
    with new_master(path) as file:
        images = {"a": frames(1, (4, 6)), "b": frames(1, (6, 4))}
        add_scan(file, "1.1", "ct 1", images=images)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (missing_source, ["'cam'", "cam_0000.h5", "--detector", "mon"]),
        (dangling_link, ["no image detector or spectrum"]),
        (frames_too_few, ["4 points of cam, but 5 of mu", "--partial"]),
        (no_data, ["no image detector or spectrum", "no counters either"]),
        (all_fill, ["'cam' holds nothing but fill values", "none of its 5 frames was written"]),
        (partly_fill, ["2 of 5 frames of cam were never written, frame 3 first", "--partial"]),
        (contradictory_points, ["the command asks for 5 points, fscan_parameters for 6"]),
        (text_instead_of_frames, ["'cam'", "no numbers"]),
        (equally_large, ["equally large: a (4, 6), b (6, 4)", "--detector"]),
    ],
)
def test_it_is_refused_with_what_is_wrong(
    tmp_path: Path, make: Callable[[Path], None], said: list[str]
) -> None:
    (tmp_path / "raw").mkdir()
    path, output = tmp_path / "raw" / "m.h5", tmp_path / "out.nxs"
    make(path)
    before = path.read_bytes()
    with pytest.raises(NxscanError) as caught:
        nxscan.translate(path, output)
    for words in said:
        assert words in str(caught.value)
    assert not output.exists()
    assert [one.name for one in (tmp_path / "raw").iterdir()] == ["m.h5"]
    assert path.read_bytes() == before


def test_a_missing_source_does_not_stop_a_counter(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    missing_source(tmp_path / "raw" / "m.h5")
    output = nxscan.translate(tmp_path / "raw" / "m.h5", tmp_path / "o.nxs", detector="mon")
    np.testing.assert_array_equal(nxscan.open(output).signal[...], MU)


def test_a_detector_whose_files_are_missing_is_left_out_where_another_has_its_own(
    tmp_path: Path,
) -> None:
    path = tmp_path / "m.h5"
    missing_source(path)
    with h5py.File(path, "r+") as file:
        file["1.1/measurement/own"] = frames(5)
    found = nxscan.inspect(path)
    assert list(found.scan.signals) == ["own"]
    (warning,) = [p for p in found.report.problems if p.severity == "warning"]
    assert "'cam'" in warning.message
    assert "cam_0000.h5" in warning.message


@pytest.mark.parametrize("make", [frames_too_few, partly_fill, contradictory_points])
def test_what_is_there_is_taken_when_asked(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "raw").mkdir()
    make(tmp_path / "raw" / "m.h5")
    expected = {frames_too_few: 4, partly_fill: 3, contradictory_points: 5}[make]
    output = nxscan.translate(tmp_path / "raw" / "m.h5", tmp_path / "o.nxs", partial=True)
    scan = nxscan.open(output)
    np.testing.assert_array_equal(scan.signal[...], frames(expected))
    np.testing.assert_array_equal(scan.axes["mu"].values, MU[:expected])


def test_a_link_that_leads_nowhere_is_named_when_it_is_asked_for(tmp_path: Path) -> None:
    dangling_link(tmp_path / "m.h5")
    found = nxscan.inspect(tmp_path / "m.h5", detector="cam")
    (problem,) = found.report.errors
    assert "'cam'" in problem.message
    assert "/1.1/instrument/cam/image, which is not there" in problem.message


def test_links_that_lead_nowhere_are_listed_beside_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    dangling_link(path)
    with h5py.File(path, "r+") as file:
        file["1.1/measurement/mon"] = MU
        file["1.1/measurement/far"] = h5py.ExternalLink("far.h5", "/data")
    found = nxscan.inspect(path, detector="mon")
    assert not found.report.errors
    notes = [p.message for p in found.report.problems]
    assert "cam is a link to /1.1/instrument/cam/image, which is not there" in notes
    assert "far is a link to far.h5 /data, which is not there" in notes


def test_a_counter_may_lie_in_another_file_which_is_then_a_source(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    frames_too_few(path)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = 2 * MU
    with h5py.File(path, "r+") as file:
        file["1.1/measurement/far"] = h5py.ExternalLink("other.h5", "/data")
    scan = nxscan.inspect(path, partial=True).scan
    np.testing.assert_array_equal(scan.counters["far"].value, 2 * MU[:4])
    counts = {Path(source.path).name: source.frames for source in scan.provenance.sources}
    assert counts == {"m.h5": 4, "other.h5": 0}


def test_a_scan_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    frames_too_few(tmp_path / "m.h5")
    with pytest.raises(NxscanError, match=r"no scan '7.1'; there are: 1.1"):
        nxscan.inspect(tmp_path / "m.h5", scan="7.1")


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "m.h5"
    equally_large(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(NxscanError, match=r"m\.h5"):
        nxscan.inspect(path, translator="bliss")


def test_a_master_without_scans_is_refused_by_name(tmp_path: Path) -> None:
    new_master(tmp_path / "m.h5").close()
    with pytest.raises(NxscanError, match=r"m\.h5: no scan"):
        nxscan.inspect(tmp_path / "m.h5")


def test_names_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    frames_too_few(path)
    with h5py.File(path, "r+") as file:
        for place in ("/", "1.1", "1.1/instrument", "1.1/measurement", "1.1/instrument/mu"):
            h5py.h5g.create(file[place].id, b"\xff\xfe")
    found = nxscan.inspect(path, partial=True, translator="bliss")
    assert found.scan.signal.shape == (4, 4, 6)
