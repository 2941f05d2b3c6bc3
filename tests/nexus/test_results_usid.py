"""pyUSID finds results and reads the same numbers."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest
from helpers.results import FLOAT, Q, add, outputs_of_all_kinds, values, write_master
from helpers.scans import make_scan

import nxscan.nexus.result_usid
from nxscan.nexus.layout import USID_MAIN
from nxscan.nexus.results import OutputSpec

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pyUSID = pytest.importorskip("pyUSID")

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("scan_shape", "frame_shape"), [((3, 4), (6, 5)), ((5,), (6, 5)), ((4, 3), ()), ((), (7, 6))]
)
def test_pyusid_finds_a_result_and_reads_its_outputs(
    tmp_path: Path, scan_shape: tuple[int, ...], frame_shape: tuple[int, ...]
) -> None:
    scan, _ = make_scan(scan_shape, frame_shape)
    path = write_master(tmp_path / "100% scan.nxs", scan=scan)
    outputs = outputs_of_all_kinds(scan)
    add(path, *outputs)
    with h5py.File(path) as file:
        main = file[USID_MAIN]
        (group,) = pyUSID.hdf_utils.find_results_groups(main, "Moments")
        assert group.attrs["tool"] == "Moments"
        assert group.attrs["num_source_dsets"] == 1
        assert file[group.attrs["source_000"]] == main
        for output in outputs:
            dataset = group[output.name]
            assert pyUSID.hdf_utils.check_if_main(dataset), output.name
            usid = pyUSID.USIDataset(dataset)
            usid.toggle_sorting()
            found = np.asarray(usid.get_n_dim_form())
            expected = values(output.name, output.shape, output.dtype)
            np.testing.assert_array_equal(found.reshape(output.shape), expected)
            assert usid.attrs["quantity"] == (output.long_name or output.name)


def test_dimensions_of_its_own_before_the_scan_s_are_spectroscopic(tmp_path: Path) -> None:
    scan, _ = make_scan()
    path = write_master(tmp_path / "scan.nxs", scan=scan)
    mu, chi = scan.main_axes()[:2]
    add(path, OutputSpec("weight", FLOAT, (Q, mu, chi), "", default=True))
    with h5py.File(path) as file:
        (group,) = pyUSID.hdf_utils.find_results_groups(file[USID_MAIN], "Moments")
        found = group["weight"]
        assert found.shape == (12, 3)
        expected = values("weight", (3, 3, 4), FLOAT).reshape(3, 12).T
        np.testing.assert_array_equal(found[()], expected)


@pytest.mark.parametrize("blocks", [7, 10**6])
@pytest.mark.parametrize("most", [1, 10**6])
def test_any_part_of_a_main_dataset_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, blocks: int
) -> None:
    monkeypatch.setattr(nxscan.nexus.result_usid, "_MOST_MAPPINGS", most)
    monkeypatch.setattr(nxscan.nexus.result_usid, "_MOST_BLOCKS", blocks)
    scan, _ = make_scan((3, 4), (150, 160))
    path = write_master(tmp_path / "scan.nxs", scan=scan)
    outputs = outputs_of_all_kinds(scan)
    add(path, *outputs)
    rng = np.random.default_rng(0)
    with h5py.File(path) as file:
        (group,) = pyUSID.hdf_utils.find_results_groups(file[USID_MAIN], "Moments")
        for output in outputs:
            whole = values(output.name, output.shape, output.dtype).reshape(
                group[output.name].shape
            )
            for _ in range(20):
                # HDF5 refuses to read nothing from some virtual datasets
                a, c = (int(rng.integers(0, n)) for n in whole.shape)
                b, d = (
                    int(rng.integers(a, len(whole))) + 1,
                    int(rng.integers(c, whole.shape[1])) + 1,
                )
                np.testing.assert_array_equal(group[output.name][a:b, c:d], whole[a:b, c:d])


def test_ancillary_datasets_are_shared_with_the_source_where_they_fit(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    add(path, *outputs_of_all_kinds(make_scan()[0]))
    with h5py.File(path) as file:
        main = file[USID_MAIN]
        (group,) = pyUSID.hdf_utils.find_results_groups(main, "Moments")

        def ancillary(dataset: h5py.Dataset, name: str) -> h5py.Dataset:
            return file[dataset.attrs[name]]

        for name in ("Spectroscopic_Indices", "Spectroscopic_Values"):
            assert ancillary(group["center"], name) == ancillary(main, name)
        for name in ("Position_Indices", "Position_Values"):
            assert ancillary(group["intensity"], name) == ancillary(main, name)
            assert ancillary(group["profile"], name) == ancillary(main, name)
            assert ancillary(group["center"], name) != ancillary(main, name)


def test_a_result_of_a_result_refers_to_it(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    add(path)
    add(path, process="smooth", signal_path="/entry/moments_000/center/data")
    with h5py.File(path) as file:
        (moments,) = pyUSID.hdf_utils.find_results_groups(file[USID_MAIN], "Moments")
        (smooth,) = pyUSID.hdf_utils.find_results_groups(moments["center"], "Smooth")
        assert file[smooth.attrs["source_000"]] == moments["center"]
