"""The header of MarCCD, behind that of TIFF: 3072 bytes of numbers, whose layout fabio knows."""

from __future__ import annotations

import struct
from typing import Any

from fabio.marccdimage import HEADER_FORMAT, HEADER_NAMES, interpret_header

_PLACE = 1024
_LENGTH = 3072
_NAME = b"MMX"
_TEXTS = ("filetitle", "acquire_timestamp", "file_comments", "dataset_comments")
_NUMBERS = (
    "saturated_value", "xtal_to_detector", "integration_time", "exposure_time", "readout_time",
    "pixelsize_x", "pixelsize_y", "photons_per_100adu", "source_wavelength",
)  # fmt: skip
_THOUSANDTHS = ("beam_x", "beam_y", "rotation_range")
MAR_ANGLES = ("twotheta", "omega", "chi", "kappa", "phi", "delta", "gamma")


def read_marccd(data: bytes, columns: int) -> dict[str, str]:
    """Return what the header says; nothing if the file has none.

    Numbers are in the units of the format (distances in µm, pixels in nm, times in ms, the
    wavelength in fm), but for those that it keeps in thousandths: angles are in degrees, places
    in pixels. What was not filled in, 0, is left out. An angle's ``start`` and ``end`` are
    there if they are not both 0.

    Parameters
    ----------
    data : bytes
        The file.
    columns : int
        Pixels of a row, which the header repeats.

    """
    raw = data[_PLACE : _PLACE + _LENGTH]
    if len(raw) < _LENGTH or raw[4 : 4 + len(_NAME)] != _NAME:
        return {}
    for order in "<>":
        found: dict[str, Any] = interpret_header(raw, order + HEADER_FORMAT, HEADER_NAMES)
        if found["nfast"] == columns:
            return _values({name.partition("[")[0]: value for name, value in found.items()})
    return {}


def _values(found: dict[str, Any]) -> dict[str, str]:
    values = {f"mar_{name}": str(found[name]) for name in _NUMBERS if found[name]}
    values |= {f"mar_{name}": repr(found[name] / 1000) for name in _THOUSANDTHS if found[name]}
    for name in MAR_ANGLES:
        start, end = found[f"start_{name}"], found[f"end_{name}"]
        if start or end:
            values |= {
                f"mar_start_{name}": repr(start / 1000),
                f"mar_end_{name}": repr(end / 1000),
            }
    for name in _TEXTS:
        text = b"".join(found[name]).split(b"\0")[0].decode("latin-1").strip()
        if text:
            values[f"mar_{name}"] = text
    time = _time(values.get("mar_acquire_timestamp", ""))
    return values | ({"Date": time} if time else {})


def _time(text: str) -> str:
    """Return ``MMDDhhmmYYYY.ss`` as an ISO time.

    >>> _time("102215322007.16"), _time("")
    ('2007-10-22T15:32:16', '')
    """
    digits = text.replace(".", "")
    if len(digits) != 14 or not digits.isdecimal():
        return ""
    month, day, hour, minute, year, second = struct.unpack("2s2s2s2s4s2s", digits.encode())
    return "{}-{}-{}T{}:{}:{}".format(
        *(part.decode() for part in (year, month, day, hour, minute, second))
    )
