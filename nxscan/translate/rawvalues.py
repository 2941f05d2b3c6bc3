"""Raw values of a scan as what they stand for: numbers, times, yes and no."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = Mapping[str, str | NDArray[Any]]


def constants(values: Values, frames: int) -> dict[str, str | NDArray[Any]]:
    """Return values that hold for the whole scan; lists become texts.

    An array of as many items as there are frames would be taken for one value a frame.
    """
    return {
        key: " ".join(map(str, value.tolist()))
        if isinstance(value, np.ndarray) and value.shape[:1] == (frames,)
        else value
        for key, value in values.items()
    }


def number_of(values: Values, key: str) -> float | None:
    """Return the finite number that a raw value is; None where it is absent or none."""
    found = values.get(key)
    try:
        number = float(found) if isinstance(found, str) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def is_true(values: Values, key: str) -> bool:
    """Tell whether a raw value says yes."""
    return str(values.get(key, "")).lower() in ("1", "1.0", "true", "yes")


def iso_time(text: str | NDArray[Any] | None) -> str:
    """Return a time as ISO 8601 writes it; empty where it is none.

    >>> iso_time("2024-05-14T10:30:00.5+02:00"), iso_time("14 May")
    ('2024-05-14T10:30:00.500000+02:00', '')
    """
    said = text.strip() if isinstance(text, str) else ""
    return datetime.fromisoformat(said).isoformat() if is_time(said) else ""


def is_time(text: str) -> bool:
    """Tell whether a text is a time as ISO 8601 writes it.

    >>> is_time("2024-05-14T10:30"), is_time("")
    (True, False)
    """
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
