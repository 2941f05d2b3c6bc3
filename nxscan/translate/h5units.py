"""Units as files spell them, and as pint does."""

from __future__ import annotations

from nxscan.model.units import is_unit, root_units

_SPELLED = {
    "angstrom": "angstrom",
    "angstroms": "angstrom",
    "arcdeg": "degree",
    "cts": "counts",
    "cps": "counts/s",
    "°c": "degC",
    "deg c": "degC",
    "deg": "degree",
    "degree": "degree",
    "degrees": "degree",
    "micron": "um",
    "microns": "um",
    "pixels": "pixel",
    "sec": "s",
    "seconds": "s",
}
_NONE = ("", "none", "n/a", "unknown", "unitless", "dimensionless", "a.u.", "arb", "arb.", "au")
_DIMENSIONLESS = ("unitless", "dimensionless")


def source_units(text: str) -> str | None:
    """Return a unit that a file states as pint knows it; None where it says nothing known.

    >>> source_units("Angstrom"), source_units("deg"), source_units("µrad"), source_units("a.u.")
    ('angstrom', 'degree', 'µrad', None)
    """
    plain = text.strip()
    if plain.lower() in _NONE:
        return "" if plain.lower() in _DIMENSIONLESS else None
    known = _SPELLED.get(plain.lower())
    if known is not None:
        return known
    return plain if is_unit(plain) else None


def fitting_units(text: str, units: str) -> str | None:
    """Return a unit that a file states where it is of the kind of another; else None.

    >>> fitting_units("deg", "rad"), fitting_units("mm", "rad"), fitting_units("", "rad")
    ('degree', None, None)
    """
    stated = source_units(text)
    return stated if stated and root_units(stated) == root_units(units) else None
