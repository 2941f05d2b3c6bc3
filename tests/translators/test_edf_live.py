"""EDF folders that are still being written, and masters that grow with them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscan
from nxscan import targets
from nxscan.analysis.sum import Sum
from nxscan.errors import NxscanError, OutputError, PlanError, SourceError

MU = [0.0, 0.1, 0.2]
CHI = [5.0, 6.0, 7.0, 8.0]
OLD = 1_400_000_000


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare these tests the validators."""
    monkeypatch.setattr(targets, "_check", lambda path: None)


@pytest.fixture
def measure(write, block, tmp_path):
    """Return a function that writes frames ``first`` to ``stop`` of a chi by mu scan."""

    def go(first: int, stop: int, suffix: str = ".edf") -> list[Path]:
        return [
            write(tmp_path / "raw" / f"scan_{k:04d}{suffix}", block(image(k), header(k)))
            for k in range(first, stop)
        ]

    return go


def header(k: int) -> dict[str, object]:
    return {"motor_mne": "mu chi", "motor_pos": f"{MU[k % 3]} {CHI[k // 3]}"}


def image(k: int) -> np.ndarray:
    return np.full((3, 4), 10 + k, np.uint16)


def translate(tmp_path: Path, **options: Any) -> Path:
    return nxscan.translate(tmp_path / "raw", tmp_path / "out" / "scan.nxs", **options)


def numbers(path: Path) -> list[int]:
    scan = nxscan.open(path)
    return (scan.signal[..., 0, 0].ravel().astype(int) - 10).tolist()


def identifier(path: Path) -> bytes:
    with h5py.File(path) as file:
        return bytes(file["entry/entry_identifier_uuid"][()])


def notes(report: Any) -> str:
    return " | ".join(str(one) for one in report.problems if one.severity == "note")


def cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:size])
    return path


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("size", [0, 1, 100, 511, 512, 513, 535])
def test_the_last_file_is_left_out_wherever_it_ends(size, link, measure, tmp_path):
    cut(measure(0, 8)[-1], size)
    path = translate(tmp_path, live=True, link=link)
    assert numbers(path) == list(range(7))
    scan = nxscan.open(path)
    np.testing.assert_allclose(scan.axes["mu"].values, (MU * 3)[:7])
    assert len(scan.raw_metadata.headers) == len(scan.provenance.sources) == 7
    assert scan.provenance.parameters["live"] == "yes"


def test_it_is_noted_which_file_was_left_out(measure, tmp_path, open_scan):
    paths = measure(0, 8)
    cut(paths[6], 530)
    cut(paths[7], 200)
    _, report = open_scan(tmp_path / "raw", live=True)
    assert not report.errors
    assert "scan_0006.edf (frame 0)" in notes(report)
    assert "scan_0007.edf" in notes(report)
    _, complete = open_scan(paths[:6], live=True)
    assert "left out" not in notes(complete)


@pytest.mark.parametrize("size", [0, 100, 512, 530])
def test_without_live_it_is_refused_and_live_is_named_while_the_file_is_young(
    size, measure, tmp_path
):
    last = cut(measure(0, 5)[-1], size)
    with pytest.raises(PlanError, match=r"scan_0004\.edf.*--live"):
        translate(tmp_path)
    os.utime(last, (OLD, OLD))
    with pytest.raises(PlanError, match=r"scan_0004\.edf") as caught:
        translate(tmp_path)
    assert "--live" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_file_that_others_follow_is_damaged_even_if_the_scan_is_live(measure, tmp_path):
    paths = measure(0, 5)
    cut(paths[2], 530)
    with pytest.raises(PlanError, match=r"scan_0002\.edf.*truncated") as caught:
        translate(tmp_path, live=True)
    assert "--live" not in str(caught.value)
    cut(paths[2], 100)
    with pytest.raises(SourceError, match=r"scan_0002\.edf.*header does not end"):
        translate(tmp_path, live=True)


def test_frames_of_one_file_are_taken_as_far_as_they_go(write, block, tmp_path):
    blocks = [block(image(k), header(k)) for k in range(5)]
    for size in (0, 1, 300, 512, 530):
        write(tmp_path / "raw" / "scan.edf", *blocks[:4], blocks[4][:size])
        path = translate(tmp_path, live=True, link=True, overwrite=True)
        assert numbers(path) == [0, 1, 2, 3]
        assert nxscan.open(path).provenance.sources[0].frames == 4


def test_files_that_end_in_header_or_pixels_are_left_out_in_any_order(measure, tmp_path):
    paths = measure(0, 6)
    cut(paths[3], 100)
    cut(paths[4], 530)
    cut(paths[5], 0)
    assert numbers(translate(tmp_path, live=True)) == [0, 1, 2]


@pytest.mark.parametrize("left", [1, 2, 9, 100, -9, -1])
@pytest.mark.parametrize("suffix", [".edf.gz", ".edf.bz2"])
def test_a_packed_file_that_is_not_finished_is_left_out(suffix, left, measure, tmp_path):
    last = measure(0, 5, suffix)[-1]
    cut(last, left)
    assert numbers(translate(tmp_path, live=True)) == [0, 1, 2, 3]
    with pytest.raises(PlanError, match=r"scan_0004\.edf\."):
        nxscan.translate(tmp_path / "raw", tmp_path / "out" / "other.nxs")


def test_a_folder_in_which_nothing_is_finished_is_refused(measure, tmp_path):
    paths = measure(0, 2)
    cut(paths[0], 530)
    cut(paths[1], 0)
    with pytest.raises(PlanError, match="no frame is finished yet"):
        translate(tmp_path, live=True)
    cut(paths[0], 10)
    with pytest.raises(SourceError, match="scan_0000"):
        translate(tmp_path, live=True)


def test_dark_frames_that_are_not_finished_are_left_out(measure, write, block, tmp_path):
    measure(0, 4)
    for k in range(3):
        write(tmp_path / "raw" / f"dark_{k}.edf", block(np.full((3, 4), k, np.uint16)))
    cut(tmp_path / "raw" / "dark_2.edf", 520)
    scan = nxscan.open(translate(tmp_path, live=True, link=True))
    assert scan.dark[:, 0, 0].tolist() == [0, 1]
    with pytest.raises(PlanError, match=r"dark_2\.edf"):
        nxscan.translate(tmp_path / "raw", tmp_path / "out" / "other.nxs")


def test_what_is_not_finished_stops_only_its_own_scan(measure, write, block, tmp_path):
    measure(0, 4)
    for k in range(3):
        write(tmp_path / "raw" / f"other_{k}.edf", block(image(k), header(k)))
    cut(tmp_path / "raw" / "other_2.edf", 77)
    refs = {ref.title: ref.number for ref in nxscan.scans(tmp_path / "raw")}
    assert set(refs) == {"scan", "other"}
    assert numbers(translate(tmp_path, scan=refs["scan"])) == [0, 1, 2, 3]
    with pytest.raises(PlanError, match="other_2"):
        nxscan.translate(tmp_path / "raw", tmp_path / "out" / "o.nxs", scan=refs["other"])


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("live", [False, True])
def test_translating_again_adds_the_frames_that_came(live, link, measure, tmp_path):
    cut(measure(0, 8)[-1], 530)
    path = translate(tmp_path, live=True, link=link)
    first = identifier(path)
    measure(7, 12)
    os.utime(tmp_path / "raw" / "scan_0007.edf", (time.time() + 5, time.time() + 5))
    assert translate(tmp_path, live=live, link=link) == path
    assert numbers(path) == list(range(12))
    scan = nxscan.open(path)
    assert scan.scan_shape == (4, 3)
    assert ("live" in scan.provenance.parameters) == live
    assert identifier(path) != first


def test_a_file_that_was_written_on_gives_its_new_frames(write, block, tmp_path):
    blocks = [block(image(k), header(k)) for k in range(6)]
    write(tmp_path / "raw" / "scan.edf", *blocks[:3], blocks[3][:530])
    path = translate(tmp_path, live=True, link=True)
    assert numbers(path) == [0, 1, 2]
    write(tmp_path / "raw" / "scan.edf", *blocks)
    with pytest.raises(NxscanError, match="has changed"):
        nxscan.open(path).signal[...]
    assert numbers(translate(tmp_path, live=True, link=True)) == list(range(6))


@pytest.mark.parametrize("link", [False, True])
def test_nothing_new_leaves_the_master_as_it_is(link, measure, tmp_path):
    measure(0, 6)
    path = translate(tmp_path, live=True, link=link)
    before = path.stat().st_mtime_ns, path.read_bytes()
    for live in (True, False):
        assert translate(tmp_path, live=live, link=link) == path
        assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_without_live_then_and_now_a_master_is_never_replaced(measure, tmp_path):
    measure(0, 6)
    path = translate(tmp_path, link=True)
    first = identifier(path)
    measure(6, 8)
    with pytest.raises(OutputError, match="exists already; pass --overwrite"):
        translate(tmp_path, link=True)
    assert identifier(path) == first
    assert numbers(translate(tmp_path, link=True, live=True)) == list(range(8))


def rewritten(raw: Path) -> None:
    path = raw / "scan_0001.edf"
    os.utime(path, (OLD, OLD))


def longer(raw: Path) -> None:
    path = raw / "scan_0001.edf"
    path.write_bytes(path.read_bytes() + bytes(512))


def removed(raw: Path) -> None:
    (raw / "scan_0000.edf").unlink()


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (rewritten, r"scan_0001\.edf has changed: its time of last change"),
        (longer, r"scan_0001\.edf has changed: it has 1048 bytes, and had 536"),
        (removed, r"scan_0000\.edf is not among its files any more"),
    ],
)
def test_a_scan_that_did_not_only_grow_is_refused_with_what_changed(harm, what, measure, tmp_path):
    measure(0, 6)
    path = translate(tmp_path, live=True, link=True)
    before = path.read_bytes()
    harm(tmp_path / "raw")
    measure(6, 8)
    with pytest.raises(OutputError, match=what) as caught:
        translate(tmp_path, live=True, link=True)
    assert "--overwrite" in str(caught.value)
    assert path.read_bytes() == before


def test_a_master_with_results_is_not_replaced(measure, tmp_path):
    measure(0, 6)
    path = translate(tmp_path, live=True)
    Sum().run(path)
    before = path.read_bytes()
    assert translate(tmp_path, live=True) == path
    measure(6, 8)
    with pytest.raises(OutputError, match=r"has results \(sum_000\).*another name"):
        translate(tmp_path, live=True)
    assert path.read_bytes() == before
    assert numbers(translate(tmp_path, live=True, overwrite=True)) == list(range(8))


def test_results_that_come_while_frames_are_written_are_not_lost(measure, tmp_path, monkeypatch):
    measure(0, 6)
    path = translate(tmp_path, live=True)
    measure(6, 8)
    monkeypatch.setattr(targets, "_check", lambda staged: Sum().run(path))
    with pytest.raises(OutputError, match=r"has results \(sum_000\)"):
        translate(tmp_path, live=True)
    assert len(nxscan.results(path)) == 1
    assert numbers(path) == list(range(6))


@pytest.mark.parametrize(
    ("options", "what"), [({"link": True}, "link"), ({"axes": "mu=8"}, "axes"), ({}, "partial")]
)
def test_other_options_are_refused_by_name(options, what, measure, tmp_path):
    measure(0, 6)
    translate(tmp_path, live=True, partial=not options)
    measure(6, 8)
    with pytest.raises(OutputError, match=f"made with {what} "):
        translate(tmp_path, live=True, **options)


def test_what_is_no_master_is_never_replaced(measure, tmp_path):
    measure(0, 6)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scan.nxs").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        translate(tmp_path, live=True)
    assert (tmp_path / "out" / "scan.nxs").read_bytes() == b"mine"


def test_of_several_scans_those_that_grew_are_translated_again(measure, write, block, tmp_path):
    raw, out = tmp_path / "raw", tmp_path / "out"
    measure(0, 4)
    for k in range(3):
        write(raw / f"other_{k}.edf", block(image(k), header(k)))
    nxscan.translate_all(raw, out, live=True, link=True)
    kept = (out / "other.nxs").read_bytes()
    measure(4, 9)
    paths = nxscan.translate_all(raw, out, live=True, link=True)
    assert sorted(path.name for path in paths) == ["other.nxs", "scan.nxs"]
    assert numbers(out / "scan.nxs") == list(range(9))
    assert (out / "other.nxs").read_bytes() == kept


def test_frames_that_are_missing_within_are_the_common_part_only_with_partial(measure, tmp_path):
    measure(0, 12)[7].unlink()
    with pytest.raises(PlanError, match=r"1 file numbers are missing: 7.*--partial"):
        translate(tmp_path)
    path = translate(tmp_path, partial=True)
    assert numbers(path) == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    np.testing.assert_allclose(
        nxscan.open(path).axes["mu"].values, [m for k, m in enumerate(MU * 4) if k != 7]
    )


def test_axes_that_do_not_match_the_frames_are_refused_with_both_numbers(measure, tmp_path):
    measure(0, 10)
    with pytest.raises(PlanError, match=r"12.*10|10.*12"):
        translate(tmp_path, axes="chi=4,mu=3")
