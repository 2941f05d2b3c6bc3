"""A region of interest of the detector."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema

from nxscan.errors import ProcessError
from nxscan.process.correction import Bound, Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from nxscan.model import Axis, Scan
    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames

    Ranges = tuple[tuple[int | None, int | None], ...]

_RANGE = re.compile(r"\s*(\d*)\s*:\s*(\d*)\s*")


def _parse(value: Any) -> Any:
    """Read ``"10:50,20:80"``, ``(10, 50, 20, 80)`` or pairs as pairs."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, (list, tuple)):
        return value
    if value and all(isinstance(part, (int, np.integer)) for part in value) and not len(value) % 2:
        return tuple(zip(value[::2], value[1::2], strict=True))
    return tuple(_pair(part) if isinstance(part, str) else part for part in value)


def _pair(text: str) -> tuple[int | None, int | None]:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not written first:end, in whole pixels from 0")
    first, end = (int(part) if part else None for part in found.groups())
    return first, end


@dataclass(frozen=True, eq=False)
class RoiBound(Bound):
    """A part of every frame.

    Attributes
    ----------
    starts, stops : tuple of int
        First pixel of each detector dimension, and the one after the last.

    """

    starts: tuple[int, ...]
    stops: tuple[int, ...]

    @property
    def after(self) -> Layout:
        """The part's shape; axes keep the values that they have there."""
        layout, rank = self.before, self.before.scan_rank
        lengths = tuple(stop - start for start, stop in zip(self.starts, self.stops, strict=True))
        edges = list(layout.edges)
        for k, (start, stop) in enumerate(zip(self.starts, self.stops, strict=True)):
            inside = np.clip(edges[rank + k], start, stop) - start
            edges[rank + k] = np.unique(inside)
        return replace(
            layout,
            shape=(*layout.shape[:rank], *lengths),
            axes={name: self._cut(axis) for name, axis in layout.axes.items()},
            edges=tuple(edges),
        )

    def _cut(self, axis: Axis) -> Axis:
        k = axis.dimension - self.before.scan_rank
        if k < 0:
            return axis
        part = slice(self.starts[k], self.stops[k])
        width = None if axis.width is None else axis.width[part]
        return replace(axis, values=axis.values[part], width=width)

    def source(self, region: Selection) -> Selection:
        """Return where the region lies in the whole frames."""
        rank = self.before.scan_rank
        moved = tuple(
            slice(part.start + start, part.stop + start)
            for part, start in zip(region[rank:], self.starts, strict=True)
        )
        return (*region[:rank], *moved)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Count pixels from the part's corner."""
        return replace(frames, region=region)


class Roi(Correction):
    """Take a part of every frame; axes keep their values, so that pixels keep their names.

    What lies outside is not read. A region that is not inside the frames is an error.
    """

    name = "roi"

    class Parameters(ProcessParameters):
        """What a user may set."""

        region: Annotated[
            tuple[tuple[int | None, int | None], ...],
            BeforeValidator(_parse),
            WithJsonSchema({"type": "string"}),
        ] = Field(
            description="y0:y1,x0:x1, or as many as the detector has dimensions: first pixel, "
            "and the one after the last; either may be left out.",
            json_schema_extra={"units": "pixel"},
        )

    def bind(self, scan: Scan, layout: Layout) -> RoiBound:
        """Hold the region against the frames."""
        region, shape = self.parameters.region, layout.frame_shape
        text = ",".join(f"{_shown(first)}:{_shown(end)}" for first, end in region)
        if len(region) != len(shape) or not shape:
            raise ProcessError(
                f"correction roi: {text} has {len(region)} ranges, but the frames of "
                f"{scan.title!r} have {len(shape)} dimensions, {shape}"
            )
        starts = tuple(first or 0 for first, _ in region)
        stops = tuple(
            length if end is None else end for (_, end), length in zip(region, shape, strict=True)
        )
        if not all(0 <= a < b <= n for a, b, n in zip(starts, stops, shape, strict=True)):
            raise ProcessError(
                f"correction roi: {text} is not inside the frames of {scan.title!r}, {shape}"
            )
        return RoiBound(before=layout, starts=starts, stops=stops)


def _shown(value: int | None) -> str:
    return "" if value is None else str(value)
