"""What the groups above a Main dataset say: attributes of file, measurement, channel, result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.h5values import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.usid.tables import Table

    Value = str | NDArray[Any]


def raw_values(main: Any, tables: tuple[Table, Table]) -> dict[str, Value]:
    """Return every attribute above a Main dataset and its own, as ``path@name``.

    References, to datasets and to regions, are left out: they are addresses. Dimensions that
    have one step are there with what they were at.

    Parameters
    ----------
    main : h5py.Dataset
        The dataset.
    tables : tuple of Table
        Its positions and its spectroscopic dimensions.

    """
    found: dict[str, Value] = {}
    nodes = [main]
    while nodes[-1].name != "/":
        nodes.append(nodes[-1].parent)
    for node in reversed(nodes):
        path = node.name.strip("/") or "/"
        for name in node.attrs:
            value = read_attribute(node, name)
            if value is not None:
                found[f"{path}@{name}"] = value
    for kind, table in zip(("Position", "Spectroscopic"), tables, strict=True):
        for label, units, values in zip(table.labels, table.units, table.values, strict=True):
            found[f"{kind}/{label}@units"] = units
            if (values == values[0]).all():
                found[f"{kind}/{label}"] = text(values[0])
    return found


def read_attribute(node: Any, name: str) -> Value | None:
    """Return an attribute as a text or an array; None for a reference and what h5py cannot read."""
    try:
        value = node.attrs[name]
    except (OSError, KeyError, RuntimeError, TypeError, ValueError):
        return None
    if isinstance(value, str | bytes):
        return text(value)
    array = np.asarray(value)
    if array.dtype.kind in "biuf":
        return text(array.ravel()[0]) if array.size == 1 else array.ravel()
    if array.dtype.kind in "SUO" and array.size:
        items = array.ravel().tolist()
        if all(isinstance(item, str | bytes) for item in items):
            texts = [text(item) for item in items]
            return texts[0] if len(texts) == 1 else np.array(texts)
    return None
