"""What tables of positions become is plotted by the silx window: a map, and a curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers.silx_window import silx_shows

import nxscan
from nxscan.simulate.mda import simulate_map, write_mda


def test_a_map_of_counts_is_an_image(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    made = simulate_map(np.arange(9) * 0.5, np.arange(12) * 0.5)
    source = write_mda(raw / "map.mda", made, number=3)
    path = nxscan.translate(source, tmp_path / "map.nxs", detector="D02")
    assert silx_shows(path, tmp_path / "map.png") == "Image"


def test_a_scan_of_one_motor_is_a_curve(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    rows = "".join(f"{10 + k / 10} {100 + k * k}\n" for k in range(11))
    (raw / "sim.spec").write_text(f"#S 1  ascan  th 10 11 10 1\n#N 2\n#L th  I0\n{rows}\n")
    path = nxscan.translate(raw / "sim.spec", tmp_path / "s.nxs")
    assert silx_shows(path, tmp_path / "s.png") == "Curve"
