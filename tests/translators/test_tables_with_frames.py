"""Frames get their positions from MDA, SPEC and CSV, joined by name, number or order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fabio.edfimage import EdfImage
from fabio.tifimage import TifImage

import nxscan
from nxscan.errors import NxscanError, PlanError
from nxscan.simulate.mda import simulate_map, write_mda

Y, X = np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.25, 0.5, 0.75])
GRID = np.arange(12).reshape(3, 4)


def frames(folder: Path, kind: str = "tif", count: int = 12, first: int = 1) -> Path:
    """Write frames that hold their numbers, as 26-ID's camera does."""
    folder.mkdir()
    writer = {"tif": TifImage, "edf": EdfImage}[kind]
    for k in range(count):
        path = folder / f"img_{first + k:06d}.{kind}"
        writer(data=np.full((6, 5), k, np.uint16)).write(str(path))
    return folder


def test_tiff_files_are_laid_out_as_the_mda_file_says(tmp_path: Path) -> None:
    raw = frames(tmp_path / "raw")
    table = write_mda(tmp_path / "26idc_0012.mda", simulate_map(Y, X), number=12)
    path = nxscan.translate(raw, tmp_path / "s.nxs", table=table)
    assert not nxscan.validate(path).findings
    scan = nxscan.open(path)
    np.testing.assert_array_equal(scan.signal[:, :, 0, 0], GRID)
    y, x = scan.main_axes()[:2]
    np.testing.assert_array_equal(y.values, Y)
    np.testing.assert_array_equal(x.values, X)
    assert (y.units, x.units) == ("um", "um")
    assert scan.counters["sim_scaler1_S2"].value.shape == (3, 4)
    assert [Path(source.path).name for source in scan.provenance.sources][-1] == table.name


def test_a_csv_file_names_the_frames_in_any_order(tmp_path: Path) -> None:
    raw = frames(tmp_path / "raw", "edf")
    order = np.random.default_rng(2).permutation(12)
    rows = "".join(f"img_{k + 1:06d}.edf,{X[k % 4]},{Y[k // 4]}\n" for k in order)
    (tmp_path / "pos.csv").write_text("file,x (um),y (um)\n" + rows)
    scan = nxscan.open(nxscan.translate(raw, tmp_path / "s.nxs", table=tmp_path / "pos.csv"))
    np.testing.assert_array_equal(scan.signal[:, :, 0, 0], GRID)
    assert [axis.long_name for axis in scan.main_axes()[:2]] == ["y", "x"]


def test_a_column_of_a_spec_scan_numbers_the_frames(tmp_path: Path) -> None:
    raw = frames(tmp_path / "raw", first=101)
    rows = "".join(f"{k / 10} {101 + k} {7 + k}\n" for k in reversed(range(12)))
    text = f"#S 12  ascan  th 1.1 0 11 1\n#N 3\n#L th  image_number  I0\n{rows}\n"
    (tmp_path / "s.spec").write_text(text)
    source = f"{tmp_path / 's.spec'}::/12.1"
    scan = nxscan.open(nxscan.translate(raw, tmp_path / "s.nxs", table=source))
    assert scan.signal[:, 0, 0].tolist() == list(range(12))
    np.testing.assert_array_equal(scan.axes["th"].values, np.arange(12) / 10)
    assert scan.counters["I0"].value.tolist() == list(range(7, 19))


def test_a_table_with_another_number_of_rows_is_refused_with_both(tmp_path: Path) -> None:
    raw = frames(tmp_path / "raw", count=11)
    table = write_mda(tmp_path / "s.mda", simulate_map(Y, X))
    with pytest.raises(PlanError, match="12 rows, but there are 11 frames"):
        nxscan.translate(raw, tmp_path / "s.nxs", table=table)
    assert not (tmp_path / "s.nxs").exists()


def test_a_damaged_table_leaves_no_output(tmp_path: Path) -> None:
    raw = frames(tmp_path / "raw")
    table = write_mda(tmp_path / "s.mda", simulate_map(Y, X))
    table.write_bytes(table.read_bytes()[:-50])
    with pytest.raises(NxscanError, match=r"s\.mda: truncated"):
        nxscan.translate(raw, tmp_path / "s.nxs", table=table)
    assert not (tmp_path / "s.nxs").exists()
