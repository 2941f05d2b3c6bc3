"""Draw panels with matplotlib, on Figure objects only: the user's backend is left alone."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.view.compose import Curve, Map, Panel, Picture, Scatter, Value
from nxscan.view.limits import bin_factor, binned, robust_limits, wants_log

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.view.plotdata import PlotAxis

LENGTHS = frozenset({"m", "cm", "mm", "um", "µm", "μm", "micron", "micrometer", "nm"})
"""Units of maps that are pictures of the sample."""

MISSING = "0.75"
"""Gray of what is masked or was not measured."""

COLORS = "viridis"
LINE = "#1f5a96"
STYLES: dict[str, dict[str, Any]] = {
    "line": {"color": "#c8501e", "linewidth": 1.4},
    "dashed": {"color": "#c8501e", "linewidth": 1.0, "linestyle": "--"},
    "thin": {"color": "0.45", "linewidth": 0.8},
}
"""How lines drawn with a curve look."""
MOST_PIXELS = 1600
"""A map is averaged down to fewer than this many values a side; a panel has no more dots."""

LABEL_WIDTH = 34
"""Letters of a label that fit beside a small panel."""

ALIKE = 1e-5
"""Relative range below which the common part of numbers is written once."""

MOST_STRETCH = 8
"""Where equal scales would make a map this much longer than wide, they are given up."""


def draw_panel(figure: Any, ax: Any, panel: Panel, log: bool | None) -> None:
    """Draw a panel into matplotlib axes; ``log=None`` decides by the values."""
    ax.set_title(panel.title, fontsize="medium", parse_math=False)
    if isinstance(panel, Value):
        _draw_value(ax, panel)
        return
    if isinstance(panel, Picture):
        _draw_picture(ax, panel)
        return
    scale = wants_log(panel.values) if log is None else log
    if isinstance(panel, Curve):
        _draw_curve(ax, panel, scale)
    elif isinstance(panel, Map):
        _draw_map(figure, ax, panel, scale)
    else:
        _draw_scatter(figure, ax, panel, scale)


def keeps_scale(panel: Panel) -> bool:
    """Tell whether a panel is a picture: pixels or lengths, with one scale for both axes."""
    if not isinstance(panel, Map | Picture):
        return False
    pixels = panel.y.is_pixel and panel.x.is_pixel
    if not pixels and (panel.y.units != panel.x.units or panel.y.units not in LENGTHS):
        return False
    height, width = _extent(panel.y.values), _extent(panel.x.values)
    return max(height, width) <= MOST_STRETCH * min(height, width)


def width_to_height(panel: Panel) -> float:
    """Return how much wider than high a panel wants to be."""
    if isinstance(panel, Map | Picture) and keeps_scale(panel):
        return _extent(panel.x.values) / _extent(panel.y.values)
    return 1.3


def _extent(values: NDArray[np.float64]) -> float:
    first, last = edges(values)[[0, -1]]
    return float(abs(last - first))


def edges(centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the n + 1 edges of n cells around their centers.

    >>> edges(np.array([0.0, 1.0, 3.0])).tolist()
    [-0.5, 0.5, 2.0, 4.0]
    """
    if centers.size < 2:
        return np.array([centers[0] - 0.5, centers[0] + 0.5])
    middle = 0.5 * (centers[1:] + centers[:-1])
    return np.concatenate(([2 * centers[0] - middle[0]], middle, [2 * centers[-1] - middle[-1]]))


def _labels(ax: Any, x: str, y: str) -> None:
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(_wrapped(y), parse_math=False)


def _wrapped(label: str) -> str:
    """Break a long label into lines, so that it is no longer than a small panel is high."""
    return "\n".join(wrap(label, LABEL_WIDTH, break_long_words=False)) or label


def _ticks(ax: Any, axis: str, values: NDArray[np.float64]) -> None:
    """Write ticks in full, but for numbers that differ only after many digits (a clock's)."""
    finite = values[np.isfinite(values)]
    alike = bool(finite.size and 0 < np.ptp(finite) < ALIKE * np.abs(finite).max())
    ax.ticklabel_format(axis=axis, scilimits=(-3, 5), useMathText=True, useOffset=alike)


def _draw_value(ax: Any, panel: Value) -> None:
    ax.set_axis_off()
    ax.text(0.5, 0.6, f"{panel.value:.6g}", ha="center", fontsize=36, transform=ax.transAxes)
    ax.text(0.5, 0.45, panel.label, ha="center", transform=ax.transAxes, parse_math=False)


def _draw_curve(ax: Any, panel: Curve, log: bool) -> None:
    marker = "o" if panel.values.size <= 150 or panel.is_points else ""
    ax.errorbar(
        panel.x.values,
        panel.values,
        yerr=None if panel.errors is None else np.abs(panel.errors),
        marker=marker,
        markersize=3.5,
        linewidth=0 if panel.is_points else 1.2,
        elinewidth=0.8,
        color=LINE,
    )
    _draw_lines(ax, panel)
    _ticks(ax, "x", panel.x.values)
    _ticks(ax, "y", panel.values)
    if log and (panel.values > 0).any():
        ax.set_yscale("log")
    ax.grid(alpha=0.25)
    ax.margins(x=0.02)
    _labels(ax, panel.x.label, panel.label)


def _draw_lines(ax: Any, panel: Curve) -> None:
    for line in panel.lines:
        ax.plot(line.x, line.y, label=line.label or None, **STYLES[line.style])
    if any(line.label for line in panel.lines):
        ax.legend(fontsize="small")


def _norm(values: NDArray[np.float64], log: bool) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    low, high = robust_limits(values, log=log)
    return LogNorm(low, high) if log else Normalize(low, high)


def _colors() -> Any:
    from matplotlib import colormaps

    return colormaps[COLORS].with_extremes(bad=MISSING)


def _colorbar(figure: Any, ax: Any, artist: Any, panel: Map | Scatter) -> None:
    finite = panel.values[np.isfinite(panel.values)]
    below = bool(finite.size and finite.min() < artist.norm.vmin)
    above = bool(finite.size and finite.max() > artist.norm.vmax)
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    beside = ax.inset_axes((1.02, 0, 0.04 / min(max(width_to_height(panel), 0.5), 2.5), 1))
    bar = figure.colorbar(artist, cax=beside, extend=extend.get((below, above), "neither"))
    bar.set_label(_wrapped(panel.label), parse_math=False)
    if hasattr(bar.formatter, "set_powerlimits"):
        bar.formatter.set_powerlimits((-3, 5))
        bar.formatter.set_useOffset(False)
        bar.formatter.set_useMathText(True)


def _draw_map(figure: Any, ax: Any, panel: Map, log: bool) -> None:
    norm = _norm(panel.values, log)
    values = np.maximum(panel.values, norm.vmin) if log else panel.values
    rows, columns = (bin_factor(n, MOST_PIXELS) for n in values.shape)
    small = binned(values, (rows, columns))
    y, x = edges(panel.y.values), edges(panel.x.values)
    if _is_even(y) and _is_even(x):
        artist = ax.imshow(
            small,
            norm=norm,
            cmap=_colors(),
            interpolation="nearest",
            origin="upper",
            extent=(x[0], x[-1], y[-1], y[0]),
        )
    else:
        artist = ax.pcolormesh(
            _every(x, columns), _every(y, rows), small, norm=norm, cmap=_colors()
        )
    _orient(ax, panel.y, panel.x, y, x)
    ax.set_facecolor(MISSING)
    ax.set_aspect("equal" if keeps_scale(panel) else "auto")
    _ticks(ax, "x", panel.x.values)
    _ticks(ax, "y", panel.y.values)
    _labels(ax, panel.x.label, panel.y.label)
    _colorbar(figure, ax, artist, panel)


def _draw_picture(ax: Any, panel: Picture) -> None:
    rows, columns = (bin_factor(n, MOST_PIXELS) for n in panel.values.shape[:2])
    y, x = edges(panel.y.values), edges(panel.x.values)
    ax.imshow(
        panel.values[::rows, ::columns],
        interpolation="nearest",
        origin="upper",
        extent=(x[0], x[-1], y[-1], y[0]),
    )
    _orient(ax, panel.y, panel.x, y, x)
    ax.set_facecolor(MISSING)
    ax.set_aspect("equal" if keeps_scale(panel) else "auto")
    _ticks(ax, "x", panel.x.values)
    _ticks(ax, "y", panel.y.values)
    _labels(ax, panel.x.label, panel.y.label)


def _is_even(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return bool(np.ptp(steps) <= 0.01 * abs(float(steps.mean())))


def _every(values: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    kept = values[:-1:step]
    return np.concatenate((kept, values[-1:]))


def _orient(ax: Any, y: PlotAxis, x: PlotAxis, rows: Any, columns: Any) -> None:
    """Put a detector's first row on top, as its frames are looked at; motors grow upwards."""
    ax.set_xlim(sorted((columns[0], columns[-1])))
    if y.is_pixel and x.is_pixel:
        ax.set_ylim(rows[-1], rows[0])
    else:
        ax.set_ylim(sorted((rows[0], rows[-1])))


def _draw_scatter(figure: Any, ax: Any, panel: Scatter, log: bool) -> None:
    norm = _norm(panel.values, log)
    values = np.maximum(panel.values, norm.vmin) if log else panel.values
    size = float(np.clip(8000 / panel.values.size, 4, 80))
    artist = ax.scatter(
        panel.x.values,
        panel.y.values,
        c=values,
        s=size,
        norm=norm,
        cmap=_colors(),
        plotnonfinite=True,
    )
    ax.grid(alpha=0.25)
    _ticks(ax, "x", panel.x.values)
    _ticks(ax, "y", panel.y.values)
    _labels(ax, panel.x.label, panel.y.label)
    _colorbar(figure, ax, artist, panel)
