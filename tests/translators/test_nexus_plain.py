"""Plain NeXus files, whoever wrote them, are brought into one layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.errors import NxscanError
from nxscan.translate.registry import translator_for

RNG = np.random.default_rng(11)
FRAMES = RNG.integers(0, 500, (3, 4, 5, 6), dtype=np.uint16)
MU, CHI = np.array([0.0, 0.1, 0.2]), np.array([1.0, 2.0, 3.0, 4.0])
COUNTS = RNG.random(7)
ANGLE = np.linspace(17.0, 18.2, 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path


def _group(parent: Any, name: str, nx_class: str, **attributes: Any) -> Any:
    group = parent.create_group(name)
    group.attrs.update(NX_class=nx_class, **attributes)
    return group


def _images(folder: Path, **changes: Any) -> Path:
    path = folder / "raw" / "raw.nxs"
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = _group(file, "entry", "NXentry", default="plot")
        entry["title"] = "a mesh"
        instrument = _group(entry, "instrument", "NXinstrument")
        detector = _group(instrument, "merlin", "NXdetector")
        detector["data"] = FRAMES
        detector["count_time"] = 0.5
        detector["count_time"].attrs["units"] = "s"
        detector["pixel_mask"] = np.eye(5, 6, dtype=np.uint8)
        data = _group(entry, "plot", "NXdata", signal="data", axes=["mu", "chi", ".", "."])
        data["data"] = detector["data"]
        data["mu"], data["chi"] = MU, CHI
        data["chi"].attrs["units"] = "deg"
        data["I0"] = np.arange(12.0).reshape(3, 4)
        for name, value in changes.items():
            if value is None:
                del data[name]
            else:
                del data[name]
                data[name] = value
    return path


def _curve(folder: Path, write: Callable[[Any], None]) -> Path:
    path = folder / "raw" / "curve.h5"
    with h5py.File(path, "w") as file:
        entry = _group(file, "run_1", "NXentry")
        data = _group(entry, "scan", "NXdata")
        data["counts"], data["angle"] = COUNTS, ANGLE
        data["angle"].attrs["units"] = "degrees"
        write(data)
    return path


def _open(folder: Path, raw: Path, **options: Any) -> Any:
    options.setdefault("link", False)
    return nxscan.open(nxscan.translate(raw, folder / "scan.nxs", **options))


def _refusal(folder: Path, raw: Path, **options: Any) -> str:
    with pytest.raises(NxscanError) as error:
        _open(folder, raw, **options)
    assert not (folder / "scan.nxs").exists()
    return str(error.value)


@pytest.mark.parametrize("link", [False, True])
def test_images_with_axes_detector_mask_and_counters(folder: Path, link: bool) -> None:
    scan = _open(folder, _images(folder), link=link)
    assert scan.title == "a mesh"
    assert scan.detector == "merlin"
    assert [axis.name for axis in scan.main_axes()] == ["mu", "chi", "y", "x"]
    assert scan.axes["chi"].units == "degree"
    np.testing.assert_array_equal(scan.signal[...], FRAMES)
    np.testing.assert_array_equal(scan.mask, np.eye(5, 6))
    np.testing.assert_array_equal(scan.counters["I0"].value, np.arange(12.0).reshape(3, 4))
    field = scan.metadata["instrument/merlin/count_time"]
    assert (field.value, field.units) == (0.5, "s")


def _new(data: Any) -> None:
    data.attrs.update(signal="counts", axes="angle", angle_indices=0)


def _old_text(data: Any) -> None:
    data["counts"].attrs.update(signal=1, axes="angle")


def _old_numbers(data: Any) -> None:
    data["counts"].attrs["signal"] = np.bytes_(b"1")
    data["angle"].attrs["axis"] = 1


def _text_indices(data: Any) -> None:
    data.attrs.update(signal=np.bytes_(b"counts"), axes=np.array([b"angle"]))
    data.attrs["angle_indices"] = np.array([b"0"])


@pytest.mark.parametrize("write", [_new, _old_text, _old_numbers, _text_indices])
def test_signal_and_axes_in_every_style_of_nexus(
    folder: Path, write: Callable[[Any], None]
) -> None:
    scan = _open(folder, _curve(folder, write))
    assert (scan.detector, scan.signal.shape) == ("counts", (7,))
    assert scan.axes["angle"].units == "degree"
    np.testing.assert_array_equal(scan.axes["angle"].values, ANGLE)
    np.testing.assert_array_equal(scan.signal[...], COUNTS)


def test_old_axes_of_an_image_stack_are_a_text_with_colons(folder: Path) -> None:
    path = folder / "raw" / "old.h5"
    with h5py.File(path, "w") as file:
        data = _group(_group(file, "entry", "NXentry"), "data", "NXdata")
        data["mu"], data["chi"] = MU, CHI
        data["data"] = FRAMES
        data["data"].attrs.update(signal=1, axes="mu:chi:y:x")
    scan = _open(folder, path)
    assert [axis.name for axis in scan.main_axes()] == ["mu", "chi", "y", "x"]


def test_the_default_plot_is_taken_and_another_may_be_chosen(folder: Path) -> None:
    raw = _images(folder)
    with h5py.File(raw, "a") as file:
        other = _group(file["entry"], "diode", "NXdata", signal="I", axes=["mu", "chi"])
        other["I"], other["mu"], other["chi"] = FRAMES[:, :, 0, 0], MU, CHI
        other["I"].attrs["interpretation"] = "scalar"
    assert _open(folder, raw).signal.shape == FRAMES.shape
    chosen = _open(folder, raw, detector="diode", overwrite=True)
    np.testing.assert_array_equal(chosen.signal[...], FRAMES[:, :, 0, 0])
    counter = _open(folder, raw, detector="I0", overwrite=True)
    np.testing.assert_array_equal(counter.signal[...], np.arange(12.0).reshape(3, 4))
    assert "there are: plot, diode" in _refusal_of(folder, raw)


def _refusal_of(folder: Path, raw: Path) -> str:
    with pytest.raises(NxscanError) as error:
        _open(folder, raw, detector="none", overwrite=True)
    return str(error.value)


def test_each_entry_is_a_scan(folder: Path) -> None:
    path = folder / "raw" / "many.h5"
    with h5py.File(path, "w") as file:
        for k in (1, 2):
            data = _group(_group(file, f"entry_{k}", "NXentry"), "data", "NXdata", signal="v")
            data["v"] = COUNTS * k
    refs = nxscan.scans(path)
    assert [(ref.number, ref.frames) for ref in refs] == [("1", 7), ("2", 7)]
    scan = _open(folder, path, scan=2)
    np.testing.assert_array_equal(scan.signal[...], COUNTS * 2)


def test_an_entry_may_lie_in_another_file(folder: Path) -> None:
    _images(folder)
    master = folder / "raw" / "master.nxs"
    with h5py.File(master, "w") as file:
        file["entry"] = h5py.ExternalLink("raw.nxs", "/entry")
        file["lost"] = h5py.ExternalLink("lost.nxs", "/entry")
    np.testing.assert_array_equal(_open(folder, master).signal[...], FRAMES)


def test_metadata_are_taken_over_where_they_fit_their_class(folder: Path) -> None:
    raw = _images(folder)
    with h5py.File(raw, "a") as file:
        entry = file["entry"]
        entry["start_time"] = "2024-05-23T13:49:38+01:00"
        entry["end_time"] = "yesterday"
        source = _group(entry["instrument"], "synchrotron", "NXsource")
        for name, value, units in (
            ("name", "ESRF", None),
            ("probe", "candle", None),
            ("type", "Synchrotron X-ray Source", None),
            ("energy", 6.0, "GeV"),
            ("current", 180.0, "mm"),
            ("power", 3.0, None),
            ("own", 1.0, "mm"),
        ):
            source[name] = value
            if units:
                source[name].attrs["units"] = units
        _group(entry["instrument"], "own", "NXcollection")["x"] = 1.0
        _group(entry, "sample", "NXsample")["name"] = "silicon"
    scan = _open(folder, raw)
    found = dict(scan.metadata.walk())
    assert found["instrument/synchrotron/energy"].units == "GeV"
    assert found["sample/name"].value == "silicon"
    assert found["start_time"].value == "2024-05-23T13:49:38+01:00"
    taken = {name for name in found if name.startswith("instrument/synchrotron/")}
    assert taken == {f"instrument/synchrotron/{name}" for name in ("name", "type", "energy")}
    assert "end_time" not in found
    assert scan.raw_metadata.values["instrument/synchrotron/current"] == "180.0"


def test_positions_that_go_to_and_fro_in_a_row_are_a_grid(folder: Path) -> None:
    path = folder / "raw" / "row.h5"
    chi = np.concatenate([CHI, CHI[::-1], CHI])
    with h5py.File(path, "w") as file:
        entry = _group(file, "entry", "NXentry")
        data = _group(entry, "data", "NXdata", signal="v", axes=["chi", ".", "."])
        data["v"], data["chi"], data["mu"] = FRAMES.reshape(12, 5, 6), chi, np.repeat(MU, 4)
        data.attrs["mu_indices"] = 0
    scan = _open(folder, path, axes="mu=3,chi=4")
    assert scan.signal.shape == (3, 4, 5, 6)
    np.testing.assert_array_equal(scan.signal[1], FRAMES[1, ::-1])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": h5py.ExternalLink("gone.h5", "/data")}, "gone.h5, which is not there"),
        ({"data": h5py.SoftLink("/entry/nothing")}, "leads to /entry/nothing, which is not there"),
        ({"data": None}, "has no field 'data', which is its signal"),
        ({"data": np.array(["a"], "S1")}, "holds |S1, not numbers"),
    ],
)
def test_a_plot_without_values_is_refused(folder: Path, changes: dict[str, Any], said: str) -> None:
    assert said in _refusal(folder, _images(folder, **changes))


def test_an_axis_that_does_not_fit_is_refused_or_left_out_if_asked(folder: Path) -> None:
    raw = _images(folder, mu=np.arange(9.0))
    assert "mu has the shape (9,), but the scan is 3 × 4" in _refusal(folder, raw)
    scan = _open(folder, raw, partial=True)
    assert [axis.name for axis in scan.main_axes()] == ["frame", "chi", "y", "x"]


def test_frames_that_were_never_written_are_left_out_if_asked(folder: Path) -> None:
    raw = _images(folder)
    with h5py.File(raw, "a") as file:
        del file["entry/instrument/merlin/data"], file["entry/plot/data"]
        detector = file["entry/instrument/merlin"]
        frames = detector.create_dataset("data", FRAMES.shape, "u2", chunks=(1, 1, 5, 6))
        frames[0], frames[1, :2] = FRAMES[0], FRAMES[1, :2]
        file["entry/plot/data"] = frames
    assert "of 12 frames only 6 were written" in _refusal(folder, raw)
    scan = _open(folder, raw, partial=True)
    assert scan.signal.shape == (6, 5, 6)
    np.testing.assert_array_equal(scan.signal[...], FRAMES.reshape(12, 5, 6)[:6])
    np.testing.assert_array_equal(scan.counters["I0"].value, np.arange(6.0))
    np.testing.assert_array_equal(scan.axes["chi"].values, [1, 2, 3, 4, 1, 2])


def test_an_entry_without_data_is_refused(folder: Path) -> None:
    path = folder / "raw" / "empty.nxs"
    with h5py.File(path, "w") as file:
        _group(file, "entry", "NXentry")["title"] = "nothing"
    assert "no NXdata with a signal" in _refusal(folder, path)


def test_a_detector_that_was_never_written_is_refused(folder: Path) -> None:
    path = folder / "raw" / "fill.nxs"
    with h5py.File(path, "w") as file:
        data = _group(_group(file, "entry", "NXentry"), "data", "NXdata", signal="data")
        data.create_dataset("data", (12, 5, 6), "u2", chunks=(1, 5, 6))
    assert "not one of its 12 frames was ever written" in _refusal(folder, path)


def test_a_truncated_file_is_said_to_be_truncated(folder: Path) -> None:
    raw = _images(folder)
    raw.write_bytes(raw.read_bytes()[:-900])
    assert "raw.nxs: the HDF5 file is truncated" in _refusal(folder, raw)


def test_a_corrupt_chunk_is_refused_by_the_frame(folder: Path) -> None:
    raw = _images(folder)
    with h5py.File(raw, "a") as file:
        del file["entry/instrument/merlin/data"], file["entry/plot/data"]
        packed = file["entry/instrument/merlin"].create_dataset(
            "data", data=FRAMES, chunks=(1, 1, 5, 6), compression="gzip"
        )
        file["entry/plot/data"] = packed
        chunk = packed.id.get_chunk_info(5)
    with raw.open("r+b") as out:
        out.seek(chunk.byte_offset)
        out.write(b"\xff" * chunk.size)
    assert "(1, 1)" in _refusal(folder, raw)


def test_a_missing_virtual_source_is_refused_by_name(folder: Path) -> None:
    raw = _images(folder)
    layout = h5py.VirtualLayout(FRAMES.shape, "u2")
    layout[...] = h5py.VirtualSource("gone.h5", "frames", FRAMES.shape)
    with h5py.File(raw, "a") as file:
        del file["entry/instrument/merlin/data"], file["entry/plot/data"]
        file["entry/plot"].create_virtual_dataset("data", layout)
    assert "gone.h5" in _refusal(folder, raw)


def test_a_master_of_nxscan_is_none_of_its_files(folder: Path) -> None:
    out = nxscan.translate(_images(folder), folder / "scan.nxs", link=False)
    from nxscan.translators.nexus import NexusTranslator

    assert not NexusTranslator().can_open(out)
    assert NexusTranslator().can_open(folder / "raw" / "raw.nxs")


def test_it_is_chosen_for_files_of_old_nexus(shared_data: Callable[[str], Path]) -> None:
    for name in ("validation/punx_writer_1_3.hdf5", "dls/savu_testfluo2.nxs"):
        assert translator_for([shared_data(name)]).name == "nexus"


def test_fluorescence_with_positions_in_two_dimensions(
    folder: Path, shared_data: Callable[[str], Path]
) -> None:
    raw = shared_data("dls/savu_testfluo2.nxs")
    scan = _open(folder, raw)
    assert scan.signal.shape == (18, 18, 512)
    assert [axis.name for axis in scan.main_axes()] == ["y", "x", "energy"]
    assert (scan.axes["energy"].role, scan.axes["energy"].units) == ("detector", "eV")
    np.testing.assert_allclose(float(scan.signal[...].sum()), 11116305.8125)
    with h5py.File(raw) as file:
        for name in ("x", "y"):
            stored = file[f"entry1/fluo_entry/data/{name}"][()]
            np.testing.assert_array_equal(scan.readings[name].value, stored)
        np.testing.assert_allclose(scan.axes["x"].values, file["entry1/fluo_entry/sample/x"][()])
    energy = scan.metadata["instrument/monochromator/energy"]
    np.testing.assert_allclose(float(np.asarray(energy.value)), 11000.000729)
    assert energy.units == "eV"
