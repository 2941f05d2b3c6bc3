"""Peaks fitted to every pixel's rocking curve, along one to three motors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, field_validator

from nxscan.analysis.rocking_curve_maps import Maps, find_maps
from nxscan.analysis.rocking_curve_models import fit_models
from nxscan.analysis.rocking_curve_noise import find_noise, state
from nxscan.analysis.rocking_curve_plan import Places, find_places
from nxscan.errors import ProcessError
from nxscan.kernels.fit import Task, fit_tile
from nxscan.kernels.fit_report import report_rows
from nxscan.kernels.lm_model import GAUSSIAN, LORENTZIAN, PSEUDO_VOIGT
from nxscan.process.contract import Process
from nxscan.process.noise import Noise, NoiseParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

_KINDS = {"gaussian": GAUSSIAN, "lorentzian": LORENTZIAN, "pseudo_voigt": PSEUDO_VOIGT}
_TILE = 1 << 16
"""Values that are converted and fitted at once: they stay in the processor's cache."""


class RockingCurveParameters(NoiseParameters):
    """What is fitted, and how."""

    profile: Literal["gaussian", "lorentzian", "pseudo_voigt"] = Field(
        "gaussian",
        description="Profile of a peak. Along several motors it is a Gaussian with correlations.",
    )
    background: Literal["constant", "linear"] = Field(
        "constant", description="What peaks stand on: a constant, or linear along each motor."
    )
    axes: tuple[str, ...] = Field(
        (),
        description="Motors that were scanned, one to three, by name ('mu', 'chi,mu'); by default "
        "the main one of every dimension.",
    )
    peaks: int = Field(
        1,
        ge=1,
        le=3,
        description="How many peaks a pixel may have. Another one is taken where it lowers the "
        "Bayesian information criterion, and all are significant.",
    )
    threshold: float = Field(
        5.0,
        ge=0,
        description="A peak is too weak if its height is not above this many of its standard "
        "errors.",
    )
    saturation: float | None = Field(
        None,
        description="Values from here on are saturated, and left out; by default the largest that "
        "the detector's integers can hold.",
        json_schema_extra={"units": "counts"},
    )
    noise: Literal["poisson", "camera", "uniform", "auto"] = Field(
        "auto",
        description="Noise of the raw values: 'auto', what is measured in the scan, else counts; "
        "'poisson' counts; 'camera', with offset, gain and read noise, measured in the scan where "
        "they are not given; 'uniform', the same for every value of a pixel, its size from the "
        "residuals of its fit.",
    )

    @field_validator("axes", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(name.strip() for name in given.split(",") if name.strip())
        return tuple(given) if isinstance(given, Sequence) else given


class RockingCurve(Process):
    """Height, center, width, background and integral of the peak of every pixel's curve.

    A Gaussian, Lorentzian or pseudo-Voigt on a constant or linear background, or, along two or
    three motors, a Gaussian with correlations, by weighted least squares where the motors were
    read. The outputs are ``amplitude``, ``center``, ``fwhm``, ``background``, ``intensity`` (the
    integral of the peak), each with its standard error, the reduced ``chi_square`` and ``status``;
    along several motors ``center_mu``, ``fwhm_mu`` ..., and ``correlation``. ``eta`` is the
    Lorentzian part of a pseudo-Voigt. With ``peaks`` above 1, what belongs to a peak has a
    dimension ``peak``, the largest first, and ``peaks`` says how many there are.

    ``status`` is 0 converged, 1 too weak, 2 a half of the peak's height lies outside the scan,
    3 saturated, 4 masked, 5 a width at its bound, 6 did not converge, 7 fewer values than
    parameters. A fit that failed is NaN, never where it began.

    Notes
    -----
    Levenberg and Marquardt's method with analytic derivatives, in double precision. The variance
    of a value is that of the model, renewed at each step, so that the result is that of maximum
    likelihood; weights from the counts themselves would make every background too low. Standard
    errors are from the inverse of the information matrix; with ``noise="uniform"`` they are
    scaled by the root of the reduced chi-square. What the noise is taken to be, and whether it was
    measured, is noted with every output.

    The number of peaks is chosen by the Bayesian information criterion, deviance + k ln n
    (Schwarz 1978), the deviance divided by the reduced chi-square of the richer model where that
    exceeds 1: other criteria (AIC, AICc) find a second peak in the noise of several percent of
    pixels that have one.

    """

    per = "pixel"
    wants_valid = True
    bytes_per_value = 4
    Parameters = RockingCurveParameters

    _places: Places | None = None
    _task: Task
    _maps: Maps

    def noise(self, scan: Scan) -> Noise:
        """Return the noise model that the parameters say."""
        return self._find_noise(scan)[0]

    def outputs(self, scan: Scan) -> list[Any]:
        """Declare the maps, and make the process ready for this scan."""
        given = self.parameters
        places = find_places(scan, given.axes)
        _check_model(given, len(places.axes))
        noise, how = self._find_noise(scan)
        self._places = places
        self._task = self._make_task(scan, places, noise, given.peaks)
        self._maps = find_maps(scan, places, self._task)
        self.wants_variance = bool(getattr(scan.signal, "corrected", False))
        return self._maps.outputs(f"{_stated(given)}; {state(noise, how)}")

    def _make_task(self, scan: Scan, places: Places, noise: Noise, peaks: int) -> Task:
        given = self.parameters
        return Task(
            _KINDS[given.profile],
            len(places.axes),
            peaks,
            given.background == "linear",
            *_line(noise),
            noise.kind != "uniform",
            given.threshold,
            _saturation(given.saturation, scan.signal.dtype),
        )

    def _find_noise(self, scan: Scan) -> tuple[Noise, str]:
        # noise is the detector's: it is measured in what was recorded, not in what is corrected
        recorded = getattr(scan.signal, "source", scan)
        places = find_places(recorded, self.parameters.axes)

        def fitted(
            curves: NDArray[np.float64], noise: Noise
        ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            task = self._make_task(recorded, places, noise, 1)
            return fit_models(curves, places, task)

        return find_noise(recorded, self.parameters, fitted)

    def compute(self, block: Block) -> Arrays:
        """Return the maps of a block."""
        if self._places is None:
            raise ProcessError("rocking_curve: outputs(scan) must be called before compute")
        curves = block.curves
        valid = _flat(block.valid, block)
        variance = _flat(block.variance, block)
        positions, pixels = curves.shape
        found = self._maps.empty(pixels)
        size = max(16, _TILE // positions)
        task, places = self._task, self._places
        rows = report_rows(task.kind, task.dims, task.peaks, task.linear)
        values, errors = np.empty((rows, size)), np.empty((rows, size))
        for start in range(0, pixels, size):
            part = slice(start, min(start + size, pixels))
            count = part.stop - start
            fit_tile(
                _turned(curves, part, np.float64),
                _turned(valid, part, np.bool_),
                _turned(variance, part, np.float64),
                places.units,
                places.steps,
                task,
                values,
                errors,
                found["status"][part],
            )
            self._maps.fill(found, part, values[:, :count], errors[:, :count])
        return {
            name: array.reshape(*array.shape[:-1], *block.frame_shape)
            for name, array in found.items()
        }


def _turned(curves: NDArray[Any] | None, part: slice, dtype: Any) -> NDArray[Any]:
    """Return the curves of some pixels, one after the other."""
    if curves is None:
        return np.empty((0, 0), dtype)
    # a copy even where none is needed: for a read-only array numba would compile all again
    return np.array(curves[:, part].T, dtype=dtype, order="C")


def _flat(array: NDArray[Any] | None, block: Block) -> NDArray[Any] | None:
    """Return what comes along with the values in their shape; None if all are valid."""
    if array is None or (array.dtype == np.bool_ and array.all()):
        return None
    return np.broadcast_to(array, block.data.shape).reshape(block.curves.shape)


def _line(noise: Noise) -> tuple[float, float, float]:
    """Return a, b, c of variance = max(a I + b, c)."""
    floor = noise.read_noise**2
    if noise.kind == "uniform":
        return 0.0, floor or 1.0, floor or 1.0
    return 1 / noise.gain, floor - noise.offset / noise.gain, floor


def _saturation(given: float | None, dtype: np.dtype[Any]) -> float:
    if given is not None:
        return given
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else np.inf


def _check_model(given: RockingCurveParameters, dims: int) -> None:
    if dims > 1 and given.profile != "gaussian":
        raise ProcessError(
            f"rocking_curve: profile={given.profile} is for one motor, and the scan has {dims}",
            "set profile=gaussian",
        )


def _stated(given: RockingCurveParameters) -> str:
    """Return what was fitted, for people."""
    several = f", up to {given.peaks} peaks by BIC" if given.peaks > 1 else ""
    return f"{given.profile} on a {given.background} background{several}"
