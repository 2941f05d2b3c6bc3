"""EDF files written by hand, byte by byte, without the code under test."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_TYPES = {
    "i1": "SignedByte",
    "u1": "UnsignedByte",
    "i2": "SignedShort",
    "u2": "UnsignedShort",
    "i4": "SignedInteger",
    "u4": "UnsignedInteger",
    "i8": "Signed64",
    "u8": "Unsigned64",
    "f4": "FloatValue",
    "f8": "DoubleValue",
}
_PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".edf": bytes,
}


def make_block(
    image: np.ndarray, header: Mapping[str, object] | None = None, *, high: bool = False
) -> bytes:
    """Return one block: header text, padded to 512 bytes, then the pixels."""
    pixels = image.astype(image.dtype.newbyteorder(">" if high else "<")).tobytes()
    keys = {
        "HeaderID": "EH:000001:000000:000000",
        "Image": 1,
        "ByteOrder": "HighByteFirst" if high else "LowByteFirst",
        "DataType": _TYPES[image.dtype.str[1:]],
        **{f"Dim_{k}": size for k, size in enumerate(reversed(image.shape), 1)},
        "Size": len(pixels),
        **(header or {}),
    }
    text = "{\n" + "".join(f"{key} = {value} ;\n" for key, value in keys.items())
    raw = text.encode("utf-8")
    return raw.ljust(-(-(len(raw) + 2) // 512) * 512 - 2) + b"}\n" + pixels


def write_file(path: Path, *blocks: bytes) -> Path:
    """Write blocks into a file, packed as its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_PACK[path.suffix](b"".join(blocks)))
    return path


@pytest.fixture(scope="session")
def block() -> Callable[..., bytes]:
    return make_block


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    return write_file


@pytest.fixture
def series(tmp_path: Path) -> Callable[..., Path]:
    """Write one file for each header into a folder; frame k holds the number k everywhere."""

    def make(
        headers: list[dict[str, Any]],
        name: str = "scan_{:04d}.edf",
        shape: tuple[int, ...] = (3, 4),
        first: int = 0,
    ) -> Path:
        for k, header in enumerate(headers, first):
            image = np.full(shape, k - first, np.uint16)
            write_file(tmp_path / "raw" / name.format(k), make_block(image, header))
        return tmp_path / "raw"

    return make


@pytest.fixture
def open_scan() -> Callable[..., Any]:
    """Open the only scan of a source; return it with its report."""
    from nxscan.translate.contract import Options
    from nxscan.translate.report import Report
    from nxscan.translate.sources import expand
    from nxscan.translators.edf import EdfTranslator

    def go(source: Any, number: int = 1, **options: Any) -> Any:
        translator, report = EdfTranslator(), Report()
        refs = translator.scans(expand(source))
        scan = translator.open(refs[number - 1], Options(**options), report)
        return scan, report

    return go
