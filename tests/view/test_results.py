"""What a person is told of results."""

from __future__ import annotations

from pathlib import Path

from helpers.results import add, outputs_of_all_kinds, write_master
from helpers.scans import make_scan

from nxscan.view import info, plot


def test_info_lists_results_with_parameters_and_the_default_plot_first(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    outputs = outputs_of_all_kinds(make_scan()[0])
    add(path, *outputs[1:3], outputs[0])
    lines = info(path).splitlines()
    at = next(k for k, line in enumerate(lines) if "moments_000" in line)
    assert "background edges" in lines[at]
    assert "width 2.5 degree" in lines[at]
    assert lines[at + 1].strip() == "center  center of mass (degree), 6 × 5 along y, x"
    assert sum("center of mass" in line for line in lines) == 1


def test_plot_draws_the_newest_result(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    before = plot(path, tmp_path / "scan.png").read_bytes()
    add(path)
    assert plot(path, tmp_path / "result.png").read_bytes() != before
    again = plot(path, tmp_path / "named.png", h5path="/entry/moments").read_bytes()
    assert again == (tmp_path / "result.png").read_bytes()
