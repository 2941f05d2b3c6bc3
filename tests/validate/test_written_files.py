"""What nxscan writes passes every check, and fails when it is damaged afterwards."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from nxscan.model import ArraySignal, Axis, Scan
from nxscan.nexus import layout
from nxscan.nexus.writer import write_scan
from nxscan.validate import validate


@pytest.fixture
def scan():
    frames = np.random.default_rng(7).integers(0, 4000, (4, 3, 20, 30)).astype(np.uint16)
    axes = {
        name: Axis(name, np.arange(n, dtype=float), units=units, dimension=k, role=role)
        for k, (name, n, units, role) in enumerate(
            [
                ("chi", 4, "degree", "scan"),
                ("mu", 3, "degree", "scan"),
                ("y", 20, "pixel", "detector"),
                ("x", 30, "pixel", "detector"),
            ]
        )
    }
    return Scan("rocking", {"pco": ArraySignal(frames, "counts", "pco")}, axes)


@pytest.mark.parametrize("limit", [0, layout.INLINE_LIMIT])
def test_written_scan_is_valid(scan, tmp_path, monkeypatch, limit):
    monkeypatch.setattr(layout, "INLINE_LIMIT", limit)
    report = validate(write_scan(scan, tmp_path / "scan.nxs"), data=True)
    assert report.findings == ()
    assert (tmp_path / "scan_frames.h5").exists() is (limit == 0)


def test_damaged_frame_of_a_written_scan_is_named(scan, tmp_path, monkeypatch, only):
    only("nxscan")
    monkeypatch.setattr(layout, "INLINE_LIMIT", 0)
    path = write_scan(scan, tmp_path / "scan.nxs")
    frames = tmp_path / "scan_frames.h5"
    with h5py.File(frames, "r") as file:
        chunk = file["entry/instrument/pco/data"].id.get_chunk_info_by_coord((2, 0, 0, 0))
    content = bytearray(frames.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 0x10
    frames.write_bytes(content)
    named = [f.message for f in validate(path, data=True).findings if f.rule == "frame checksum"]
    assert named
    assert all(message.startswith(("frame (2, 0) ", "frames (2, 0) to ")) for message in named)
