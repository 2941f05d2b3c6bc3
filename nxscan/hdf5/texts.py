"""Texts as h5py reads them."""

from typing import Any


def text(value: Any) -> str:
    """Return a string as h5py reads it as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
