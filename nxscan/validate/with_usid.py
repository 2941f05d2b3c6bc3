"""The rules of USID (https://pycroscopy.github.io/USID): what makes a dataset a Main dataset.

Written with h5py alone, after the specification; pyUSID need not be installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.validate.contract import Skip, Target
from nxscan.validate.finding import Finding, Severity
from nxscan.validate.tree import attribute, attributes

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KINDS = ("Position", "Spectroscopic")
_PARTS = ("Indices", "Values")
_REFERENCES = tuple(f"{kind}_{part}" for kind in _KINDS for part in _PARTS)
_BLOCK = 1 << 18


def usid(target: Target) -> Iterator[Finding]:
    """Check that every Main dataset below ``/Measurement_*`` has what USID asks of it."""
    measurements = [group for group in target.tree.groups if group.name.startswith("/Measurement_")]
    if not measurements:
        raise Skip("no USID measurement in this file")
    candidates = [dataset for dataset in target.tree.datasets if _is_candidate(dataset)]
    for measurement in measurements:
        prefix = measurement.name + "/"
        is_top = measurement.name.count("/") == 1
        if is_top and not any(dataset.name.startswith(prefix) for dataset in candidates):
            yield _finding(measurement.name, "Main dataset", "holds no Main dataset", "warning")
    for dataset in candidates:
        yield from _main(dataset)


def _is_candidate(dataset: h5py.Dataset) -> bool:
    return dataset.name.startswith("/Measurement_") and (
        dataset.name.endswith("/Raw_Data") or any(name in dataset.attrs for name in _REFERENCES)
    )


def _main(dataset: h5py.Dataset) -> Iterator[Finding]:
    for name in ("quantity", "units"):
        if attribute(dataset, name) is None:
            message = f"@{name} is missing or not one text"
            yield _finding(dataset.name, "Main dataset", message)
    if dataset.ndim != 2:
        message = f"has shape {dataset.shape}, but positions × spectroscopic has 2 dimensions"
        yield _finding(dataset.name, "Main dataset", message)
        return
    for kind in _KINDS:
        indices = _referenced(dataset, f"{kind}_Indices")
        values = _referenced(dataset, f"{kind}_Values")
        for part, found in (("Indices", indices), ("Values", values)):
            if found is None:
                message = f"@{kind}_{part} is no reference to a dataset"
                yield _finding(dataset.name, "reference", message)
            else:
                yield from _ancillary(found, kind, dataset)
        if indices is not None and values is not None:
            yield from _pair(indices, values)
        if indices is not None:
            yield from _counts_from_zero(indices, kind)


def _referenced(dataset: h5py.Dataset, name: str) -> h5py.Dataset | None:
    reference = dataset.attrs.get(name)
    if not isinstance(reference, h5py.Reference) or not reference:
        return None
    try:
        found = dataset.file[reference]
    except Exception:  # a reference to what was deleted
        return None
    alive = isinstance(found, h5py.Dataset) and found.name is not None
    return found if alive else None


def _ancillary(found: h5py.Dataset, kind: str, main: h5py.Dataset) -> Iterator[Finding]:
    """Position is N × U, Spectroscopic is V × P, for a Main dataset of N × P."""
    along, across = (0, 1) if kind == "Position" else (1, 0)
    length = main.shape[along]
    if found.ndim != 2 or found.shape[along] != length:
        wanted = f"({length}, U)" if along == 0 else f"(V, {length})"
        message = f"has shape {found.shape}, but {main.name} needs {wanted}"
        yield _finding(found.name, "ancillary shape", message)
        return
    for name in ("labels", "units"):
        texts = attributes(found, name)
        if texts is None or len(texts) != found.shape[across]:
            have = "none" if texts is None else str(len(texts))
            message = f"has {found.shape[across]} dimensions, but {have} in @{name}"
            yield _finding(found.name, "ancillary labels", message)
        elif name == "labels" and len(set(texts)) != len(texts):
            message = f"two dimensions have the same label: {', '.join(texts)}"
            yield _finding(found.name, "ancillary labels", message)


def _pair(indices: h5py.Dataset, values: h5py.Dataset) -> Iterator[Finding]:
    if indices.shape != values.shape:
        message = f"has shape {values.shape}, but {indices.name} has {indices.shape}"
        yield _finding(values.name, "ancillary shape", message)
    for name in ("labels", "units"):
        if attributes(indices, name) != attributes(values, name):
            message = f"its @{name} are not those of {indices.name}"
            yield _finding(values.name, "ancillary labels", message)
    if values.dtype.kind not in "iuf":
        message = f"holds {values.dtype}, not numbers"
        yield _finding(values.name, "ancillary type", message)


def _counts_from_zero(indices: h5py.Dataset, kind: str) -> Iterator[Finding]:
    """Check that indices are unsigned, and each dimension starts at 0."""
    if indices.dtype.kind != "u":
        message = f"holds {indices.dtype}, not unsigned integers"
        yield _finding(indices.name, "ancillary type", message)
        return
    if indices.ndim != 2 or not indices.size:
        return
    along = 0 if kind == "Position" else 1
    starts = range(0, indices.shape[along], _BLOCK)
    smallest = np.full(indices.shape[1 - along], np.iinfo(indices.dtype).max, indices.dtype)
    for start in starts:
        smallest = np.minimum(smallest, _part(indices, along, start).min(axis=along))
        if not smallest.any():
            break
    for dimension in np.flatnonzero(smallest):
        message = f"dimension {dimension} starts at {smallest[dimension]}, not at 0"
        yield _finding(indices.name, "ancillary indices", message)


def _part(indices: h5py.Dataset, along: int, start: int) -> NDArray[Any]:
    stop = start + _BLOCK
    return np.asarray(indices[start:stop] if along == 0 else indices[:, start:stop])


def _finding(path: str, rule: str, message: str, severity: Severity = "error") -> Finding:
    hint = "USID tools will not read it; translate again, or write it as the USID rules say"
    return Finding(severity, path, rule, message, hint, "usid")
