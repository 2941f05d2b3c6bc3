"""Headers of text lines, as DECTRIS' detectors write them: ``# Exposure_time 0.395000 s``."""

from __future__ import annotations

import re

_DATE = re.compile(
    r"(?P<day>\d{4}[-/](?:\d\d|[A-Z][a-z]{2})[-/]\d\d)[T ](?P<time>\d\d:\d\d:\d\d(?:\.\d+)?)\Z"
)
_LINE = re.compile(r"(?P<key>[A-Za-z][\w.-]*(?: sensor, thickness)?)\s*[:=]?\s*(?P<value>.*)\Z")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER})(?:\s+([A-Za-z%°/][\w%°/.]*))?\Z")
_LIST = re.compile(rf"\(\s*({_NUMBER}(?:\s*,\s*{_NUMBER})+)\s*\)\s*([A-Za-z%°/][\w%°/.]*)?\Z")
_TIMES = re.compile(rf"({_NUMBER})\s*([A-Za-z]+)\s*x\s*({_NUMBER})\s*([A-Za-z]+)\Z")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def parse_comments(text: str) -> dict[str, str]:
    r"""Read lines of keys and values; what is no such line is left to the raw header.

    A value with a unit gives ``KEY`` and ``KEY@units``; of several numbers each is a key of its
    own, counted from 1. Lines may begin with ``#``.

    Parameters
    ----------
    text : str
        The lines.

    Returns
    -------
    dict of str to str
        Texts by key, in the order of the lines; a key that comes again becomes ``KEY_2``.

    Examples
    --------
    >>> parse_comments("# Exposure_time 0.395 s\n# Beam_xy (1230.10, 1310.50) pixels")
    ... # doctest: +NORMALIZE_WHITESPACE
    {'Exposure_time': '0.395', 'Exposure_time@units': 's', 'Beam_xy_1': '1230.10',
     'Beam_xy_1@units': 'pixels', 'Beam_xy_2': '1310.50', 'Beam_xy_2@units': 'pixels'}
    >>> parse_comments("# Pixel_size 172e-6 m x 172e-6 m\n# 2007/Oct/22 15:32:16.289")
    ... # doctest: +NORMALIZE_WHITESPACE
    {'Pixel_size_1': '172e-6', 'Pixel_size_1@units': 'm', 'Pixel_size_2': '172e-6',
     'Pixel_size_2@units': 'm', 'Date': '2007-10-22T15:32:16.289'}

    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        for key, value in _pairs(line.strip().lstrip("#").strip().rstrip("\x00")):
            name, count = key, 1
            while name in found:
                count += 1
                name = f"{key}_{count}"
            found[name] = value
    return found


def _pairs(line: str) -> list[tuple[str, str]]:
    date = _DATE.match(line)
    if date:
        return [("Date", f"{_day(date['day'])}T{date['time']}")]
    match = _LINE.match(line)
    if match is None or not match["value"]:
        return []
    key, value = match["key"].replace(" sensor, thickness", "_sensor_thickness"), match["value"]
    if key == "Silicon_sensor_thickness":
        return [("Sensor_material", "Si"), *_quantity("Sensor_thickness", value)]
    if key == "CdTe_sensor_thickness":
        return [("Sensor_material", "CdTe"), *_quantity("Sensor_thickness", value)]
    several = _LIST.match(value)
    if several:
        numbers = [one.strip() for one in several[1].split(",")]
        return _numbered(key, numbers, [several[2] or ""] * len(numbers))
    area = _TIMES.match(value)
    if area:
        return _numbered(key, [area[1], area[3]], [area[2], area[4]])
    return _quantity(key, value)


def _quantity(key: str, value: str) -> list[tuple[str, str]]:
    match = _QUANTITY.match(value)
    if match is None or match[2] is None:
        return [(key, value)]
    return [(key, match[1]), (f"{key}@units", match[2].rstrip("."))]


def _numbered(key: str, numbers: list[str], units: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for count, (number, unit) in enumerate(zip(numbers, units, strict=True), 1):
        pairs.append((f"{key}_{count}", number))
        if unit:
            pairs.append((f"{key}_{count}@units", unit.rstrip(".")))
    return pairs


def _day(text: str) -> str:
    year, month, day = re.split(r"[-/]", text)
    if month in _MONTHS:
        month = f"{_MONTHS.index(month) + 1:02d}"
    return f"{year}-{month}-{day}"
