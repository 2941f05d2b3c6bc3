"""What an HDF5 group says in small comes as texts and short columns."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscan.translate.h5units import source_units
from nxscan.translate.h5values import read_text, read_values


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "raw.h5"
    with h5py.File(found, "w") as file:
        file.attrs["facility"] = np.bytes_(b"als")
        group = file.create_group("scan")
        group.attrs["NX_class"] = "NXentry"
        group["energy"] = 8.979
        group["energy"].attrs["units"] = np.bytes_("\xb0C".encode("latin-1"))
        group["single"] = np.float32([0.1])
        group["flag"] = True
        group["title"] = "chi scan"
        group["fixed"] = np.bytes_("\xb5m".encode())
        group["names"] = ["a", "b", "c"]
        group["column"] = np.arange(5)
        group["frames"] = np.zeros((2, 3, 4))
        group["empty"] = h5py.Empty("f8")
        group["none"] = np.zeros(0)
        kind = h5py.enum_dtype({"OPEN": 0, "CLOSED": 1}, basetype="i1")
        group.create_dataset("shutter", data=np.int8(1), dtype=kind)
        group["link"] = h5py.SoftLink("/scan/energy")
        group["far"] = h5py.ExternalLink("other.h5", "/x")
        group["ref"] = group.ref
        group["big"] = np.zeros(1000)
    return found


def test_scalars_texts_and_columns_are_read_each_in_its_way(path: Path) -> None:
    with h5py.File(path) as file:
        values = read_values(file["scan"], longest=100)
    columns = {key: value.tolist() for key, value in values.items() if not isinstance(value, str)}
    assert columns == {"names": ["a", "b", "c"], "column": [0, 1, 2, 3, 4]}
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    assert texts == {
        "energy": "8.979",
        "energy@units": "°C",
        "single": "0.1",
        "flag": "1",
        "title": "chi scan",
        "fixed": "µm",
        "shutter": "CLOSED",
        "link": "8.979",
        "link@units": "°C",
    }


def test_the_groups_own_attributes_and_skipped_names(path: Path) -> None:
    with h5py.File(path) as file:
        values = read_values(file, skip=("scan",))
    assert values == {"@facility": "als"}


def test_links_and_other_attributes_may_be_left_out(path: Path) -> None:
    with h5py.File(path) as file:
        values = read_values(file["scan"], longest=0, attributes=("units",), linked=False)
        assert read_values(file, longest=0, attributes=("units",)).keys() >= {"scan/link@units"}
    assert {key for key in values if "@" in key} == {"energy@units"}
    assert "link" not in values


def test_what_is_damaged_is_named_and_left_out_where_that_is_asked(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with h5py.File(path, "r+") as file:
        file["scan/deep/one"] = 1.0
        file["scan/deep/up"] = file["scan"]
        place = h5py.h5o.get_info(file["scan/energy"].id).addr
    with path.open("r+b") as raw:
        raw.seek(place)
        raw.write(b"\xff" * 8)
    with h5py.File(path) as file:
        with pytest.raises(RuntimeError):
            read_values(file)
        values = read_values(file, lenient=True)
    assert values["scan/deep/one"] == "1.0"
    assert values["scan/single"] == "0.1"
    assert "scan/energy" not in values
    assert "scan/energy is damaged, and left out" in caplog.text


def test_the_text_of_a_scalar(path: Path) -> None:
    with h5py.File(path) as file:
        found = {name: read_text(file, f"scan/{name}") for name in (*file["scan"], "gone")}
    assert {name: said for name, said in found.items() if said} == {
        "energy": "8.979",
        "single": "0.1",
        "flag": "1",
        "title": "chi scan",
        "fixed": "µm",
        "shutter": "CLOSED",
        "link": "8.979",
    }


def test_no_more_datasets_are_looked_at_than_asked_for(path: Path) -> None:
    with h5py.File(path) as file:
        assert len(read_values(file["scan"], most=3, attributes=False)) <= 3


@pytest.mark.parametrize(
    ("said", "units"),
    [("Angstrom", "angstrom"), ("deg", "degree"), ("mm", "mm"), ("", None), ("furlongz", None)],
)
def test_units_as_files_spell_them(said: str, units: str | None) -> None:
    assert source_units(said) == units
