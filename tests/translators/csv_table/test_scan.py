"""A table of text is a scan of its own; which columns are positions is seen or said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nxscan
from nxscan.errors import PlanError
from nxscan.plan import read_table
from nxscan.translate.contract import Options
from nxscan.translate.registry import translator_for
from nxscan.translate.report import Report
from nxscan.translators.csv_table import CsvTranslator

RNG = np.random.default_rng(5)
Y, X = (grid.ravel() for grid in np.mgrid[0:4, 0:5])
COUNTS = RNG.poisson(900, 20)


@pytest.fixture(scope="module")
def raster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "map.csv"
    rows = (
        f"{219817020 + 2 * k},{x * 0.5},{y * 0.25},{RNG.poisson(500)},{counts}\n"
        for k, (x, y, counts) in enumerate(zip(X, Y, COUNTS, strict=True))
    )
    path.write_text("# sample: gold\ntag,x (um),y (um),I0,I1 (counts)\n" + "".join(rows))
    return path


def test_a_raster_becomes_a_map_with_its_axes(raster: Path, tmp_path: Path) -> None:
    scan = nxscan.open(nxscan.translate(raster, tmp_path / "map.nxs"))
    assert scan.signal.shape == (4, 5)
    assert scan.signal[...].tolist() == COUNTS.reshape(4, 5).tolist()
    assert scan.signal.dtype == np.int64
    np.testing.assert_allclose(scan.axes["y"].values, np.arange(4) * 0.25)
    np.testing.assert_allclose(scan.axes["x"].values, np.arange(5) * 0.5)
    assert scan.axes["x"].units == "um"
    assert scan.counters["tag"].value[3, 4] == 219817020 + 2 * 19
    assert scan.metadata["sample/name"].value == "gold"


def test_the_file_passes_every_check(raster: Path, tmp_path: Path) -> None:
    report = nxscan.validate(nxscan.translate(raster, tmp_path / "map.nxs"))
    assert not report.findings


def test_another_column_can_be_the_signal(raster: Path, tmp_path: Path) -> None:
    scan = nxscan.open(nxscan.translate(raster, tmp_path / "i0.nxs", detector="I0"))
    assert scan.detector == "I0"
    assert "I1" in scan.counters


def test_a_column_that_is_not_there_is_named_with_what_is(raster: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"'I9'.*there are: tag, I0, I1"):
        nxscan.translate(raster, tmp_path / "no.nxs", detector="I9")


def test_conditions_choose_points(raster: Path, tmp_path: Path) -> None:
    scan = nxscan.open(nxscan.translate(raster, tmp_path / "part.nxs", where="y > 0.6"))
    assert scan.signal.shape == (5,)
    assert scan.signal[...].tolist() == COUNTS[15:].tolist()


def test_the_signal_itself_may_be_in_a_condition(raster: Path, tmp_path: Path) -> None:
    least = float(np.sort(COUNTS)[12])
    made = nxscan.translate(raster, tmp_path / "high.nxs", where=f"I1 >= {least}")
    scan = nxscan.open(made)
    assert scan.signal[...].tolist() == COUNTS[np.greater_equal(COUNTS, least)].tolist()


def test_a_condition_that_no_point_fulfils_is_said(raster: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="none of 20 points has y > 99"):
        nxscan.translate(raster, tmp_path / "none.nxs", where="y > 99")


def test_points_without_order_stay_a_list(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    where = RNG.uniform(size=(30, 2))
    rows = "".join(f"{x:.4f};{y:.4f};{k}\n" for k, (x, y) in enumerate(where))
    (raw / "list.csv").write_text("x;y;I\n" + rows)
    scan = nxscan.open(nxscan.translate(raw / "list.csv", tmp_path / "list.nxs"))
    assert scan.signal.shape == (30,)
    np.testing.assert_array_equal(scan.axes["x"].values, np.round(where[:, 0], 4))
    assert "I" not in scan.axes


def test_a_unit_that_is_not_known_is_said_and_not_written(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "a.csv").write_text("x (furlong/fortnigt),I\n" + "".join(f"{k},{k}\n" for k in range(4)))
    translator, report = CsvTranslator(), Report()
    scan = translator.open(translator.scans([raw / "a.csv"])[0], Options(), report)
    assert scan is not None
    assert scan.axes["x"].units is None
    assert "'furlong/fortnigt' of 'x' is not known" in str(report.problems[0])


def test_a_table_of_positions_alone_is_no_scan(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "pos.csv").write_text("x,y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True)))
    with pytest.raises(PlanError, match="--table"):
        nxscan.translate(raw / "pos.csv", tmp_path / "pos.nxs")


def test_a_table_for_other_frames_has_motors_keys_and_units(raster: Path) -> None:
    table = read_table(raster)
    assert table.rows == 20
    assert set(table.motors) == {"x", "y"}
    assert table.keys["tag"][-1] == 219817058
    assert table.units["x"] == "um"
    assert table.sources[0].path == str(raster)


@pytest.mark.parametrize(
    ("name", "content", "taken"),
    [
        ("a.csv", "x,y\n1,2\n", True),
        ("a.txt", "x y\n1 2\n", True),
        ("a.dat", "# x y\n1 2\n", True),
        ("a.TSV", "x\ty\n1\t2\n", True),
        ("a.txt", "Dear colleague,\nthe beam is back.\n", False),
        ("a.dat", "#F /data/a\n#S 1 ascan\n#L x  I\n1 2\n", False),
        ("a.txt", "{\nHeaderID = EH:1 ;\n}\n", False),
        ("a.toml", "x = 1\n", False),
        ("a.csv", "x,y\n1,\0\n", False),
        ("a.txt", "", False),
    ],
)
def test_only_tables_are_taken(tmp_path: Path, name: str, content: str, taken: bool) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert CsvTranslator().can_open(path) is taken


def test_a_damaged_csv_is_still_a_table_so_that_its_fault_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1\n")
    assert translator_for([path]).name == "csv"
