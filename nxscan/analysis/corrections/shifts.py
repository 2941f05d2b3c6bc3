"""Frames are moved back to where the sample was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis.corrections.moving import Moved, filled
from nxscan.errors import ProcessError
from nxscan.process.correction import Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.result import Result

_NAMES = ("shift_y", "shift_x")


class Shifts(Correction):
    """Move every frame back by the shift that the process ``shifts`` found for it.

    What comes out at p is what was at p + shift, interpolated, in floats. Pixels whose values
    would be needed from outside the frame are NaN, and not valid, and so are those next to
    missing ones. (darfix puts zeros there, and moves frames as 16-bit integers: 30.48 becomes
    30.0, and 32809 becomes 41.)

    ``method="cubic"`` takes 4 × 4 pixels (Keys, IEEE Trans. ASSP 29, 1153, 1981, equation 15,
    the cubic spline through its neighbours' slopes), ``"linear"`` 2 × 2. Both need no more of a
    frame than what is asked for and some pixels around. ``"fourier"`` moves whole frames by the
    phase of their spectrum, mirrored at the edges, which blurs nothing, but spreads what is
    sharper than two pixels, as hot pixels are, over its row and column. A shift of whole pixels
    moves values as they are.

    Variances are those of the sums: w² times the variance of each pixel; that pixels next to
    one another are correlated afterwards is not told, nor how sure the shifts are.

    Positions without a shift take one in between those before and after them; with
    ``missing="nan"`` their frames are NaN.
    """

    name = "shifts"

    class Parameters(ProcessParameters):
        """What a user may set."""

        result: str = Field(
            "shifts",
            description="The result of the process shifts, by its name (shifts_000), or 'shifts', "
            "the newest one.",
        )
        path: str | None = Field(
            None, description="The file it is in, if that is not the file of the scan."
        )
        method: Literal["cubic", "linear", "fourier"] = Field(
            "cubic", description="How values between pixels are found."
        )
        missing: Literal["interpolate", "nan"] = Field(
            "interpolate", description="What becomes of frames without a shift."
        )

    _result: Result | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The identity of the result."""
        return () if self._result is None else (self._result.identity,)

    def located(self, master: Path) -> Shifts:
        """Return the correction with the shifts that are in the file."""
        from nxscan.process.result import Result

        given = self.parameters
        try:
            result = Result.load(given.path or master, given.result)
        except ProcessError as error:
            raise ProcessError(
                f"correction shifts: {error.message}",
                "run the process shifts first, or give path=FILE, where its result is",
            ) from None
        missing = [name for name in _NAMES if name not in result]
        if missing:
            raise ProcessError(
                f"correction shifts: {result.group} in {result.path} has no {missing[0]}",
                "name a result of the process shifts",
            )
        named = type(self)(**{**given.model_dump(), "result": result.group})
        named._result = result
        return named

    def bind(self, scan: Scan, layout: Layout) -> Moved:
        """Take the shifts."""
        if self._result is None:
            raise ProcessError("correction shifts: there is no file to take the shifts from")
        if len(layout.frame_shape) != 2:
            raise ProcessError(
                f"correction shifts: frames have the shape {layout.frame_shape}, but images move"
            )
        binned = [one for one in self._result.stored.corrections if one.get("name") == "binning"]
        if binned:
            raise ProcessError(
                f"correction shifts: {self._result.group} was found in binned frames",
                "find the shifts without binning; give binning after them",
            )
        values = np.stack([self._taken(name, layout) for name in _NAMES], axis=-1)
        if self.parameters.missing == "interpolate":
            values = filled(values)
        return Moved(layout, values / _widths(scan, layout), self.parameters.method)

    def _taken(self, name: str, layout: Layout) -> NDArray[np.float64]:
        """Return the shifts of all positions, in the scan's shape."""
        result = self._result
        if result is None:
            raise ProcessError("correction shifts: there is no file to take the shifts from")
        values = np.asarray(result[name], np.float64)
        shape = layout.shape[: layout.scan_rank]
        along = result.parameters.get("axis")
        axis = layout.axes.get(along) if isinstance(along, str) else None
        if axis is not None and values.shape == (shape[axis.dimension],):
            others = [d for d in range(len(shape)) if d != axis.dimension]
            return np.broadcast_to(np.expand_dims(values, others), shape)
        if values.shape != shape:
            raise ProcessError(
                f"correction shifts: {result.group} has shifts for {values.shape} positions, but "
                f"the scan has {shape}"
            )
        return values


def _widths(scan: Scan, layout: Layout) -> NDArray[np.float64]:
    """Return how many of the scan's pixels a pixel is at this point, in y and x."""

    def step(axes: Any, dimension: int) -> float:
        found = [a for a in axes.values() if a.dimension == dimension and a.values.ndim == 1]
        values = found[0].values if found else np.arange(2.0)
        return float(values[1] - values[0]) if len(values) > 1 else 1.0

    rank = layout.scan_rank
    return np.array(
        [step(layout.axes, rank + d) / step(scan.axes, rank + d) for d in range(2)], np.float64
    )
