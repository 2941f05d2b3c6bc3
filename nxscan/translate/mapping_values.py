"""Raw texts become values: numbers, whole numbers, texts, times, photon energies."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from nxscan.errors import NxscanError
from nxscan.model.units import convert

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.mapping_model import Transform

PLANCK_TIMES_LIGHT = 12.398419843320026
"""h c in keV Å, from the SI's exact h, c and e."""

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_CTIME = re.compile(
    r"(?:[A-Z][a-z]{2},?\s+)?(?P<month>[A-Z][a-z]{2})\s+(?P<day>\d{1,2})\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)\s+(?P<year>\d{4})"
)
_YEARS = (1980, 2200)


def find_zone(name: str) -> tzinfo:
    """Return the time zone called ``name``: an IANA name or an offset.

    Raises
    ------
    NxscanError
        If it is neither, or this machine has no data for it.

    Examples
    --------
    >>> print(find_zone("+02:00"))
    UTC+02:00

    """
    if offset := re.fullmatch(r"([+-])([01]\d|2[0-3]):([0-5]\d)", name):
        sign, hours, minutes = offset.groups()
        shift = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-shift if sign == "-" else shift)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise NxscanError(
            f"time zone {name!r} is not known here",
            "use an IANA name such as Europe/Paris (the package tzdata brings them) or +02:00",
        ) from error


def parse_float(text: str) -> float:
    """Return the number that ``text`` is; ValueError if it is none or not finite.

    >>> parse_float(" 1330 ")
    1330.0
    """
    number = float(text.replace("_", "no number"))
    if not math.isfinite(number):
        raise ValueError("it is not a finite number")
    return number


def parse_int(text: str) -> int:
    """Return the whole number that ``text`` is; ValueError if it is none.

    >>> parse_int("101"), parse_int("1.0")
    (101, 1)
    """
    number = parse_float(text)
    if not number.is_integer():
        raise ValueError("it is not a whole number")
    return int(number)


def time_from_epoch(text: str, zone: tzinfo | None) -> str:
    """Return the ISO time of seconds since 1970, which are in UTC whatever the zone.

    >>> time_from_epoch("1335447606.5", None)
    '2012-04-26T13:40:06.500000+00:00'
    """
    seconds = parse_float(text)
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError("it is no time in seconds since 1970") from error
    if not _YEARS[0] <= time.year < _YEARS[1]:
        raise ValueError(f"as seconds since 1970 it is in the year {time.year}")
    return time.astimezone(zone or UTC).isoformat()


def time_from_ctime(text: str, zone: tzinfo | None) -> str:
    """Return the ISO time of a C library time, with the zone if one is known.

    Raises
    ------
    ValueError
        If it is no such time, or the zone's clocks were changed so that it is not unique.

    Examples
    --------
    >>> time_from_ctime("Thu Apr 26 15:40:06 2012", find_zone("+02:00"))
    '2012-04-26T15:40:06+02:00'

    """
    found = _CTIME.fullmatch(text.strip())
    if found is None or found["month"] not in _MONTHS:
        raise ValueError("it is not a time such as 'Thu Apr 26 15:40:06 2012'")
    names = ("day", "hour", "minute", "second")
    day, hour, minute, second = (int(found[name]) for name in names)
    month = _MONTHS.index(found["month"]) + 1
    time = datetime(int(found["year"]), month, day, hour, minute, second, tzinfo=zone)
    if time.utcoffset() != time.replace(fold=1).utcoffset():
        raise ValueError("the clocks were changed, so that this time is not unique in its zone")
    return time.isoformat()


def time_from_iso(text: str, zone: tzinfo | None) -> str:
    """Return an ISO time, with the zone if it states none and one is known.

    >>> time_from_iso("2011-07-21 11:53:51.845", find_zone("+02:00"))
    '2011-07-21T11:53:51.845000+02:00'
    """
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError("it is not a time such as '2012-04-26T15:40:06'") from error
    return (time if time.tzinfo else time.replace(tzinfo=zone)).isoformat()


def transform_numbers(
    numbers: NDArray[np.float64],
    transform: Transform | None,
    units_in: str | None,
    units: str | None,
    factor: float | None,
) -> NDArray[np.float64]:
    """Apply a transform to numbers in ``units_in`` and return them in ``units``.

    >>> float(transform_numbers(np.array(12.398419843320026), "wavelength_from_energy",
    ...                         "keV", "angstrom", None))
    1.0
    """
    if transform in ("wavelength_from_energy", "energy_from_wavelength"):
        between = ("keV", "angstrom") if transform.startswith("wave") else ("angstrom", "keV")
        source = convert(numbers, units_in or "", between[0])
        if not np.all(source > 0):
            raise ValueError("it is not above 0")
        return convert(PLANCK_TIMES_LIGHT / source, between[1], units or "")
    if transform == "negate":
        numbers = -numbers
    elif transform == "scale":
        numbers = numbers * (1.0 if factor is None else factor)
    return numbers if units_in is None or units is None else convert(numbers, units_in, units)
