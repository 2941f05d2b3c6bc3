"""USID → NeXus → USID: pyUSID says the same of both."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.usid_files import ONE, as_pyusid_reads, assert_same_to_pyusid, grid, write_file

import nxscan
from nxscan.nexus.layout import USID_MAIN

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pyUSID = pytest.importorskip("pyUSID")

pytestmark = pytest.mark.filterwarnings("ignore")

RNG = np.random.default_rng(5)
Y = ("Y", "um", np.linspace(-1.0, 1.0, 3, dtype=np.float32))
X = ("X", "um", 0.1 * np.arange(4.0))
FREQUENCY = ("Frequency", "kHz", np.linspace(300.0, 301.0, 5))
BIAS = ("DC Bias", "V", np.array([0.0, 2.0, 4.0, 2.0, 0.0, -2.0]))
CYCLE = ("Cycle", "a. u.", np.array([0.0, 1.0]))


def _number(*shape: int) -> Any:
    return RNG.normal(size=shape)


def _list(labels: list[str], *columns: Any, indices: Any = None) -> Any:
    values = np.array(columns)
    counted = np.tile(np.arange(values.shape[1], dtype=np.uint32), (len(values), 1))
    return labels, ["um"] * len(labels), counted if indices is None else indices, values


def _spiral(count: int) -> Any:
    angle = np.sqrt(np.arange(count)) * 2
    return _list(["X", "Y"], angle * np.cos(angle), angle * np.sin(angle))


def _part(table: Any, points: Any) -> Any:
    labels, units, indices, values = table
    return labels, units, indices[:, points], values[:, points]


def _columns(table: Any, order: list[int]) -> Any:
    labels, units, indices, values = table
    return [labels[k] for k in order], [units[k] for k in order], indices[order], values[order]


GRIDS = {
    "image": (_number(12, 1), grid(X, Y), ONE),
    "line of spectra": (_number(4, 5), grid(X), grid(FREQUENCY)),
    "4-D": (_number(12, 5), grid(X, Y), grid(FREQUENCY)),
    "6-D, a voltage to and fro": (_number(12, 60), grid(X, Y), grid(FREQUENCY, BIAS, CYCLE)),
    "one spectrum": (_number(1, 6), ONE, grid(BIAS)),
    "one number": (_number(1, 1), ONE, ONE),
    "slowest first": (_number(12, 10), _columns(grid(X, Y), [1, 0]), grid(CYCLE, FREQUENCY)),
    "integers": (RNG.integers(0, 9, (12, 5), dtype=np.int16), grid(X, Y), grid(FREQUENCY)),
    "big-endian": (_number(12, 5).astype(">f4"), grid(X, Y), grid(FREQUENCY)),
    "complex": (_number(12, 5) + 1j * _number(12, 5), grid(X, Y), grid(FREQUENCY)),
    "complex, folded": (
        (_number(12, 10) + 1j * _number(12, 10)).astype(np.complex64),
        grid(X, Y),
        grid(FREQUENCY, CYCLE),
    ),
}
LISTS = {
    "incomplete": (_number(10, 5), _part(grid(X, Y), slice(0, 10)), grid(FREQUENCY)),
    "incomplete spectra": (
        _number(12, 25),
        grid(X, Y),
        _part(grid(FREQUENCY, BIAS), np.r_[0:13, 15:27]),
    ),
    "sparse": (_number(7, 5), _part(grid(X, Y), [0, 2, 3, 6, 7, 9, 11]), grid(FREQUENCY)),
    "spiral": (_number(30, 1), _spiral(30), ONE),
    "zigzag": (_number(12, 1), _part(grid(X, Y), [0, 1, 2, 3, 7, 6, 5, 4, 8, 9, 10, 11]), ONE),
}


def _same(raw: Path, name: str, master: Path) -> None:
    assert_same_to_pyusid(as_pyusid_reads(raw, name), as_pyusid_reads(master, USID_MAIN))


COPIED = ("4-D", "spiral", "complex", "big-endian")


@pytest.mark.parametrize(
    ("case", "link"),
    [*((case, None) for case in GRIDS | LISTS), *((case, False) for case in COPIED)],
)
def test_pyusid_reads_the_master_as_it_reads_the_source(
    tmp_path: Path, case: str, link: bool | None
) -> None:
    raw = write_file(tmp_path / "raw" / "raw.h5", *(GRIDS | LISTS)[case], units="V (rms)?")
    _same(raw, USID_MAIN, nxscan.translate(raw, tmp_path / "scan.nxs", link=link))


@pytest.mark.parametrize("case", ["6-D, a voltage to and fro", "spiral"])
def test_no_validator_finds_anything(tmp_path: Path, case: str) -> None:
    raw = write_file(tmp_path / "raw" / "raw.h5", *(GRIDS | LISTS)[case], units="V (rms)?")
    report = nxscan.validate(nxscan.translate(raw, tmp_path / "scan.nxs"))
    assert [str(finding) for finding in report.findings] == []


def test_the_copy_of_a_master_still_says_the_same(tmp_path: Path) -> None:
    raw = write_file(tmp_path / "raw" / "raw.h5", *LISTS["sparse"], units="a. u.")
    linked = nxscan.translate(raw, tmp_path / "linked.nxs")
    _same(raw, USID_MAIN, nxscan.translate(linked, tmp_path / "copy.nxs"))


def test_a_compound_dataset_comes_back_as_one(tmp_path: Path) -> None:
    data = np.zeros((12, 5), [("Amplitude", "<f4"), ("Phase [rad]", "<f8"), ("Ok", "u1")])
    for field in data.dtype.names or ():
        data[field] = RNG.integers(0, 200, (12, 5))
    raw = write_file(tmp_path / "raw" / "raw.h5", data, grid(X, Y), grid(FREQUENCY))
    master = nxscan.translate(raw, tmp_path / "scan.nxs")
    _same(raw, USID_MAIN, master)
    _same(raw, USID_MAIN, nxscan.translate(master, tmp_path / "copy.nxs"))
    other = nxscan.translate(raw, tmp_path / "other.nxs", detector="Phase_rad")
    assert nxscan.open(other).detector == "Phase_rad"
    _same(raw, USID_MAIN, other)


def test_what_pyusid_writes_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "product", np.prod, raising=False)  # pyUSID 0.0.12 asks numpy 1 for it
    raw = tmp_path / "raw" / "raw.h5"
    raw.parent.mkdir()
    dimensions = pyUSID.Dimension
    with h5py.File(raw, "w") as file:
        for k in range(2):
            channel = file.create_group(f"Measurement_000/Channel_{k:03d}")
            main = pyUSID.hdf_utils.write_main_dataset(
                channel, _number(12, 10).astype(np.float32), "Raw_Data", f"Current {k}", "nA",
                [dimensions(*X), dimensions(*Y)],
                [dimensions(*FREQUENCY), dimensions(*CYCLE)],
            )  # fmt: skip
        results = pyUSID.hdf_utils.create_results_group(main, "Fit")
        pyUSID.hdf_utils.write_main_dataset(
            results, _number(12, 1), "Height", "Height", "nm",
            None, dimensions("arb", "", [1]),
            h5_pos_inds=main.h5_pos_inds, h5_pos_vals=main.h5_pos_vals,
        )  # fmt: skip
    refs = nxscan.scans(raw)
    assert [ref.number for ref in refs] == ["000/000", "000/001", "000/001/Raw_Data-Fit_000/Height"]
    for k, ref in enumerate(refs):
        master = nxscan.translate(raw, tmp_path / f"{k}.nxs", scan=ref.number)
        _same(raw, ref.payload.name, master)
    said = nxscan.open(master).provenance.parameters
    assert said["usid_source"] == "/Measurement_000/Channel_001/Raw_Data"


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("AFM_Force_Curve_ccfec12.h5", True),
        ("AFM_Force_Curve_dce477c.h5", False),
        ("SingFreqPFM_0003_7dede48.h5", True),
    ],
)
def test_real_files_come_back(
    tmp_path: Path, shared_data: Callable[[str], Path], name: str, link: bool
) -> None:
    raw = shared_data(f"usid/{name}")
    ref = nxscan.scans(raw)[-1]
    master = nxscan.translate(raw, tmp_path / "scan.nxs", scan=ref.number, link=link)
    _same(raw, ref.payload.name, master)
