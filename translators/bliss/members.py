"""Members of HDF5 groups that may not be there, and their texts."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np


def names(group: Any) -> list[str]:
    """Return the names of a group's members, those left out that are no text: they are damaged.

    What is no group has none.
    """
    found = group if isinstance(group, h5py.Group) else ()
    return [name for name in found if isinstance(name, str)]


def text_of(value: Any) -> str:
    """Return a scalar that h5py read as text; numbers with all their digits."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value.item()) if isinstance(value, np.generic) else str(value)


def text_at(group: Any, name: str) -> str:
    """Return the text of a dataset below a group; empty if it is not there, or no scalar."""
    try:
        found = group[name]
    except KeyError:
        return ""
    if not isinstance(found, h5py.Dataset) or found.size != 1:
        return ""
    return text_of(found[()]).strip()


def is_damaged(group: Any, name: str) -> bool:
    """Tell whether a member of a group is there and cannot be opened."""
    try:
        if not h5py.h5o.exists_by_name(group.id, name.encode()):
            return False
        group[name]
    except Exception:  # over a damaged file h5py raises any kind
        return True
    return False


def member(group: Any, name: str) -> Any:
    """Return a member of a group; None if it is not there or its link leads nowhere."""
    try:
        return group[name]
    except (KeyError, OSError, RuntimeError, ValueError, TypeError):
        return None
