"""What a scan of EDF frames says: axes, readings, counters, metadata, provenance."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest

from nxscan.errors import NxscanError
from nxscan.model.names import is_valid_name

MU = [0.0, 0.1, 0.2]
CHI = [5.0, 6.0, 7.0, 8.0]


def grid_headers(**more):
    """Return headers of a chi (slow) by mu (fast) scan, with motors that stand still."""
    return [
        {
            "motor_mne": "mu chi phi ccmth",
            "motor_pos": f"{mu} {chi} -13.3 5.9",
            "counter_mne": "sec mon",
            "counter_pos": f"1 {100 + 3 * c + m}",
            **{key: value(c, m) for key, value in more.items()},
        }
        for c, chi in enumerate(CHI)
        for m, mu in enumerate(MU)
    ]


def texts(report, severity):
    return " | ".join(str(p) for p in report.problems if p.severity == severity)


def test_a_grid_of_two_motors_is_four_dimensional(series, open_scan):
    scan, report = open_scan(series(grid_headers()))
    assert not report.errors
    assert scan.signal.shape == (4, 3, 3, 4)
    assert scan.scan_shape == (4, 3)
    assert [axis.name for axis in scan.main_axes()] == ["chi", "mu", "y", "x"]
    np.testing.assert_allclose(scan.axes["mu"].values, MU)
    np.testing.assert_allclose(scan.axes["chi"].values, CHI)
    assert scan.axes["mu"].units == "degree"
    assert scan.axes["mu"].long_name == "mu, base tilt"
    assert (scan.axes["x"].units, scan.axes["x"].role, scan.axes["x"].dimension) == (
        "pixel",
        "detector",
        3,
    )
    np.testing.assert_array_equal(scan.axes["y"].values, [0, 1, 2])
    assert scan.frame(mu=0.1, chi=7)[0, 0] == 7
    assert scan.signal.units == "counts"
    assert report.axes.shape == (4, 3)


def test_zigzag_rows_are_stored_in_grid_order_with_their_acquisition_number(series, open_scan):
    headers = grid_headers()
    headers[3:6] = headers[5:2:-1]
    headers[9:12] = headers[11:8:-1]
    scan, _ = open_scan(series(headers))
    taken = [[0, 1, 2], [5, 4, 3], [6, 7, 8], [11, 10, 9]]
    np.testing.assert_array_equal(scan.counters["frame_number"].value, taken)
    np.testing.assert_array_equal(scan.signal.read((..., 0, 0)), taken)
    np.testing.assert_allclose(scan.readings["mu"].value, [MU] * 4)
    np.testing.assert_array_equal(scan.counters["mon"].value, 100 + np.arange(12).reshape(4, 3))


def test_readings_are_kept_beside_the_grid(series, open_scan):
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1e-4, (4, 3))
    headers = grid_headers(motor_pos=lambda c, m: f"{MU[m] + noise[c, m]:.9f} {CHI[c]} -13.3 5.9")
    scan, _ = open_scan(series(headers))
    assert scan.scan_shape == (4, 3)
    np.testing.assert_allclose(scan.readings["mu"].value, np.array(MU) + noise, atol=1e-9)
    assert scan.readings["mu"].units == "degree"
    np.testing.assert_allclose(scan.axes["mu"].values, MU, atol=3e-4)


def test_motors_that_stand_still_are_positioners(series, open_scan):
    scan, _ = open_scan(series(grid_headers()))
    phi = scan.metadata.groups["instrument"].groups["phi"]
    assert phi.nx_class == "NXpositioner"
    assert (phi["value"].value, phi["value"].units, phi["name"].value) == (-13.3, "degree", "phi")
    assert "mu" not in scan.metadata.groups["instrument"].groups
    assert set(scan.readings) == {"mu", "chi"}


def test_an_aborted_scan_is_a_list_of_positions_with_every_motor(series, open_scan):
    scan, report = open_scan(series(grid_headers()[:11]))
    assert scan.signal.shape == (11, 3, 4)
    assert scan.main_axes()[0].name == "position"
    assert {axis.name for axis in scan.axes_along(0)} == {"position", "mu", "chi"}
    np.testing.assert_allclose(scan.axes["mu"].values, (MU * 4)[:11])
    assert scan.axes["position"].units == ""
    assert "11" in texts(report, "warning")


def test_axes_given_by_hand_are_followed(series, open_scan):
    headers = [{"motor_mne": "mu chi", "motor_pos": f"{k % 3} {k // 3}"} for k in range(6)]
    scan, _ = open_scan(series(headers), axes={"mu": 6})
    assert scan.scan_shape == (6,)
    with pytest.raises(NxscanError, match="theta"):
        open_scan(series(headers), axes={"theta": 6})


def test_a_single_frame_has_no_scan_axes(series, open_scan):
    scan, _ = open_scan(series(grid_headers()[:1]))
    assert scan.signal.shape == (3, 4)
    assert list(scan.axes) == ["y", "x"]
    assert scan.counters["mon"].value.shape == ()
    assert scan.counters["mon"].value == 100
    assert set(scan.metadata.groups["instrument"].groups) == {"mu", "chi", "phi", "ccmth"}


def test_counters_have_the_shape_of_the_scan_even_if_constant(series, open_scan):
    scan, _ = open_scan(series(grid_headers()))
    np.testing.assert_array_equal(scan.counters["sec"].value, np.ones((4, 3)))
    assert scan.counters["sec"].attributes["long_name"]


def test_motors_of_headers_with_one_key_each_come_from_the_mapping(series, open_scan):
    headers = [{"mu": k * 0.5, "phi": 3, "furnace": 20 + k, "comment": f"c{k}"} for k in range(5)]
    scan, report = open_scan(series(headers))
    assert [axis.name for axis in scan.main_axes()] == ["mu", "y", "x"]
    assert scan.metadata["instrument/phi/value"].value == 3
    np.testing.assert_array_equal(scan.counters["furnace"].value, 20 + np.arange(5))
    assert "furnace" in texts(report, "note")
    assert "--axes" in texts(report, "note")
    assert "comment" not in scan.counters


def test_times_are_counters_and_numbers_of_frames_are_not(series, open_scan):
    headers = [{"time_of_day": 1335447606.5 + k, "run": k, "point_no": k} for k in range(3)]
    scan, report = open_scan(series(headers))
    assert set(scan.counters) == {"frame_number", "time_of_day"}
    assert scan.raw_metadata.values["run"].tolist() == [0, 1, 2]
    assert "are not known as motors" not in texts(report, "note")


@pytest.mark.parametrize(
    ("keys", "what"),
    [({"RasterConfiguration": 3}, "RasterConfiguration = 3"), ({"Size": 24 + 512}, "512 bytes")],
)
def test_what_a_block_says_beyond_its_pixels_is_a_warning(
    keys, what, block, write, tmp_path, open_scan
):
    image = np.arange(12, dtype=np.uint16).reshape(3, 4)
    path = write(tmp_path / "a.edf", block(image, keys) + b"\0" * 512)
    scan, report = open_scan(path)
    np.testing.assert_array_equal(scan.signal[...], image)
    assert what in texts(report, "warning")


def test_a_key_that_varies_can_be_chosen_as_an_axis(series, open_scan):
    headers = [{"furnace": 20 + k} for k in range(5)]
    assert list(open_scan(series(headers))[0].axes) == ["frame", "y", "x"]
    scan, _ = open_scan(series(headers), axes={"furnace": 5})
    np.testing.assert_array_equal(scan.axes["furnace"].values, 20 + np.arange(5))
    assert "furnace" not in scan.counters


def test_names_that_nexus_does_not_allow_are_renamed_and_kept(series, open_scan):
    names = "x data 2theta a-b a_b frame"
    headers = [
        {
            "motor_mne": names,
            "motor_pos": f"{k} 0 0 0 0 0",
            "counter_mne": "y x det#1",
            "counter_pos": f"{k} 2 3",
        }
        for k in range(4)
    ]
    scan, _ = open_scan(series(headers))
    assert [axis.name for axis in scan.main_axes()] == ["x_2", "y", "x"]
    assert scan.axes["x_2"].long_name == "x"
    assert set(scan.readings) == {"x_2"}
    assert set(scan.counters) == {"frame_number", "y_2", "x_3", "det_1"}
    assert scan.counters["det_1"].attributes["long_name"] == "det#1"
    found = {
        group["name"].value: name
        for name, group in scan.metadata.groups["instrument"].groups.items()
        if group.nx_class == "NXpositioner"
    }
    assert found == {"data": "data", "2theta": "_2theta", "a-b": "a_b", "a_b": "a_b_2",
                     "frame": "frame"}  # fmt: skip
    assert all(is_valid_name(name) for name in (*scan.axes, *scan.readings, *scan.counters))


@pytest.mark.parametrize(
    ("mne", "pos", "what"), [("mu chi", "1", "2 names"), ("mu", "1 2", "1 names")]
)
def test_names_and_values_that_do_not_match_are_never_filled_with_zeros(
    mne, pos, what, series, open_scan
):
    scan, report = open_scan(series([{"motor_mne": mne, "motor_pos": pos}] * 3))
    assert set(scan.metadata.groups["instrument"].groups) == {"mu"}
    assert scan.metadata["instrument/mu/value"].value == 1
    assert what in texts(report, "warning")
    assert scan.raw_metadata.values["motor_pos"] == pos


def test_a_motor_that_some_frames_lack_is_nan_there(series, open_scan):
    headers = [{"motor_mne": "mu chi", "motor_pos": f"{k} {k * k}"} for k in range(5)]
    headers[2] = {"motor_mne": "mu", "motor_pos": "2"}
    scan, report = open_scan(series(headers))
    np.testing.assert_array_equal(scan.readings["chi"].value, [0, 1, math.nan, 9, 16])
    assert scan.main_axes()[0].name in {"mu", "position"}
    assert "chi" in texts(report, "warning")


def test_a_value_that_is_no_number_is_nan(series, open_scan):
    headers = [{"counter_mne": "a b", "counter_pos": f"{k} {'off' if k == 1 else k}"}
               for k in range(3)]  # fmt: skip
    scan, report = open_scan(series(headers))
    np.testing.assert_array_equal(scan.counters["b"].value, [0, math.nan, 2])
    assert "counter b has no value in 1 of 3 frames" in texts(report, "warning")


def test_raw_metadata_keep_every_header_and_key(series, open_scan, tmp_path):
    headers = grid_headers(temperature=lambda c, m: c + m / 10, note=lambda c, m: f"row {c}")
    scan, _ = open_scan(series([{**h, "title": "é"} for h in headers]))
    files = sorted((tmp_path / "raw").iterdir())
    assert scan.raw_metadata.headers == [f.read_bytes()[:-24] for f in files]
    values = scan.raw_metadata.values
    assert values["title"] == "é"
    assert values["temperature"].dtype == np.float64
    assert values["temperature"].tolist() == [c + m / 10 for c in range(4) for m in range(3)]
    assert values["note"].tolist() == [f"row {c}" for c in range(4) for m in range(3)]
    assert values["motor_mne"] == "mu chi phi ccmth"
    assert "motor_pos" not in values


def test_whole_numbers_that_float64_would_round_stay_text(series, open_scan):
    ids = [2**60 + k for k in range(3)]
    scan, _ = open_scan(series([{"frame_id": n} for n in ids]))
    assert scan.raw_metadata.values["frame_id"].tolist() == [str(n) for n in ids]


def test_repeated_keys_are_noted_and_kept(series, tmp_path, open_scan):
    folder = series([{"mono": 1}] * 2)
    for path in folder.iterdir():
        path.write_bytes(
            path.read_bytes()
            .replace(b"mono = 1 ;\n", b"mono=1;\nmono=2;")
            .replace(b" }\n", b"}\n", 1)
        )
    scan, report = open_scan(folder)
    assert (scan.raw_metadata.values["mono"], scan.raw_metadata.values["mono_2"]) == ("1", "2")
    assert "mono: the key comes more than once" in texts(report, "warning")


def test_per_frame_metadata_follow_the_stored_order(series, open_scan):
    headers = grid_headers(acq_expo_time=lambda c, m: 1 + c * 3 + m)
    headers[3:6] = headers[5:2:-1]
    headers[9:12] = headers[11:8:-1]
    scan, _ = open_scan(series(headers))
    times = scan.metadata["instrument/detector/count_time"]
    assert times.units == "s"
    assert scan.scan_shape == (len(CHI), len(MU))
    expected = 1 + np.arange(12).reshape(scan.scan_shape)
    np.testing.assert_array_equal(times.value, expected)


def test_provenance_names_translator_mapping_and_every_file(series, open_scan):
    folder = series(grid_headers())
    scan, _ = open_scan(folder)
    provenance = scan.provenance
    assert (provenance.translator, provenance.mapping) == ("edf", "esrf")
    assert [source.path for source in provenance.sources] == sorted(
        str(path.resolve()) for path in folder.iterdir()
    )
    first = next(iter(sorted(folder.iterdir())))
    assert provenance.sources[0].size == first.stat().st_size
    assert provenance.sources[0].modified == pytest.approx(first.stat().st_mtime)
    assert datetime.fromisoformat(provenance.date).tzinfo is not None
    assert provenance.version
    assert provenance.frames() == 12


def test_a_users_mapping_names_motors_and_units(series, open_scan, tmp_path):
    from nxscan.translate.mapping import load_mapping

    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n[motors]\nfurnace = { units = "degC", long_name = "oven" }\n')
    headers = [{"furnace": 20 + k} for k in range(5)]
    scan, _ = open_scan(series(headers), mapping=load_mapping(file))
    axis = scan.axes["furnace"]
    assert (axis.units, axis.long_name, axis.dimension) == ("degC", "oven", 0)
    assert scan.provenance.mapping == "esrf + mine"


def test_the_title_joins_the_name_and_the_headers_title(series, open_scan):
    scan, _ = open_scan(series([{"title": "rocking 1"}] * 2, name="si_{}.edf"))
    assert scan.title == "si: rocking 1"


def test_float_frames_have_no_unit_that_nobody_said(block, write, tmp_path, open_scan):
    path = write(tmp_path / "a.edf", block(np.ones((2, 2), np.float32)))
    assert open_scan(path)[0].signal.units is None
