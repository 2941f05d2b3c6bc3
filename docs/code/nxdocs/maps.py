"""Pictures of results: one pixel's curve with its moments, and several maps side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nxscan import Result

_BLUE, _BROWN, _GREEN = "#0b5d8f", "#8a4b08", "#1b6e3c"
_EDGE = 0.05
"""What `moments` takes as the edge of a scan, at each end."""


def draw_curve(
    mu: NDArray[Any], counts: NDArray[Any], values: Mapping[str, float], units: str
) -> Any:
    """Draw a pixel's curve with its background, center and width.

    Parameters
    ----------
    mu, counts : ndarray
        The curve.
    values : mapping
        ``center`` and ``fwhm``, and ``pulled``: the center with the background left in.
    units : str
        Of ``mu``.

    """
    figure, ax = plt.subplots(figsize=(8.5, 3.6), layout="constrained")
    edge = max(1, int(_EDGE * len(mu)))
    ends = np.r_[:edge, len(mu) - edge : len(mu)]
    background = counts[ends].mean()
    ax.fill_between(mu, background, counts, where=counts > background, color=_BLUE, alpha=0.15)
    ax.plot(mu, counts, ".-", color=_BLUE, lw=1)
    ax.plot(mu[ends], counts[ends], "o", color=_BROWN, label="edges: their mean is the background")
    ax.axhline(background, color=_BROWN, lw=1, ls="--")
    center, half = values["center"], values["fwhm"] / 2
    ax.axvline(center, color=_GREEN, lw=1.5, label="center of mass above the background")
    ax.axvline(values["pulled"], color="#999999", lw=1.5, ls=":", label="with the background in")
    height = background + 0.5 * (counts.max() - background)
    ax.annotate(
        "",
        (center - half, height),
        (center + half, height),
        arrowprops={"arrowstyle": "<->", "color": _GREEN},
    )
    ax.text(center + half, height, "  FWHM", color=_GREEN, va="center")
    ax.set_xlabel(f"mu ({units})")
    ax.set_ylabel("intensity (counts)")
    ax.legend(loc="upper right", fontsize=8.5)
    plt.close(figure)
    return figure


def draw_maps(result: Result, names: Sequence[str], good: NDArray[Any]) -> Any:
    """Draw maps of a result where ``good`` is true."""
    rows = -(-len(names) // 3)
    figure, axes = plt.subplots(rows, 3, figsize=(11, 3.3 * rows), layout="constrained")
    for ax, name in zip(axes.flat, names, strict=True):
        units = result.units(name)
        if name == "status":
            image = ax.imshow(result[name], cmap="tab10", vmin=-0.5, vmax=9.5)
            bar = figure.colorbar(image, ax=ax, boundaries=np.arange(-0.5, 5), ticks=range(5))
            bar.ax.set_yticklabels(["ok", "weak", "edge", "saturated", "masked"])
        else:
            shown = np.where(good, result[name], np.nan)
            low, high = np.nanpercentile(shown, (4, 96))
            image = ax.imshow(shown, vmin=low, vmax=high)
            figure.colorbar(image, ax=ax, label=f"{name} ({units})" if units else name)
        ax.set_title(name)
        ax.set_xlabel("detector column (pixel)", fontsize=8)
        ax.set_ylabel("detector row (pixel)", fontsize=8)
        ax.tick_params(labelsize=8)
    plt.close(figure)
    return figure
