"""Real SPEC files: published counts and values of 33-ID, and three parts of a file that grew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import nxscan
from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.translators.spec import SpecTranslator


@pytest.fixture(scope="module")
def source(shared_data: Callable[[str], Path]) -> Path:
    return shared_data("spec/33id_spec.dat")


def test_it_has_the_published_number_of_scans(source: Path) -> None:
    refs = nxscan.scans(source)
    assert len(refs) == 106
    assert refs[0].number == "1.1"
    assert refs[0].command == "ascan  eta 43.6355 44.0355  40 1"
    assert (refs[0].frames, refs[0].declared) == (41, 41)


def test_scan_1_has_the_published_values(source: Path, tmp_path: Path) -> None:
    path = nxscan.translate(source, tmp_path / "s.nxs", scan="1.1")
    assert not nxscan.validate(path).findings
    scan = nxscan.open(path)
    assert scan.detector == "I0"
    assert scan.signal.shape == (41,)
    assert (scan.signal[0], scan.signal[40]) == (1224, 1222)
    assert (scan.axes["eta"].values[0], scan.axes["eta"].values[40]) == (43.628, 44.0325)
    still = [
        name
        for name, group in scan.metadata.groups["instrument"].groups.items()
        if group.nx_class == "NXpositioner"
    ]
    assert len(still) == 26  # of 27 motors, eta is the one that moves
    assert scan.metadata["start_time"].value == "2003-07-17T02:38:24"


def test_its_spectra_are_the_published_zeros(source: Path) -> None:
    translator, report = SpecTranslator(), Report()
    scan = translator.open(translator.scans([source])[0], Options(detector="mca"), report)
    assert scan is not None
    assert scan.signal.shape == (41, 91)
    assert not np.asarray(scan.signal).any()


def test_every_scan_has_the_rows_that_silx_alone_reads(source: Path) -> None:
    from silx.io.specfile import SpecFile

    file = SpecFile(str(source))
    expected = {key: file[key].data.shape[1] for key in file.keys()}  # noqa: SIM118
    file.close()
    assert {ref.number: ref.frames for ref in nxscan.scans(source)} == expected


def test_a_file_that_grows_shows_what_is_there(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    """Its parts hold scans 1 to 3, 4 and 5, and 6; the second goes on with scan 3."""
    growing = tmp_path / "live.dat"
    seen, text = [], b""
    for part in (1, 2, 3):
        text += shared_data(f"spec/refresh{part}.txt").read_bytes()
        growing.write_bytes(text)
        seen.append([(ref.number, ref.frames, ref.declared) for ref in nxscan.scans(growing)])
    assert seen[0] == [("1.1", 3, 31), ("2.1", 3, 41), ("3.1", 3, 41)]
    assert [number for number, _, _ in seen[1]] == ["1.1", "2.1", "3.1", "4.1", "5.1"]
    assert [number for number, _, _ in seen[2]] == ["1.1", "2.1", "3.1", "4.1", "5.1", "6.1"]
    assert seen[2][5] == ("6.1", 31, 31)
