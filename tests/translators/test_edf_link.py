"""Masters that lead to EDF files: every pixel where the files have it, and nothing copied."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscan
from nxscan import plan, targets
from nxscan.errors import PlanError, SourceError
from nxscan.hdf5.frames import RawFrames

MU = [0.0, 0.1, 0.2]
CHI = [5.0, 6.0, 7.0, 8.0]


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare a test the validators."""
    monkeypatch.setattr(targets, "_check", lambda path: None)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in another folder than master and raw files."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


def pixels(count: int, dtype: str = "u2") -> np.ndarray:
    """Return frames of which no two pixels are alike."""
    return np.arange(count * 12).reshape(count, 3, 4).astype(dtype)


def headers(zigzag: bool = False) -> list[dict[str, object]]:
    """Return headers of a chi (slow) by mu (fast) scan."""
    rows = [MU if not zigzag or k % 2 == 0 else MU[::-1] for k in range(len(CHI))]
    return [
        {"motor_mne": "mu chi", "motor_pos": f"{mu} {chi}"}
        for chi, row in zip(CHI, rows, strict=True)
        for mu in row
    ]


def link(folder: Path, **options: Any) -> Path:
    return nxscan.translate(folder, folder.parent / "out" / "scan.nxs", link=True, **options)


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


def write_single(write, block, folder: Path, images: np.ndarray, *, high=False, zigzag=False):
    for k, (image, header) in enumerate(zip(images, headers(zigzag), strict=True)):
        write(folder / f"scan_{k:04d}.edf", block(image, header, high=high))


def write_multi(write, block, folder: Path, images: np.ndarray, *, high=False, zigzag=False):
    blocks = [block(i, h, high=high) for i, h in zip(images, headers(zigzag), strict=True)]
    write(folder / "scan.edf", *blocks)


@pytest.mark.usefixtures("unchecked", "elsewhere")
@pytest.mark.parametrize("zigzag", [False, True])
@pytest.mark.parametrize(("dtype", "high"), [("u2", False), ("u2", True), ("f4", True)])
@pytest.mark.parametrize("written", [write_single, write_multi])
def test_h5py_and_nxscan_find_every_pixel_where_the_files_have_it(
    written, dtype, high, zigzag, write, block, tmp_path
):
    raw, images = tmp_path / "raw", pixels(12, dtype)
    written(write, block, raw, images, high=high, zigzag=zigzag)
    before = state(raw)
    path = link(raw)
    expected = images.reshape(4, 3, 3, 4).copy()
    if zigzag:
        expected[1::2] = expected[1::2, ::-1]
    with h5py.File(path) as file:
        dataset = file["entry/data/data"]
        np.testing.assert_array_equal(dataset[()], expected)
        assert dataset.is_virtual or dataset.external
    scan = nxscan.open(path)
    np.testing.assert_array_equal(scan.signal[...], expected)
    assert scan.signal.dtype == np.dtype(dtype)
    assert all(isinstance(source, RawFrames) for source in scan.signal.sources)
    assert state(raw) == before
    assert [one.name for one in path.parent.iterdir()] == ["scan.nxs"]


@pytest.mark.usefixtures("unchecked", "elsewhere")
def test_files_of_both_byte_orders_are_one_scan(write, block, tmp_path):
    images = pixels(6, "i4")
    for k, image in enumerate(images):
        write(tmp_path / "raw" / f"a_{k}.edf", block(image, high=k % 2 == 1))
    path = link(tmp_path / "raw")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], images)
    np.testing.assert_array_equal(nxscan.open(path).signal[...], images)


@pytest.mark.usefixtures("unchecked", "elsewhere")
def test_frames_are_found_past_headers_and_padding_of_unequal_length(write, block, tmp_path):
    images = pixels(5)
    blocks = [
        block(image, {"Size": 24 + 512 * k, "note": "x" * 300 * k}) + bytes(512 * k)
        for k, image in enumerate(images)
    ]
    write(tmp_path / "raw" / "a.edf", *blocks)
    with h5py.File(link(tmp_path / "raw")) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], images)


@pytest.mark.usefixtures("unchecked", "elsewhere")
def test_more_files_than_one_external_dataset_can_name(write, block, tmp_path):
    images = pixels(2100, "u4")
    for k, image in enumerate(images):
        write(tmp_path / "raw" / f"a_{k:04d}.edf", block(image))
    path = link(tmp_path / "raw")
    with h5py.File(path) as file:
        found = file["entry/data/data"]
        assert found.shape == (2100, 3, 4)
        np.testing.assert_array_equal(found[1990:2010], images[1990:2010])
        np.testing.assert_array_equal(found[::300], images[::300])
    np.testing.assert_array_equal(nxscan.open(path).signal[...], images)


@pytest.mark.usefixtures("unchecked", "elsewhere")
def test_dark_and_flat_frames_are_linked_too(write, block, tmp_path):
    raw, images = tmp_path / "raw", pixels(12)
    write_single(write, block, raw, images)
    for k in range(3):
        write(raw / f"dark_{k}.edf", block(np.full((3, 4), 100 + k, np.uint16), {"note": "d"}))
    write(raw / "flat_0.edf", *(block(np.full((3, 4), 900 + k, np.uint16)) for k in range(2)))
    path = link(raw)
    scan = nxscan.open(path)
    assert scan.dark[:, 0, 0].tolist() == [100, 101, 102]
    assert scan.flat[:, 2, 3].tolist() == [900, 901]
    assert len(scan.raw_metadata.headers) == 12 + 3 + 2
    assert b"note = d" in scan.raw_metadata.headers[12]
    with h5py.File(path) as file:
        assert file["entry/dark/data"][:, 1, 1].tolist() == [100, 101, 102]
        assert file["entry/flat/data"].dtype == np.uint16


@pytest.mark.usefixtures("unchecked")
def test_a_link_says_what_a_copy_says(write, block, tmp_path):
    raw = tmp_path / "raw"
    write_single(write, block, raw, pixels(12), zigzag=True)
    copied = nxscan.open(nxscan.translate(raw, tmp_path / "out" / "copy.nxs"))
    linked = nxscan.open(link(raw))
    assert linked.title == copied.title
    assert list(linked.axes) == list(copied.axes)
    for name, axis in copied.axes.items():
        np.testing.assert_array_equal(linked.axes[name].values, axis.values)
        assert linked.axes[name].units == axis.units
    for name, counter in copied.counters.items():
        np.testing.assert_array_equal(linked.counters[name].value, counter.value)
    assert list(linked.raw_metadata.headers) == list(copied.raw_metadata.headers)
    assert linked.provenance.sources == copied.provenance.sources
    assert (linked.signal.units, linked.signal.long_name) == ("counts", "intensity")
    assert linked.provenance.parameters["link"] == "yes"
    assert "link" not in copied.provenance.parameters


def test_a_linked_master_passes_every_check(write, block, tmp_path):
    raw = tmp_path / "raw"
    write_single(write, block, raw, pixels(12))
    write(raw / "dark_0.edf", block(np.full((3, 4), 1, np.uint16)))
    report = nxscan.validate(link(raw), data=True)
    assert [str(one) for one in report.findings if one.severity != "note"] == []


@pytest.mark.parametrize(
    ("name", "keys", "why"),
    [
        ("a_1.edf.gz", {}, "is compressed (gz)"),
        ("a_1.edf.bz2", {}, "is compressed (bz2)"),
        ("a_1.edf", {"Compression": "GzipCompression"}, "is compressed (gzip)"),
        ("a_1.edf", {"EDF_BinaryFileName": "a.raw"}, "keeps its pixels in another file"),
        ("dark_1.edf.gz", {}, "is compressed (gz)"),
    ],
)
def test_frames_that_are_no_plain_bytes_are_one_error_that_says_so(
    name, keys, why, write, block, tmp_path
):
    raw = tmp_path / "raw"
    for k in (0, 2, 3):
        write(raw / f"a_{k}.edf", block(pixels(1)[0]))
    write(raw / name, block(pixels(1)[0], keys))
    with pytest.raises(PlanError) as caught:
        link(raw)
    text = str(caught.value)
    assert f"{raw / name} {why}" in text
    assert "--copy" in text
    assert len(text.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("unchecked")
def test_frames_are_copied_unless_a_link_is_asked_for(write, block, tmp_path):
    raw = tmp_path / "raw"
    write_multi(write, block, raw, pixels(12))
    path = nxscan.translate(raw, tmp_path / "out" / "scan.nxs")
    (raw / "scan.edf").unlink()
    np.testing.assert_array_equal(nxscan.open(path).signal[..., :, :].reshape(12, 3, 4), pixels(12))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("harm", ["grow", "touch", "remove"])
def test_a_file_that_changes_after_it_was_listed_is_named(
    harm, write, block, tmp_path, monkeypatch
):
    raw = tmp_path / "raw"
    write_single(write, block, raw, pixels(12))
    culprit, opened = raw / "scan_0005.edf", plan.open_scan

    def late(*args: Any) -> Any:
        scan = opened(*args)
        if harm == "grow":
            culprit.write_bytes(culprit.read_bytes() + bytes(512))
        elif harm == "touch":
            os.utime(culprit, (1e9, 1e9))
        else:
            culprit.unlink()
        return scan

    monkeypatch.setattr(plan, "open_scan", late)
    with pytest.raises(SourceError, match=r"scan_0005\.edf"):
        link(raw)
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


@pytest.mark.usefixtures("unchecked")
def test_one_frame_is_linked(write, block, tmp_path):
    write(tmp_path / "raw" / "a.edf", block(pixels(1)[0], high=True))
    path = link(tmp_path / "raw")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], pixels(1)[0])
    np.testing.assert_array_equal(nxscan.open(path).signal[...], pixels(1)[0])


@pytest.mark.usefixtures("unchecked")
def test_rows_of_one_dimension_are_linked(write, block, tmp_path):
    rows = np.arange(20, dtype=np.int32).reshape(4, 5)
    write(tmp_path / "raw" / "a.edf", *(block(row) for row in rows))
    path = link(tmp_path / "raw")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], rows)
    assert list(nxscan.open(path).axes) == ["frame", "x"]
