"""Images that fabio and Pillow wrote: series, headers, damage; the oracle is who wrote them."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest
from fabio.cbfimage import CbfImage
from fabio.tifimage import TifImage
from PIL import Image

import nxscan
from nxscan.errors import NxscanError
from nxscan.model import Scan
from nxscan.translators.images.comments import parse_comments
from nxscan.translators.images.file import read_frames

SHAPE = (12, 17)
MINICBF = (
    "# Detector: PILATUS 300K, S/N 3-0104\r\n# {date}\r\n# Pixel_size 172e-6 m x 172e-6 m\r\n"
    "# Silicon sensor, thickness 0.000320 m\r\n# Exposure_time 0.5 s\r\n# Wavelength 1.0332 A\r\n"
    "# Beam_xy (8.25, 6.75) pixels\r\n# Start_angle {start:.4f} deg.\r\n"
    "# Angle_increment 0.2000 deg.\r\n# Oscillation_axis OMEGA, CW\r\n"
)


def image(seed: int, dtype: str = "i4", shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).poisson(300, shape).astype(dtype)


def cbf(path: Path, data: np.ndarray, start: float = 0.0, second: int = 0) -> Path:
    """Write a miniCBF with the header of a Pilatus."""
    contents = MINICBF.format(date=f"2007/Oct/22 15:32:{second:02d}.289", start=start)
    plain = path.with_name("plain.cbf_")
    CbfImage(data=data).write(str(plain))
    raw = plain.read_bytes()
    plain.unlink()
    begin = raw.index(b"--CIF-BINARY-FORMAT-SECTION--")
    items = raw[:begin].rpartition(b"_array_data.data")
    header = (
        b'_array_data.header_convention "SLS_1.0"\r\n_array_data.header_contents\r\n;\r\n'
        + contents.encode()
        + b";\r\n\r\n"
    )
    path.write_bytes(items[0] + header + items[1] + items[2] + raw[begin:])
    return path


def opened(*paths: Path, **options: object) -> Scan:
    found = nxscan.inspect(list(paths), **options)  # type: ignore[arg-type]
    found.report.raise_errors()
    assert found.scan is not None
    return found.scan


def test_a_series_of_cbf_has_the_angle_in_the_middle_of_each_exposure(tmp_path: Path) -> None:
    frames = [image(k) for k in range(4)]
    paths = [
        cbf(tmp_path / f"run_{k + 1:05d}.cbf", data, 10 + 0.2 * k, k)
        for k, data in enumerate(frames)
    ]
    scan = opened(*paths)
    assert list(scan.axes) == ["omega", "y", "x"]
    np.testing.assert_allclose(scan.axes["omega"].values, [10.1, 10.3, 10.5, 10.7], rtol=1e-12)
    assert scan.axes["omega"].units == "degree"
    np.testing.assert_array_equal(scan.signal[...], frames)
    values = {
        "x_pixel_size": (172, "um"),
        "sensor_thickness": (320, "um"),
        "count_time": (0.5, "s"),
        "beam_center_x": (8.25, "pixel"),
        "beam_center_y": (6.75, "pixel"),
    }
    for name, (value, units) in values.items():
        field = scan.metadata[f"instrument/detector/{name}"]
        np.testing.assert_allclose(field.value, value, rtol=1e-12)
        assert field.units == units
    assert scan.metadata["instrument/beam/incident_wavelength"].value == 1.0332
    assert scan.metadata["start_time"].value == "2007-10-22T15:32:00.289000"
    assert all(b"Oscillation_axis OMEGA, CW" in raw for raw in scan.raw_metadata.headers)


def test_frames_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    for k, second in enumerate((3, 1, 2)):
        cbf(tmp_path / f"a_{k}.cbf", image(k), start=float(second), second=second)
    scan = opened(tmp_path)
    np.testing.assert_allclose(scan.axes["omega"].values, [1.1, 2.1, 3.1])
    np.testing.assert_array_equal(scan.signal[...], [image(1), image(2), image(0)])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_plain_tiff_is_read_where_it_lies_and_can_be_linked(
    tmp_path: Path, order: str, dtype: str
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    frames = [image(k, order + dtype) for k in range(3)]
    for k, data in enumerate(frames):
        tiff(raw / f"t_{k}.tif", data)
    master = nxscan.translate(raw, tmp_path / "out.nxs", link=True)
    scan = nxscan.open(master)
    assert scan.signal.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(scan.signal[...], frames)
    assert nxscan.validate(master).ok


def tiff(path: Path, data: np.ndarray) -> None:
    """Write a baseline TIFF of one strip byte by byte (TIFF 6.0, section 2)."""
    order = ">" if data.dtype.str[0] == ">" else "<"
    kind = {"u": 1, "i": 2, "f": 3}[data.dtype.kind]
    rows, columns = data.shape
    pixels = data.tobytes()
    tags = [
        (256, 4, columns), (257, 4, rows), (258, 3, 8 * data.dtype.itemsize), (259, 3, 1),
        (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, rows), (279, 4, len(pixels)),
        (339, 3, kind),
    ]  # fmt: skip
    entries = b"".join(
        np.array([tag, kind_], f"{order}u2").tobytes()
        + np.array([1], f"{order}u4").tobytes()
        + np.array([value], f"{order}u{4 if kind_ == 4 else 2}").tobytes().ljust(4, b"\0")
        for tag, kind_, value in tags
    )
    path.write_bytes(
        (b"MM\0*" if order == ">" else b"II*\0")
        + np.array([8 + len(pixels)], f"{order}u4").tobytes()
        + pixels
        + np.array([len(tags)], f"{order}u2").tobytes()
        + entries
        + b"\0\0\0\0"
    )


@pytest.mark.parametrize("how", ["tiff_lzw", "tiff_deflate", "packbits", "raw"])
def test_compressed_tiff_is_what_pillow_was_given(tmp_path: Path, how: str) -> None:
    data = image(5, "u2")
    Image.fromarray(data).save(tmp_path / "a_1.tif", compression=how)
    assert np.array_equal(opened(tmp_path / "a_1.tif").signal[...], data)


def test_pages_of_a_tiff_are_frames(tmp_path: Path) -> None:
    frames = [image(k, "u2") for k in range(3)]
    pages = [Image.fromarray(data) for data in frames]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(opened(tmp_path / "stack.tif").signal[...], frames)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_packed_files_are_unpacked(tmp_path: Path, suffix: str, pack) -> None:
    path = cbf(tmp_path / "a_1.cbf", image(1))
    packed = path.with_name(path.name + suffix)
    packed.write_bytes(pack(path.read_bytes()))
    path.unlink()
    np.testing.assert_array_equal(opened(packed).signal[...], image(1))


def test_a_compressed_image_cannot_be_linked(tmp_path: Path) -> None:
    path = cbf(tmp_path / "a_1.cbf", image(1))
    with pytest.raises(NxscanError, match=r"a_1\.cbf is compressed"):
        opened(path, link=True)


@pytest.mark.parametrize("write", ["cbf", "tif", "packbits"])
def test_a_file_cut_anywhere_is_an_error_that_names_it(tmp_path: Path, write: str) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    path = raw / f"cut_1.{'cbf' if write == 'cbf' else 'tif'}"
    if write == "cbf":
        cbf(path, image(1))
    elif write == "tif":
        TifImage(data=image(1, "u2")).write(str(path))
    else:
        Image.fromarray(image(1, "u2")).save(path, compression="packbits")
    whole = path.read_bytes()
    needed = whole.index(b"\x0c\x1a\x04\xd5") + 4 + 3 * 17 * 12 if write == "cbf" else len(whole)
    for length in {*range(0, min(needed, len(whole)), 37), 1, 4, len(whole) // 2}:
        path.write_bytes(whole[:length])
        said, values = read_or_refused(path)
        assert "cut_1" in said or np.array_equal(values, image(1, values.dtype.str))


def read_or_refused(path: Path) -> tuple[str, np.ndarray]:
    """Return the error over a file, or its pixels."""
    try:
        return "", opened(path).signal[...]
    except NxscanError as error:
        return str(error), np.empty(0)


def test_a_damaged_cbf_is_found_by_its_checksum_and_leaves_no_output(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    path = cbf(raw / "a_1.cbf", image(1))
    data = bytearray(path.read_bytes())
    data[data.index(b"\x0c\x1a\x04\xd5") + 50] ^= 1
    path.write_bytes(data)
    with pytest.raises(NxscanError, match=r"a_1\.cbf.*checksum"):
        nxscan.translate(raw, tmp_path / "out.nxs")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["raw"]


def test_images_of_another_shape_or_type_are_named(tmp_path: Path) -> None:
    cbf(tmp_path / "a_1.cbf", image(1))
    cbf(tmp_path / "a_2.cbf", image(2))
    cbf(tmp_path / "a_3.cbf", image(3, shape=(5, 6)))
    with pytest.raises(NxscanError, match=r"a_3\.cbf: frame 0 is 5 × 6 int32.*12 × 17 int32"):
        opened(tmp_path)


def test_a_missing_number_is_refused_and_taken_with_partial(tmp_path: Path) -> None:
    for k in (1, 2, 4, 5):
        cbf(tmp_path / f"a_{k}.cbf", image(k))
    with pytest.raises(NxscanError, match="1 file numbers are missing: 3"):
        opened(tmp_path)
    assert opened(tmp_path, partial=True).signal.shape == (4, *SHAPE)


def test_color_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "photo.tif")
    with pytest.raises(NxscanError, match=r"photo\.tif: image 0 is a color image"):
        nxscan.scans(tmp_path / "photo.tif")


def test_a_table_says_where_each_image_was_taken(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for k in range(6):
        tiff(raw / f"map_{k:03d}.tif", image(k, "<u2"))
    table = tmp_path / "map.csv"
    order = [4, 0, 5, 1, 3, 2]
    rows = [f"map_{k:03d}.tif,{0.5 * (k % 3):g},{k // 3},{100 + k}" for k in order]
    table.write_text("file,sx (um),sy (um),I0\n" + "\n".join(rows) + "\n")
    scan = opened(raw, table=table, axes="sy=2,sx=3")
    assert list(scan.axes)[:2] == ["sy", "sx"]
    assert scan.axes["sx"].values.tolist() == [0, 0.5, 1]
    assert scan.axes["sx"].units == "um"
    np.testing.assert_array_equal(scan.counters["I0"].value, [[100, 101, 102], [103, 104, 105]])
    np.testing.assert_array_equal(
        scan.signal[...], np.array([image(k, "u2") for k in range(6)]).reshape(2, 3, *SHAPE)
    )


def test_a_condition_chooses_frames(tmp_path: Path) -> None:
    for k in range(4):
        cbf(tmp_path / f"a_{k}.cbf", image(k), start=float(k), second=k)
    scan = opened(tmp_path, where="omega > 1.5")
    np.testing.assert_array_equal(scan.signal[...], [image(2), image(3)])


def test_other_files_are_no_images(tmp_path: Path) -> None:
    for name, content in (("a.txt", b"No such"), ("b.edf", b"{\nHeaderID"), ("c.img", b"hello")):
        (tmp_path / name).write_bytes(content)
        assert read_frames(str(tmp_path / name)) is None


def test_the_real_headers_of_two_pilatus_are_read() -> None:
    """The lines are those of the files in the shared data."""
    found = parse_comments(
        "# Threshold_setting: 9000 eV\r\n# Gain_setting: low gain (vrf = -0.300)\r\n"
        "# Energy_range (0, 0) eV\r\n# Start_angle 74.3999 deg.\r\n# Tau = 125.0e-09 s\r\n"
    )
    assert found == {
        "Threshold_setting": "9000", "Threshold_setting@units": "eV",
        "Gain_setting": "low gain (vrf = -0.300)",
        "Energy_range_1": "0", "Energy_range_1@units": "eV",
        "Energy_range_2": "0", "Energy_range_2@units": "eV",
        "Start_angle": "74.3999", "Start_angle@units": "deg",
        "Tau": "125.0e-09", "Tau@units": "s",
    }  # fmt: skip


REAL = {
    "cbf/dials_ximg2700_00001.cbf": ((619, 487), "int32", -2, 230013, 125319380),
    "cbf/fabio_run2_1_00148.cbf.bz2": ((2527, 2463), "int32", -2, 664762, 39861867),
    "mccd/fabio_somedata_0001.mccd.bz2": ((1024, 1024), "uint16", 0, 20721, 134607957),
    "tiff/fabio_oPPA_5grains_0001.tif.bz2": ((2048, 2048), "uint16", 10, 2979, 42099609),
}


@pytest.mark.parametrize("name", REAL)
def test_real_images_have_their_published_statistics(shared_data, name: str) -> None:
    shape, dtype, low, high, total = REAL[name]
    pixels = opened(shared_data(name)).signal[...]
    assert (pixels.shape, pixels.dtype.name) == (shape, dtype)
    assert (int(pixels.min()), int(pixels.max()), int(pixels.sum())) == (low, high, total)


def test_a_cbf_and_its_edf_twin_translate_to_the_same_pixels(shared_data, tmp_path: Path) -> None:
    twins = ["cbf/fabio_run2_1_00148.cbf.bz2", "edf/fabio_run2_1_00148.edf.bz2"]
    masters = [
        nxscan.translate(shared_data(name), tmp_path / f"{k}.nxs") for k, name in enumerate(twins)
    ]
    pixels = [nxscan.open(master).signal[...] for master in masters]
    np.testing.assert_array_equal(*pixels)


def test_the_header_of_a_real_marccd_is_read(shared_data) -> None:
    scan = opened(shared_data("mccd/fabio_somedata_0001.mccd.bz2"))
    assert scan.metadata["instrument/beam/incident_wavelength"].value == pytest.approx(1.03318)
    assert scan.metadata["instrument/detector/x_pixel_size"].value == pytest.approx(157.88)
    assert scan.metadata["start_time"].value == "2005-04-16T21:33:17"


def test_a_unit_that_the_table_states_goes_before_the_mappings(tmp_path: Path) -> None:
    """The mapping of images knows phi in degrees."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for k in range(3):
        tiff(raw / f"m_{k}.tif", image(k, "<u2"))
    table = tmp_path / "m.csv"
    table.write_text("frame,phi (mrad)\n0,1.5\n1,2.5\n2,3.5\n")
    phi = opened(raw, table=table).axes["phi"]
    assert (phi.values.tolist(), phi.units) == ([1.5, 2.5, 3.5], "mrad")
