"""The values of a block and the sums that moments need, as the compiled kernel takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.moments import TOGETHER, Rows, Sums, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.moments_plan import Curves
    from nxscan.process.block import Block

    State = dict[str, NDArray[Any]]

_READ_AS_IS = ("u1", "u2", "i4", "u4", "f4", "f8")
"""Types for which a kernel is compiled; others are converted to the first that holds them."""


def make_values(block: Block) -> Values:
    """Return the values of a block."""
    curves = block.curves
    positions, pixels = curves.shape
    seen, valid = _validity(block)
    return Values(
        frames=_flat(curves, known_type(curves.dtype)),
        positions=positions,
        pixels=pixels,
        valid=_flat(valid, np.bool_),
        seen=_flat(seen, np.bool_),
        variance=_flat(block.variance, np.float32),
    )


def no_values(dtype: np.dtype[Any], pixels: int) -> Values:
    """Return that there are none, of so many pixels, in the type that there were."""
    none = np.empty(0, np.bool_)
    empty = np.empty(0, known_type(dtype))
    return Values(empty, 0, pixels, none, none, np.empty(0, np.float32))


def make_rows(block: Block, curves: Curves) -> Rows:
    """Return the coefficients of a block's positions."""
    rows, edge = curves.part(block.selection[: block.scan_rank])
    even, odd = rows, rows[:0]
    mirrored = curves.even is not None and block.scan_shape == curves.scan_shape
    if mirrored:
        half = (rows.shape[1] + 1) // 2
        even, odd = rows[: curves.even, :half].copy(), rows[curves.even :, :half]
        if rows.shape[1] % 2:
            even[:, -1] *= 0.5
    (even, even_used), (odd, odd_used) = _grouped(even), _grouped(odd)
    return Rows(even, odd, even_used, odd_used, rows.sum(axis=1), own(edge), mirrored)


def no_rows(height: int) -> Rows:
    """Return coefficients of no positions."""
    none, used = np.empty(0), np.empty((0, 0), np.bool_)
    return Rows(none, none, used, used, np.zeros(height), np.empty(0, np.bool_), False)


def no_sums() -> Sums:
    """Return sums of no pixels."""
    none = np.empty(0)
    return Sums(none, none, none, none, none)


def empty_state(values: Values, rows: Rows, *, uniform: bool, lowest: bool) -> State:
    """Return memory for the sums of all pixels; ``uniform`` if all have the same weights."""
    height, pixels = len(rows.total), values.pixels
    state = {
        "values": np.empty((height, pixels)),
        "weights": np.empty((height, 1 if uniform else pixels)),
        "high": np.empty((2, pixels)),
    }
    if len(values.variance):
        state["variances"] = np.empty((height, pixels))
    return state | ({"low": np.empty(pixels)} if lowest else {})


def as_sums(state: State) -> Sums:
    """Return the same memory as the kernel takes it."""
    return Sums(*(_flat(state.get(name), np.float64) for name in Sums._fields))


def merge(first: State, second: State) -> State:
    """Join the sums of two parts of the scan."""
    joined = {
        "high": np.maximum(first["high"], second["high"]),
        "tile": first["tile"],
    }
    for name in ("values", "weights", "variances"):
        if name in first:
            joined[name] = first[name] + second[name]
    if "low" in first:
        joined["low"] = np.minimum(first["low"], second["low"])
    if "dark" in first:
        joined["dark"] = first["dark"]
    return joined


def own(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array, in C order and writable: the kernel is compiled for such ones only."""
    return np.require(array, requirements=["C", "A", "W"])


def _flat(array: NDArray[Any] | None, dtype: Any = None) -> NDArray[Any]:
    return np.empty(0, dtype) if array is None else own(np.asarray(array, dtype)).reshape(-1)


def known_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that values are read in: there is a compiled kernel for each."""
    native = dtype.newbyteorder("=")
    if native.str[1:] in _READ_AS_IS:
        return native
    kinds = (kind for kind in _READ_AS_IS if np.can_cast(native, kind))
    return np.dtype(next(kinds, "f8"))


def _grouped(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return rows by pairs, groups of frames and frames, and which groups are not all 0."""
    height, n = rows.shape
    padded = np.zeros((height, n + -n % TOGETHER))
    padded[:, :n] = rows
    pairs = padded.reshape(height // 2, 2, -1, TOGETHER) if height else padded.reshape(0, 2, 0, 1)
    groups = own(pairs.transpose(0, 2, 1, 3))
    return groups.reshape(-1), own((groups != 0).any(axis=(2, 3)))


def _validity(block: Block) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Return which pixels are valid, or which values, or neither if all are."""
    if block.valid is None:
        return None, None
    valid = np.broadcast_to(block.valid, block.data.shape)
    if all(valid.strides[d] == 0 for d in range(block.scan_rank) if valid.shape[d] > 1):
        seen = valid[(0,) * block.scan_rank].ravel()
        return (None if seen.all() else seen), None
    return None, valid.reshape(block.curves.shape)
