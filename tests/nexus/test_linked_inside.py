"""Dark and flat frames that lie in no file go into a linked master itself."""

from __future__ import annotations

import h5py
import numpy as np

import nxscan
from nxscan.nexus import read_scan
from nxscan.simulate.lambda_xspectrum import LambdaSeries, write_lambda


def test_flat_frames_that_were_computed_are_kept_in_the_linked_master(tmp_path):
    rng = np.random.default_rng(5)
    images = rng.integers(0, 1000, (6, 1, 16, 24), dtype=np.uint32)
    factors = rng.uniform(0.5, 2, (1, 16, 24)).astype(np.float32)
    files = write_lambda(LambdaSeries(images, flatfields=factors), tmp_path / "raw")
    out = nxscan.translate(files[0].parent, tmp_path / "scan.nxs")
    scan = read_scan(out)
    assert scan.provenance.parameters["link"] == "yes"
    np.testing.assert_array_equal(np.squeeze(scan.signal.read(...)), images[:, 0])
    np.testing.assert_allclose(np.squeeze(scan.flat.read(...)), 1 / factors[0], rtol=1e-6)
    with h5py.File(out) as file:
        assert file["entry/instrument/detector/data"].is_virtual
        assert not file["entry/flat/data"].is_virtual
    assert nxscan.validate(out).ok
