"""A mapping of a few lines translates HDF5 that nothing else describes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

import nxscan
from nxscan.errors import NxscanError

RNG = np.random.default_rng(7)
FRAMES = RNG.integers(0, 1000, (3, 4, 5, 6), dtype=np.uint16)
MU, CHI = np.array([0.0, 0.1, 0.2]), np.array([1.0, 2.0, 3.0, 4.0])

MAPPING = """\
name = "mine"
[[signal]]
from = "scan/frames"
[[axis]]
name = "mu"
from = "scan/mu"
units = "degree"
[[axis]]
name = "chi"
from = "scan/chi"
"""

BL832 = """\
name = "bl832"
[scans]
groups = ["*_testBL832h5file"]
title = "@object"
start = "/@stage_date"
[[signal]]
from = "*file_0000_*.tif"
[[signal]]
role = "flat"
from = "*bak_*.tif"
[[signal]]
role = "dark"
from = "*drk_*.tif"
[[axis]]
name = "rotation_angle"
first = 0.0
last = "@arange"
units = "degree"
dimension = 0
[[field]]
target = "instrument/source/name"
from = "/@facility"
"""

DARLING = """\
name = "darling"
[scans]
groups = ["*.1"]
title = "title"
join = "instrument/positioners/ccmth"
[[signal]]
name = "pco_ff"
from = "instrument/pco_ff/data"
[[axis]]
name = "chi"
from = "instrument/chi/value"
units = "degree"
[[axis]]
name = "diffrz"
role = "integrated"
first = -1.5
last = 2.0
units = "degree"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path


def _raw(folder: Path, **changes: Any) -> Path:
    path = folder / "raw" / "raw.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("scan")
        content = {"frames": FRAMES, "mu": MU, "chi": CHI, "energy": 8.979} | changes
        for name, value in content.items():
            if callable(value):
                value(group, name)
            elif value is not None:
                group[name] = value
    return path


def _mapping(folder: Path, text: str = MAPPING) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def _translate(folder: Path, raw: Path, text: str = MAPPING, **options: Any) -> Any:
    options.setdefault("link", False)
    out = nxscan.translate(raw, folder / "scan.nxs", mapping=_mapping(folder, text), **options)
    return nxscan.open(out)


def _refusal(folder: Path, raw: Path, text: str = MAPPING, **options: Any) -> str:
    with pytest.raises(NxscanError) as error:
        _translate(folder, raw, text, **options)
    assert not (folder / "scan.nxs").exists()
    return str(error.value)


@pytest.mark.parametrize("link", [False, True])
def test_gridded_frames_with_an_axis_for_each_dimension(folder: Path, link: bool) -> None:
    scan = _translate(folder, _raw(folder), link=link)
    assert [axis.name for axis in scan.main_axes()] == ["mu", "chi", "y", "x"]
    np.testing.assert_array_equal(scan.axes["mu"].values, MU)
    assert scan.axes["mu"].units == "degree"
    np.testing.assert_array_equal(scan.signal[...], FRAMES)


@pytest.mark.parametrize("dimensions", [True, False])
def test_frames_in_one_row_get_their_grid(folder: Path, dimensions: bool) -> None:
    row = FRAMES.reshape(12, 5, 6)
    if dimensions:
        text = MAPPING.replace('"scan/mu"', '"scan/mu"\ndimension = 0')
        text = text.replace('"scan/chi"', '"scan/chi"\ndimension = 1')
        scan = _translate(folder, _raw(folder, frames=row), text)
    else:
        raw = _raw(folder, frames=row, mu=np.repeat(MU, 4), chi=np.tile(CHI, 3))
        scan = _translate(folder, raw)
    assert scan.signal.shape == (3, 4, 5, 6)
    np.testing.assert_array_equal(scan.signal[...], FRAMES)


def test_readings_at_every_position_give_the_axes_and_stay(folder: Path) -> None:
    noise = RNG.normal(0, 0.001, (3, 4))
    mu, chi = np.broadcast_to(MU[:, None], (3, 4)) + noise, np.broadcast_to(CHI, (3, 4)) + noise
    scan = _translate(folder, _raw(folder, mu=mu, chi=chi))
    np.testing.assert_allclose(scan.axes["chi"].values, chi.mean(axis=0))
    np.testing.assert_array_equal(scan.readings["mu"].value, mu)


def test_scans_of_a_file_are_joined_along_what_moved_between_them(folder: Path) -> None:
    path = folder / "raw" / "raw.h5"
    with h5py.File(path, "w") as file:
        for k, name in enumerate(["1.1", "2.1", "10.1"]):
            file[f"{name}/frames"], file[f"{name}/chi"] = FRAMES[k], CHI
            file[f"{name}/mu"] = MU[k]
    text = (
        'name = "mine"\n[scans]\ngroups = ["*.1"]\njoin = "mu"\n[[signal]]\nfrom = "frames"\n'
        '[[axis]]\nname = "chi"\nfrom = "chi"\n'
    )
    scan = _translate(folder, path, text)
    assert [axis.name for axis in scan.main_axes()] == ["mu", "chi", "y", "x"]
    np.testing.assert_array_equal(scan.signal[...], FRAMES)


def test_one_dataset_for_each_frame_in_natural_order_with_its_attributes(folder: Path) -> None:
    path = folder / "raw" / "raw.h5"
    with h5py.File(path, "w") as file:
        for k in [10, 9, 2, 1, 100]:
            file[f"tags/t{k}"] = np.full((1, 3, 3), k, np.uint16)
            file[f"tags/t{k}"].attrs["angle"] = k / 10
    text = (
        'name = "mine"\n[[signal]]\nfrom = "tags/t*"\n'
        '[[axis]]\nname = "angle"\nfrom = "tags/t*@angle"\n'
    )
    scan = _translate(folder, path, text)
    assert scan.signal[:, 0, 0].tolist() == [1, 2, 9, 10, 100]
    np.testing.assert_allclose(scan.axes["angle"].values, [0.1, 0.2, 0.9, 1.0, 10.0])


def test_a_spectrum_with_its_energy_axis(folder: Path) -> None:
    spectra = RNG.random((3, 8))
    raw = _raw(folder, frames=spectra, keV=np.arange(8) * 0.5, chi=None)
    with h5py.File(raw, "a") as file:
        file["scan/keV"].attrs["units"] = "keV"
    text = MAPPING.replace('"scan/frames"', '"scan/frames"\nrank = 1').replace(
        'name = "chi"\nfrom = "scan/chi"\n',
        'name = "keV"\nfrom = "scan/keV"\nrole = "detector"\ndimension = 1\n'
        'units_in = "@units"\nunits = "eV"\n',
    )
    scan = _translate(folder, raw, text)
    assert (scan.axes["keV"].role, scan.axes["keV"].units) == ("detector", "eV")
    np.testing.assert_allclose(scan.axes["keV"].values, np.arange(8) * 500.0)
    np.testing.assert_array_equal(scan.signal[...], spectra)


@pytest.mark.parametrize(("polarity", "lost"), [("bad = 1", 2), ("good = 0", 2), ("good = 1", 28)])
def test_a_mask_of_either_polarity(
    folder: Path, polarity: str, lost: int, caplog: pytest.LogCaptureFixture
) -> None:
    mask = np.zeros((5, 6), bool)
    mask[0, :2] = True
    text = MAPPING + f'[[signal]]\nrole = "mask"\nfrom = "scan/mask"\n{polarity}\n'
    scan = _translate(folder, _raw(folder, mask=mask), text)
    assert np.count_nonzero(scan.mask) == lost
    assert ("% of the pixels are lost" in caplog.text) == (lost > 15)


def test_texts_as_axis_are_numbered_and_kept(folder: Path) -> None:
    scan = _translate(folder, _raw(folder, mu=np.array(["pc", "nc", "la"], "S4")))
    np.testing.assert_array_equal(scan.axes["mu"].values, [0, 1, 2])
    assert scan.raw_metadata.values["mu texts"] == "0: pc, 1: nc, 2: la"


def test_fields_take_the_unit_that_the_file_states(folder: Path) -> None:
    raw = _raw(folder)
    with h5py.File(raw, "a") as file:
        file["scan/energy"].attrs["units"] = "keV"
    text = MAPPING + (
        '[[field]]\ntarget = "instrument/beam/incident_energy"\nfrom = "scan/energy"\n'
        'units_in = "@units"\nunits = "eV"\n'
    )
    field = _translate(folder, raw, text).metadata["instrument/beam/incident_energy"]
    assert (field.units, round(float(np.asarray(field.value)), 6)) == ("eV", 8979.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mu": np.arange(7.0)}, "mu has 7 values, which contradicts the scan's shape, 3 × 4"),
        ({"mu": None}, "axis mu: / has none of 'scan/mu'"),
        ({"frames": None}, "signal detector: / has no dataset 'scan/frames'"),
        ({"frames": np.array(["a"], "S1")}, "holds |S1, not numbers"),
        ({"frames": np.zeros((0, 5, 6))}, "is empty"),
        ({"frames": h5py.ExternalLink("gone.h5", "/frames")}, "gone.h5, which is not there"),
        ({"frames": h5py.SoftLink("/nowhere")}, "leads to /nowhere, which is not there"),
        (
            {"frames": lambda g, n: g.create_dataset(n, (3, 4, 5, 6), "u2", chunks=(1, 1, 5, 6))},
            "not one of its 12 frames was ever written",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_output(
    folder: Path, changes: dict[str, Any], said: str
) -> None:
    assert said in _refusal(folder, _raw(folder, **changes))


@pytest.mark.parametrize("link", [False, True])
def test_a_virtual_dataset_whose_source_is_missing_is_refused(folder: Path, link: bool) -> None:
    layout = h5py.VirtualLayout((3, 4, 5, 6), "u2")
    layout[...] = h5py.VirtualSource("gone.h5", "frames", (3, 4, 5, 6))
    raw = _raw(folder, frames=lambda group, name: group.create_virtual_dataset(name, layout))
    assert "gone.h5" in _refusal(folder, raw, link=link)


def test_a_virtual_dataset_is_read_from_its_sources(folder: Path) -> None:
    layout = h5py.VirtualLayout((3, 4, 5, 6), "u2")
    for k in range(3):
        with h5py.File(folder / "raw" / f"part{k}.h5", "w") as file:
            file["frames"] = FRAMES[k]
        layout[k] = h5py.VirtualSource(f"part{k}.h5", "frames", (4, 5, 6))
    raw = _raw(folder, frames=lambda group, name: group.create_virtual_dataset(name, layout))
    np.testing.assert_array_equal(_translate(folder, raw).signal[...], FRAMES)


def test_frames_that_were_never_written_are_refused_or_left_out(folder: Path) -> None:
    def partly(group: Any, name: str) -> None:
        dataset = group.create_dataset(name, (12, 5, 6), "u2", chunks=(1, 5, 6))
        dataset[:7] = FRAMES.reshape(12, 5, 6)[:7]

    raw = _raw(folder, frames=partly, mu=np.arange(12.0), chi=None)
    text = MAPPING.partition('[[axis]]\nname = "chi"')[0]
    assert "of 12 frames only 7 were written" in _refusal(folder, raw, text)
    scan = _translate(folder, raw, text, partial=True)
    np.testing.assert_array_equal(scan.signal[...], FRAMES.reshape(12, 5, 6)[:7])
    assert scan.axes["mu"].values.tolist() == list(range(7))


def test_fewer_positions_than_frames_are_refused_with_both_numbers(folder: Path) -> None:
    raw = _raw(folder, frames=FRAMES.reshape(12, 5, 6), mu=np.arange(10.0), chi=None)
    text = MAPPING.partition('[[axis]]\nname = "chi"')[0]
    assert "12 frames, but mu has 10 values" in _refusal(folder, raw, text)
    assert _translate(folder, raw, text, partial=True).signal.shape == (10, 5, 6)


def test_a_corrupt_chunk_is_refused_by_the_frame(folder: Path) -> None:
    row = FRAMES.reshape(12, 5, 6)
    raw = _raw(
        folder,
        frames=lambda g, n: g.create_dataset(n, data=row, chunks=(1, 5, 6), compression="gzip"),
        mu=np.arange(12.0),
        chi=None,
    )
    with h5py.File(raw) as file:
        chunk = file["scan/frames"].id.get_chunk_info(4)
    with raw.open("r+b") as out:
        out.seek(chunk.byte_offset)
        out.write(b"\xff" * chunk.size)
    said = _refusal(folder, raw, MAPPING.partition('[[axis]]\nname = "chi"')[0])
    assert "raw.h5" in said
    assert "frame 4" in said


def test_a_truncated_file_is_refused(folder: Path) -> None:
    raw = _raw(folder)
    raw.write_bytes(raw.read_bytes()[:-500])
    assert "truncated" in _refusal(folder, raw)


def test_frames_that_need_a_missing_filter_are_refused(folder: Path) -> None:
    def packed(group: Any, name: str) -> None:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((1, 1, 5, 6))
        plist.set_filter(32765, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((3, 4, 5, 6))
        h5py.h5d.create(group.id, name.encode(), h5py.h5t.STD_U16LE, space, plist)

    assert "filter 32765" in _refusal(folder, _raw(folder, frames=packed))


def test_a_mapping_whose_path_leads_out_is_refused(folder: Path) -> None:
    text = MAPPING.replace("scan/frames", "../other.h5/frames")
    assert "leads out of the scan's group" in _refusal(folder, _raw(folder), text)


def test_a_detector_that_the_mapping_lacks_is_refused_with_those_there_are(folder: Path) -> None:
    said = _refusal(folder, _raw(folder), detector="merlin")
    assert "no signal 'merlin'; there are: detector" in said


def test_the_detector_that_is_asked_for_is_the_main_signal(folder: Path) -> None:
    text = MAPPING + '[[signal]]\nname = "diode"\nfrom = "scan/diode"\nrank = 0\n'
    scan = _translate(folder, _raw(folder, diode=FRAMES[:, :, 0, 0]), text, detector="diode")
    assert scan.detector == "diode"
    np.testing.assert_array_equal(scan.signal[...], FRAMES[:, :, 0, 0])


def test_compressed_frames_are_linked_where_they_are(folder: Path) -> None:
    def packed(group: Any, name: str) -> None:
        group.create_dataset(name, data=FRAMES, chunks=(1, 1, 5, 6), **hdf5plugin.Bitshuffle())

    scan = _translate(folder, _raw(folder, frames=packed), link=True)
    np.testing.assert_array_equal(scan.signal[...], FRAMES)


def test_without_a_mapping_it_says_what_it_needs(folder: Path) -> None:
    with pytest.raises(NxscanError, match=r"needs a mapping with \[\[signal\]\]; .*--new-mapping"):
        nxscan.translate(_raw(folder), folder / "scan.nxs", translator="generic")


def test_als_frames_in_a_dataset_each(folder: Path, shared_data: Callable[[str], Path]) -> None:
    raw = shared_data("frames_per_dataset/dxchange_read_stack.h5")
    scan = _translate(folder, raw, BL832)
    assert scan.signal.shape == (20, 10, 10)
    assert (scan.flat.shape, scan.dark.shape) == ((4, 10, 10), (2, 10, 10))
    np.testing.assert_allclose(scan.axes["rotation_angle"].values, np.linspace(0, 180, 20))
    with h5py.File(raw) as file:
        group = file["20151120_100640_testBL832h5file"]
        frames = [group[name][0] for name in sorted(group) if "file_0000" in name]
        np.testing.assert_array_equal(scan.signal[...], frames)
    assert scan.metadata["instrument/source/name"].value == "als"
    assert scan.raw_metadata.values["*file_0000_*.tif@title"] == "image"


def test_dfxm_scans_are_joined_through_a_mapping(
    folder: Path, shared_data: Callable[[str], Path]
) -> None:
    raw = shared_data("bliss/darling_id03_energy_scan_110_5pct_layer_0.h5")
    scan = _translate(folder, raw, DARLING)
    assert scan.signal.shape == (9, 62, 50, 70)
    assert int(scan.signal[...].sum()) == 207943496
    ccmth, chi = scan.axes["ccmth"].values, scan.axes["chi"].values
    np.testing.assert_allclose(ccmth[[0, -1]], [5.922446354955158, 5.96244669025993])
    np.testing.assert_allclose(chi[[0, -1]], [-1, 3.88001285], atol=1e-7)
    swept = scan.integrated["diffrz"]
    assert (swept.role, swept.units) == ("integrated", "degree")
    np.testing.assert_allclose([swept.values[0], swept.width[0]], [0.25, 3.5])
