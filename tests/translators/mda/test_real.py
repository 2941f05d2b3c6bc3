"""The APS 2-ID-E fly scan of the reference data, and the HDF5 file that was recorded with it."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.errors import SourceError
from nxscan.plan import read_table
from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.translators.mda import MdaTranslator
from nxscan.translators.mda.parse import read_opened

ROWS, ASKED, TAKEN = 11, 11, 9


@pytest.fixture(scope="module")
def source(shared_data: Callable[[str], Path]) -> Path:
    return shared_data("mda/2xfm_0011.mda")


@pytest.fixture(scope="module")
def twin(shared_data: Callable[[str], Path]) -> dict[str, Any]:
    with h5py.File(shared_data("mda/2xfm_0011_2xfm3__0.h5")) as file:
        return {name: node[()] for name, node in file["MAPS_RAW"].items()}


def test_positions_are_those_that_its_scan_records_set(source: Path) -> None:
    table = read_table(source)
    assert table.shape == (ROWS, ASKED)
    y = table.columns["2xfm:m13.VAL"].reshape(ROWS, ASKED)
    x = table.columns["2xfm:FLYuserCalc10.A"].reshape(ROWS, ASKED)
    np.testing.assert_allclose(y[:, 0], 3.25 + 0.05 * np.arange(ROWS), rtol=0, atol=1e-9)
    np.testing.assert_allclose(x[0], -1.5 + 0.05 * np.arange(ASKED), rtol=0, atol=1e-9)
    assert (y == y[:, :1]).all()
    assert (x == x[:1]).all()
    assert table.units["2xfm:m13.VAL"] == "mm"
    assert table.labels["2xfm:m13.VAL"] == "Sample Y"


def test_scalers_agree_with_the_hdf5_twin(source: Path, twin: dict[str, Any]) -> None:
    """The twin has the detector's own clock for each pixel; MDA has a scaler of 1 kHz.

    The first pixel of a row is left out: the scaler counts the approach, too.
    """
    columns = read_table(source).columns
    taken = columns["2xfm:mcs:NuseAll"].reshape(ROWS, ASKED)[:, 0]
    assert taken.tolist() == [TAKEN] * ROWS
    assert twin["realtime"].shape == (4, ROWS, TAKEN)
    clock = columns["2xfm:mcs:mca23.VAL"].reshape(ROWS, ASKED)[:, 1:TAKEN] / 1000
    np.testing.assert_allclose(clock, twin["realtime"][0][:, 1:], rtol=0, atol=2e-3)


def test_its_words_are_where_the_format_has_them(source: Path) -> None:
    """Read with struct alone, at the offsets of saveData_fileFormat.txt."""
    raw = source.read_bytes()
    version, number, rank, *dims = struct.unpack_from(">fiiii", raw)
    file = read_opened(io.BytesIO(raw), source, len(raw))
    assert (round(version, 3), number, rank, tuple(dims)) == (1.3, 11, 2, (11, 11))
    assert (file.version, file.number, file.rank, file.dims) == (1.3, 11, 2, (11, 11))
    pointers = struct.unpack_from(">11i", raw, 40)
    assert tuple(scan.offset for scan in file.levels[1]) == pointers == file.levels[0][0].lower
    (extras,) = struct.unpack_from(">i", raw, 24)
    (count,) = struct.unpack_from(">i", raw, extras)
    assert len(file.extras) == count
    assert file.damage is None


def test_cut_at_its_ends_and_in_between_it_is_damaged(source: Path) -> None:
    raw = source.read_bytes()
    file = read_opened(io.BytesIO(raw), source, len(raw))
    edges = [edge for level in file.levels for s in level for edge in (s.offset, s.data, s.end)]
    for size in {*range(12, len(raw), 1511), *edges, *(edge - 1 for edge in edges)}:
        try:
            damage: SourceError | None = read_opened(io.BytesIO(raw[:size]), source, size).damage
        except SourceError as error:
            damage = error
        assert damage is not None, size
        assert source.name in str(damage)


def test_nothing_of_it_is_warned_of(source: Path) -> None:
    translator, report = MdaTranslator(), Report()
    translator.open(translator.scans([source])[0], Options(), report)
    assert [problem for problem in report.problems if problem.severity != "note"] == []


def test_it_becomes_a_valid_map(source: Path, tmp_path: Path) -> None:
    path = nxscan.translate(source, tmp_path / "m.nxs", detector="2xfm:mcs:mca2.VAL")
    assert not nxscan.validate(path).findings
    scan = nxscan.open(path)
    assert scan.signal.shape == (ROWS, ASKED)
    assert scan.signal[0, :3].tolist() == [221277, 87591, 87401]
    assert scan.metadata["start_time"].value == "2015-10-28T18:22:10.589948"
