"""From EDF files to NeXus and back, through the public face, beside fabio and h5py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fabio
import fabio.edfimage
import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import nxscan
from nxscan.cli import app
from nxscan.errors import NxscanError, OutputError, PlanError

SHAPE = (24, 32)
CHI, MU = (0.0, 0.5, 1.0), (-0.2, -0.1, 0.0, 0.1)


def write_edf(path: Path, number: int, data: np.ndarray | None = None, **motors: float) -> None:
    """Write one frame with fabio, headed as a SPEC beamline would have."""
    if data is None:
        data = np.random.default_rng(number).integers(0, 4000, SHAPE, dtype=np.uint16)
    header = {
        "motor_mne": " ".join(motors),
        "motor_pos": " ".join(str(value) for value in motors.values()),
        "counter_mne": "sec mon",
        "counter_pos": f"0.5 {1000 + number}",
        "time_of_day": f"{1.5e9 + number:.3f}",
        "point_no": str(number),
    }
    fabio.edfimage.EdfImage(data=data, header=header).write(str(path))


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    """Return a folder with a scan of chi × mu."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for k, (chi, mu) in enumerate((chi, mu) for chi in CHI for mu in MU):
        write_edf(folder / f"scan_{k:04d}.edf", k, chi=chi, mu=mu, diffrz=-1.5)
    return folder


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.iterdir()}


def frames_by_fabio(folder: Path) -> np.ndarray:
    return np.stack([fabio.open(str(path)).data for path in sorted(folder.glob("scan_*"))])


def test_a_grid_of_frames_comes_back_bit_for_bit_on_its_axes(grid, tmp_path):
    before = contents(grid)
    path = nxscan.translate(grid, tmp_path / "scan.nxs")
    assert contents(grid) == before
    scan = nxscan.open(path)
    assert scan.signal.shape == (3, 4, *SHAPE)
    assert [axis.name for axis in scan.main_axes()[:2]] == ["chi", "mu"]
    np.testing.assert_allclose(scan.axes["chi"].values, CHI)
    np.testing.assert_allclose(scan.axes["mu"].values, MU, atol=1e-12)
    expected = frames_by_fabio(grid)
    np.testing.assert_array_equal(scan.signal[...].reshape(expected.shape), expected)
    np.testing.assert_array_equal(scan.frame(chi=0.5, mu=0.1), expected[7])
    np.testing.assert_array_equal(scan.pixel(3, 5).ravel(), expected[:, 3, 5])
    np.testing.assert_array_equal(np.ravel(scan.counters["mon"].value), 1000 + np.arange(12))
    assert nxscan.validate(path, data=True).ok


def test_the_file_says_what_it_was_made_from(grid, tmp_path):
    provenance = nxscan.open(nxscan.translate(grid, tmp_path / "scan.nxs")).provenance
    assert provenance.translator == "edf"
    assert provenance.frames() == 12
    recorded = {Path(source.path): source.size for source in provenance.sources}
    assert recorded == {path.resolve(): path.stat().st_size for path in grid.iterdir()}


def test_dark_and_flat_that_are_given_keep_their_roles(grid, tmp_path):
    beside = tmp_path / "beside"
    beside.mkdir()
    dark, flat = (np.full(SHAPE, value, np.uint16) for value in (7, 900))
    write_edf(beside / "d.edf", 0, dark, chi=0, mu=0)
    write_edf(beside / "f.edf", 1, flat, chi=0, mu=0)
    path = nxscan.translate(
        grid, tmp_path / "scan.nxs", dark=beside / "d.edf", flat=str(beside / "f.edf")
    )
    scan = nxscan.open(path)
    assert scan.signal.shape == (3, 4, *SHAPE)
    np.testing.assert_array_equal(scan.dark[...], dark[None])
    np.testing.assert_array_equal(scan.flat[...], flat[None])


def test_axes_can_be_given_by_hand(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for k in range(6):
        write_edf(folder / f"scan_{k}.edf", k, chi=float(k // 3), mu=float(k % 3))
    path = nxscan.translate(folder, tmp_path / "scan.nxs", axes="chi=2,mu=3")
    assert nxscan.open(path).scan_shape == (2, 3)
    with pytest.raises(PlanError, match="7"):
        nxscan.translate(folder, tmp_path / "other.nxs", axes={"mu": 7})
    assert not (tmp_path / "other.nxs").exists()


def truncated(folder: Path) -> None:
    path = folder / "scan_0005.edf"
    path.write_bytes(path.read_bytes()[:-100])


def of_another_shape(folder: Path) -> None:
    write_edf(folder / "scan_0005.edf", 5, np.ones((3, 4), np.uint16), chi=0.5, mu=-0.1)


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def of_another_kind(folder: Path) -> None:
    emptied(folder)
    (folder / "notes.txt").write_text("no frames here", encoding="utf-8")


@pytest.mark.parametrize("spoil", [truncated, of_another_shape, emptied, of_another_kind])
def test_bad_input_is_one_error_and_no_output(grid, tmp_path, spoil: Callable[[Path], None]):
    spoil(grid)
    with pytest.raises(NxscanError):
        nxscan.translate(grid, tmp_path / "scan.nxs")
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
    ended = CliRunner().invoke(app, ["translate", str(grid), "-o", str(tmp_path / "scan.nxs")])
    assert ended.exit_code == 1
    assert ended.stderr.startswith("error: ")
    assert "Traceback" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_an_existing_output_is_refused_before_the_frames_are_read(grid, tmp_path):
    output = tmp_path / "scan.nxs"
    output.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        nxscan.translate(grid, output)
    assert output.read_bytes() == b"mine"


def test_progress_is_told_up_to_the_last_frame(grid, tmp_path):
    told = []
    nxscan.translate(grid, tmp_path / "scan.nxs", progress=told.append)
    assert (told[-1].frames_done, told[-1].frames_total) == (12, 12)
    assert told[-1].bytes_done == told[-1].bytes_total == 12 * 24 * 32 * 2


def test_inspect_shows_the_plan_that_translate_carries_out(grid, tmp_path):
    found = nxscan.inspect(grid)
    assert found.scan is not None
    scan = nxscan.open(nxscan.translate(grid, tmp_path / "scan.nxs"))
    assert found.scan.signal.shape == scan.signal.shape
    assert list(found.scan.axes) == list(scan.axes)
    assert found.ref in nxscan.scans(grid)


def test_a_scan_in_another_folder_is_skipped_when_it_is_there_already(grid, tmp_path):
    first = nxscan.translate_all(grid, tmp_path / "out")
    before = contents(tmp_path / "out")
    assert nxscan.translate_all(grid, tmp_path / "out") == first
    assert contents(tmp_path / "out") == before


def test_the_demo_runs_through_again_and_again_and_keeps_what_is_not_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "nxscan-demo"
    for _ in range(2):
        ended = CliRunner().invoke(app, ["demo"])
        assert ended.exit_code == 0, ended.output
        (folder / "mine.txt").write_text("mine")
    assert {"camera.nxs", "ideal.nxs", "camera.png", "mine.txt"} <= {
        path.name for path in folder.iterdir()
    }
    commands = [line for line in ended.stdout.splitlines() if line.startswith("$ nxscan ")]
    assert [line.split()[2] for line in commands] == [
        "inspect", "translate", "translate", "info", "plot", "plot", "run", "plot", "validate"
    ]  # fmt: skip
    assert "NOT VALID" not in ended.stdout
    with h5py.File(folder / "camera.nxs") as file:
        assert file["entry/data"].attrs["axes"].tolist() == ["mu", "y", "x"]
        assert len(file["entry/dark"]) > 0


def test_the_demo_refuses_a_folder_that_it_did_not_make(tmp_path):
    (tmp_path / "raw").mkdir()
    ended = CliRunner().invoke(app, ["demo", str(tmp_path)])
    assert ended.exit_code == 1
    assert "not made by nxscan demo" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


REAL = {
    "edf/ID19_D2H2T2_0000.edf": ("ID19_D2H2T2_000*.edf", 6),
    "edf/medipix.edf": ("medipix.edf", 1),
    "edf/fabio_i01f0001.edf.gz": ("fabio_i01f0001.edf.gz", 1),
    "edf/fabio_run2_1_00148.edf.bz2": ("fabio_run2_1_00148.edf.bz2", 1),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_translated_to_valid_ones_with_the_frames_that_fabio_reads(
    name, shared_data, tmp_path
):
    pattern, frames = REAL[name]
    folder = shared_data(name).parent
    path = nxscan.translate(folder / pattern, tmp_path / "scan.nxs")
    assert nxscan.validate(path, data=True).ok
    scan = nxscan.open(path)
    expected = np.stack([fabio.open(str(one)).data for one in sorted(folder.glob(pattern))])
    assert len(expected) == frames
    np.testing.assert_array_equal(scan.signal[...].reshape(expected.shape), expected)


def test_real_data_flat_and_dark_keep_their_roles(shared_data, tmp_path):
    folder = shared_data("edf/ID16_diatomee_data.edf").parent
    scan = nxscan.open(nxscan.translate(folder / "ID16_*.edf", tmp_path / "scan.nxs"))
    for signal, name in ((scan.signal, "data"), (scan.dark, "dark"), (scan.flat, "flat")):
        expected = fabio.open(str(folder / f"ID16_diatomee_{name}.edf")).data
        np.testing.assert_array_equal(np.squeeze(signal[...]), expected)
