"""A missing or damaged piece is said once; what validators stumble over is set aside."""

from __future__ import annotations

import h5py
import pytest

from nxscan.validate import validate
from nxscan.validate.consequences import REASON


@pytest.fixture
def without_frames(make_scan):
    path = make_scan()
    path.with_name("scan_frames.h5").unlink()
    return path


def test_a_missing_frames_file_is_the_only_finding(without_frames):
    report = validate(without_frames, data=True)
    assert not report.ok
    assert {(f.source, f.rule) for f in report.findings} == {("nxscan", "link")}
    assert report.text().count("→") == 1
    assert "scan_frames.h5, which is not there" in report.findings[0].message


def test_what_follows_is_kept_and_shown_when_asked_for(without_frames):
    report = validate(without_frames)
    following = [item.finding for item in report.suppressed if item.reason == REASON]
    assert {"silx", "nexusformat"} <= {finding.source for finding in following}
    assert f"{len(following)} consequences set aside" in report.text()
    assert REASON not in report.text()
    assert REASON in report.text(all=True)


def test_what_does_not_follow_from_a_missing_file_still_counts(without_frames):
    with h5py.File(without_frames, "r+") as file:
        file["entry/data/mu"].attrs["units"] = "degrie"
    rules = {f.rule for f in validate(without_frames, external=False).findings}
    assert rules == {"link", "units"}


def test_a_validator_that_stops_counts_where_no_link_is_dead(make_scan, monkeypatch):
    def stop(target):
        raise RuntimeError("bug")

    from nxscan.validate import run
    from nxscan.validate.contract import Check

    monkeypatch.setattr(run, "CHECKS", (Check("broken", "punx", stop),))
    (found,) = validate(make_scan()).findings
    assert found.rule == "validator crash"


def test_damaged_frames_are_named_once(make_scan):
    path = make_scan(chunks=(2, 3, 6, 5), compression="gzip", fletcher32=True)
    frames = path.with_name("scan_frames.h5")
    with h5py.File(frames) as file:
        chunk = file["entry/instrument/pco/data"].id.get_chunk_info_by_coord((0, 0, 0, 0))
    content = bytearray(frames.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    frames.write_bytes(content)
    (found,) = validate(path, data=True, external=False).findings
    assert found.message.startswith("frames (0, 0) to (1, 2) cannot be read")
    (quick,) = validate(path, external=False).findings
    assert quick.message.startswith("the default plot cannot be read")
    assert "--data" in quick.hint
