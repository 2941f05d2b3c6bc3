"""A scan that is written comes back as it was, and every tool reads the same numbers."""

from __future__ import annotations

from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest
from helpers.scans import make_scan

import nxscan.nexus.layout
from nxscan.errors import LayoutError
from nxscan.model import ArraySignal, Field
from nxscan.nexus import read_scan, write_scan

SHAPES = [
    ((3, 4), (6, 5)),
    ((5,), (600, 530)),
    ((), (7, 6)),
    ((4, 3), ()),
    ((6,), (9,)),
    ((2, 3, 4), (5, 6)),
    ((), ()),
]


@pytest.mark.parametrize(("scan_shape", "frame_shape"), SHAPES)
def test_frames_axes_counters_and_metadata_come_back(
    tmp_path: Path, scan_shape: tuple[int, ...], frame_shape: tuple[int, ...]
) -> None:
    scan, data = make_scan(scan_shape, frame_shape)
    found = read_scan(write_scan(scan, tmp_path / "scan.nxs"))
    assert found.scan_shape == scan_shape
    assert found.frame_shape == frame_shape
    assert found.title == scan.title
    assert found.detector == "pco"
    assert found.signal.dtype == data.dtype
    assert found.signal.units == "counts"
    np.testing.assert_array_equal(found.signal[...], data)
    assert list(found.axes) == list(scan.axes)
    for name, axis in scan.axes.items():
        np.testing.assert_array_equal(found.axes[name].values, axis.values)
        assert found.axes[name].units == axis.units
        assert found.axes[name].long_name == axis.long_name
        assert found.axes[name].role == axis.role
        assert found.axes[name].dimension == axis.dimension
    for name, counter in scan.counters.items():
        np.testing.assert_array_equal(found.counters[name].value, counter.value)
        assert found.counters[name].units == counter.units
    for name, reading in scan.readings.items():
        np.testing.assert_array_equal(found.readings[name].value, reading.value)
    assert found.metadata["sample/temperature"] == Field(293.5, "K")
    assert found.metadata["instrument/source/name"].value == "ESRF"


def test_every_header_comes_back_byte_for_byte(tmp_path: Path) -> None:
    scan, _ = make_scan()
    found = read_scan(write_scan(scan, tmp_path / "scan.nxs"))
    assert list(found.raw_metadata.headers) == list(scan.raw_metadata.headers)
    assert found.raw_metadata.headers[-1] == scan.raw_metadata.headers[-1]
    assert found.raw_metadata.headers[2:4] == list(scan.raw_metadata.headers[2:4])
    assert found.raw_metadata.values["title"] == "a rocking scan"
    np.testing.assert_array_equal(found.raw_metadata.values["Kappa-support angle"], np.arange(12.0))
    assert found.provenance.sources == scan.provenance.sources


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8", ">u2", ">f4"])
def test_every_type_of_pixel_is_kept(tmp_path: Path, dtype: str) -> None:
    scan, data = make_scan((3,), (20, 30), dtype)
    path = write_scan(scan, tmp_path / "scan.nxs")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], data)
    found = read_scan(path).signal
    assert found.dtype == np.dtype(dtype).newbyteorder("=")


def test_large_frames_go_beside_the_master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nxscan.nexus.layout, "INLINE_LIMIT", 0)
    scan, data = make_scan((5, 3), (70, 80))
    path = write_scan(scan, tmp_path / "scan.nxs")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["scan.nxs", "scan_frames.h5"]
    np.testing.assert_array_equal(read_scan(path).signal[1:3, 2], data[1:3, 2])
    for name in ("scan.nxs", "scan_frames.h5"):
        with h5py.File(tmp_path / name) as file:
            np.testing.assert_array_equal(file["entry/data/data"][()], data)


def test_frames_move_with_their_master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nxscan.nexus.layout, "INLINE_LIMIT", 0)
    scan, data = make_scan()
    write_scan(scan, tmp_path / "first" / "scan.nxs")
    (tmp_path / "first").rename(tmp_path / "second")
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(read_scan(Path("second/scan.nxs")).signal[...], data)


def test_missing_frames_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nxscan.nexus.layout, "INLINE_LIMIT", 0)
    path = write_scan(make_scan()[0], tmp_path / "scan.nxs")
    (tmp_path / "scan_frames.h5").unlink()
    with pytest.raises(LayoutError, match=r"scan_frames\.h5 is not in"):
        read_scan(path)


def test_frames_of_another_scan_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nxscan.nexus.layout, "INLINE_LIMIT", 0)
    path = write_scan(make_scan(seed=1)[0], tmp_path / "scan.nxs")
    write_scan(make_scan(seed=2)[0], tmp_path / "other.nxs")
    (tmp_path / "other_frames.h5").replace(tmp_path / "scan_frames.h5")
    with pytest.raises(LayoutError, match="another scan"):
        read_scan(path)


def test_a_newer_layout_is_refused_by_name(tmp_path: Path) -> None:
    path = write_scan(make_scan()[0], tmp_path / "scan.nxs")
    with h5py.File(path, "r+") as file:
        file["entry/translation/parameters/layout_version"][()] = 99
    with pytest.raises(LayoutError, match=r"layout version 99.*update nxscan"):
        read_scan(path)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", None])
def test_a_file_that_is_no_master_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "foreign.h5"
    if content is None:
        with h5py.File(path, "w") as file:
            file["x"] = 1
    else:
        path.write_bytes(content)
    with pytest.raises(LayoutError, match=r"foreign\.h5"):
        read_scan(path)


def test_a_list_of_positions_keeps_every_motor(tmp_path: Path) -> None:
    from nxscan.model import Axis

    scan, data = make_scan((5,), (4, 3))
    motors = np.random.default_rng(3).random((2, 5))
    scan.axes = {
        "position": Axis("position", np.arange(5.0), "", "position"),
        "mu": Axis("mu", motors[0], "degree"),
        "chi": Axis("chi", motors[1], None),
        "y": scan.axes["y"],
        "x": scan.axes["x"],
    }
    found = read_scan(write_scan(scan, tmp_path / "scan.nxs"))
    assert [axis.name for axis in found.main_axes()] == ["position", "y", "x"]
    np.testing.assert_array_equal(found.axes["mu"].values, motors[0])
    assert found.axes["chi"].units is None
    np.testing.assert_array_equal(found.frame(mu=motors[0][3], chi=motors[1][3]), data[3])


@pytest.mark.parametrize("inline_limit", [2**20, 0])
def test_dark_flat_and_mask_are_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inline_limit: int
) -> None:
    monkeypatch.setattr(nxscan.nexus.layout, "INLINE_LIMIT", inline_limit)
    scan, _ = make_scan((3,), (4, 5))
    scan.dark = ArraySignal(np.full((2, 4, 5), 7, "u2"), "counts")
    scan.flat = ArraySignal(np.full((1, 4, 5), 9, "u2"), "counts")
    scan.mask = np.eye(4, 5).astype("u1")
    found = read_scan(write_scan(scan, tmp_path / "scan.nxs"))
    assert found.dark is not None
    assert found.flat is not None
    np.testing.assert_array_equal(found.dark[...], scan.dark[...])
    np.testing.assert_array_equal(found.flat[...], scan.flat[...])
    np.testing.assert_array_equal(found.mask, scan.mask)
    assert found.signal.shape == (3, 4, 5)


def test_checksums_are_those_of_the_frames(tmp_path: Path) -> None:
    import zlib

    scan, data = make_scan((3, 4), (20, 21))
    found = read_scan(write_scan(scan, tmp_path / "scan.nxs"))
    expected = [[zlib.crc32(frame.tobytes()) for frame in row] for row in data]
    np.testing.assert_array_equal(found.frame_checksums, np.array(expected, "u4"))
