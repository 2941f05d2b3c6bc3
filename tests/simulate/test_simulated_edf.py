"""EDF files of simulated scans as fabio reads them."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import fabio
import numpy as np
import pytest

from nxscan.errors import NxscanError, OutputError
from nxscan.simulate import SimulatedScan, crystal, rocking_scan, write_edf
from nxscan.simulate.edf import edf_frame
from nxscan.simulate.headers import frame_header


@pytest.fixture(scope="module")
def scan() -> SimulatedScan:
    return rocking_scan(
        crystal((20, 24)), mu=[-0.02, 0, 0.02], chi=[0, 0.1], jitter=1e-4, zigzag=True, seed=2
    )


def pairs(header: dict[str, str], name: str) -> dict[str, float]:
    names, values = header[f"{name}_mne"].split(), header[f"{name}_pos"].split()
    return dict(zip(names, map(float, values), strict=True))


@pytest.mark.parametrize("suffix", [".edf", ".edf.gz"])
def test_one_file_a_frame_reads_back_through_fabio(
    scan: SimulatedScan, tmp_path: Path, suffix
) -> None:
    paths = write_edf(scan, tmp_path, suffix=suffix)
    assert [path.name for path in paths] == [f"mosalayer_0000_{k:04d}{suffix}" for k in range(6)]
    for k, path in enumerate(paths):
        with fabio.open(path) as image:
            np.testing.assert_array_equal(image.data, scan.frame(k))
            assert image.nframes == 1
            header = frame_header(scan, k, prefix="mosalayer_0000_", suffix=suffix)
            assert {key: image.header[key] for key in header} == header


@pytest.mark.parametrize("suffix", [".edf", ".edf.gz"])
def test_one_file_a_scan_reads_back_through_fabio(
    scan: SimulatedScan, tmp_path: Path, suffix
) -> None:
    paths = write_edf(scan, tmp_path, files="multi", suffix=suffix, darks=2)
    assert [path.name for path in paths] == [f"mosalayer_0000{suffix}", f"dark{suffix}"]
    with fabio.open(paths[0]) as image:
        assert image.nframes == 6
        for k, frame in enumerate(image.frames()):
            np.testing.assert_array_equal(frame.data, scan.frame(k))
            assert frame.header["point_no"] == str(k)
    with fabio.open(paths[1]) as image:
        assert image.nframes == 2
        np.testing.assert_array_equal(image.get_frame(1).data, scan.dark(1))


def test_headers_are_padded_to_512_bytes_and_tell_their_size(scan: SimulatedScan) -> None:
    block = edf_frame(frame_header(scan, 0), scan.frame(0))
    end = block.index(b"}\n") + 2
    assert end % 512 == 0
    assert len(block) == end + 20 * 24 * 2
    text = block[:end].decode("ascii")
    assert text.startswith("{\n")
    assert f"EDF_HeaderSize = {end:8d} ;" in text


def test_a_header_of_any_length_ends_on_512_bytes() -> None:
    for length in range(520):
        block = edf_frame({"title": "x" * length}, np.zeros((1, 1), np.uint16))
        assert (len(block) - 2) % 512 == 0
        assert block[-4:-2] == b"}\n"


def test_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        scan = rocking_scan(crystal((12, 12)), mu=[0, 0.1], seed=9)
        paths = write_edf(scan, tmp_path / name, suffix=".edf.gz", darks=1, flats=1)
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]


def test_motor_and_counter_readings_are_in_the_headers(scan: SimulatedScan) -> None:
    for k in range(len(scan)):
        header = frame_header(scan, k)
        motors, counters = pairs(header, "motor"), pairs(header, "counter")
        for name, values in scan.motors.items():
            assert motors[name] == pytest.approx(values[k], rel=1e-11)
        for name, values in scan.counters.items():
            assert counters[name] == pytest.approx(values[k], rel=1e-11)
        assert float(header["time_of_day"]) == pytest.approx(counters["epoch"], abs=1e-5)


def test_header_is_consistent_with_the_laws_of_diffraction(scan: SimulatedScan) -> None:
    header = frame_header(scan, 0)
    motors = pairs(header, "motor")
    wavelength = float(header["wavelength"])
    assert wavelength * float(header["energy"]) == pytest.approx(12.39842, rel=1e-5)
    # Bragg's law for the sample, Al (111), and for the monochromator, Si (111)
    for angle, lattice in ((motors["diffry"], 4.0495), (motors["ccmth"], 5.43102)):
        spacing = lattice / math.sqrt(3)
        assert 2 * spacing * math.sin(math.radians(angle)) == pytest.approx(wavelength, rel=1e-5)
    assert motors["obpitch"] == pytest.approx(2 * motors["diffry"])
    two_theta = math.tan(math.radians(motors["obpitch"]))
    assert motors["ffz"] / -motors["mainx"] == pytest.approx(two_theta)
    assert motors["obz"] / motors["obx"] == pytest.approx(two_theta)
    assert float(header["d_sample_det"]) == pytest.approx(
        math.hypot(motors["mainx"], motors["ffz"]), rel=1e-5
    )
    assert len(motors) >= 40


def test_exposure_and_pixel_size_are_in_the_headers() -> None:
    header = frame_header(rocking_scan(crystal((64, 64)), mu=[0, 1], exposure=0.25), 1)
    assert header["count_time"] == header["acq_expo_time"] == "0.25"
    assert pairs(header, "counter")["sec"] == 0.25
    # 3.25 µm a pixel of the camera, binned 32 times, in mm
    assert float(header["pixel_size_x"]) == float(header["pixel_size_y"]) == 0.104


def test_darks_and_flats_tell_what_they_are(scan: SimulatedScan, tmp_path: Path) -> None:
    paths = write_edf(scan, tmp_path, darks=2, flats=1)[6:]
    assert [path.name for path in paths] == ["dark_0000.edf", "dark_0001.edf", "flat_0000.edf"]
    headers = []
    for path, pixels in zip(paths, (scan.dark(0), scan.dark(1), scan.flat(0)), strict=True):
        with fabio.open(path) as image:
            np.testing.assert_array_equal(image.data, pixels)
            headers.append(dict(image.header))
    assert [header["title"] for header in headers] == ["dark 1", "dark 1", "flat 1"]
    assert [header["shutter"] for header in headers] == ["closed", "closed", "open"]
    assert pairs(headers[0], "counter")["mon"] == 0
    sample = pairs(frame_header(scan, 0), "motor")["samy"]
    assert pairs(headers[2], "motor")["samy"] - sample > 10
    first = scan.counters["epoch"][0]
    assert all(pairs(header, "counter")["epoch"] < first for header in headers)


def test_files_that_are_there_are_never_overwritten(scan: SimulatedScan, tmp_path: Path) -> None:
    there = tmp_path / "mosalayer_0000_0003.edf"
    there.write_text("mine")
    with pytest.raises(OutputError, match="1 of 6 files"):
        write_edf(scan, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [there.name]
    assert there.read_text() == "mine"


def test_gzip_members_hold_no_time(scan: SimulatedScan, tmp_path: Path) -> None:
    path = write_edf(scan, tmp_path, suffix=".edf.gz")[0]
    assert path.read_bytes()[4:8] == bytes(4)
    assert gzip.decompress(path.read_bytes()).startswith(b"{\n")


@pytest.mark.parametrize("wrong", [{"files": "all"}, {"suffix": ".tif"}])
def test_unknown_layouts_are_refused(scan: SimulatedScan, tmp_path: Path, wrong) -> None:
    with pytest.raises(NxscanError, match="files must be"):
        write_edf(scan, tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()
