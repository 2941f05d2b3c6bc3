"""Layers of a sample become a volume: in order, in register, and ParaView can read it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.results import new_result
from helpers.scans import make_scan
from scipy.ndimage import gaussian_filter
from scipy.ndimage import shift as moved
from typer.testing import CliRunner

from nxscan.analysis.layers import stack_layers
from nxscan.analysis.layers_register import moved_back, register_maps
from nxscan.analysis.space import SpaceParameters
from nxscan.cli import app
from nxscan.errors import OutputError, ProcessError
from nxscan.model import Field
from nxscan.nexus import read_scan, write_scan
from nxscan.nexus.results import OutputSpec, add_result
from nxscan.validate import validate

SHAPE = (72, 96)
HEIGHTS = (0.006, 0.002, 0.004)  # mm
SHIFTS = {0.002: (0.0, 0.0), 0.004: (2.3, -1.6), 0.006: (3.9, 1.25)}
WIDE = 16


def sample() -> np.ndarray[Any, Any]:
    """Return a texture that is wider than a frame, so that what is moved in is known."""
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(SHAPE[0] + 2 * WIDE, SHAPE[1] + 2 * WIDE))
    return 1000 + 4000 * gaussian_filter(noise, 2.0)


def seen(texture: np.ndarray[Any, Any], shift: tuple[float, float]) -> np.ndarray[Any, Any]:
    """Return a frame in which a feature at p lies at p + shift."""
    return moved(texture, shift, order=5)[WIDE:-WIDE, WIDE:-WIDE]


def write_layer(path: Path, height: float) -> Path:
    """Write a master whose result has a map of centers, intensity and status."""
    scan = make_scan((3,), SHAPE)[0]
    for name, value in {"samz": Field(height, "mm"), "chi": Field(1.0 + height, "degree")}.items():
        scan.metadata.group(f"instrument/{name}", "NXinstrument", "NXpositioner").set(
            "value", value
        )
    write_scan(scan, path)
    y, x = scan.main_axes()[-2:]
    outputs = (
        OutputSpec("intensity", np.dtype("f8"), (y, x), "counts"),
        OutputSpec("center", np.dtype("f8"), (y, x), "degree", "center", None, True),
        OutputSpec("status", np.dtype("u1"), (y, x), ""),
    )
    ramp = np.add.outer(0.01 * np.arange(SHAPE[0]), 0.02 * np.arange(SHAPE[1]))
    shift = SHIFTS[height]
    status = np.zeros(SHAPE)
    status[40, 50] = 4
    stored = {
        "intensity": seen(sample(), shift),
        "center": ramp - 0.01 * shift[0] - 0.02 * shift[1] + height,
        "status": status,
    }

    def fill(datasets: Any) -> None:
        for name, values in stored.items():
            datasets[name][...] = values

    add_result(path, new_result(outputs), fill)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("layers")
    return [write_layer(folder / f"layer_{k}.nxs", z) for k, z in enumerate(HEIGHTS)]


def test_shifts_between_layers_are_found_and_undone(files):
    volume = stack_layers(files)
    expected = [SHIFTS[z] for z in sorted(HEIGHTS)]
    np.testing.assert_allclose(volume.shifts, expected, atol=0.06)
    ramp = np.add.outer(0.01 * np.arange(SHAPE[0]), 0.02 * np.arange(SHAPE[1]))
    for layer, height in zip(volume.values, sorted(HEIGHTS), strict=True):
        assert np.isfinite(layer).mean() > 0.9
        np.testing.assert_allclose(layer - ramp - height, np.where(layer == layer, 0, np.nan),
                                   atol=0.003)  # fmt: skip


def test_layers_are_in_the_order_of_the_motor_that_moved(files):
    volume = stack_layers(files, register=False)
    assert [path.name for path in volume.paths] == ["layer_1.nxs", "layer_2.nxs", "layer_0.nxs"]
    np.testing.assert_allclose(volume.z.values, [2, 4, 6])
    assert (volume.z.units, volume.z.long_name) == ("um", "samz")
    assert (volume.shifts == 0).all()


def test_a_given_distance_keeps_the_order_given(files):
    volume = stack_layers(files, register=False, spacing=2.5)
    np.testing.assert_allclose(volume.z.values, [0, 2.5, 5])
    assert [path.name for path in volume.paths] == [path.name for path in files]


def test_what_is_not_ok_or_comes_from_outside_is_missing(files):
    volume = stack_layers(files)
    first, second, _ = volume.values
    assert np.argwhere(np.isnan(first)).tolist() == [[40, 50]]
    # the layer lies 2.3 rows further down: its last three rows, and two columns, are not known
    assert np.isnan(second[-3:]).all()
    assert np.isfinite(second[5, 5])
    assert np.isnan(second[37:39, 51:53]).all()


def test_rows_and_columns_are_in_micrometers_where_the_microscope_is_known(files):
    space = SpaceParameters(pixel_size=2.0, magnification=10.0)
    volume = stack_layers(files, register=False, space=space)
    assert (volume.y.units, volume.x.units) == ("um", "um")
    np.testing.assert_allclose(np.abs(np.diff(volume.x.values)), 0.2)
    assert stack_layers(files, register=False).x.units == "pixel"


def test_the_volume_is_a_valid_file_with_its_shifts(files, tmp_path):
    volume = stack_layers(files)
    path = volume.write(tmp_path / "sample.nxs")
    scan = read_scan(path)
    assert list(scan.axes) == ["z", "y", "x"]
    np.testing.assert_array_equal(scan.signal.read((...,)), volume.values)
    np.testing.assert_allclose(scan.counters["shift_x"].value, volume.shifts[:, 1])
    assert [Path(source.path).name for source in scan.provenance.sources] == [
        *("layer_1.nxs", "layer_2.nxs", "layer_0.nxs")
    ]
    assert validate(path).ok
    with pytest.raises(OutputError, match="exists"):
        volume.write(path)


@pytest.mark.parametrize("suffix", [".vti", ".vtr"])
def test_paraview_gets_every_value_in_its_place(files, tmp_path, suffix):
    pytest.importorskip("pyevtk")
    space = SpaceParameters(pixel_size=2.0, magnification=10.0)
    volume = stack_layers(files, space=space)
    path = volume.write(tmp_path / f"sample{suffix}")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    text = path.read_bytes()
    head, _, rest = text.partition(b'<AppendedData encoding="raw">')
    assert b'Name="center"' in head
    assert rest.lstrip()[:1] == b"_"
    size = 8 * volume.values.size
    upright = volume.values[:, ::-1, ::-1] if volume.y.values[1] < volume.y.values[0] else None
    ordered = volume.values if upright is None else upright
    assert np.ascontiguousarray(ordered).tobytes() in text
    assert len(text) > size


def test_uneven_layers_are_no_image_data(files, tmp_path):
    pytest.importorskip("pyevtk")
    even = stack_layers(files, register=False, motor="samz")
    volume = replace(even, z=replace(even.z, values=np.array([0.0, 1.0, 5.0])))
    with pytest.raises(ProcessError, match=r"z has uneven steps, 1 to 4 um"):
        volume.write(tmp_path / "sample.vti")
    assert volume.write(tmp_path / "sample.vtr").exists()


def test_the_command_says_what_it_found(files, tmp_path):
    ended = CliRunner().invoke(
        app, ["layers", *map(str, files), "-o", str(tmp_path / "v.nxs"), "--map", "center"]
    )
    assert ended.exit_code == 0, ended.output
    first, second = ended.stdout.splitlines()[1:3]
    assert first.split()[0] == "2"
    assert abs(float(second.split()[1]) - 2.3) < 0.1
    with h5py.File(tmp_path / "v.nxs") as file:
        assert file["entry/data/data"].shape == (3, *SHAPE)
        assert file["entry/data/data"].attrs["units"] == "degree"
    ended = CliRunner().invoke(
        app,
        ["layers", *map(str, files), "-o", str(tmp_path / "w.nxs"), "--no-register", "--json"],
    )
    assert [layer["z"] for layer in json.loads(ended.stdout)["layers"]] == [2, 4, 6]


def test_what_cannot_be_stacked_is_said(files, tmp_path):
    with pytest.raises(ProcessError, match="1 layer is no volume"):
        stack_layers(files[:1])
    with pytest.raises(ProcessError, match="no result 'kam'"):
        stack_layers(files, "kam")
    with pytest.raises(ProcessError, match=r"motor 'chi'.*samz"):
        stack_layers(files, motor="chi")
    with pytest.raises(ProcessError, match="samz is the same in two files"):
        stack_layers([files[0], *files], register=False)
    with pytest.raises(OutputError, match="no suffix of a volume"):
        stack_layers(files, register=False).write(tmp_path / "v.stl")


def test_a_layer_that_is_like_no_other_is_named():
    rng = np.random.default_rng(1)
    maps = np.stack([seen(sample(), (0, 0)), seen(sample(), (1, 1)), rng.normal(size=SHAPE)])
    with pytest.raises(ProcessError, match="layers: odd cannot be found"):
        register_maps(maps, ["a", "b", "odd"])


def test_whole_pixels_are_not_interpolated():
    values = np.arange(12.0).reshape(3, 4)
    values[1, 1] = np.nan
    back = moved_back(values, np.array([1.0, -1.0]))
    np.testing.assert_array_equal(back[:2, 1:], values[1:, :-1])
    assert np.isnan(back[2]).all()
    assert np.isnan(back[:, 0]).all()
