"""An MDA file that is cut or damaged anywhere is refused with file and byte, or read in part."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from nxscan.errors import NxscanError, SourceError
from nxscan.simulate.mda import simulate_map, write_mda
from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.translators.mda import MdaTranslator
from nxscan.translators.mda.parse import read_file, read_opened
from nxscan.translators.mda.points import find_points

X, Y = np.linspace(-1, 1, 4), np.array([10.0, 10.5, 11.0])
EXTRAS = {"sim:a": "on", "sim:b": np.array([1.5, 2.5]), "sim:c": b"text"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return write_mda(folder / "m.mda", simulate_map(Y, X, channels=3), extras=EXTRAS)


def refusal(path: Path) -> str:
    """Return why a file is refused; it must be, and with an error of nxscan's own."""
    report = Report()
    try:
        (ref,) = MdaTranslator().scans([path])
    except SourceError as error:
        return str(error)
    assert MdaTranslator().open(ref, Options(), report) is None
    with pytest.raises(NxscanError) as caught:
        MdaTranslator().table(ref)
    assert str(caught.value)
    return "\n".join(map(str, report.errors))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rows of two points: short enough to be cut everywhere."""
    folder = tmp_path_factory.mktemp("small")
    return write_mda(folder / "m.mda", simulate_map(Y[:2], X[:2]), extras=EXTRAS)


def test_cut_at_any_byte_its_damage_is_named_by_file_and_byte(small: Path) -> None:
    data, path = small.read_bytes(), Path("cut.mda")
    for size in range(12, len(data)):
        try:
            damage: SourceError | None = read_opened(io.BytesIO(data[:size]), path, size).damage
        except SourceError as error:
            damage = error
        assert damage is not None, size
        assert re.search(r"cut\.mda.* byte \d+.*expected|expected \d+ bytes", str(damage)), size


def test_a_cut_file_is_refused_by_the_translator(whole: Path, tmp_path: Path) -> None:
    data, path = whole.read_bytes(), tmp_path / "cut.mda"
    for size in range(13, len(data), 97):
        path.write_bytes(data[:size])
        assert "cut.mda" in refusal(path), size


def test_cut_in_its_points_it_gives_complete_rows_and_nothing_else(
    whole: Path, tmp_path: Path
) -> None:
    data, path = whole.read_bytes(), tmp_path / "cut.mda"
    file = read_file(whole)
    expected = find_points(file)
    # a row is complete when the last of its spectra is
    pairs = list(zip(file.levels[2], file.parents[2], strict=True))
    last = [max(scan.end for scan, (row, _) in pairs if row == k) for k in range(3)]
    for size in range(file.levels[1][0].end, len(data), 53):
        path.write_bytes(data[:size])
        points = find_points(read_file(path))
        rows = sum(end <= size for end in last)
        np.testing.assert_array_equal(points.numbers, expected.numbers[:, : 4 * rows])


def test_any_byte_changed_gives_numbers_or_an_error_of_its_own(small: Path, tmp_path: Path) -> None:
    data, path = small.read_bytes(), tmp_path / "flipped.mda"
    kept = 0
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= (0x01, 0x80, 0xFF)[at % 3]
        try:
            found = read_opened(io.BytesIO(damaged), path, len(data))
            if at % 16 == 0:
                path.write_bytes(damaged)
                assert find_points(read_file(path)).count <= 4
        except SourceError as error:
            if "flipped.mda" not in str(error):
                raise
        else:
            kept += found.damage is None
    assert kept > len(data) / 4  # names and numbers are most of a file


WRONG = {
    "regular 7": (24, 7, "whether it is regular is 7, expected 0 … 1"),
    "another rank": (32, 2, "the rank of a scan of 3 dimensions is 2"),
    "minus points": (36, -1, "the number of points is -1"),
    "too many done": (40, 9, "the number of points that are done is 9, expected 0 … 3"),
    "2e9 points": (36, 2_000_000_000, "truncated: expected 8000000000 bytes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_counts_that_cannot_be_are_refused_before_anything_is_read(
    whole: Path, tmp_path: Path, case: str
) -> None:
    at, number, said = WRONG[case]
    damaged = bytearray(whole.read_bytes())
    struct.pack_into(">i", damaged, at, number)
    path = tmp_path / "wrong.mda"
    path.write_bytes(damaged)
    found = refusal(path)
    assert said in found
    assert f"byte {at}" in found or "truncated" in found


def test_scans_at_one_place_are_refused_so_that_none_is_read_twice(
    whole: Path, tmp_path: Path
) -> None:
    damaged = bytearray(whole.read_bytes())
    damaged[48:52] = damaged[44:48]
    path = tmp_path / "twice.mda"
    path.write_bytes(damaged)
    assert "as is another" in refusal(path)


def test_a_scan_of_points_without_columns_is_not_believed(tmp_path: Path) -> None:
    head = struct.pack(">fii", 1.3, 1, 1) + struct.pack(">iii", 2**30, 1, 0)
    scan = struct.pack(">iii", 1, 2**30, 2**30) + struct.pack(">iiiii", 0, 0, 0, 0, 0)
    path = tmp_path / "empty.mda"
    path.write_bytes(head + scan)
    with pytest.raises(SourceError, match=r"empty\.mda.*1073741824 points"):
        MdaTranslator().scans([path])
