"""NeXus names: which are valid, and the one rule by which others are renamed."""

from __future__ import annotations

import re
from collections.abc import Container

VALID_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MAX_LENGTH = 63


def is_valid_name(name: str) -> bool:
    """Tell whether ``name`` may name a NeXus group or field.

    >>> is_valid_name("pixel_size"), is_valid_name("Kappa-support angle")
    (True, False)
    """
    return len(name) <= _MAX_LENGTH and VALID_NAME.match(name) is not None


def nexus_name(original: str, taken: Container[str] = ()) -> str:
    """Rename a raw key by nxscan's rule, so that every NeXus tool accepts it.

    Every run of characters other than ASCII letters, digits and underscore becomes one
    underscore; underscores at the end are dropped; a name that starts with a digit gets a
    leading underscore; an empty one becomes ``unnamed``; names are cut to 63 characters;
    one that is taken gets ``_2``, ``_3`` and so on. The original is kept beside the value.

    Parameters
    ----------
    original : str
        The key as the raw file has it.
    taken : container of str
        Names that are in use already.

    Returns
    -------
    str
        A valid NeXus name that is not in ``taken``.

    Examples
    --------
    >>> nexus_name("Kappa-support angle"), nexus_name("2theta"), nexus_name("mu", {"mu"})
    ('Kappa_support_angle', '_2theta', 'mu_2')

    """
    name = re.sub(r"[^A-Za-z0-9_]+", "_", original)
    name = name.rstrip("_") if name.strip("_") else ""
    if not name:
        name = "unnamed"
    if name[0].isdigit():
        name = "_" + name
    name = name[:_MAX_LENGTH]
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        suffix = f"_{count}"
        candidate = name[: _MAX_LENGTH - len(suffix)] + suffix
    return candidate
