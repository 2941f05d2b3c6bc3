"""What a process declares that it will give, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import ProcessError
from nxscan.model.names import is_valid_name

if TYPE_CHECKING:
    from nxscan.model import Axis, Scan
    from nxscan.process.contract import Per

    Dims = Sequence[str | Axis | EllipsisType]

_KINDS = "biuf"


@dataclass(frozen=True)
class Output:
    """One array that a process gives.

    Parameters
    ----------
    name : str
        A NeXus name (``center``); the result is found under it.
    units : str, optional
        Unit of the values; ``""`` is dimensionless, None not known.
    dims : sequence, optional
        Its dimensions, slow to fast. ``...`` stands for those of the process' ``per`` (the
        detector's for ``"pixel"``, the scan's for ``"position"``, none for ``"scan"``); the
        others are `nxscan.Axis` objects of the output's own (q, φ, roi, component) or names
        of axes of the scan. Default: ``(...,)``.
    dtype : dtype
        Type of the values; float64 by default. Only floats can say NaN.
    default : bool
        Whether it is the result's default plot; without any, the first output is.
    interpretation : str, optional
        What a viewer shall draw (``"image"``, ``"spectrum"``).
    long_name : str
        What the values are, for the color bar; by default the name.
    errors : bool
        Whether ``compute`` gives ``<name>_errors``, one standard deviation, as well.
    note : str
        What is too long for a color bar: what was taken off, what numbers stand for. It is
        kept with the result.

    """

    name: str
    units: str | None = None
    dims: Dims = (...,)
    dtype: Any = np.float64
    default: bool = False
    interpretation: str | None = None
    long_name: str = ""
    errors: bool = False
    note: str = ""


@dataclass(frozen=True, eq=False)
class Resolved:
    """An output whose shape and axes are known for one scan.

    Attributes
    ----------
    name, units, dtype, default, interpretation, long_name, errors, note
        As declared.
    axes : tuple of Axis
        One for each dimension.
    own_before, own_after : int
        How many dimensions of its own stand before and after those of ``per``.

    """

    name: str
    units: str | None
    dtype: np.dtype[Any]
    default: bool
    interpretation: str | None
    long_name: str
    errors: bool
    axes: tuple[Axis, ...]
    own_before: int
    own_after: int
    note: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(len(axis) for axis in self.axes)

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays that compute gives for it: itself, and its errors if it has any."""
        return (self.name, f"{self.name}_errors") if self.errors else (self.name,)

    def place(self, part: tuple[slice, ...]) -> tuple[slice, ...]:
        """Return where the values of ``part`` (of the dimensions of ``per``) go."""
        whole = slice(None)
        return (*(whole,) * self.own_before, *part, *(whole,) * self.own_after)


def resolve(declared: Sequence[Output], scan: Scan, per: Per, owner: str) -> list[Resolved]:
    """Give declared outputs their shapes and axes, and hold them against NXdata's rules.

    Raises
    ------
    ProcessError
        If a name is no NeXus name or comes twice, a type is none that plots, an axis is not
        in the scan, or there is more than one default.

    """
    if not declared:
        raise ProcessError(f"{owner} declares no outputs", "return at least one Output")
    found = [_resolve(output, scan, per, owner) for output in declared]
    names = [name for output in found for name in output.names]
    for name in names:
        if names.count(name) > 1:
            raise ProcessError(f"{owner}: output {name!r} is declared twice")
    if sum(output.default for output in found) > 1:
        raise ProcessError(f"{owner}: more than one output says default=True")
    return found


def dims_of(per: Per, scan: Scan) -> list[Axis]:
    """Return the axes that results belong to."""
    axes, rank = scan.main_axes(), len(scan.scan_shape)
    return {"pixel": axes[rank:], "position": axes[:rank], "scan": []}[per]


def _resolve(output: Output, scan: Scan, per: Per, owner: str) -> Resolved:
    if not is_valid_name(output.name):
        raise ProcessError(
            f"{owner}: output {output.name!r} is no NeXus name",
            "use small letters, digits and _, and begin with a letter",
        )
    dtype = np.dtype(output.dtype)
    if dtype.kind not in _KINDS:
        raise ProcessError(f"{owner}: output {output.name!r} is {dtype}, which no plot shows")
    dims = tuple(output.dims)
    if sum(part is ... for part in dims) != 1 and (per != "scan" or ... in dims):
        raise ProcessError(
            f"{owner}: the dims of output {output.name!r} must hold '...' once",
            f"it stands for the dimensions that a result per {per} has",
        )
    at = dims.index(...) if ... in dims else len(dims)
    before = [_axis(part, scan, output, owner) for part in dims[:at]]
    after = [_axis(part, scan, output, owner) for part in dims[at + 1 :]]
    axes = (*before, *dims_of(per, scan), *after)
    names = [axis.name for axis in axes]
    if len(set(names)) < len(names) or output.name in names:
        raise ProcessError(f"{owner}: output {output.name!r} has two dimensions of one name")
    return Resolved(
        name=output.name,
        units=output.units,
        dtype=dtype,
        default=output.default,
        interpretation=output.interpretation,
        long_name=output.long_name or output.name.replace("_", " "),
        errors=output.errors,
        axes=axes,
        own_before=len(before),
        own_after=len(after),
        note=output.note,
    )


def _axis(part: str | Axis | EllipsisType, scan: Scan, output: Output, owner: str) -> Axis:
    if isinstance(part, EllipsisType):
        raise ProcessError(f"{owner}: the dims of output {output.name!r} hold '...' twice")
    if not isinstance(part, str):
        if part.values.ndim != 1 or not is_valid_name(part.name):
            raise ProcessError(
                f"{owner}: axis {part.name!r} of output {output.name!r} must be one-dimensional "
                "and have a NeXus name"
            )
        return part
    if part not in scan.axes:
        known = ", ".join(scan.axes)
        raise ProcessError(
            f"{owner}: output {output.name!r} wants axis {part!r}, which the scan has not",
            f"there are: {known}",
        )
    return scan.axes[part]
