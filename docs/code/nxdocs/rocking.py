"""Pictures of fits: one pixel's curve with its fit and what is left over, and maps of fits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nxscan import Result
    from nxscan.process.noise import Noise

_BLUE, _BROWN, _GREEN = "#0b5d8f", "#8a4b08", "#1b6e3c"
_STATUS = ["converged", "too weak", "edge", "saturated", "masked", "bound", "no end", "too few"]


def gaussian(x: NDArray[Any], height: float, center: float, fwhm: float) -> NDArray[Any]:
    """Return a Gaussian."""
    return height * np.exp(-4 * math.log(2) * ((x - center) / fwhm) ** 2)


def draw_fit(
    x: NDArray[Any],
    counts: NDArray[Any],
    peaks: Sequence[NDArray[Any]],
    background: float,
    noise: Noise,
) -> Any:
    """Draw a curve with its fit; below, what is left over in standard deviations.

    Parameters
    ----------
    x, counts : ndarray
        The curve of counts.
    peaks : sequence of (height, center, FWHM)
        What was found.
    background : float
        What they stand on.
    noise : Noise
        What the fit was weighted with.

    """
    figure, (top, low) = plt.subplots(
        2, 1, figsize=(8.5, 4.4), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    fine = np.linspace(x.min(), x.max(), 800)
    total = background + sum(gaussian(fine, *peak) for peak in peaks)
    model = background + sum(gaussian(x, *peak) for peak in peaks)
    sigma = np.sqrt(noise.variance(model))
    top.errorbar(x, counts, sigma, fmt=".", color=_BLUE, lw=1, label="counts")
    top.plot(fine, total, color=_GREEN, lw=1.5, label="fit")
    if len(peaks) > 1:
        for peak in peaks:
            top.plot(fine, background + gaussian(fine, *peak), color=_BROWN, lw=1, ls="--")
    top.axhline(background, color="#999999", lw=1, ls=":", label="background")
    top.set_ylabel("intensity (counts)")
    top.legend(loc="upper right", fontsize=8.5)
    low.axhspan(-1, 1, color="#dddddd", lw=0)
    low.plot(x, (counts - model) / sigma, ".-", color=_BLUE, lw=0.7)
    low.set_ylim(-4.5, 4.5)
    low.set_ylabel("left over (σ)")
    low.set_xlabel("mu (degree)")
    plt.close(figure)
    return figure


def draw_fit_maps(result: Result, names: Sequence[str]) -> Any:
    """Draw maps of a result; NaN are gray."""
    rows = -(-len(names) // 3)
    figure, axes = plt.subplots(rows, 3, figsize=(11, 3.2 * rows), layout="constrained")
    for ax, name in zip(axes.flat, names, strict=True):
        ax.set_facecolor("#cccccc")
        values, units = result[name], result.units(name)
        if name == "status":
            image = ax.imshow(values, cmap="tab10", vmin=-0.5, vmax=9.5)
            bar = figure.colorbar(image, ax=ax, boundaries=np.arange(-0.5, 8), ticks=range(8))
            bar.ax.set_yticklabels(_STATUS)
        else:
            low, high = np.nanpercentile(values, (2, 98))
            image = ax.imshow(values, vmin=low, vmax=high)
            figure.colorbar(image, ax=ax, label=f"{name} ({units})" if units else name)
        ax.set_title(name)
        ax.tick_params(labelsize=8)
    plt.close(figure)
    return figure
