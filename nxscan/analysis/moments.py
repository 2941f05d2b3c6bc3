"""Moments of every pixel's curve along the scan, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, field_validator

from nxscan.analysis.moments_finish import STATUS, Finish
from nxscan.analysis.moments_plan import Along, Curves, make_curves
from nxscan.analysis.moments_sums import (
    as_sums,
    empty_state,
    make_rows,
    make_values,
    merge,
    no_rows,
    no_sums,
    no_values,
    own,
)
from nxscan.errors import ProcessError
from nxscan.kernels.curves import ADD_UP, CONCLUDE, WHOLE, run
from nxscan.process.contract import Process
from nxscan.process.noise import Noise, NoiseParameters
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.kernels.central import Rule
    from nxscan.kernels.moments import Rows, Values
    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

_AT_ONCE = 16


class MomentsParameters(NoiseParameters):
    """What moments are taken of, and how."""

    axes: tuple[str, ...] = Field(
        (),
        description="Scan axes, by name ('mu', 'chi,mu'); by default all that were scanned. What "
        "lies along other scan axes is added up.",
    )
    background: Literal["none", "min", "edges", "dark"] = Field(
        "edges",
        description="What is taken off every curve: nothing, its smallest value, the mean of its "
        "first and last positions, or the mean of the scan's own dark frames. A background that "
        "is left in pulls centers to the middle of the range.",
    )
    edge: int | None = Field(
        None,
        ge=1,
        description="How many positions at each end of an axis are its edge; by default one in "
        "twenty, at least one.",
    )
    weights: Literal["auto", "even", "steps"] = Field(
        "auto",
        description="Whether positions count by the step between them; 'auto' does so where "
        "steps differ by more than 1 %.",
    )
    threshold: float = Field(
        5.0,
        ge=0,
        description="A curve is weak if its intensity is not above this many of its standard "
        "deviations.",
    )
    saturation: float | None = Field(
        None,
        description="Values from here on are saturated; by default the largest that the "
        "detector's integers can hold.",
        json_schema_extra={"units": "counts"},
    )

    @field_validator("axes", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(name.strip() for name in given.split(",") if name.strip())
        return tuple(given) if isinstance(given, Sequence) else given


class Moments(Process):
    """Intensity, center of mass, width, skewness and kurtosis of every pixel's curve.

    Along one axis the outputs are ``intensity``, ``center``, ``std``, ``fwhm`` (2.35482 std,
    as of a Gaussian), ``skewness``, excess ``kurtosis`` and ``status``; along several, those
    of each are called ``center_mu``, ``center_chi`` ... and are of the curve that is left
    when the other axes are added up. Positions that were read count where they were read.

    ``status`` is 0 ok, 1 weak, 2 highest at the scan's edge, 3 saturated, 4 masked. Where the
    intensity above the background is not positive, or the center would lie outside the scan,
    moments are NaN. Errors follow from the
    detector's noise to first order.

    Notes
    -----
    A reduction: sums of powers about the middle of the range add up where the scan is cut. A
    block that holds all positions is finished strip by strip, while its sums are in the cache.

    """

    per = "pixel"
    wants_valid = True
    bytes_per_value = 4
    Parameters = MomentsParameters

    _curves: Curves | None = None
    _finish: Finish
    _rule: Rule
    _dtype: np.dtype[Any]
    _dark: NDArray[np.float32] | None = None

    def noise(self, scan: Scan) -> Noise:
        """Return the noise model that the parameters say."""
        found: Noise = self.parameters.model(scan)
        return found

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the maps, and make the process ready for this scan."""
        given = self.parameters
        self._curves = make_curves(scan, given.axes, given.edge, given.weights)
        _check_edges(self._curves, given.background)
        # noise is the detector's: it is measured in what was recorded, not in what is corrected
        noise = self.noise(getattr(scan.signal, "source", scan))
        self._finish = Finish(
            self._curves,
            given.background,
            _line(noise),
            given.threshold,
            _saturation(given.saturation, scan.signal.dtype),
        )
        self._rule = self._finish.rule
        self._dtype = scan.signal.dtype
        self._dark = _mean_dark(scan, noise) if given.background == "dark" else None
        self.wants_variance = bool(getattr(scan.signal, "corrected", False))
        how = _stated(self._curves, given.background)
        found = [
            Output(
                "intensity",
                scan.signal.units,
                dtype=np.float32,
                long_name="intensity",
                errors=True,
                note=how,
            )
        ]
        for along in self._curves.along:
            found += _outputs(along, self._finish.suffix(along), how)
        found[1] = replace(found[1], default=True)
        return [*found, Output("status", "", dtype=np.uint8, long_name="status", note=STATUS)]

    def compute(self, block: Block) -> Arrays:
        """Return the maps of a block that holds all positions, else the sums of its part."""
        if self._curves is None:
            raise ProcessError("moments: outputs(scan) must be called before compute")
        values, rows = make_values(block), make_rows(block, self._curves)
        dark = self._dark_of(block)
        if block.scan_shape == self._curves.scan_shape:
            maps = self._finish.empty(values.pixels)
            run(WHOLE, values, rows, self._rule, no_sums(), _or_none(dark), maps)
            return self._finish.named(maps, block.frame_shape)
        state = self._add_up(values, rows)
        state["tile"] = np.array(block.frame_shape, np.int64)
        return state if dark is None else state | {"dark": dark}

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Add up the sums of two parts of the scan."""
        return merge(dict(first), dict(second))

    def finish(self, state: Arrays) -> Arrays:
        """Return the maps; those of a block that held all positions are there already."""
        if "values" not in state:
            return state
        tile = tuple(int(length) for length in state["tile"])
        height, pixels = state["values"].shape
        maps = self._finish.empty(pixels)
        dark = _or_none(state.get("dark"))
        run(
            CONCLUDE,
            no_values(self._dtype, pixels),
            no_rows(height),
            self._rule,
            as_sums(dict(state)),
            dark,
            maps,
        )
        return self._finish.named(maps, tile)

    def _add_up(self, values: Values, rows: Rows) -> dict[str, NDArray[Any]]:
        """Return the sums of a part of the scan; of float values that are not finite is learnt."""
        lowest = self._finish.background == "min"
        uniform = not len(values.valid) and not len(values.seen)
        while True:
            state = empty_state(values, rows, uniform=uniform, lowest=lowest)
            sums, maps = as_sums(state), self._finish.empty(0)
            complete = run(ADD_UP, values, rows, self._rule, sums, _or_none(None), maps)
            if complete or not uniform:
                return state
            uniform = False

    def _dark_of(self, block: Block) -> NDArray[np.float32] | None:
        if self._dark is None:
            return None
        return self._dark[(slice(None), *block.selection[block.scan_rank :])].reshape(2, -1)


def _or_none(dark: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return np.empty((2, 0), np.float32) if dark is None else own(dark)


def _outputs(along: Along, after: str, how: str) -> list[Output]:
    axis = along.axis
    label = axis.name  # its long name is in the scan, and too long for the title of a plot
    rows: list[tuple[str, str | None, str, Any]] = [
        ("center", axis.units, f"center of mass of {label}", np.float64),
        ("std", axis.units, f"standard deviation of {label}", np.float32),
        ("fwhm", axis.units, f"FWHM of {label}", np.float32),
        ("skewness", "", f"skewness of {label}", np.float32),
        ("kurtosis", "", f"excess kurtosis of {label}", np.float32),
    ]
    return [
        Output(name + after, units, dtype=dtype, long_name=text, errors=True, note=how)
        for name, units, text, dtype in rows
    ]


def _stated(curves: Curves, background: str) -> str:
    """Return what was done to the curves, for people."""
    texts = {
        "none": "no background taken off",
        "min": "smallest value taken off",
        "edges": f"mean of the {int(curves.edge.sum())} positions at the edges taken off",
        "dark": "mean dark frame taken off",
    }
    steps = ", weighted by the steps" if curves.weighted else ""
    return texts[background] + steps


def _check_edges(curves: Curves, background: str) -> None:
    if background == "edges" and curves.edge.all():
        raise ProcessError(
            f"moments: all {curves.edge.size} positions are at the scan's edge, so there is no "
            "background to take off",
            "set background=none, min or dark, or a smaller edge",
        )


def _line(noise: Noise) -> tuple[float, float]:
    """Return a, b of variance = a I + b."""
    floor = noise.read_noise**2
    if noise.kind == "uniform":
        return 0.0, floor or 1.0
    return 1 / noise.gain, floor - noise.offset / noise.gain


def _saturation(given: float | None, dtype: np.dtype[Any]) -> float | None:
    if given is not None or dtype.kind not in "iu":
        return given
    return float(np.iinfo(dtype).max)


def _mean_dark(scan: Scan, noise: Noise) -> NDArray[np.float32]:
    """Return the mean of the dark frames and its variance."""
    dark = scan.dark
    if dark is None or dark.shape[-2:] != scan.frame_shape:
        found = "none" if dark is None else f"frames of {dark.shape[-2:]}"
        raise ProcessError(
            f"moments: background=dark needs dark frames of {scan.frame_shape}, and "
            f"{scan.title!r} has {found}",
            "set background=edges, or read the frames through the correction 'dark'",
        )
    count = dark.shape[0]
    total = np.zeros(scan.frame_shape)
    for start in range(0, count, _AT_ONCE):
        total += dark.read(slice(start, min(start + _AT_ONCE, count))).sum(axis=0, dtype=float)
    mean = total / count
    return np.stack([mean, noise.variance(mean) / count]).astype(np.float32)
