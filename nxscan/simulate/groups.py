"""Groups of simulated HDF5 files."""

from __future__ import annotations

from typing import Any


def add_group(parent: Any, name: str, nx_class: str) -> Any:
    """Add a group of a NeXus class, and return it."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group
