"""A translated folder of EDF frames opens in the real silx view window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from helpers.silx_window import silx_shows

import nxscan
from nxscan.simulate import crystal, rocking_scan, write_edf


def test_simulated_frames_are_shown_as_an_image(tmp_path: Path) -> None:
    scan = rocking_scan(crystal((48, 40)), frames=21)
    write_edf(scan, tmp_path / "raw", darks=2)
    path = nxscan.translate(tmp_path / "raw", tmp_path / "scan.nxs")
    assert silx_shows(path, tmp_path / "window.png") == "Image"
    assert silx_shows(path, tmp_path / "counters.png", "/entry/counters") == "Curve"


def test_real_frames_are_shown_as_an_image(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    path = nxscan.translate(shared_data("edf/medipix.edf"), tmp_path / "medipix.nxs")
    assert silx_shows(path, tmp_path / "window.png") == "Image"
