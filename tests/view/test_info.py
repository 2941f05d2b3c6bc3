"""`info` says what is in a file, in the words of a person."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.simulate import crystal, rocking_scan, write_edf
from nxscan.view import describe, info


def test_a_master_is_described(rocking: Path) -> None:
    text = info(rocking)
    for line in (
        "/entry  mosaicity of a bent crystal",
        "time          2026-03-01T10:00:00+01:00, 3.33 min long",
        "instrument    ID06",
        "sample        Al, 5 % strain",
        "frames        camera (counts): 21 × 48 × 64",
        "in bent_frames.h5",
        "axes          mu  21 × from -0.5 to 0.5 degree, step 0.05",
        "y   48 pixels",
        "srcur  192 to 199 mA",
        "dark          3 frames of 48 × 64 uint16",
        "mask          1 of 3,072 pixels are bad",
        "translated    nxscan 0.1.0, translator edf, 2026-03-02T08:00:00+00:00",
        "sources       21 files, 147 kB, bent_0000.edf to bent_0020.edf in /raw/bent",
        "1 dark file, 7 kB, /raw/bent/dark_0000.edf",
        "results       moments_000  nxscan moments 1",
        "center  center of mass (degree), 48 × 64 along y, x",
    ):
        assert line in text
    assert "to check" not in text


def stored_size(path: Path) -> int:
    with h5py.File(path, locking=False) as file:
        return int(file["entry/data/data"].id.get_storage_size())


def test_the_stored_size_is_that_of_the_file(rocking: Path) -> None:
    stored = stored_size(rocking)
    ratio = 21 * 48 * 64 * 2 / stored
    expected = f"uint16, 129 kB, {describe.size(stored)} stored ({ratio:.3g} ×, gzip)"
    assert expected in info(rocking)


def test_a_file_that_is_open_elsewhere_in_the_process_is_read(rocking: Path) -> None:
    with h5py.File(rocking):
        assert "frames        camera (counts)" in info(rocking)


def test_the_motors_of_a_list_of_positions_are_described(positions: Path) -> None:
    assert "samy  30 × between -28.1557 and 18.9761 um, not in order" in info(positions)


def test_frames_that_are_gone_are_named(rocking: Path, tmp_path: Path) -> None:
    alone = tmp_path / "bent.nxs"
    shutil.copy(rocking, alone)
    text = " ".join(info(alone).split())
    assert "frames cannot be read" in text
    assert "to check" in text
    assert "of the file bent_frames.h5, which is not there" in text


def test_an_axis_of_wrong_length_or_without_unit_is_to_be_checked(
    make_file: Callable[..., Path],
) -> None:
    def fill(file: Any) -> None:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        data = entry.create_group("data")
        data.attrs.update(NX_class="NXdata", signal="i", axes=["mu"])
        data["i"], data["mu"] = np.zeros(5), np.zeros(3)

    text = info(make_file(fill))
    assert "/entry/data/mu has 3 values for 5 positions" in text
    assert "axes without units in /entry: mu" in text


def test_any_hdf5_file_is_listed(make_file: Callable[..., Path]) -> None:
    def fill(file: Any) -> None:
        file["a/frames"] = np.zeros((3, 4, 5), np.uint16)
        file["text"] = "nothing to draw"
        file.create_dataset("empty", data=h5py.Empty("f8"))

    text = info(make_file(fill))
    assert "datasets      3 × 4 × 5 uint16  /a/frames" in text
    assert "text" not in text.split("\n", 1)[1]


def test_a_usid_main_dataset_is_named(shared_data: Callable[[str], Path]) -> None:
    text = info(shared_data("usid/SingFreqPFM_0003_7dede48.h5"))
    assert "/Measurement_000/Channel_000/Raw_Data  16384 × 1 (positions × spectroscopic)" in text


def test_a_facilitys_file_is_described(shared_data: Callable[[str], Path]) -> None:
    text = " ".join(info(shared_data("dls/hdfmap_1040323.nxs")).split())
    assert "definition NXmx" in text
    assert "instrument i16" in text
    assert "measurement rc, 21 along h" in text
    assert "1040323-pilatus3_100k-files/1040323.hdf, which is not there" in text


@pytest.mark.parametrize(
    ("values", "units", "words"),
    [
        (np.array([0.5]), "mm", "0.5 mm"),
        (np.linspace(1, -1, 5), "", "5 × from 1 to -1, step -0.5"),
        (59.924 + 1e-5 * np.arange(11), "keV", "11 × from 59.924 to 59.9241 keV, step 1e-05"),
        (np.zeros(4), "mm", "4 × 0 mm, constant"),
        (
            np.array([0.0, 0.11, 0.2, 0.3]),
            "degree",
            "4 × from 0 to 0.3 degree, step 0.1 on average (0.09 to 0.11)",
        ),
    ],
)
def test_axes_are_described_with_the_digits_that_matter(
    values: np.ndarray, units: str, words: str
) -> None:
    assert describe.axis(values, units) == words


def test_sources_are_told_from_the_folder_of_the_file_where_that_is_shorter(tmp_path):
    raw = tmp_path / "raw"
    write_edf(rocking_scan(crystal((16, 16)), mu=[0.0, 0.1, 0.2], seed=1), raw)
    path = tmp_path / "scan.nxs"
    nxscan.translate(raw, path)
    text = " ".join(info(path).split())
    assert "edf in raw (from the folder of this file)" in text
    assert str(tmp_path) not in text.partition("sources")[2]
