"""A plot shows what is in the file, with names, units and sensible colors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import matplotlib as mpl
import numpy as np
import pytest

from nxscan.errors import NxscanError, OutputError, SourceError
from nxscan.view import plot

MU = np.linspace(-0.5, 0.5, 21)
BAD = (3, 5)


def stack_of(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return np.asarray(file["entry/data/data"], dtype=float)


def panels(figure: Any) -> list[Any]:
    """Return the axes of the panels, without those of the color bars."""
    return [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]


def image(ax: Any) -> Any:
    return ax.images[0].get_array()


def curve(ax: Any) -> Any:
    return ax.lines[0].get_xydata().T


def test_a_rocking_scan_shows_the_summed_frames_and_the_rocking_curve(rocking: Path) -> None:
    figure = plot(rocking)
    frames, rocking_curve = panels(figure)
    stack = stack_of(rocking)
    stack[(slice(None), *BAD)] = 0
    assert figure.get_suptitle() == "mosaicity of a bent crystal"
    assert frames.get_title() == "sum over mu (21 frames)"
    assert (frames.get_xlabel(), frames.get_ylabel()) == ("x (pixel)", "y (pixel)")
    assert np.array_equal(image(frames).filled(0), stack.sum(axis=0))
    assert rocking_curve.get_title() == "sum over the detector (48 × 64 pixels)"
    assert rocking_curve.get_xlabel() == "mu (degree)"
    assert rocking_curve.get_ylabel() == "camera (counts)"
    assert np.array_equal(curve(rocking_curve), [MU, stack.sum(axis=(1, 2))])


def test_a_masked_pixel_is_gray_and_does_not_set_the_colors(rocking: Path) -> None:
    frames = panels(plot(rocking))[0]
    assert np.argwhere(image(frames).mask).tolist() == [list(BAD)]
    good = np.delete(stack_of(rocking).sum(axis=0).ravel(), BAD[0] * 64 + BAD[1])
    low, high = frames.images[0].get_clim()
    assert good.min() <= low <= np.percentile(good, 0.5)
    assert np.percentile(good, 99.5) <= high <= good.max()
    red, green, blue, _ = frames.images[0].cmap.get_bad()
    assert red == green == blue


def test_colors_span_the_percentiles_and_the_bar_says_what_lies_beyond(
    make_file: Callable[..., Path],
) -> None:
    values = np.random.default_rng(3).normal(1000, 20, (60, 80))
    values[7, 7] = 1e5
    figure = plot(make_file(lambda file: file.create_dataset("map", data=values)))
    ax = panels(figure)[0]
    expected = np.percentile(values, (0.5, 99.5))
    assert ax.images[0].get_clim()[1] == pytest.approx(expected[1])
    assert ax.images[0].colorbar.extend in ("max", "both")


def test_the_first_row_of_a_detector_is_on_top_with_square_pixels(rocking: Path) -> None:
    frames = panels(plot(rocking))[0]
    assert frames.get_ylim() == (47.5, -0.5)
    assert frames.get_xlim() == (-0.5, 63.5)
    assert frames.get_aspect() == 1
    assert frames.images[0].get_interpolation() == "nearest"


def test_two_motors_give_a_map_whose_axes_grow_upwards(mosaicity: Path) -> None:
    frames, motors = panels(plot(mosaicity))
    stack = stack_of(mosaicity)
    stack[(slice(None), slice(None), *BAD)] = 0
    assert frames.get_title() == "sum over chi × mu (5 × 21 = 105 frames)"
    assert (motors.get_xlabel(), motors.get_ylabel()) == ("mu (degree)", "chi (degree)")
    assert np.array_equal(image(motors), stack.sum(axis=(2, 3)))
    assert motors.get_ylim() == pytest.approx((-0.25, 0.25))
    left, right, bottom, top = motors.images[0].get_extent()
    # rows of the array start at the top edge of the extent: the first chi is the lowest
    assert (top, bottom) == pytest.approx((-0.25, 0.25))
    assert (left, right) == pytest.approx((-0.525, 0.525))


def test_an_index_replaces_the_sum_along_its_axis(mosaicity: Path) -> None:
    frames, along_mu = panels(plot(mosaicity, reduce={"chi": 2}))
    stack = stack_of(mosaicity)
    assert frames.get_title() == "chi = 0 degree, sum over mu (21 frames)"
    assert image(frames)[20, 36] == stack[2, :, 20, 36].sum()
    assert along_mu.get_xlabel() == "mu (degree)"


@pytest.mark.parametrize("how", ["mean", "max"])
def test_mean_and_maximum_are_offered_and_named(rocking: Path, how: Any) -> None:
    frames, along_mu = panels(plot(rocking, reduce=how))
    stack = stack_of(rocking)
    assert frames.get_title().startswith(f"{how} over mu")
    assert image(frames)[20, 36] == pytest.approx(getattr(stack[:, 20, 36], how)())
    good = np.ones((48, 64), bool)
    good[BAD] = False
    assert curve(along_mu)[1] == pytest.approx(getattr(stack[:, good], how)(axis=1))


def test_a_pixels_curve_is_its_counts_along_the_scan(rocking: Path) -> None:
    (ax,) = panels(plot(rocking, pixel=(20, 36)))
    center = np.linspace(-0.15, 0.15, 64)[36]
    expected = 100 + 3050 * np.exp(-((MU - center) ** 2) / (2 * 0.12**2))
    x, y = curve(ax)
    assert np.array_equal(x, MU)
    assert y == pytest.approx(expected, abs=1)
    assert ax.get_title() == "pixel y = 20, x = 36"
    assert ax.get_ylabel() == "camera (counts)"


def test_a_masked_pixels_curve_says_so(rocking: Path) -> None:
    (ax,) = panels(plot(rocking, pixel=BAD))
    assert "masked" in ax.get_title()


def test_a_pixel_of_a_two_motor_scan_is_a_map(mosaicity: Path) -> None:
    (ax,) = panels(plot(mosaicity, pixel=(20, 36)))
    assert np.array_equal(image(ax), stack_of(mosaicity)[:, :, 20, 36])


def test_a_list_of_positions_of_two_motors_is_a_scatter(positions: Path) -> None:
    _, ax = panels(plot(positions))
    (points,) = ax.collections
    spiral = np.arange(30)
    samy, samz = spiral * np.cos(spiral / 3), spiral * np.sin(spiral / 3)
    assert np.allclose(points.get_offsets(), np.c_[samz, samy])
    assert np.array_equal(points.get_array(), 48 * 64 * (spiral + 1))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("samz (um)", "samy (um)")


def test_a_list_of_positions_of_one_motor_is_a_curve_over_it(
    positions: Path, tmp_path: Path
) -> None:
    single = tmp_path / "one.nxs"
    with h5py.File(positions) as source, h5py.File(single, "w") as file:
        data = file.create_group("data")
        data.attrs.update(dict(source["entry/data"].attrs))
        for name in ("position", "samy", "y", "x"):
            source.copy(f"entry/data/{name}", data)
        data["data"] = source["entry/data/data"][()]
    _, ax = panels(plot(single))
    assert ax.get_xlabel() == "samy (um)"
    assert curve(ax)[0] == pytest.approx(np.arange(30) * np.cos(np.arange(30) / 3))


def test_a_result_is_drawn_with_its_name_unit_and_missing_pixels(rocking: Path) -> None:
    figure = plot(rocking, h5path="/entry/moments_000")
    (ax,) = panels(figure)
    assert ax.images[0].colorbar.ax.get_ylabel() == "center of mass (degree)"
    assert ax.images[0].get_clim() == (-0.15, 0.15)
    assert image(ax).mask.sum() == 1


def test_counters_are_drawn_side_by_side(rocking: Path) -> None:
    mon, current = panels(plot(rocking, h5path="entry/counters"))
    assert (mon.get_ylabel(), current.get_ylabel()) == ("mon", "srcur (mA)")
    assert curve(current)[1] == pytest.approx(np.linspace(199.0, 192.0, 21))


def test_a_clocks_readings_are_told_apart_and_a_long_label_is_broken(
    make_file: Callable[..., Path],
) -> None:
    def fill(file: Any) -> None:
        file["epoch"] = 1.5e9 + np.arange(80.0)
        file["epoch"].attrs["long_name"] = "seconds since the session of this beamtime began"

    figure = plot(make_file(fill))
    (ax,) = panels(figure)
    figure.canvas.draw()
    assert "1.5" in ax.yaxis.get_offset_text().get_text()
    assert "{0}" in ax.get_yticklabels()[1].get_text()
    assert ax.get_ylabel().replace("\n", " ") == "seconds since the session of this beamtime began"
    assert "\n" in ax.get_ylabel()


def test_error_bars_are_drawn(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        group = file.create_group("data")
        group.attrs.update(NX_class="NXdata", signal="i", axes=["q"])
        group["q"], group["i"], group["i_errors"] = [1.0, 2.0], [10.0, 20.0], [1.0, 3.0]

    (ax,) = panels(plot(make_file(fill)))
    (bars,) = ax.collections
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[9, 11], [17, 23]]


def test_a_spectrum_at_every_position_is_summed_to_one_spectrum(
    make_file: Callable[..., Path],
) -> None:
    values = np.arange(2 * 3 * 4).reshape(2, 3, 4)

    def fill(file: Any) -> None:
        file["mca"] = values
        file["mca"].attrs["interpretation"] = "spectrum"

    spectrum, motors = panels(plot(make_file(fill)))
    assert np.array_equal(curve(spectrum)[1], values.sum(axis=(0, 1)))
    assert np.array_equal(image(motors), values.sum(axis=2))
    assert spectrum.get_title() == "sum over dim_0 × dim_1 (2 × 3 = 6 spectra)"


def test_five_dimensions_are_reduced_and_the_title_says_how(make_file: Callable[..., Path]) -> None:
    values = np.random.default_rng(0).integers(0, 100, (2, 3, 4, 5, 6))
    frames, motors = panels(plot(make_file(lambda file: file.create_dataset("d", data=values))))
    assert np.array_equal(image(frames), values.sum(axis=(0, 1, 2)))
    assert np.array_equal(image(motors), values.sum(axis=(0, 3, 4)))
    assert "sum over dim_0" in motors.get_title()


def test_a_single_value_is_written_out(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        file["energy"] = 17.5
        file["energy"].attrs["units"] = "keV"

    (ax,) = panels(plot(make_file(fill), h5path="energy"))
    assert [text.get_text() for text in ax.texts] == ["17.5", "energy (keV)"]


def test_uneven_steps_are_drawn_where_they_are(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        group = file.create_group("data")
        group.attrs.update(NX_class="NXdata", signal="i", axes=["chi", "mu"])
        group["chi"], group["mu"] = [0.0, 1.0], [0.0, 1.0, 3.0]
        group["i"] = np.arange(6.0).reshape(2, 3)

    (ax,) = panels(plot(make_file(fill)))
    (mesh,) = ax.collections
    assert mesh.get_coordinates()[0, :, 0].tolist() == [-0.5, 0.5, 2.0, 4.0]


def test_log_is_chosen_by_the_values_and_by_the_user(make_file: Callable[..., Path]) -> None:
    peaks = np.full((50, 60), 3.0)
    peaks[20:22, 30:33] = 1e6
    path = make_file(lambda file: file.create_dataset("peaks", data=peaks))
    norms = [type(panels(plot(path, log=log))[0].images[0].norm).__name__ for log in (None, False)]
    assert norms == ["LogNorm", "Normalize"]


def test_a_large_image_is_averaged_but_keeps_its_place(make_file: Callable[..., Path]) -> None:
    values = np.zeros((3300, 20), np.uint16)
    values[:, 4] = 7
    (ax,) = panels(plot(make_file(lambda file: file.create_dataset("d", data=values))))
    assert image(ax).shape == (1100, 20)
    assert np.array_equal(image(ax)[0], values[0])
    assert ax.get_ylim() == (3299.5, -0.5)


def test_the_users_backend_and_settings_are_left_alone(rocking: Path, tmp_path: Path) -> None:
    before, loaded = dict(mpl.rcParams), "matplotlib.pyplot" in sys.modules
    plot(rocking, tmp_path / "plot.png")
    assert dict(mpl.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) is loaded


def test_the_picture_is_written_and_large_enough(rocking: Path, tmp_path: Path) -> None:
    from matplotlib.image import imread

    written = plot(rocking, tmp_path / "plot.png")
    assert written == tmp_path / "plot.png"
    height, width, _ = imread(written).shape
    assert width > height > 600


def test_a_title_with_dollar_signs_is_no_formula(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        group = file.create_group("entry")
        group.attrs.update(NX_class="NXentry", default="data")
        group["title"] = r"sample $\broken_{ scan"
        group["data/i"] = [1.0, 2.0]
        group["data"].attrs.update(NX_class="NXdata", signal="i")

    path = make_file(fill)
    assert plot(path).get_suptitle() == r"sample $\broken_{ scan"
    assert plot(path, path.with_suffix(".png")).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pixel": (48, 0)}, "48 rows"),
        ({"pixel": (0, -1)}, "64 columns"),
        ({"reduce": {"phi": 0}}, "no axis 'phi'"),
        ({"reduce": {"mu": 21}}, "21 positions"),
        ({"reduce": "median"}, "'median' is not known"),
        ({"pixel": (0, 0), "h5path": "entry/counters"}, "no 2-D frames"),
        ({"h5path": "entry/nothing"}, "has no 'entry/nothing'"),
        ({"h5path": "entry/title"}, "nothing that can be drawn"),
    ],
)
def test_what_is_not_there_is_refused_by_name(rocking: Path, arguments: Any, said: str) -> None:
    with pytest.raises(NxscanError, match=said):
        plot(rocking, **arguments)


def test_an_unknown_kind_of_picture_is_refused(rocking: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no picture's suffix"):
        plot(rocking, tmp_path / "plot.docx")
    with pytest.raises(OutputError, match="cannot be written"):
        plot(rocking, tmp_path / "no folder" / "plot.png")


def test_a_damaged_chunk_is_an_error_and_not_a_picture(make_file: Callable[..., Path]) -> None:
    path = make_file(
        lambda file: file.create_dataset("d", data=np.arange(600), chunks=(60,), compression=1)
    )
    with h5py.File(path) as file:
        chunk = file["d"].id.get_chunk_info(4)
    with path.open("r+b") as raw:
        raw.seek(chunk.byte_offset)
        raw.write(bytes(chunk.size))
    with pytest.raises(SourceError, match="/d cannot be read"):
        plot(path)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.nxs").write_text("no HDF5")
    with pytest.raises(SourceError, match="not an HDF5 file"):
        plot(tmp_path / "text.nxs")
    with pytest.raises(SourceError, match="cannot be opened"):
        plot(tmp_path / "missing.nxs")


def test_a_figure_is_a_picture_in_a_notebook(rocking: Path) -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    shown, _ = formatters.DisplayFormatter().format(plot(rocking))
    assert shown["image/png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert "matplotlib.pyplot" not in sys.modules or not mpl.pyplot.get_fignums()
