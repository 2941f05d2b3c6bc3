"""The plot of a file is found as NeXus says, and what is broken on the way is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nxscan.errors import SourceError
from nxscan.view.hdf5 import find_plot, open_file
from nxscan.view.plotdata import read_plot


def default_of(path: Path) -> str:
    with open_file(path) as file:
        return str(find_plot(file).name)


def nxdata(parent: Any, name: str, **attributes: Any) -> Any:
    group = parent.create_group(name)
    group.attrs.update({"NX_class": "NXdata", "signal": "i"} | attributes)
    group["i"] = [1.0, 2.0, 3.0]
    return group


def test_the_chain_of_defaults_is_followed(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        file.attrs["default"] = "b"
        nxdata(file, "a/data")
        nxdata(file, "b/fit/map")
        file["b"].attrs["default"] = "fit"
        file["b/fit"].attrs["default"] = "map"

    assert default_of(make_file(fill)) == "/b/fit/map"


def test_without_a_default_the_first_plot_is_taken(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        file["large"] = np.zeros(100)
        nxdata(file, "entry/data")

    assert default_of(make_file(fill)) == "/entry/data"


def test_without_any_plot_the_largest_dataset_is_taken(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        file["a/small"], file["b/large"], file["c/text"] = [1], np.zeros(9), "text"

    assert default_of(make_file(fill)) == "/b/large"


def test_the_rules_of_old_files_are_known(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        group = file.create_group("data")
        group.attrs["NX_class"] = b"NXdata"
        group["counts"], group["angle"] = np.zeros((2, 3)), [5.0, 6.0, 7.0]
        group["counts"].attrs.update(signal=1, axes="[row,angle]")

    with open_file(make_file(fill)) as file:
        data = read_plot(find_plot(file))
        assert data.signal.name == "/data/counts"
        assert [axis.name for axis in data.axes] == ["dim_0", "angle"]
        assert data.axes[1].values.tolist() == [5.0, 6.0, 7.0]


def test_bin_edges_become_centers(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        nxdata(file, "data", axes=["q"])["q"] = [0.0, 1.0, 2.0, 4.0]

    with open_file(make_file(fill)) as file:
        assert read_plot(find_plot(file)).axes[0].values.tolist() == [0.5, 1.5, 3.0]


def test_an_axis_is_put_where_its_indices_say(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        group = nxdata(file, "data", axes=["x", "y"], x_indices=1, y_indices=0)
        del group["i"]
        group["i"], group["x"], group["y"] = np.zeros((2, 3)), [1.0, 2.0, 3.0], [8.0, 9.0]

    with open_file(make_file(fill)) as file:
        assert [axis.name for axis in read_plot(find_plot(file)).axes] == ["y", "x"]


def test_a_default_that_leads_nowhere_is_named(make_file: Callable[..., Path]) -> None:
    path = make_file(lambda file: file.attrs.update(default="entry"))
    with pytest.raises(SourceError, match=r"@default of / is 'entry', which is not there"):
        default_of(path)


def test_a_circle_of_defaults_ends(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        file.attrs["default"] = "entry"
        file.create_group("entry").attrs["default"] = "again"
        file["entry/again"] = h5py.SoftLink("/entry")

    with pytest.raises(SourceError, match="circle"):
        default_of(make_file(fill))


def test_frames_that_were_not_copied_along_are_named(rocking: Path, tmp_path: Path) -> None:
    alone = tmp_path / "bent.nxs"
    shutil.copy(rocking, alone)
    with pytest.raises(SourceError, match=r"of the file bent_frames\.h5, which is not there"):
        default_of(alone)


def test_frames_of_the_same_name_in_the_working_directory_are_not_taken(
    rocking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("here", "elsewhere"):
        (tmp_path / folder).mkdir()
    shutil.copy(rocking, tmp_path / "here")
    shutil.copy(rocking.with_name("bent_frames.h5"), tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match=r"bent_frames\.h5, which is not there"):
        default_of(Path("..") / "here" / "bent.nxs")
    shutil.move("bent_frames.h5", tmp_path / "here")
    assert default_of(Path("..") / "here" / "bent.nxs") == "/entry/data"


def test_a_missing_source_of_a_virtual_dataset_is_no_plot_of_zeros(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as raw:
        raw["d"] = np.ones((2, 3))
    with h5py.File(tmp_path / "master.h5", "w") as file:
        layout = h5py.VirtualLayout((2, 3), "f8")
        layout[:] = h5py.VirtualSource("raw.h5", "d", (2, 3))
        file.create_virtual_dataset("d", layout)
    with open_file(tmp_path / "master.h5") as file:
        assert read_plot(find_plot(file)).signal[0, 0] == 1
    (tmp_path / "raw.h5").unlink()
    with open_file(tmp_path / "master.h5") as file, pytest.raises(SourceError, match=r"raw\.h5"):
        read_plot(find_plot(file))


@pytest.mark.parametrize(
    ("name", "path", "shape"),
    [
        ("bliss/darling_id03_energy_scan_110_5pct_layer_0.h5", None, (62, 50, 70)),
        ("dls/savu_testfluo2.nxs", "/entry1/fluo_entry/data", (18, 18, 512)),
        ("dls/hdfmap_1040323.nxs", "/entry/measurement", (21,)),
    ],
)
def test_files_of_facilities_are_found_to_have_a_plot(
    shared_data: Callable[[str], Path], name: str, path: str | None, shape: tuple[int, ...]
) -> None:
    with open_file(shared_data(name)) as file:
        node = find_plot(file)
        assert path is None or node.name == path
        assert read_plot(node).signal.shape == shape
