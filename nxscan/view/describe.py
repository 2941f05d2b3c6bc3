"""Numbers, axes and storage in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model.units import UNKNOWN_UNITS
from nxscan.view.hdf5 import source_files

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS = frozenset({"pixel", "pixels"})

EVEN = 1e-3
"""Steps that differ by less than this part of their mean are called one step."""

NEARLY = 1.5
"""Steps whose ratio is less are one step that the motor did not hit exactly."""

FILTERS = {
    1: "gzip",
    4: "szip",
    32001: "Blosc",
    32004: "LZ4",
    32008: "bitshuffle",
    32015: "Zstandard",
    32026: "Blosc2",
}
BITSHUFFLE = {2: "bitshuffle-LZ4", 3: "bitshuffle-Zstandard"}


def size(nbytes: float) -> str:
    """Return a number of bytes as people say it.

    >>> size(999), size(1_700_000), size(2.5e9)
    ('999 B', '1.7 MB', '2.5 GB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 999.5:
            return f"{nbytes:.3g} {unit}"
        nbytes /= 1000
    return f"{nbytes:.3g} TB"


def number(value: float, step: float = 0.0) -> str:
    """Return a number with the digits that matter, given the step to the next one.

    >>> number(17.921083333), number(0.30000000000000004), number(59.924412, 1e-5)
    ('17.9211', '0.3', '59.924412')
    """
    digits = 6
    if step and value and np.isfinite(value):
        digits += max(0, int(np.ceil(np.log10(abs(value / step)))) - 4)
    return f"{value:.{min(digits, 15)}g}"


def count(n: int, what: str) -> str:
    """Return a number of things.

    >>> count(1, "frame"), count(20_000, "file")
    ('1 frame', '20,000 files')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def shape(lengths: Sequence[int]) -> str:
    """Return a shape as people write it.

    >>> shape((41, 512, 512)), shape(())
    ('41 × 512 × 512', 'one value')
    """
    return " × ".join(str(n) for n in lengths) or "one value"


def unit_words(units: str) -> str:
    """Return a unit as it stands behind a number; nothing where there is none or none is known.

    >>> unit_words("degree"), unit_words(""), unit_words("unknown")
    (' degree', '', '')
    """
    return f" {units}" if units and units != UNKNOWN_UNITS else ""


def axis(values: NDArray[Any], units: str) -> str:
    """Describe an axis by its range and step.

    >>> axis(np.linspace(-0.5, 0.5, 41), "degree")
    '41 × from -0.5 to 0.5 degree, step 0.025'
    >>> axis(np.array([0.0, 1.0, 3.0]), "mm"), axis(np.array([2.0, 0.0, 1.0]), "mm")
    ('3 × from 0 to 3 mm, steps 1 to 2', '3 × between 0 and 2 mm, not in order')
    >>> axis(np.arange(512), "pixel")
    '512 pixels'
    """
    values = np.asarray(values, dtype=np.float64).reshape(-1)
    unit = unit_words(units)
    if values.size == 1:
        return f"{number(values[0])}{unit}"
    steps = np.diff(values)
    mean = float(steps.mean())
    if units in PIXELS and np.array_equal(values, np.arange(values.size)):
        return f"{values.size} pixels"
    if not steps.any():
        return f"{values.size} × {number(values[0])}{unit}, constant"
    if not ((steps > 0).all() or (steps < 0).all()):
        low, high = number(values.min()), number(values.max())
        return f"{values.size} × between {low} and {high}{unit}, not in order"
    ends = f"from {number(values[0], mean)} to {number(values[-1], mean)}{unit}"
    if np.ptp(steps) <= EVEN * abs(mean):
        return f"{values.size} × {ends}, step {number(mean)}"
    least, most = sorted((float(steps.min()), float(steps.max())), key=abs)
    if abs(most) < NEARLY * abs(least):
        return f"{values.size} × {ends}, step {mean:.3g} on average ({least:.3g} to {most:.3g})"
    return f"{values.size} × {ends}, steps {number(least)} to {number(most)}"


def spread(values: NDArray[Any], units: str) -> str:
    """Describe readings by their range.

    >>> spread(np.array([1.0, np.nan, 3.0]), "mA"), spread(np.array([2.0, 2.0]), "")
    ('1 to 3 mA, 1 of 3 missing', '2')
    >>> spread(1.5e9 + np.arange(82), "s")
    '1500000000 to 1500000081 s'
    """
    values = np.asarray(values, dtype=np.float64).reshape(-1)
    finite = values[np.isfinite(values)]
    unit = unit_words(units)
    if not finite.size:
        return "all missing"
    step = float(np.ptp(finite)) / 100
    low, high = number(finite.min(), step), number(finite.max(), step)
    lost = values.size - finite.size
    missing = f", {lost} of {values.size} missing" if lost else ""
    return f"{low}{unit}{missing}" if low == high else f"{low} to {high}{unit}{missing}"


def compression(dataset: Any) -> str:
    """Name the compression of a dataset, "" if it has none."""
    plist = dataset.id.get_create_plist()
    for index in range(plist.get_nfilters()):
        code, _, options, name = plist.get_filter(index)
        if code == 32008:
            return BITSHUFFLE.get(options[4] if len(options) > 4 else 0, FILTERS[code])
        if code in FILTERS or code > 32000:
            return FILTERS.get(code) or str(name.decode("utf-8", "replace"))
    return ""


def storage(dataset: Any, master: str) -> str:
    """Describe type, size, compression and place of a dataset."""
    parts = [f"{dataset.dtype}", size(dataset.nbytes)]
    stored = dataset.id.get_storage_size()
    if dataset.is_virtual:
        files = source_files(dataset)
        parts.append(f"virtual, from {count(len(files), 'file')}")
    elif dataset.external:
        files = {name for name, _, _ in dataset.external}
        parts.append(f"stored as it is in {count(len(files), 'raw file')}")
    elif stored and stored != dataset.nbytes:
        ratio = dataset.nbytes / stored
        parts.append(f"{size(stored)} stored ({ratio:.3g} ×, {compression(dataset)})")
    if dataset.chunks is not None:
        parts.append(f"chunks {shape(dataset.chunks)}")
    if Path(dataset.file.filename).name != Path(master).name:
        parts.append(f"in {Path(dataset.file.filename).name}")
    return ", ".join(parts)
