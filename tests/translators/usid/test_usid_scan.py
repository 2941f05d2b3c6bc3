"""What a USID file is as a scan: dimensions, axes, units, channels, results, metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.silx_window import silx_shows
from helpers.usid_files import ONE, grid, write_file, write_main

import nxscan
from nxscan.translate.registry import translator_for

RNG = np.random.default_rng(7)
X = ("X", "um", np.array([0.0, 0.5, 1.0, 1.5]))
Y = ("Y", "um", np.array([2.0, 4.0, 6.0]))
FREQUENCY = ("Frequency", "kHz", np.linspace(300.0, 302.0, 5))
LOOP = ("Bias", "V", np.array([0.0, 1.0, 0.0, -1.0]))


def _open(tmp_path: Path, *content: Any, **options: Any) -> Any:
    keys = {name: options.pop(name) for name in ("quantity", "units") if name in options}
    raw = write_file(tmp_path / "raw" / "raw.h5", *content, **keys)
    return nxscan.open(nxscan.translate(raw, tmp_path / "scan.nxs", **options))


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_dimensions_run_slow_to_fast_whatever_order_the_file_lists_them_in(
    tmp_path: Path, order: list[int]
) -> None:
    data = np.arange(12 * 20.0).reshape(12, 20)
    tables = [
        tuple([part[k] for k in order] if isinstance(part, list) else part[order] for part in table)
        for table in (grid(X, Y), grid(FREQUENCY, LOOP))
    ]
    scan = _open(tmp_path, data, *tables)
    assert scan.signal.shape == (3, 4, 4, 5)
    np.testing.assert_array_equal(scan.signal[...], data.reshape(3, 4, 4, 5))
    assert [axis.long_name for axis in scan.main_axes()] == ["Y", "X", "Bias step", "Frequency"]
    np.testing.assert_array_equal(scan.axes["Y"].values, Y[2])
    np.testing.assert_array_equal(scan.axes["Frequency"].values, FREQUENCY[2])
    assert scan.axes["X"].units == "um"
    assert scan.axes["Frequency"].units == "kHz"


def test_a_voltage_that_goes_to_and_fro_is_beside_its_steps(tmp_path: Path) -> None:
    scan = _open(tmp_path, RNG.random((12, 20)), grid(X, Y), grid(FREQUENCY, LOOP))
    np.testing.assert_array_equal(scan.axes["Bias"].values, LOOP[2])
    assert (scan.axes["Bias"].dimension, scan.axes["Bias"].role) == (2, "detector")


def test_a_single_spectrum_is_plotted_against_what_it_was_taken_at(tmp_path: Path) -> None:
    scan = _open(tmp_path, RNG.random((1, 4)), ONE, grid(LOOP))
    assert scan.scan_shape == ()
    np.testing.assert_array_equal(scan.main_axes()[0].values, LOOP[2])


def test_positions_that_are_no_whole_grid_are_a_list_with_every_dimension(tmp_path: Path) -> None:
    labels, units, indices, values = grid(X, Y)
    cut = labels, units, indices[:, :10], values[:, :10]
    scan = _open(tmp_path, RNG.random((10, 5)), cut, grid(FREQUENCY))
    assert scan.signal.shape == (10, 5)
    np.testing.assert_array_equal(scan.axes["X"].values, values[0, :10])
    np.testing.assert_array_equal(scan.axes["Y"].values, values[1, :10])
    assert {scan.axes[name].dimension for name in ("X", "Y", "position")} == {0}


def test_a_scan_to_and_fro_is_a_list_until_the_user_gives_its_axes(tmp_path: Path) -> None:
    labels, units, indices, values = grid(X, Y)
    order = [0, 1, 2, 3, 7, 6, 5, 4, 8, 9, 10, 11]
    table = labels, units, indices[:, order], values[:, order]
    data = np.arange(12.0)[order, np.newaxis]
    assert _open(tmp_path, data, table, ONE).signal.shape == (12,)
    given = nxscan.inspect(tmp_path / "raw" / "raw.h5", axes="Y=3,X=4").scan
    assert given is not None
    np.testing.assert_array_equal(given.signal[...], np.arange(12.0).reshape(3, 4))


def test_a_position_that_is_missing_is_no_axis_but_a_reading(tmp_path: Path) -> None:
    labels, units, indices, values = grid(X, Y)
    values = values[:, :10].copy()
    values[0, 3] = np.nan
    raw = write_file(
        tmp_path / "raw.h5", RNG.random((10, 1)), (labels, units, indices[:, :10], values), ONE
    )
    found = nxscan.inspect(raw)
    assert found.scan is not None
    assert found.report is not None
    assert "X" not in found.scan.axes
    np.testing.assert_array_equal(found.scan.readings["X"].value, values[0])
    assert any("X is missing" in problem.message for problem in found.report.problems)


def test_spectra_that_are_no_whole_grid_keep_every_dimension(tmp_path: Path) -> None:
    labels, units, indices, values = grid(FREQUENCY, LOOP)
    cut = labels, units, indices[:, :13], values[:, :13]
    scan = _open(tmp_path, RNG.random((4, 13)), grid(X), cut)
    assert scan.frame_shape == (13,)
    np.testing.assert_array_equal(scan.axes["Bias"].values, values[1, :13])
    assert scan.axes["Frequency"].dimension == 1


def test_measured_positions_near_a_grid_are_its_readings(tmp_path: Path) -> None:
    labels, units, indices, values = grid(X, Y)
    noise = RNG.uniform(-0.02, 0.02, values.shape)
    scan = _open(tmp_path, RNG.random((12, 1)), (labels, units, indices, values + noise), ONE)
    expected = (values + noise)[0].reshape(3, 4)
    np.testing.assert_array_equal(scan.readings["X"].value, expected)
    np.testing.assert_allclose(scan.axes["X"].values, expected.mean(axis=0), rtol=1e-15)


def test_a_dimension_whose_values_depend_on_another_is_counted(tmp_path: Path) -> None:
    labels, units, indices, values = grid(FREQUENCY, LOOP)
    values[0] += 100 * values[1]
    scan = _open(tmp_path, RNG.random((4, 20)), grid(X), (labels, units, indices, values))
    assert scan.frame_shape == (4, 5)
    np.testing.assert_array_equal(scan.main_axes()[2].values, np.arange(5.0))
    np.testing.assert_array_equal(scan.usid.spectroscopic.values[...], values)


def test_arbitrary_units_are_unknown_to_nexus_and_word_for_word_in_usid(tmp_path: Path) -> None:
    scan = _open(tmp_path, RNG.random((1, 4)), ONE, grid(LOOP), units="a. u.", quantity="Height")
    assert scan.signal.units is None
    assert (scan.signal.long_name, scan.detector) == ("Height", "Height")
    with h5py.File(tmp_path / "scan.nxs") as file:
        assert file["entry/instrument/Height/data"].attrs["units"] == "unknown"
        main = file["Measurement_000/Channel_000/Raw_Data"]
        assert main.attrs["units"] == "a. u."
        assert list(file[main.attrs["Position_Values"]].attrs["units"]) == ["a. u."]


def test_fields_of_a_compound_dataset_are_signals(tmp_path: Path) -> None:
    data = np.zeros((12, 5), [("Amplitude", "<f4"), ("Q factor", "<c8")])
    data["Amplitude"], data["Q factor"] = RNG.random((12, 5)), 1j * RNG.random((12, 5))
    scan = _open(tmp_path, data, grid(X, Y), grid(FREQUENCY))
    assert list(scan.signals) == ["Amplitude", "Q_factor"]
    for field, signal in zip(data.dtype.names or (), scan.signals.values(), strict=True):
        np.testing.assert_array_equal(signal[...], data[field].reshape(3, 4, 5))
    chosen = nxscan.inspect(tmp_path / "raw" / "raw.h5", detector="Q_factor")
    assert chosen.scan is not None
    assert chosen.scan.detector == "Q_factor"


def test_rows_stay_where_they_are_unless_they_have_to_be_folded(tmp_path: Path) -> None:
    flat = _open(tmp_path / "flat", RNG.random((12, 5)), grid(X, Y), grid(FREQUENCY))
    assert [source.path.name for source in flat.signal.sources] == ["raw.h5"]
    folded = _open(tmp_path / "folded", RNG.random((12, 20)), grid(X, Y), grid(FREQUENCY, LOOP))
    assert folded.signal.path.name == "scan.nxs"


def _channels(raw: Path) -> None:
    raw.parent.mkdir(exist_ok=True)
    with h5py.File(raw, "w") as file:
        file.attrs.update(sample_name="PZT", experiment_date="2015-10-05 14:55:05")
        for name in ("Measurement_000/Channel_000", "Measurement_001/Channel_003"):
            channel = file.create_group(name)
            channel.attrs["gain"] = 2.5
            main = write_main(channel, RNG.random((12, 5)), grid(X, Y), grid(FREQUENCY))
            main.attrs["rows"] = main.regionref[:2]
        channel["Bin_FFT"] = np.arange(4)
        results = channel.create_group("Raw_Data-Fit_000")
        results.attrs.update(tool="Fit", num_source_dsets=1, source_000=main.ref)
        write_main(results, RNG.random((12, 1)), grid(X, Y), ONE, name="Guess")


def test_every_channel_and_every_result_is_a_scan(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "raw.h5"
    _channels(raw)
    assert translator_for([raw]).name == "usid"
    refs = nxscan.scans(raw)
    numbers = ["000/000", "001/003", "001/003/Raw_Data-Fit_000/Guess"]
    assert [ref.number for ref in refs] == numbers
    made = nxscan.translate_all(raw, tmp_path / "out/")
    assert len({path.name for path in made}) == 3
    result = nxscan.open(made[2])
    assert result.provenance.parameters["usid_source"] == "/Measurement_001/Channel_003/Raw_Data"
    assert result.provenance.parameters["usid_tool"] == "Fit"


def test_attributes_become_metadata_and_raw_metadata(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "raw.h5"
    _channels(raw)
    found = nxscan.inspect(raw, scan="001/003")
    assert found.scan is not None
    assert found.scan.metadata.get("sample/name").value == "PZT"
    assert found.scan.metadata.get("start_time").value == "2015-10-05T14:55:05"
    said = found.scan.raw_metadata.values
    assert said["Measurement_001/Channel_003@gain"] == "2.5"
    assert said["Measurement_001/Channel_003/Raw_Data@quantity"] == "Current"
    assert found.report is not None
    (rest,) = [p for p in found.report.problems if "not taken" in p.message]
    assert "/Measurement_001/Channel_003/Bin_FFT" in rest.message


def test_real_files_are_what_the_index_says(shared_data: Callable[[str], Path]) -> None:
    curve = nxscan.inspect(shared_data("usid/AFM_Force_Curve_ccfec12.h5")).scan
    assert curve is not None
    assert curve.signal.shape == (2045,)
    assert float(curve.signal[...].sum(dtype=float)) == pytest.approx(-0.000350067003069, 1e-9)
    assert float(curve.axes["Z"].values.sum()) == pytest.approx(0.011518772777, 1e-9)
    image = nxscan.inspect(shared_data("usid/SingFreqPFM_0003_7dede48.h5"), scan="000/000").scan
    assert image is not None
    assert image.signal.shape == (128, 128)
    assert float(image.signal[...].max()) == pytest.approx(7.79628007e-09, 1e-8)
    assert image.axes["X"].units == "m"


@pytest.mark.parametrize(
    ("name", "scan", "view"),
    [
        ("AFM_Force_Curve_dce477c.h5", "000/001", "Curve"),
        ("SingFreqPFM_0003_7dede48.h5", "000/003", "Image"),
    ],
)
def test_silx_shows_the_real_files(
    tmp_path: Path, shared_data: Callable[[str], Path], name: str, scan: str, view: str
) -> None:
    master = nxscan.translate(shared_data(f"usid/{name}"), tmp_path / "scan.nxs", scan=scan)
    assert silx_shows(master, tmp_path / "seen.png") == view
