"""Maps of reciprocal space: intensity by the components of the scattering vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, field_validator

from nxscan.analysis.reciprocal_grid import Grid, make_grid
from nxscan.analysis.reciprocal_plan import FarField, Motors, Positions, find_motors, in_radians
from nxscan.analysis.reduction import good_values
from nxscan.analysis.space import DetectorParameters, find_pixel, find_two_theta, motor
from nxscan.errors import ProcessError
from nxscan.kernels.histogram import add_to_cells
from nxscan.process.contract import Process
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Axis, Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

    Array = NDArray[np.float64]

Component = Literal["rock", "roll", "par"]
_Q = np.array([[0.0], [0.0], [1.0]])
"""The reference's scattering vector in its own frame."""


class ReciprocalSpaceParameters(DetectorParameters):
    """Which map, on which cells, and what the file does not know of the geometry."""

    seen: Literal["microscope", "far_field"] = Field(
        "microscope",
        description="'microscope': the objective lets through one direction, and motors move in "
        "reciprocal space; 'far_field': without the objective, pixels are directions.",
    )
    components: tuple[Component, ...] = Field(
        (),
        max_length=3,
        description="Two or three of rock, roll and par ('rock,par'); the others are added up. By "
        "default those in which there is any extent.",
    )
    bins: int | None = Field(
        None,
        ge=2,
        le=1024,
        description="Cells along each component; by default as many as the motor has positions, "
        "and 64 across the detector.",
    )
    rock: str | None = Field(None, description="Motor that tilts about an axis across Q: mu.")
    roll: str | None = Field(None, description="Motor that tilts sideways: chi.")
    chi_to_q: float = Field(
        90.0,
        gt=0,
        lt=180,
        description="Angle between the axis of the rolling motor and Q.",
        json_schema_extra={"units": "degree"},
    )
    distance: float | None = Field(
        None,
        gt=0,
        description="From the sample to the far-field detector along the direct beam; by default "
        "the motor mainx.",
        json_schema_extra={"units": "mm"},
    )

    @field_validator("components", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(name.strip() for name in given.split(",") if name.strip())
        return tuple(given) if isinstance(given, Sequence) else given


class ReciprocalSpace(Process):
    """Reciprocal-space map: intensity by the components of the scattering vector.

    Components are those of Poulsen et al. (2021, eqs. 43-45), in units of the reference's |Q|:

    - ``rock``: tilt in the scattering plane, Δµ;
    - ``roll``: tilt out of it, Δχ;
    - ``par``: along Q; ½ cot θ Δ2θ of the objective, −cot(ccmth) Δccmth of the monochromator. A
      strain ε is seen at −ε.

    Angles are from the middle of the scan. Seen through the microscope, each position of the scan
    is one place and all pixels belong to it. In the far field, each pixel is a direction, and the
    reference is what is scattered by 2θ in the vertical plane.

    Outputs are ``mean``, counts a pixel; ``total``, their sum in each cell; and ``coverage``, how
    many pixels of how many frames a cell has. Cells without any are NaN in ``mean``.

    Notes
    -----
    A reduction: cells are added up wherever the scan is cut.

    """

    per = "scan"
    wants_valid = True
    bytes_per_value = 40
    Parameters = ReciprocalSpaceParameters

    _grid: Grid
    _motors: Motors
    _middles: dict[str, float]
    _axes: dict[str, Axis]
    _two_theta: float
    _far: FarField | None = None
    _pixels: tuple[str, str] = ("y", "x")

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the map, on a grid that holds all of the scan."""
        given = self.parameters
        two_theta = find_two_theta(scan, given)
        if two_theta is None:
            raise ProcessError(
                f"reciprocal_space: {scan.title!r} does not tell the scattering angle",
                "set two_theta",
            )
        self._two_theta = two_theta
        self._motors = find_motors(scan, given.rock, given.roll)
        self._axes = {name: scan.axes[name] for name in self._motors.named}
        self._middles = {name: _middle(in_radians(axis)) for name, axis in self._axes.items()}
        self._far = self._far_field(scan) if given.seen == "far_field" else None
        everywhere = self._positions(scan.scan_shape, (slice(None),) * len(scan.scan_shape))
        lengths = {name: len(axis) for name, axis in self._axes.items()}
        self._grid = make_grid(
            everywhere,
            _Q if self._far is None else self._edges(scan),
            _bins(given.bins, self._motors, lengths, far=self._far is not None),
            given.components,
        )
        axes = self._grid.axes
        note = (
            f"components by |Q| at 2 theta = {math.degrees(two_theta):.6g} degree; angles from the "
            "middle of the scan"
        )
        units = scan.signal.units
        return [
            Output("mean", units, dims=axes, long_name="mean intensity", default=True, note=note),
            Output("total", units, dims=axes, long_name="total intensity"),
            Output("coverage", "", dims=axes, dtype=np.int64, long_name="pixels in the cell"),
        ]

    def compute(self, block: Block) -> Arrays:
        """Return the sums and counts of a block's values in each cell."""
        grid, good = self._grid, good_values(block)
        curves = block.curves.astype(np.float64)
        counts = np.ones(curves.shape, np.int64) if good is None else good.reshape(curves.shape)
        values = np.where(counts, curves, 0.0)
        vectors = _Q
        if self._far is None:
            values, counts = values.sum(axis=1, keepdims=True), counts.sum(axis=1, keepdims=True)
        else:
            vectors = self._of_pixels(block)
        where = self._positions(block.scan_shape, block.selection[: block.scan_rank])
        total, count = np.zeros(grid.shape), np.zeros(grid.shape, np.int64)
        add_to_cells(
            np.ascontiguousarray(values),
            np.ascontiguousarray(counts, np.int64),
            np.ascontiguousarray(vectors),
            np.ascontiguousarray(where.turns),
            where.lengths,
            grid.rows,
            grid.low,
            grid.step,
            total,
            count,
        )
        return {"total": total, "count": count}

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Add up two parts."""
        return {name: first[name] + second[name] for name in ("total", "count")}

    def finish(self, state: Arrays) -> Arrays:
        """Return sums and means, of the components that are kept."""
        total, count = (self._grid.kept(state[name]) for name in ("total", "count"))
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return {"mean": mean, "total": total, "coverage": count}

    def _positions(self, shape: Sequence[int], part: Sequence[slice]) -> Positions:
        """Return what a part of the scan's positions do."""
        values = {}
        for name, axis in self._axes.items():
            along = [1] * len(shape)
            along[axis.dimension] = -1
            moved = in_radians(axis)[part[axis.dimension]].reshape(along)
            values[name] = np.broadcast_to(moved, tuple(shape)).ravel()
        angle = math.radians(self.parameters.chi_to_q)
        return self._motors.positions(values, self._middles, self._two_theta, angle)

    def _far_field(self, scan: Scan) -> FarField:
        given, pixel = self.parameters, find_pixel(scan, self.parameters)
        distance = motor(scan, "mainx", "mm", given.distance)
        if len(scan.frame_shape) != 2 or pixel is None or not distance:
            raise ProcessError(
                f"reciprocal_space: the far field needs frames of two dimensions, pixel_size and "
                f"distance, and {scan.title!r} does not tell all of them",
                "set those that it lacks",
            )
        height = motor(scan, "ffz", "mm")
        if height is None:
            height = abs(distance) * math.tan(self._two_theta)
        rows, columns = scan.frame_shape
        y, x = scan.main_axes()[-2:]
        self._pixels = y.name, x.name
        return FarField(
            abs(distance),
            abs(height),
            motor(scan, "ffy", "mm") or 0.0,
            (pixel[0] * 1e-3, pixel[1] * 1e-3),
            (given.rows, given.columns),
            (rows, columns),
        )

    def _edges(self, scan: Scan) -> Array:
        """Return the scattering vectors of pixels all over the detector, its edges included."""
        y, x = (axis.values for axis in scan.main_axes()[-2:])
        return self._vectors(_some(y), _some(x))

    def _of_pixels(self, block: Block) -> Array:
        y, x = self._pixels
        return self._vectors(block.axes[y], block.axes[x])

    def _vectors(self, y: Array, x: Array) -> Array:
        far = self._far
        if far is None:
            return _Q
        return np.asarray(far.vectors(y, x, self._two_theta).reshape(3, -1))


def _middle(values: Array) -> float:
    return float(0.5 * (values.min() + values.max()))


def _some(values: Array, count: int = 9) -> Array:
    return np.asarray(values[np.unique(np.linspace(0, len(values) - 1, count).astype(int))])


def _bins(given: int | None, motors: Motors, lengths: dict[str, int], *, far: bool) -> list[int]:
    """Return how many cells each component has, 1 where nothing extends along it."""
    along = (motors.rock, motors.roll, motors.pitch or motors.monochromator)
    own = [lengths.get(name, 1) for name in along]
    if far:
        return [given or max(64, n) for n in own]
    return [1 if n == 1 else given or n for n in own]
