"""What damaged EDF files have brought to light, each once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import nxscan
from fuzz.styles import block, images
from nxscan.errors import NxscanError, SourceError


def write_frames(folder: Path, *blocks: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for k, whole in enumerate(blocks):
        (folder / f"s_{k:04d}.edf").write_bytes(whole)
    return folder


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda whole: whole.replace(old, new)


@pytest.mark.parametrize(
    "damage",
    [
        swapped(b"Size = 126", b"Size = inf"),
        swapped(b"Size = 126", b"Size = 9223372036854775807"),
        swapped(b"Size = 126", b"EDF_BinarySize = 126 ;\nSize = 1"),
        swapped(b"LowByteFirst", b"LowByt\xe9First"),
        swapped(b"Dim_1 = 7", b"Dim_1 = 0_7"),
        swapped(b"Dim_1 = 7", b"Dim_1 = \xd9\xa7"),
    ],
    ids=["infinite", "beyond the end", "two sizes", "byte order", "underscore", "other digits"],
)
def test_a_header_that_contradicts_itself_is_refused(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    image = images(1)[0]
    whole = block(image, mu=1)
    assert damage(whole) != whole
    raw = write_frames(tmp_path / "raw", whole, damage(whole))
    with pytest.raises(NxscanError, match=r"s_0001\.edf"):
        nxscan.translate(raw, tmp_path / "scan.nxs")
    assert not (tmp_path / "scan.nxs").exists()


def test_pixels_that_moved_are_not_taken_for_padding(tmp_path: Path) -> None:
    first, second = (block(image, phi=k) for k, image in enumerate(images(2)))
    pixels = first[:-126] + b"\x07" + first[-126:-1] + b"\x00" + second
    raw = write_frames(tmp_path / "raw", pixels)
    with pytest.raises(SourceError, match="expected another header after frame 0"):
        nxscan.inspect(raw)
    padded = first + bytes(-len(first) % 512) + second
    assert nxscan.scans(write_frames(tmp_path / "padded", padded))[0].frames == 2


def test_a_title_in_some_headers_only_is_no_title(tmp_path: Path) -> None:
    frames = [block(image, phi=k) for k, image in enumerate(images(3))]
    frames[0] = block(images(1)[0], phi=0, title="a scan")
    found = nxscan.inspect(write_frames(tmp_path / "raw", *frames))
    assert found.scan is not None
    assert found.scan.title == "s"


def test_a_key_that_comes_twice_with_two_values_is_a_warning(tmp_path: Path) -> None:
    frames = [block(image, phi=k) for k, image in enumerate(images(2))]
    frames[1] = frames[1].replace(b"phi = 1 ;\n", b"phi = 1 ;\nphi = 3 ;\n")
    found = nxscan.inspect(write_frames(tmp_path / "raw", *frames))
    said = [str(p) for p in found.report.problems if p.severity == "warning"]
    assert any("phi" in text and "different values" in text for text in said)


def test_a_motor_position_with_an_underscore_is_no_number(tmp_path: Path) -> None:
    frames = [block(im, motor_mne="mu chi", motor_pos=f"{k} 1_0") for k, im in enumerate(images(2))]
    found = nxscan.inspect(write_frames(tmp_path / "raw", *frames))
    said = [str(problem) for problem in found.report.problems]
    assert any("no number for chi" in text for text in said)


def test_fabio_failing_over_pixels_elsewhere_is_one_error(tmp_path: Path) -> None:
    image = images(1)[0]
    whole = block(image, EDF_BinaryFileName="e.dat")[: -image.nbytes]
    raw = write_frames(tmp_path / "raw", whole.replace(b"Size = 126", b"Size = " + b"9" * 23))
    (raw / "e.dat").write_bytes(image.tobytes())
    with pytest.raises(NxscanError):
        nxscan.translate(raw / "s_0000.edf", tmp_path / "scan.nxs")
    assert not (tmp_path / "scan.nxs").exists()
