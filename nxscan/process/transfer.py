"""A detector's offset, gain and read noise, measured from darks, repeats or curve tails.

The photon-transfer method (Janesick, *Photon Transfer*, SPIE 2007; EMVA Standard 1288): at
different levels of light, the variance of a value against its mean is a line whose slope is
1 / gain, and which has read_noise² where there is no light.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import chi2

from nxscan.errors import ProcessError
from nxscan.process.noise import Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.noise import NoiseParameters

log = logging.getLogger(__name__)

_MOST_DARKS = 32
_SIDE = 512
_LINES = 8
_BINS = 40
_WIDTH, _GROWTH = 8.0, 1.2
"""Width of the lowest bin in standard errors of a mean, and of each other by that before it."""
_FEWEST, _FEWEST_BINS = 50, 3
_OUTLIER = 16.0
"""A square this many times the mean is none of noise: 0.006 % of those of Gaussian noise are."""
_ROUNDS = 10
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])


@dataclass(frozen=True)
class Transfer:
    """The line of variance against mean: variance + slope · (mean − at).

    Attributes
    ----------
    at : float
        The lowest level that was seen, in detector units.
    variance : float
        The variance there.
    slope : float or None
        Growth of the variance with the mean, 1 / gain; None if the levels do not tell it.

    """

    at: float
    variance: float
    slope: float | None

    def variance_at(self, level: float) -> float:
        """Return the variance at a level, never below 0."""
        return max(0.0, self.variance + (self.slope or 0.0) * (level - self.at))


def from_darks(darks: NDArray[Any]) -> tuple[float, float]:
    """Return offset and read noise of dark frames, shape (n, ...), in detector units.

    The offset is the median over the pixels of their means; the read noise that of the median
    pixel, corrected for the median's bias, so that hot pixels count for nothing. A single
    frame tells the spread of neighbours only, with what of a fixed pattern is in it.
    """
    frames = np.asarray(darks, np.float64)
    offset = float(np.nanmedian(frames.mean(axis=0)))
    if len(frames) == 1:
        return offset, math.sqrt(neighbour_variance(frames[0]))
    free = len(frames) - 1
    middle = float(np.nanmedian(frames.var(axis=0, ddof=1)))
    return offset, math.sqrt(middle * free / float(chi2.median(free)))


def neighbour_variance(frame: NDArray[Any]) -> float:
    """Return the variance of a frame's values, from differences along its last dimension.

    Robust, by the median absolute difference; what pixels differ by besides noise is in it.
    """
    if frame.ndim == 0 or frame.shape[-1] < 2:
        return 0.0
    difference = np.abs(np.diff(np.asarray(frame, np.float64), axis=-1))
    return float((1.482602 * np.nanmedian(difference)) ** 2 / 2)


def from_repeats(frames: NDArray[Any]) -> Transfer:
    """Return the line that frames taken alike, shape (n, ...) with n > 1, tell by their pixels."""
    values = np.asarray(frames, np.float64)
    mean, variance = values.mean(axis=0).ravel(), values.var(axis=0, ddof=1).ravel()
    return fit_line(mean, variance, len(values), np.median(values, axis=0).ravel())


def from_tails(scan: Scan) -> Transfer | None:
    """Return the line that the ends of the curves along a scan tell, or None.

    Five positions at either end of lines along the longest scan dimension are read; their
    fourth difference (norm √70) takes away what is smooth. Its variance is that of each value
    weighted by the square of its coefficient, and so is the mean that it belongs to: the plain
    mean is too high where a curve rises steeply. Peaks narrower than about five steps that lie
    at the ends make the noise look larger than it is. None if no dimension of the scan has five
    positions, or all values are masked.
    """
    shape = scan.scan_shape
    if not shape or max(shape) < len(_FOURTH):
        return None
    along = int(np.argmax(shape))
    means, variances, levels = [], [], []
    weights = _FOURTH**2 / (_FOURTH @ _FOURTH)
    for start in _starts(shape, along):
        values = _read(scan, (*start, *_center(scan.frame_shape))).astype(np.float64)
        values = np.moveaxis(values, along, 0).reshape(len(_FOURTH), -1)
        means.append(weights @ values)
        variances.append((_FOURTH @ values) ** 2 / (_FOURTH @ _FOURTH))
        levels.append(np.sort(values, axis=0)[1:-1].mean(axis=0))
    found = [np.concatenate(parts) for parts in (means, variances, levels)]
    if not np.isfinite(found[0]).any():
        return None
    return fit_line(found[0], found[1], 1 / (weights @ weights), found[2])


def _starts(shape: tuple[int, ...], along: int) -> list[tuple[slice, ...]]:
    others = [length for k, length in enumerate(shape) if k != along]
    count = math.prod(others)
    lines = np.unique(np.linspace(0, count - 1, min(count, _LINES)).astype(int))
    ends = {0, shape[along] - len(_FOURTH)}
    found = []
    for line in lines:
        index = list(np.unravel_index(line, others)) if others else []
        for end in sorted(ends):
            parts = [slice(int(k), int(k) + 1) for k in index]
            parts.insert(along, slice(end, end + len(_FOURTH)))
            found.append(tuple(parts))
    return found


def _center(shape: tuple[int, ...]) -> tuple[slice, ...]:
    starts = [max(0, (length - _SIDE) // 2) for length in shape]
    return tuple(
        slice(start, min(start + _SIDE, length))
        for start, length in zip(starts, shape, strict=True)
    )


def _read(scan: Scan, region: tuple[slice, ...]) -> NDArray[np.float64]:
    """Return values; what is masked, saturated or marks a gap is NaN."""
    stored = scan.signal.read(region)
    values = stored.astype(np.float64)
    if stored.dtype.kind == "u":
        values[stored == np.iinfo(stored.dtype).max] = np.nan
    elif stored.dtype.kind == "i":
        values[(stored == -1) | (stored == -2)] = np.nan
    if scan.mask is not None and scan.mask.shape == scan.frame_shape:
        values[..., scan.mask[region[len(scan.scan_shape) :]] != 0] = np.nan
    return values


def fit_line(
    means: NDArray[Any],
    variances: NDArray[Any],
    averaged: float,
    levels: NDArray[Any] | None = None,
) -> Transfer:
    """Fit the line of variance against mean.

    Parameters
    ----------
    means, variances : ndarray, shape (n,)
        Of each pixel; the variances from few values each.
    averaged : float
        How many values each mean is of: what noise is left in it.
    levels : ndarray, shape (n,), optional
        What pixels are sorted by, in place of their means: something that a cosmic ray does not
        move, which the other pixels of the same level then show to be one.

    Returns
    -------
    Transfer
        Its slope is None where there are fewer than three levels that differ by much more than
        noise, or the slope is not three standard errors above 0.

    Raises
    ------
    ProcessError
        If there is no finite value.

    """
    good = np.isfinite(means) & np.isfinite(variances)
    if not good.any():
        raise ProcessError("no finite values to measure noise from")
    levels = means[good] if levels is None else levels[good]
    means, variances = means[good], variances[good]
    bins = [_clean(part, variances) for part in _levels(levels, variances, averaged)]
    x = np.array([means[part].mean() for part in bins])
    y = np.array([variances[part].mean() for part in bins])
    lowest = Transfer(float(x[0]), float(y[0]), None)
    if len(x) < _FEWEST_BINS:
        return lowest
    slope, height, error = _weighted_line(x - x[0], y, np.array([part.size for part in bins]))
    if not slope > 3 * error:
        return lowest
    at = min(float(x[0]), float(np.percentile(levels, 1)))
    return Transfer(at, max(0.0, height + slope * (at - float(x[0]))), slope)


def _levels(
    levels: NDArray[Any], variances: NDArray[Any], averaged: float
) -> list[NDArray[np.intp]]:
    """Sort pixels into bins of their level; each is much wider than the noise of a mean.

    In narrower ones, the pixels of one level would be sorted by noise: by means that differ and
    variances that do not, which flattens the line.
    """
    order = np.argsort(levels, kind="stable")
    low = np.percentile(levels, 1)
    dim = order[: max(1, len(order) // 4)]
    width = _WIDTH * math.sqrt(float(variances[_clean(dim, variances)].mean()) / averaged)
    if not width > 0:
        return [order]
    growth = np.cumsum(_GROWTH ** np.arange(_BINS))
    parts = np.split(order, np.searchsorted(levels[order], low + width * growth))
    return [part for part in parts if part.size >= _FEWEST] or [order]


def _weighted_line(
    x: NDArray[Any], y: NDArray[Any], count: NDArray[Any]
) -> tuple[float, float, float]:
    """Return slope, height at 0 and the slope's error.

    A variance's own variance is 2 σ⁴ / n. It is taken from the line, which is fitted again
    with it: taken from ``y`` it would favor the bins that happen to be low.
    """
    least = max(float(y.min()), float(y.max()) * 1e-6, 1e-30)
    expected = y
    for _ in range(_ROUNDS):
        weight = count / (2 * np.maximum(expected, least) ** 2)
        total = weight.sum()
        mean_x, mean_y = (weight * x).sum() / total, (weight * y).sum() / total
        square = (weight * (x - mean_x) ** 2).sum()
        slope = (weight * (x - mean_x) * (y - mean_y)).sum() / square
        expected = mean_y + slope * (x - mean_x)
    return float(slope), float(mean_y - slope * mean_x), float(1 / math.sqrt(square))


def _clean(part: NDArray[np.intp], variances: NDArray[Any]) -> NDArray[np.intp]:
    """Return the pixels of a part without outliers: what is far above the mean variance."""
    for _ in range(20):
        values = variances[part]
        kept = values <= _OUTLIER * values.mean()
        if kept.all() or not kept.any():
            break
        part = part[kept]
    return part


def measure(scan: Scan, given: NoiseParameters) -> Noise:
    """Return a scan's noise model: what is given, and the rest measured.

    Offset and read noise come from the scan's dark frames, else from the tails of its curves;
    the gain from the tails.

    Raises
    ------
    ProcessError
        If ``given.noise`` is ``"camera"`` and something cannot be measured.

    """
    darks = _measured_darks(scan)
    line = from_tails(scan) if darks is None or given.gain is None else None
    slope = line.slope if line else None
    if given.noise == "camera":
        _check_known(scan, given, line, darks)
    elif line is None and darks is None:
        return Noise("poisson", given.offset or 0.0, given.gain or 1.0, given.read_noise or 0.0)
    offset = given.offset
    if offset is None:
        offset = darks[0] if darks else line.at if line else 0.0
    read_noise = given.read_noise
    if read_noise is None:
        read_noise = darks[1] if darks else math.sqrt(line.variance_at(offset)) if line else 0.0
    gain = given.gain or (1 / slope if slope else None)
    if gain is None:
        log.warning("%s: the gain cannot be measured; 1 electron per count is taken", scan.title)
        gain = 1.0
    found = Noise("camera", offset, gain, read_noise)
    log.info("%s: noise model measured: %s", scan.title, found)
    return found


def _measured_darks(scan: Scan) -> tuple[float, float] | None:
    if scan.dark is None:
        return None
    region = (slice(0, _MOST_DARKS), *_center(scan.dark.shape[1:]))
    return from_darks(scan.dark.read(region))


def _check_known(
    scan: Scan,
    given: NoiseParameters,
    line: Transfer | None,
    darks: tuple[float, float] | None,
) -> None:
    missing = []
    if line is None and darks is None:
        missing = [name for name in ("offset", "read_noise") if getattr(given, name) is None]
    if given.gain is None and (line is None or line.slope is None):
        missing.append("gain")
    if missing:
        raise ProcessError(
            f"the camera's {', '.join(missing)} cannot be measured in {scan.title!r}: it has "
            f"{'no ' if scan.dark is None else ''}dark frames, and its curves' ends do not tell",
            f"give {', '.join(f'{name}=...' for name in missing)}, or noise=poisson",
        )
