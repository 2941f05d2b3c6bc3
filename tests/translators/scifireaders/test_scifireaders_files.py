"""Files that SciFiReaders reads, and what is said where it is not installed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.errors import MissingExtraError, NxscanError
from nxscan.translate.registry import translator_for
from nxscan.translators.scifireaders import SciFiReadersTranslator, reading, translator

pytestmark = pytest.mark.filterwarnings("ignore")

IMAGE = np.random.default_rng(1).integers(0, 255, (6, 8), dtype=np.uint8)


@pytest.fixture
def readers() -> None:
    """Skip where SciFiReaders is not installed."""
    if importlib.util.find_spec("SciFiReaders") is None:
        pytest.skip("SciFiReaders is not installed: pip install 'nxscan[scifireaders]'")


def _write_gwy(path: Path, values: Any) -> Path:
    """Write a channel as Gwyddion does."""
    objects = pytest.importorskip("gwyfile.objects")
    field = objects.GwyDataField(values, xreal=4e-6, yreal=3e-6, si_unit_xy="m", si_unit_z="V")
    content = objects.GwyContainer()
    content["/0/data"], content["/0/data/title"] = field, "Phase"
    path.parent.mkdir(exist_ok=True)
    content.tofile(str(path))
    return path


NANONIS = """Experiment\tbias spectroscopy\t
Date\t04.08.2015 08:49:41\t
X (m)\t-3.5E-8\t

[DATA]
Bias calc (V)\tCurrent (A)
-1.0\t-4.0E-12
-0.5\t-1.0E-12
0.0\t0.5E-12
0.5\t2.0E-12
"""


def test_without_the_extra_the_refusal_says_which_one_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (reading, translator):
        monkeypatch.setattr(module, "is_installed", lambda: False)
    path = tmp_path / "probe.dm4"
    path.write_bytes(b"\0\0\0\4 something")
    with pytest.raises(NxscanError, match=r"pip install 'nxscan\[scifireaders\]'"):
        translator_for([path])
    with pytest.raises(MissingExtraError, match="scifireaders"):
        nxscan.scans(path, translator="scifireaders")


def test_it_goes_after_every_other_translator() -> None:
    assert SciFiReadersTranslator.general


def test_nothing_is_imported_to_see_whether_it_can_open_a_file(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "probe.gwy"
    path.write_bytes(b"x")
    code = (
        "import sys; from pathlib import Path; from nxscan.translate.registry import translators; "
        f"translators()['scifireaders'].can_open(Path({str(path)!r})); "
        "print('SciFiReaders' in sys.modules, 'sidpy' in sys.modules, 'dask' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False"] * 3


@pytest.mark.usefixtures("readers")
def test_a_gwyddion_channel_is_a_map_with_its_units(tmp_path: Path) -> None:
    values = np.random.default_rng(2).random((6, 8))
    raw = _write_gwy(tmp_path / "raw" / "probe.gwy", values)
    assert translator_for([raw]).name == "scifireaders"
    scan = nxscan.open(nxscan.translate(raw, tmp_path / "scan.nxs"))
    assert scan.scan_shape in ((6, 8), (8, 6))
    assert (scan.signal.units, scan.signal.long_name) == ("V", "Phase")
    np.testing.assert_array_equal(np.sort(scan.signal[...].ravel()), np.sort(values.ravel()))
    axes = {axis.long_name[0]: axis for axis in scan.main_axes()}
    assert {axis.units for axis in axes.values()} == {"m"}
    assert sorted(float(axis.values.max()) for axis in axes.values()) == [3e-6, 4e-6]


@pytest.mark.usefixtures("readers")
def test_a_nanonis_curve_is_plotted_against_its_bias(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "curve.dat"
    raw.parent.mkdir()
    raw.write_text(NANONIS)
    scan = nxscan.open(nxscan.translate(raw, tmp_path / "scan.nxs"))
    np.testing.assert_array_equal(scan.signal[...], [-4e-12, -1e-12, 0.5e-12, 2e-12])
    (axis,) = scan.main_axes()
    np.testing.assert_array_equal(axis.values, [-1.0, -0.5, 0.0, 0.5])
    assert (scan.signal.units, axis.units) == ("A", "V")


@pytest.mark.usefixtures("readers")
def test_other_dat_files_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "table.dat"
    path.write_text("1 2 3\n")
    assert not SciFiReadersTranslator().can_open(path)


@pytest.mark.usefixtures("readers")
def test_an_image_is_read_by_name_of_the_translator(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    raw = tmp_path / "raw" / "probe.png"
    raw.parent.mkdir()
    image.fromarray(IMAGE).save(raw)
    scan = nxscan.open(nxscan.translate(raw, tmp_path / "s.nxs", translator="scifireaders"))
    np.testing.assert_array_equal(np.sort(scan.signal[...].ravel()), np.sort(IMAGE.ravel()))


@pytest.mark.usefixtures("readers")
def test_readers_that_would_open_a_file_for_writing_get_a_copy(
    tmp_path: Path, shared_data: Callable[[str], Path]
) -> None:
    raw = tmp_path / "raw" / "curve.h5"
    raw.parent.mkdir()
    raw.write_bytes(shared_data("usid/AFM_Force_Curve_ccfec12.h5").read_bytes())
    raw.chmod(0o444)
    os.utime(raw, (1e9, 1e9))
    before = raw.read_bytes()
    (ref, *_) = nxscan.scans(raw, translator="scifireaders")
    made = nxscan.translate(raw, tmp_path / "s.nxs", translator="scifireaders", scan=ref.number)
    with h5py.File(raw) as file:
        stored = file["Measurement_000/Channel_000/Raw_Data"][()]
    np.testing.assert_array_equal(np.ravel(nxscan.open(made).signal[...]), stored.ravel())
    assert (raw.read_bytes(), raw.stat().st_mtime) == (before, 1e9)


def _write_nsid(path: Path, values: Any) -> Path:
    """Write a spectrum image as pyNSID does: dimensions are HDF5's scales."""
    dims = (("y", "nm", "SPATIAL"), ("x", "nm", "SPATIAL"), ("energy", "eV", "SPECTRAL"))
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        group = file.create_group("Measurement_000/Channel_000/map")
        main = group.create_dataset("map", data=values)
        main.attrs.update(
            quantity="current", units="nA", data_type="SPECTRAL_IMAGE", modality="probe",
            source="test", main_data_name="map", machine_id="here", platform="any",
            timestamp="2026", pyNSID_version="0.0.7", sidpy_version="0.12",
        )  # fmt: skip
        for k, (name, units, kind) in enumerate(dims):
            scale = group.create_dataset(name, data=np.arange(values.shape[k]) * 0.5)
            said = {"name": name, "quantity": name, "units": units, "dimension_type": kind}
            scale.attrs.update(said)
            scale.make_scale(name)
            main.dims[k].label = name
            main.dims[k].attach_scale(scale)
    return path


@pytest.mark.usefixtures("readers")
def test_an_nsid_file_keeps_the_types_of_its_dimensions(tmp_path: Path) -> None:
    values = np.random.default_rng(4).random((3, 4, 5))
    raw = _write_nsid(tmp_path / "raw" / "map.h5", values)
    assert translator_for([raw]).name == "scifireaders"
    scan = nxscan.open(nxscan.translate(raw, tmp_path / "scan.nxs"))
    np.testing.assert_array_equal(scan.signal[...], values)
    said = [(axis.name, axis.units, axis.role) for axis in scan.main_axes()]
    assert said == [("y", "nm", "scan"), ("x", "nm", "scan"), ("energy", "eV", "detector")]


@pytest.mark.usefixtures("readers")
@pytest.mark.parametrize("suffix", [".dm4", ".ibw", ".gwy", ".sxm"])
def test_a_file_that_no_reader_reads_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    raw = tmp_path / f"broken{suffix}"
    raw.write_bytes(b"not what it says" * 20)
    with pytest.raises(NxscanError, match=f"broken{suffix}: no reader"):
        nxscan.scans(raw, translator="scifireaders")
