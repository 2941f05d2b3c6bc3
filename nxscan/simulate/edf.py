"""A minimal EDF writer for simulated scans; it shares no code with any reader."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from nxscan.errors import NxscanError, OutputError
from nxscan.simulate.headers import frame_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from nxscan.simulate.headers import Kind
    from nxscan.simulate.scan import SimulatedScan

    Image = NDArray[np.uint16]
    Suffix = Literal[".edf", ".edf.gz"]
    Files = Literal["single", "multi"]

_BLOCK = 512
_SIZE_DIGITS = 8


def edf_frame(header: dict[str, str], image: Image, number: int = 0) -> bytes:
    """Return one frame of an EDF file: a header padded to 512 bytes, then the pixels.

    Parameters
    ----------
    header : dict of str to str
        Keys and values, ASCII, without braces and semicolons.
    image : ndarray of uint16, shape (y, x)
        The frame; Dim_1 is x.
    number : int
        The frame's place in its file.

    Examples
    --------
    >>> block = edf_frame({"title": "ct 1"}, np.zeros((2, 3), np.uint16))
    >>> len(block), block[512:] == bytes(12)
    (524, True)

    """
    pixels = image.astype("<u2", copy=False).tobytes()
    rows, columns = image.shape
    described = {
        "EDF_DataBlockID": f"{number}.Image.Psd",
        "EDF_BinarySize": str(len(pixels)),
        "EDF_HeaderSize": "0".rjust(_SIZE_DIGITS),
        "HeaderID": f"EH:{number + 1:06d}:000000:000000",
        "Image": str(number + 1),
        "ByteOrder": "LowByteFirst",
        "DataType": "UnsignedShort",
        "Dim_1": str(columns),
        "Dim_2": str(rows),
        "Size": str(len(pixels)),
    }
    length = -(-(len(_lines(described | header)) + 2) // _BLOCK) * _BLOCK
    described["EDF_HeaderSize"] = str(length).rjust(_SIZE_DIGITS)
    return _lines(described | header).ljust(length - 2) + b"}\n" + pixels


def write_edf(
    scan: SimulatedScan,
    folder: str | Path,
    *,
    files: Files = "single",
    suffix: Suffix = ".edf",
    prefix: str = "mosalayer_0000_",
    darks: int = 0,
    flats: int = 0,
) -> list[Path]:
    """Write a scan as the EDF files that a beamline would have left.

    Parameters
    ----------
    scan : SimulatedScan
        What to write; its frames are made one at a time.
    folder : str or Path
        Where to; it is made if it is missing.
    files : {"single", "multi"}
        One file a frame (``mosalayer_0000_0000.edf`` …), or one file a scan
        (``mosalayer_0000.edf``).
    suffix : {".edf", ".edf.gz"}
        Plain or compressed with gzip.
    prefix : str
        What the names of the scan's files begin with.
    darks, flats : int
        How many dark and flat frames to write (``dark_0000.edf``, ``flat_0000.edf`` …).

    Returns
    -------
    list of Path
        The files: those of the scan in the order its frames were taken, then darks, flats.

    Raises
    ------
    OutputError
        If a file of that name is there already; nothing is written then.
    NxscanError
        If ``files`` or ``suffix`` is none of those above.

    """
    if files not in ("single", "multi") or suffix not in (".edf", ".edf.gz"):
        raise NxscanError(
            f"files must be 'single' or 'multi' and suffix '.edf' or '.edf.gz', "
            f"but are {files!r} and {suffix!r}"
        )
    target = Path(folder)
    series = [
        _Series(target, "scan", prefix, suffix, files, len(scan), scan.frame),
        _Series(target, "dark", "dark_", suffix, files, darks, scan.dark),
        _Series(target, "flat", "flat_", suffix, files, flats, scan.flat),
    ]
    paths = [path for one in series for path in one.paths]
    _refuse_existing(paths)
    target.mkdir(parents=True, exist_ok=True)
    for one in series:
        one.write(scan)
    return paths


@dataclass(frozen=True)
class _Series:
    """Frames of one kind and the files that they go to."""

    folder: Path
    kind: Kind
    prefix: str
    suffix: Suffix
    files: Files
    count: int
    image: Callable[[int], Image]

    @property
    def paths(self) -> list[Path]:
        if self.files == "single":
            return [self.folder / f"{self.prefix}{k:04d}{self.suffix}" for k in range(self.count)]
        return [self.folder / f"{self.prefix.rstrip('_')}{self.suffix}"] if self.count else []

    def blocks(self, scan: SimulatedScan) -> Iterator[bytes]:
        for k in range(self.count):
            header = frame_header(scan, k, self.kind, prefix=self.prefix, suffix=self.suffix)
            block = edf_frame(header, self.image(k), k if self.files == "multi" else 0)
            # no time stamp, so that the same seed gives the same bytes
            yield gzip.compress(block, 1, mtime=0) if self.suffix == ".edf.gz" else block

    def write(self, scan: SimulatedScan) -> None:
        if self.files == "single":
            for path, block in zip(self.paths, self.blocks(scan), strict=True):
                path.write_bytes(block)
        for path in self.paths if self.files == "multi" else ():
            with path.open("wb") as out:
                # gzip allows members one after the other: one frame is in memory at a time
                out.writelines(self.blocks(scan))


def _refuse_existing(paths: list[Path]) -> None:
    there = [path for path in paths if path.exists()]
    if there:
        raise OutputError(
            f"{there[0]} exists already ({len(there)} of {len(paths)} files do)",
            "choose an empty folder",
        )


def _lines(header: dict[str, str]) -> bytes:
    text = "".join(f"{key} = {value} ;\n" for key, value in header.items())
    return b"{\n" + text.encode("ascii")
