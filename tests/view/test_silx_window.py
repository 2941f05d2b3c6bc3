"""What nxscan's layout looks like in the real silx view window; and that the test can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.silx_window import SilxError, silx_shows


def test_frames_are_shown_as_an_image(rocking: Path, tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    assert silx_shows(rocking, picture) == "Image"
    assert picture.stat().st_size > 10_000


def test_counters_are_shown_as_curves(rocking: Path, tmp_path: Path) -> None:
    assert silx_shows(rocking, tmp_path / "window.png", "/entry/counters") == "Curve"


def test_a_plot_that_raises_fails_though_silx_names_its_view(
    make_file: Callable[..., Path], tmp_path: Path
) -> None:
    def fill(file: Any) -> None:
        file.attrs.update(NX_class="NXroot", default="data")
        data = file.create_group("data")
        data.attrs.update(NX_class="NXdata", signal="i", axes=["name"])
        data["i"], data["name"] = [1.0, 2.0], ["a", "b"]

    with pytest.raises(SilxError, match="Traceback"):
        silx_shows(make_file(fill), tmp_path / "window.png")


def test_a_file_without_a_plot_fails(make_file: Callable[..., Path], tmp_path: Path) -> None:
    path = make_file(lambda file: file.create_dataset("a/b", data=np.zeros(3)))
    with pytest.raises(SilxError, match="no valid plot"):
        silx_shows(path, tmp_path / "window.png")


def test_an_invalid_plot_fails(make_file: Callable[..., Path], tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file.attrs.update(NX_class="NXroot", default="data")
        data = file.create_group("data")
        data.attrs.update(NX_class="NXdata", signal="i", axes=["x"])
        data["i"], data["x"] = [1.0, 2.0, 3.0], np.arange(7.0)

    with pytest.raises(SilxError):
        silx_shows(make_file(fill), tmp_path / "window.png")
