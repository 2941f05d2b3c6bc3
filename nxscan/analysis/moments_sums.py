"""The values of a block and the sums that moments need, as the compiled kernel takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.moments import KINDS, TOGETHER, Rows, Sums, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.moments_plan import Curves
    from nxscan.process.block import Block

    State = dict[str, NDArray[Any]]

_NO_BOOLS = np.empty((0, 0), np.bool_)
_NO_SINGLES = np.empty((0, 0), np.float32)


def make_values(block: Block) -> Values:
    """Return the values of a block."""
    curves = _known_type(block.curves)
    positions, pixels = curves.shape
    seen, valid = _validity(block)
    variance = block.variance
    return Values(
        raw=own(curves).reshape(-1).view(np.uint8),
        kind=KINDS.index(curves.dtype.str[1:]),
        positions=positions,
        pixels=pixels,
        valid=_NO_BOOLS if valid is None else own(valid),
        seen=np.empty(0, np.bool_) if seen is None else own(seen),
        variance=_NO_SINGLES
        if variance is None
        else own(np.asarray(variance.reshape(curves.shape), np.float32)),
    )


def no_values(pixels: int) -> Values:
    """Return that there are none, of so many pixels."""
    none = np.empty(0, np.bool_)
    return Values(np.empty(0, np.uint8), 0, 0, pixels, _NO_BOOLS, none, _NO_SINGLES)


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
    even, odd = _padded(even), _padded(odd)
    return Rows(even, odd, _used(even), _used(odd), rows.sum(axis=1), own(edge), mirrored)


def no_rows(height: int) -> Rows:
    """Return coefficients of no positions."""
    none = np.empty((0, 0))
    used = _NO_BOOLS
    return Rows(none, none, used, used, np.zeros(height), np.empty(0, np.bool_), False)


def no_sums() -> Sums:
    """Return sums of no pixels."""
    none = np.empty((0, 0))
    return Sums(none, none, none, none, np.empty(0))


def empty_sums(values: Values, rows: Rows, *, uniform: bool, lowest: bool) -> Sums:
    """Return memory for the sums of all pixels; ``uniform`` if all have the same weights."""
    height, pixels = len(rows.total), values.pixels
    return Sums(
        np.empty((height, pixels)),
        np.empty((height, 1 if uniform else pixels)),
        np.empty((height if len(values.variance) else 0, pixels)),
        np.empty((2, pixels)),
        np.empty(pixels if lowest else 0),
    )


def as_state(sums: Sums) -> State:
    """Return the sums of a part of the scan as arrays with names."""
    return {name: array for name, array in sums._asdict().items() if array.size}


def as_sums(state: State) -> Sums:
    """Return the sums that arrays with names are."""
    none = np.empty((0, state["values"].shape[1]))
    return Sums(
        values=own(state["values"]),
        weights=own(state["weights"]),
        variances=own(state.get("variances", none)),
        high=own(state["high"]),
        low=own(state.get("low", np.empty(0))),
    )


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


def _known_type(curves: NDArray[Any]) -> NDArray[Any]:
    """Return values in a type that the kernel reads."""
    if curves.dtype.isnative and curves.dtype.str[1:] in KINDS:
        return curves
    for wider in ("i2", "f4", "f8"):
        if np.can_cast(curves.dtype, wider):
            return curves.astype(wider)
    return curves.astype("f8")


def _padded(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    height, n = rows.shape
    padded = np.zeros((height, n + -n % TOGETHER))
    padded[:, :n] = rows
    return padded


def _used(padded: NDArray[np.float64]) -> NDArray[np.bool_]:
    height, n = padded.shape
    groups = padded.reshape(height // 2, 2, n // TOGETHER, TOGETHER)
    return own((groups != 0).any(axis=(1, 3)))


def _validity(block: Block) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Return which pixels are valid, or which values, or neither if all are."""
    if block.valid is None:
        return None, None
    valid = np.broadcast_to(block.valid, block.data.shape)
    if all(valid.strides[d] == 0 for d in range(block.scan_rank) if valid.shape[d] > 1):
        seen = valid[(0,) * block.scan_rank].ravel()
        return (None if seen.all() else seen), None
    return None, valid.reshape(block.curves.shape)
