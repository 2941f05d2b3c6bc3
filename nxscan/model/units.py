"""Units: checked and converted with pint, imported when first used."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

DIMENSIONLESS = ""
"""How a quantity without a unit says so; ``None`` says that the unit is not known."""

UNKNOWN_UNITS = "unknown"
"""What @units says where the raw files do not: NeXus asks for one, and none is invented."""

_COMMON = {
    "": "dimensionless",
    "A": "ampere",
    "C": "ampere * second",
    "K": "kelvin",
    "Pa": "gram / meter / second ** 2",
    "angstrom": "meter",
    "counts": "count",
    "count": "count",
    "counts*degree": "count * radian",
    "counts*degree^2": "count * radian ** 2",
    "counts/degree": "count / radian",
    "deg": "radian",
    "degree": "radian",
    "degC": "kelvin",
    "J": "gram * meter ** 2 / second ** 2",
    "eV": "gram * meter ** 2 / second ** 2",
    "keV": "gram * meter ** 2 / second ** 2",
    "m": "meter",
    "mA": "ampere",
    "meter": "meter",
    "mm": "meter",
    "m^2": "meter ** 2",
    "mm^2": "meter ** 2",
    "ms": "second",
    "nm": "meter",
    "pixel": "pixel",
    "rad": "radian",
    "radian": "radian",
    "s": "second",
    "second": "second",
    "um": "meter",
}
"""Units that need no pint, whose import takes longer than all else, and what is behind them."""


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    try:  # the definitions, parsed, from pint's cache in the user's cache folder
        return pint.UnitRegistry(cache_folder=":auto:")
    except Exception:  # no such folder, read-only, or what lies there is damaged
        return pint.UnitRegistry(cache_folder=None)


@lru_cache(maxsize=1024)
def is_unit(units: str) -> bool:
    """Tell whether pint can parse ``units``.

    >>> is_unit("degree"), is_unit("counts"), is_unit("furlongs per fortnigt")
    (True, True, False)
    """
    if units in _COMMON:
        return True
    try:
        _registry().parse_units(units)
    except Exception:  # pint raises many kinds, from tokenizer errors to TypeError
        return False
    return True


def convert(values: ArrayLike, source: str, target: str) -> NDArray[np.float64]:
    """Convert numbers from one unit to another.

    Parameters
    ----------
    values : array_like
        Numbers in units of ``source``.
    source, target : str
        Units that pint knows.

    Returns
    -------
    ndarray of float64
        The same numbers in units of ``target``.

    Raises
    ------
    NxscanError
        If either unit is not known or they measure different things.

    Examples
    --------
    >>> float(convert(1330, "mm", "m"))
    1.33

    """
    for units in (source, target):
        if not is_unit(units):
            raise NxscanError(f"unit {units!r} is not known", "use a name that pint knows")
    numbers = np.asarray(values, dtype=np.float64)
    if source == target:
        return numbers
    registry = _registry()
    try:
        converted = registry.Quantity(numbers, source).to(target).magnitude
    except Exception as error:
        raise NxscanError(f"cannot convert {source!r} to {target!r}: {error}") from error
    return np.asarray(converted, dtype=np.float64)


@lru_cache(maxsize=1024)
def root_units(units: str) -> str:
    """Return the basic units behind ``units``: two units measure the same if these are equal.

    Unlike dimensions, these tell an angle from a count and from a plain number.

    >>> root_units("degree"), root_units("mm"), root_units("percent")
    ('radian', 'meter', 'dimensionless')

    Raises
    ------
    NxscanError
        If pint does not know the unit.

    """
    if not is_unit(units):
        raise NxscanError(f"unit {units!r} is not known", "use a name that pint knows")
    return _COMMON.get(units) or str(_registry().get_root_units(units)[1])
