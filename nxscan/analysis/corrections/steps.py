"""What corrections share: the type of what comes out, rows of positions, missing values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import ProcessError
from nxscan.kernels import corrections as kernels
from nxscan.process.frames import Frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Selection
    from nxscan.process.correction import Layout


def float_type(dtype: np.dtype[Any], summed: int = 1) -> np.dtype[Any]:
    """Return the floats that hold values of a type without rounding them.

    float32 holds whole numbers up to 2²⁴ exactly: it is taken for integers of up to 16 bits,
    as long as a sum of ``summed`` of them stays below that, and for float32 itself; float64
    for all else.
    """
    if dtype.kind in "iub":
        bits = 8 * dtype.itemsize + math.ceil(math.log2(summed))
        return np.dtype(np.float32 if bits <= 24 else np.float64)
    return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)


def as_floats(layout: Layout) -> Layout:
    """Return the layout with values that can be NaN."""
    return replace(layout, dtype=float_type(layout.dtype))


def rows(values: NDArray[Any], scan_rank: int) -> NDArray[Any]:
    """Return values as (positions, pixels), C order; a view where that is possible."""
    positions = math.prod(values.shape[:scan_rank])
    return np.ascontiguousarray(values).reshape(positions, math.prod(values.shape[scan_rank:]))


def pixels(frame: NDArray[Any], region: Selection) -> NDArray[Any]:
    """Return a region's part of a frame, in one dimension."""
    part = region[len(region) - frame.ndim :]
    return np.ascontiguousarray(frame[part]).reshape(-1)


def positions(values: NDArray[Any], region: Selection) -> NDArray[Any]:
    """Return a region's part of per-position values, in one dimension."""
    return np.ascontiguousarray(values[region[: values.ndim]]).reshape(-1)


def room(frames: Frames, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Return the values, where corrected ones go, and whether that is another array.

    Both are (positions, pixels). They are one array if it can be changed in place, since nobody
    else has it.
    """
    values = rows(frames.data, frames.scan_rank)
    if values.dtype == dtype and values.flags.writeable:
        return values, values, False
    return values, np.empty(values.shape, dtype), True


def own_variance(frames: Frames) -> NDArray[np.float32] | None:
    """Return the variances as (positions, pixels), to be changed in place; None without."""
    if frames.variance is None:
        return None
    return np.require(rows(frames.variance, frames.scan_rank), np.float32, "W")


def done(
    frames: Frames,
    region: Selection,
    out: NDArray[Any],
    variance: NDArray[Any] | None,
    *,
    missing: bool,
) -> Frames:
    """Return corrected frames.

    ``missing`` says whether values may have become NaN: they are then not valid, and have no
    variance.
    """
    shape, valid = frames.data.shape, frames.valid
    if missing and variance is not None:
        kernels.drop_missing(out, variance)
    if missing and valid is not None:
        valid = np.require(rows(valid, frames.scan_rank), np.bool_, "W")
        kernels.invalidate_missing(out, valid)
        valid = valid.reshape(shape)
    return replace(
        frames,
        data=out.reshape(shape),
        region=region,
        variance=None if variance is None else variance.reshape(shape),
        valid=valid,
    )


def check_frame_shape(frame: NDArray[Any], layout: Layout, what: str) -> None:
    """Raise ProcessError if a frame has another shape than the frames that come in."""
    if frame.shape != layout.frame_shape:
        raise ProcessError(
            f"{what} has shape {frame.shape}, but the frames at this point have "
            f"{layout.frame_shape}",
            "a correction that changes the shape (roi, binning) comes after it",
        )


def check_untouched(
    scan: Scan, layout: Layout, what: str, hint: str = "give it first in the chain"
) -> None:
    """Raise ProcessError if corrections before this one have changed type or shape."""
    signal = scan.signal
    if layout.dtype != signal.dtype or layout.shape != signal.shape:
        raise ProcessError(
            f"{what} concerns the values as they were stored ({signal.dtype}, {signal.shape}), "
            f"but corrections before it have made them {layout.dtype}, {layout.shape}",
            hint,
        )


def per_position(scan: Scan, name: str, layout: Layout, owner: str) -> NDArray[np.float64]:
    """Return a counter, reading or field of a scan by name, in the scan's shape.

    Raises
    ------
    ProcessError
        If there is none of this name, or it has no number for every position.

    """
    shape = layout.shape[: layout.scan_rank]
    field = scan.counters.get(name) or scan.readings.get(name) or scan.metadata.get(name)
    if field is None:
        known = ", ".join([*scan.counters, *scan.readings]) or "none"
        raise ProcessError(
            f"correction {owner}: {scan.title!r} has no counter {name!r}", f"there are: {known}"
        )
    values = np.asarray(field.value)
    if values.shape != shape or values.dtype.kind not in "biuf":
        raise ProcessError(
            f"correction {owner}: {name!r} is {values.dtype} of shape {values.shape}, but a "
            f"number for every position, {shape}, is needed"
        )
    return values.astype(np.float64)
