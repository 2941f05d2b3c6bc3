"""Simulated image files, read by fabio."""

from __future__ import annotations

from pathlib import Path

import fabio
import numpy as np
import pytest

import nxscan
from nxscan.errors import OutputError
from nxscan.simulate import crystal, rocking_scan, write_cbf, write_tiff


def test_fabio_reads_cbf_and_the_scan_comes_back(tmp_path: Path) -> None:
    mu = np.linspace(1, 2, 5)
    simulated = rocking_scan(crystal((16, 20)), mu=mu, seed=1)
    paths = write_cbf(simulated, tmp_path / "raw", axis="mu", wavelength=0.7)
    image = fabio.open(str(paths[3]))
    np.testing.assert_array_equal(image.data, simulated.frame(3))
    assert "# Wavelength 0.70000 A" in image.header["_array_data.header_contents"]
    found = nxscan.inspect(tmp_path / "raw").scan
    assert found is not None
    np.testing.assert_allclose(found.axes["mu"].values, simulated.motors["mu"], atol=1e-4)
    assert found.metadata["instrument/beam/incident_wavelength"].value == 0.7


def test_fabio_reads_tiff_and_nothing_is_overwritten(tmp_path: Path) -> None:
    simulated = rocking_scan(crystal((16, 20)), mu=[0.0, 0.1], seed=1)
    paths = write_tiff(simulated, tmp_path)
    np.testing.assert_array_equal(fabio.open(str(paths[1])).data, simulated.frame(1))
    with pytest.raises(OutputError, match="exists already"):
        write_tiff(simulated, tmp_path)
