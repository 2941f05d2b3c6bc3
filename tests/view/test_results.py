"""What a person is told of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from helpers.results import add, new_result, outputs_of_all_kinds, write_master
from helpers.scans import make_scan

from nxscan.nexus.results import add_result
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


def test_plot_leaves_out_what_the_status_says_is_not_ok(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    center, status, *_ = outputs_of_all_kinds(make_scan()[0])
    stored = {"center": np.arange(30.0).reshape(6, 5), "status": np.eye(6, 5)}
    stored["center"][0, 0] = 1e9

    def fill(datasets: Mapping[str, Any]) -> None:
        for name, values in stored.items():
            datasets[name][...] = values

    add_result(path, new_result((center, status)), fill)
    for place in (None, "/entry/moments", "/entry/moments_000/center"):
        figure = plot(path, h5path=place)
        shown = figure.axes[0].images[0]
        drawn = np.ma.filled(shown.get_array().astype(float), np.nan)
        assert np.array_equal(np.isnan(drawn), np.eye(6, 5, dtype=bool))
        assert shown.get_clim() == (1.0, 29.0)
        assert "status not ok" in figure.get_supxlabel()
    whole = plot(path, h5path="/entry/moments_000/status").axes[0].images[0]
    assert np.array_equal(whole.get_array(), np.eye(6, 5))


def test_long_titles_stay_in_the_picture(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    center = outputs_of_all_kinds(make_scan()[0])[0]
    add(path, replace(center, long_name="center of mass " * 12))
    figure = plot(path)
    figure.canvas.draw()
    title = figure._suptitle.get_window_extent()
    assert title.x0 >= 0
    assert title.x1 <= figure.bbox.width
