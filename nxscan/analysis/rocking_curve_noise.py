"""The noise of a scan: as given, or measured in darks, ends of curves, or what fits leave over.

Where the ends of all curves are dark, they do not tell how noise grows with light. What the fits
of some pixels leave over does, in counts of every height. Where curves have another shape than the
model, that is in it, so that errors become too large rather than too small.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import ProcessError
from nxscan.process.noise import Noise
from nxscan.process.transfer import Transfer, fit_line, from_darks, from_tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.noise import NoiseParameters

    Fitted = Callable[[NDArray[np.float64], Noise], tuple[NDArray[np.float64], NDArray[np.float64]]]

log = logging.getLogger(__name__)

_FEWEST_FOR_TAILS = 20
"""Shorter curves have no ends without a peak."""
_SIDE, _LOOKS, _DARKS = 64, 5, 16
_FEWEST_FITS, _ROUNDS = 100, 2
_KEPT = 0.2
"""Values that keep less of their variance than this say little of it."""


def find_noise(scan: Scan, given: NoiseParameters, fitted: Fitted) -> tuple[Noise, str]:
    """Return the noise model of what was recorded, and how it was found, for people.

    Parameters
    ----------
    scan : Scan
        The scan as it was recorded.
    given : NoiseParameters
        What the user says of it.
    fitted : callable
        Returns the models of curves, shape (positions, pixels), that are fitted with a noise
        model, NaN where a fit failed; and what part of its variance each value keeps in what is
        left over.

    Raises
    ------
    ProcessError
        If ``noise="camera"``, and something is neither given nor can be measured.

    """
    told = given.noise in ("poisson", "uniform") or None not in (
        given.offset,
        given.gain,
        given.read_noise,
    )
    if told:
        return given.model(scan), "given"
    line = from_tails(scan) if max(scan.scan_shape, default=0) >= _FEWEST_FOR_TAILS else None
    if line is not None and line.slope and given.gain is None:
        return given.model(scan), "measured in darks and the ends of curves"
    first = _first_guess(scan, given, line)
    line = None if given.gain is not None else _from_fits(scan, fitted, first)
    if line is not None and line.slope:
        known = given.model_copy(update={"gain": 1 / line.slope})
        return _complete(scan, known, line), "measured in what fits leave over"
    if given.noise == "camera" or given.gain is not None:
        return given.model(scan), "measured in darks and the ends of curves"
    enough = math.prod(scan.frame_shape) >= _FEWEST_FITS
    level = logging.WARNING if enough else logging.INFO
    log.log(level, "%s: the noise cannot be measured; that of counts is taken", scan.title)
    return Noise("poisson", given.offset or 0.0, 1.0, given.read_noise or 0.0), "not measurable"


def _first_guess(scan: Scan, given: NoiseParameters, line: Transfer | None) -> Noise:
    """Return a noise model that is good enough to weigh the first fits."""
    offset, read_noise = 0.0, 1.0
    if scan.dark is not None:
        offset, read_noise = _of_darks(scan)
    elif line is not None:
        offset, read_noise = line.at, math.sqrt(line.variance)
    gain = given.gain or 1.0
    return Noise("camera", given.offset or offset, gain, max(given.read_noise or read_noise, 0.3))


def _complete(scan: Scan, given: NoiseParameters, line: Transfer) -> Noise:
    """Return the model with what darks say of offset and read noise, else what the line does."""
    offset, read_noise = given.offset, given.read_noise
    darks = _of_darks(scan) if scan.dark is not None else None
    if offset is None:
        offset = darks[0] if darks else line.at
    if read_noise is None:
        read_noise = darks[1] if darks else math.sqrt(line.variance_at(offset))
    found = Noise("camera", offset, given.gain or 1.0, read_noise)
    log.info("%s: noise model measured: %s", scan.title, found)
    return found


def _of_darks(scan: Scan) -> tuple[float, float]:
    dark = scan.dark
    if dark is None:
        raise ProcessError(f"{scan.title!r} has no dark frames")
    return from_darks(dark.read(slice(0, min(_DARKS, dark.shape[0]))))


def _from_fits(scan: Scan, fitted: Fitted, noise: Noise) -> Transfer | None:
    """Return the line of variance against mean that residuals of fits tell, or None."""
    values, line = _sample(scan), None
    for _ in range(_ROUNDS):
        model, kept = fitted(values, noise)
        good = np.isfinite(model).all(axis=0)
        if good.sum() < _FEWEST_FITS:
            return None
        square = (values[:, good] - model[:, good]) ** 2 / kept[:, good]
        used = np.isfinite(square) & (kept[:, good] > _KEPT)
        line = fit_line(model[:, good][used], square[used], float(len(values)))
        if not line.slope:
            return None
        noise = Noise("camera", line.at, 1 / line.slope, math.sqrt(max(line.variance, 0.01)))
    return line


def _sample(scan: Scan) -> NDArray[np.float64]:
    """Return the curves of the part of the detector that changes most: (positions, pixels)."""
    count = math.prod(scan.scan_shape)
    looks = np.unique(np.linspace(0, count - 1, min(count, 2 * _LOOKS + 1)).astype(int))[1:-1]
    places = [np.unravel_index(look, scan.scan_shape) for look in looks]
    frames = [scan.signal.read(tuple(int(i) for i in place)) for place in places]
    region = _brightest(np.array(frames, np.float64)) if frames else ()
    whole = tuple(slice(0, length) for length in scan.scan_shape)
    stored = scan.signal.read((*whole, *region))
    values = stored.astype(np.float64)
    if stored.dtype.kind == "u":
        values[stored == np.iinfo(stored.dtype).max] = np.nan
    if scan.mask is not None and scan.mask.shape == scan.frame_shape:
        values[..., scan.mask[tuple(region)] != 0] = np.nan
    return values.reshape(count, -1)


def _brightest(frames: NDArray[np.float64]) -> Sequence[slice]:
    """Return the part of the detector whose values differ most between frames."""
    change = np.nan_to_num(np.ptp(frames, axis=0))
    change = np.minimum(change, np.percentile(change, 99.5))
    found = []
    for axis in range(change.ndim):
        others = tuple(k for k in range(change.ndim) if k != axis)
        along = change.sum(axis=others)
        size = min(_SIDE, len(along))
        sums = np.convolve(along, np.ones(size), "valid")
        start = int(sums.argmax())
        found.append(slice(start, start + size))
        change = np.take(change, range(start, start + size), axis=axis)
    return found


def state(noise: Noise, how: str) -> str:
    """Return what a noise model says, for people."""
    if noise.kind == "uniform":
        return "noise the same everywhere, its size from the residuals of each fit"
    if noise == Noise():
        return f"noise of counts (poisson), {how}"
    numbers = f"offset {noise.offset:.5g}, gain {noise.gain:.4g}, read noise {noise.read_noise:.4g}"
    return f"noise of a camera: {numbers}, {how}"
