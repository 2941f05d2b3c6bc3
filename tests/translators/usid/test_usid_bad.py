"""USID files that are not as they should be: each is refused with a reason, and nothing written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.usid_files import ONE, grid, write_file

import nxscan
from nxscan.errors import NxscanError
from nxscan.translate.registry import translator_for

X = ("X", "um", np.arange(4.0))
Y = ("Y", "um", np.arange(3.0))
HOME = "Measurement_000/Channel_000"


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Return what nxscan says of a file that was damaged in a certain way."""

    def go(damage: Callable[[Any, Any], None], **options: Any) -> str:
        raw = write_file(tmp_path / "raw" / "raw.h5", np.ones((12, 1)), grid(X, Y), ONE)
        with h5py.File(raw, "r+") as file:
            damage(file[HOME], file[f"{HOME}/Raw_Data"])
        assert translator_for([raw]).name == "usid"
        with pytest.raises(NxscanError) as error:
            nxscan.translate(raw, tmp_path / "scan.nxs", **options)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["raw"]
        assert "raw.h5" in str(error.value)
        return str(error.value)

    return go


def _replace(name: str, values: Any, **attributes: Any) -> Callable[[Any, Any], None]:
    def damage(channel: Any, main: Any) -> None:
        said = dict(channel[name].attrs) | attributes
        del channel[name]
        made = channel.create_dataset(name, data=values)
        made.attrs.update({key: value for key, value in said.items() if value is not None})
        main.attrs[name] = made.ref

    return damage


INDICES = grid(X, Y)[2].T


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _, main: main.attrs.pop("Position_Values"), "has no Position_Values"),
        (lambda _, main: main.attrs.pop("quantity"), "no attribute 'quantity'"),
        (lambda channel, _: channel.pop("Position_Indices"), "Position_Indices leads nowhere"),
        (lambda _, main: main.attrs.update(Position_Values=3), "no reference"),
        (_replace("Position_Values", np.ones((11, 2))), r"\(11, 2\), but"),
        (_replace("Spectroscopic_Indices", np.zeros((1, 2), "u4")), r"needs \(dimensions, 1\)"),
        (_replace("Position_Values", np.ones((12, 3))), r"Position_Values \(12, 3\)"),
        (_replace("Position_Indices", INDICES, labels=["X"]), "2 dimensions, but 1 labels"),
        (_replace("Position_Indices", INDICES, labels=None), "no attribute 'labels'"),
        (_replace("Position_Values", np.ones((12, 2)), labels=["Y", "X"]), "are X, Y, those of"),
        (_replace("Position_Indices", INDICES + 0.5), "no whole number"),
        (_replace("Position_Indices", INDICES.astype(int) - 1), "from -1"),
        (_replace("Position_Indices", INDICES // 2), "points 0 and 1 have the same indices"),
        (_replace("Position_Values", np.full((12, 2), b"x")), "not numbers"),
    ],
)
def test_ancillary_datasets_that_do_not_fit_are_named(
    refused: Callable[..., str], damage: Callable[[Any, Any], None], said: str
) -> None:
    assert re.search(said, refused(damage))


def test_points_with_the_same_indices_are_a_list_if_the_user_says_so(tmp_path: Path) -> None:
    raw = write_file(tmp_path / "raw" / "raw.h5", np.ones((12, 1)), grid(X, Y), ONE)
    with h5py.File(raw, "r+") as file:
        _replace("Position_Indices", INDICES // 2)(file[HOME], file[f"{HOME}/Raw_Data"])
    scan = nxscan.open(nxscan.translate(raw, tmp_path / "scan.nxs", partial=True))
    assert scan.signal.shape == (12,)


def test_rows_that_were_never_written_are_refused(tmp_path: Path) -> None:
    raw = write_file(tmp_path / "raw" / "raw.h5", np.ones((12, 1)), grid(X, Y), ONE)
    with h5py.File(raw, "r+") as file:
        main = file[f"{HOME}/Raw_Data"]
        said = dict(main.attrs)
        del file[f"{HOME}/Raw_Data"]
        again = file[HOME].create_dataset("Raw_Data", (12, 1), "f8", chunks=(4, 1))
        again.attrs.update(said)
        again[:8] = 1.0
    with pytest.raises(NxscanError, match="only 8 were written"):
        nxscan.translate(raw, tmp_path / "scan.nxs")
    scan = nxscan.open(nxscan.translate(raw, tmp_path / "scan.nxs", partial=True))
    assert scan.signal.shape == (2, 4)


def test_text_is_no_signal(tmp_path: Path) -> None:
    raw = write_file(tmp_path / "raw" / "raw.h5", np.full((12, 1), b"a"), grid(X, Y), ONE)
    with pytest.raises(NxscanError, match="not numbers"):
        nxscan.translate(raw, tmp_path / "scan.nxs")


def test_nested_compound_data_are_refused_by_the_name_of_the_field(tmp_path: Path) -> None:
    data = np.zeros((12, 1), [("good", "f4"), ("pair", "f4", (2,))])
    raw = write_file(tmp_path / "raw" / "raw.h5", data, grid(X, Y), ONE)
    with pytest.raises(NxscanError, match="field 'pair'"):
        nxscan.translate(raw, tmp_path / "scan.nxs")


def test_a_compound_dataset_cannot_be_linked_to(tmp_path: Path) -> None:
    data = np.zeros((12, 1), [("a", "f4"), ("b", "f4")])
    raw = write_file(tmp_path / "raw" / "raw.h5", data, grid(X, Y), ONE)
    with pytest.raises(NxscanError, match="cannot be linked to"):
        nxscan.translate(raw, tmp_path / "scan.nxs", link=True)


def test_other_hdf5_files_are_not_usid(tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["data"] = np.ones((4, 4))
        file["data"].attrs.update(quantity="a", units="b")
    with pytest.raises(NxscanError, match="no USID Main dataset"):
        nxscan.scans(other)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    raw = write_file(tmp_path / "raw" / "raw.h5", np.ones((12, 1)), grid(X, Y), ONE)
    whole = raw.read_bytes()
    for length in range(64, len(whole), len(whole) // 12):
        raw.write_bytes(whole[:length])
        with pytest.raises(NxscanError, match="raw"):
            nxscan.translate(raw, tmp_path / "scan.nxs", translator="usid")
