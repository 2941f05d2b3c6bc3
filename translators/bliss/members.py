"""Members of HDF5 groups that may not be there."""

from __future__ import annotations

from typing import Any

import h5py

_MOST_LINKS = 16


def is_damaged(group: Any, name: str) -> bool:
    """Tell whether a member of a group is there, in this file, and cannot be opened."""
    try:
        return _is_damaged(group, name.split("/"), _MOST_LINKS)
    except Exception:  # over a damaged file h5py raises any kind
        return True


def _is_damaged(group: Any, parts: list[str], links: int) -> bool:
    for k, part in enumerate(parts):
        # HDF5 tells of no link, without an error, in a group whose names are damaged: list them
        if not isinstance(group, h5py.Group) or part not in list(group):
            return False
        link = group.get(part, getlink=True)
        if isinstance(link, h5py.SoftLink):
            onward = [one for one in (*link.path.split("/"), *parts[k + 1 :]) if one]
            start = group.file if link.path.startswith("/") else group
            return links > 0 and _is_damaged(start, onward, links - 1)
        if isinstance(link, h5py.ExternalLink):
            return False
        group = group[part]
    return False


def member(group: Any, name: str) -> Any:
    """Return a member of a group; None if it is not there or its link leads nowhere."""
    try:
        return group[name]
    except (KeyError, OSError, RuntimeError, ValueError, TypeError):
        return None
