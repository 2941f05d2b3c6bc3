"""nxscan's own application definitions: they lint, and are applied to the files that name them."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.simulate import crystal, rocking_scan, write_edf, write_tiff
from nxscan.translate.mapping_checks import application_definitions

FOLDER = files("nxscan.schemas.applications")
CLEAN = "Total number of errors: 0"


@pytest.fixture(scope="module")
def microscope(tmp_path_factory) -> Path:
    """Return a scan with the motors of a dark-field X-ray microscope."""
    folder = tmp_path_factory.mktemp("dfxm")
    scan = rocking_scan(crystal((12, 16)), mu=np.linspace(-0.1, 0.1, 5), seed=1)
    write_edf(scan, folder / "raw")
    return nxscan.translate(folder / "raw", folder / "scan.nxs")


def run(tool: str, *words: str) -> str:
    code = f"from nexusformat.scripts.{tool} import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", application_definitions())
def test_a_definition_has_no_structural_errors(name: str) -> None:
    with as_file(FOLDER / f"{name}.nxdl.xml") as path:
        out = run("nxlint", "-w", str(path))
    assert "No structural errors found" in out
    assert CLEAN in out
    assert "Total number of warnings: 0" in out


def test_a_scan_with_the_microscopes_motors_names_the_definition_and_passes(microscope) -> None:
    assert nxscan.open(microscope).provenance.parameters["application_definition"] == "NXdfxm"
    assert nxscan.validate(microscope).ok
    with as_file(FOLDER / "NXdfxm.nxdl.xml") as path:
        out = run("nxvalidate", "-w", "-a", str(path), str(microscope))
    assert CLEAN in out


def test_what_the_definition_asks_for_and_is_not_there_is_a_finding(microscope, tmp_path) -> None:
    broken = tmp_path / "scan.nxs"
    broken.write_bytes(microscope.read_bytes())
    with h5py.File(broken, "r+") as file:
        del file["entry/instrument/mainx"]
    findings = nxscan.validate(broken).findings
    assert any(one.rule == "application definition" and "mainx" in one.message for one in findings)


def test_a_scan_of_another_instrument_names_none(tmp_path) -> None:
    scan = rocking_scan(crystal((12, 16)), mu=np.linspace(-0.1, 0.1, 3), seed=1)
    write_tiff(scan, tmp_path / "raw")
    found = nxscan.inspect(tmp_path / "raw").scan
    assert found is not None
    assert "application_definition" not in found.provenance.parameters
