"""Simulated scans as series of images: CBF with the header of a Pilatus, TIFF without any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nxscan.simulate.scan import SimulatedScan

_BEGUN = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
_CONTENTS = """\
# Detector: simulated PILATUS, S/N 0-0000
# {date}
# Pixel_size 172e-6 m x 172e-6 m
# Silicon sensor, thickness 0.000320 m
# Exposure_time {exposure:.7f} s
# Exposure_period {period:.7f} s
# Wavelength {wavelength:.5f} A
# Start_angle {start:.4f} deg.
# Angle_increment {step:.4f} deg.
# Oscillation_axis {axis}, CW
"""


def write_tiff(scan: SimulatedScan, folder: str | Path, stem: str = "image_") -> list[Path]:
    """Write the frames of a scan as TIFF files, which say nothing of where they were taken.

    Parameters
    ----------
    scan : SimulatedScan
        What to write.
    folder : str or Path
        Where to; it is made if it is missing.
    stem : str
        What the names of the files begin with.

    Returns
    -------
    list of Path
        The files, in the order the frames were taken.

    Raises
    ------
    OutputError
        If a file of that name is there already.

    """
    from fabio.tifimage import TifImage

    def write(path: Path, k: int) -> None:
        TifImage(data=scan.frame(k)).write(str(path))

    return _write(scan, Path(folder), f"{stem}{{:05d}}.tif", write)


def write_cbf(
    scan: SimulatedScan, folder: str | Path, *, axis: str, wavelength: float, stem: str = "run_1_"
) -> list[Path]:
    """Write the frames of a scan as CBF files, as the software of a Pilatus does.

    Parameters
    ----------
    scan : SimulatedScan
        What to write.
    folder : str or Path
        Where to; it is made if it is missing.
    axis : str
        The motor that turns during each exposure, half a step before to half a step after where
        the scan says that it was.
    wavelength : float
        Of the photons, in angstrom.
    stem : str
        What the names of the files begin with.

    Returns
    -------
    list of Path
        The files, in the order the frames were taken.

    Raises
    ------
    OutputError
        If a file of that name is there already.

    """
    angles = scan.motors[axis]
    step = float(np.median(np.diff(angles))) if len(angles) > 1 else 0.0

    def write(path: Path, k: int) -> None:
        period = scan.exposure + 0.003
        contents = _CONTENTS.format(
            date=(_BEGUN + timedelta(seconds=k * period)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
            exposure=scan.exposure,
            period=period,
            wavelength=wavelength,
            start=float(angles[k]) - 0.5 * step,
            step=step,
            axis=axis,
        )
        path.write_bytes(_cbf(scan.frame(k).astype(np.int32), contents))

    return _write(scan, Path(folder), f"{stem}{{:05d}}.cbf", write)


def _write(
    scan: SimulatedScan, folder: Path, pattern: str, write: Callable[[Path, int], None]
) -> list[Path]:
    paths = [folder / pattern.format(k + 1) for k in range(len(scan))]
    there = [path for path in paths if path.exists()]
    if there:
        raise OutputError(f"{there[0]} exists already", "choose an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    for k, path in enumerate(paths):
        write(path, k)
    return paths


def _cbf(image: NDArray[np.int32], contents: str) -> bytes:
    """Return a CBF file (International Tables for Crystallography G, chapter 2.3)."""
    import base64
    import hashlib

    from fabio.compression import compByteOffset

    packed = bytes(compByteOffset(image))
    digest = base64.b64encode(hashlib.md5(packed, usedforsecurity=False).digest()).decode()
    rows, columns = image.shape
    lines = [
        "###CBF: VERSION 1.5, simulated by nxscan",
        "",
        "data_image",
        "",
        '_array_data.header_convention "PILATUS_1.2"',
        "_array_data.header_contents",
        ";",
        *contents.splitlines(),
        ";",
        "",
        "_array_data.data",
        ";",
        "--CIF-BINARY-FORMAT-SECTION--",
        "Content-Type: application/octet-stream;",
        '     conversions="x-CBF_BYTE_OFFSET"',
        "Content-Transfer-Encoding: BINARY",
        f"X-Binary-Size: {len(packed)}",
        "X-Binary-ID: 1",
        'X-Binary-Element-Type: "signed 32-bit integer"',
        "X-Binary-Element-Byte-Order: LITTLE_ENDIAN",
        f"Content-MD5: {digest}",
        f"X-Binary-Number-of-Elements: {image.size}",
        f"X-Binary-Size-Fastest-Dimension: {columns}",
        f"X-Binary-Size-Second-Dimension: {rows}",
        "X-Binary-Size-Padding: 4095",
        "",
        "",
    ]
    end = "\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n\r\n"
    head = "\r\n".join(lines).encode("ascii") + b"\x0c\x1a\x04\xd5"
    return head + packed + bytes(4095) + end.encode("ascii")
