"""The drawings: what nxscan does, and how it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRAY, INK = "#777777", "#222222"
GREEN, BLUE, BROWN = "#1b6e3c", "#0b5d8f", "#8a4b08"


def canvas(width: float, height: float) -> tuple[Any, Any]:
    """Return a figure and axes whose unit is an inch, y downwards."""
    figure = plt.figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.axis("off")
    plt.close(figure)
    return figure, ax


def box(ax: Any, x: float, y: float, width: float, height: float, color: str) -> None:
    """Draw a box with round corners."""
    style = "round,pad=0,rounding_size=0.08"
    ax.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle=style, fc=color + "14", ec=color, lw=1.4)
    )


def arrow(ax: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow."""
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=16, lw=1.8, color=GRAY)
    )


def text(ax: Any, x: float, y: float, words: str, **more: Any) -> None:
    """Write words about a point."""
    ax.text(x, y, words, **{"va": "center", "ha": "center", "size": 10, "color": INK, **more})


def draw_overview(frames: list[NDArray[Any]], curve: tuple[NDArray[Any], NDArray[Any]]) -> Any:
    """Draw a folder of frames, the file made of them, and what opens it.

    Parameters
    ----------
    frames : list of ndarray, shape (y, x)
        Some frames of a scan.
    curve : tuple of ndarray
        A motor's values, and one pixel's intensity.

    """
    figure, ax = canvas(11, 4.3)
    text(ax, 1.6, 0.25, "a folder of raw frames", weight="bold")
    low, high = np.percentile(np.stack(frames), (1, 99.5))
    for k, frame in enumerate(frames):
        x, y = 0.15 + 0.33 * k, 0.5 + 0.36 * k
        extent = (x, x + 1.6, y + 1.6, y)
        ax.imshow(frame, extent=extent, vmin=low, vmax=high, cmap="viridis", zorder=2 + k)
        ax.plot(
            [x, x + 1.6, x + 1.6, x, x], [y, y, y + 1.6, y + 1.6, y], "w-", lw=1.5, zorder=2 + k
        )
    text(ax, 1.6, 3.85, "scan_0000.edf, scan_0001.edf, …", family="monospace", size=8.5)
    text(ax, 1.6, 4.08, "never changed", size=9, color=GRAY)
    ax.set_xlim(0, 11)
    ax.set_ylim(4.3, 0)
    arrow(ax, (3.4, 2.1), (4.55, 2.1))
    text(ax, 3.97, 1.85, "nxscan\ntranslate", size=9.5, family="monospace", va="bottom")
    _draw_file(ax)
    arrow(ax, (7.35, 2.1), (8.1, 2.1))
    _draw_tools(ax)
    _draw_curve(figure, curve)
    return figure


def _draw_file(ax: Any) -> None:
    text(ax, 5.95, 0.25, "one NeXus file: scan.nxs", weight="bold")
    box(ax, 4.65, 0.5, 2.6, 3.35, GREEN)
    lines = [
        ("frames", "compressed without loss"),
        ("axes", "mu, chi … with units"),
        ("instrument", "energy, pixel size …"),
        ("counters", "monitor, times"),
        ("dark, flat", "kept apart"),
        ("provenance", "every source file"),
        ("checksums", "one a frame"),
        ("raw headers", "byte for byte"),
    ]
    for row, (name, what) in enumerate(lines):
        y = 0.78 + 0.4 * row
        text(ax, 4.8, y, name, ha="left", size=9.5, weight="bold", color=GREEN)
        text(ax, 7.15, y, what, ha="right", size=8.5)


def _draw_tools(ax: Any) -> None:
    text(ax, 9.5, 0.25, "what opens it", weight="bold")
    tools = ["silx view", "h5web", "h5py", "nexusformat", "pyUSID", "sidpy", "xarray", "nxscan"]
    for k, tool in enumerate(tools):
        x, y = 8.2 + 1.34 * (k % 2), 0.5 + 0.42 * (k // 2)
        box(ax, x, y, 1.24, 0.33, BLUE)
        text(ax, x + 0.62, y + 0.165, tool, size=9.5, color=BLUE)


def _draw_curve(figure: Any, curve: tuple[NDArray[Any], NDArray[Any]]) -> None:
    plot = figure.add_axes((0.782, 0.15, 0.19, 0.27))
    plot.plot(*curve, ".-", color=BROWN, ms=4, lw=1)
    plot.set_xlabel("mu (degree)", size=8)
    plot.set_title("scan.pixel(y, x)", size=8.5, family="monospace")
    plot.tick_params(labelsize=7)
    plot.set_yticks([])
    plot.spines[["top", "right"]].set_visible(False)


def draw_flow() -> Any:
    """Draw how data flow through nxscan, and which package does what."""
    figure, ax = canvas(11, 3.9)
    stations = [
        (0.2, "raw files", "EDF frames,\nheaders", BROWN),
        (3.1, "Scan", "signals, axes, counters,\nmetadata, raw metadata", GREEN),
        (6.0, "scan.nxs", "NeXus, with\nthe USID face", GREEN),
        (8.9, "every tool", "silx view, h5web,\npyUSID, xarray …", BLUE),
    ]
    for x, name, what, color in stations:
        box(ax, x, 0.35, 1.9, 1.0, color)
        text(ax, x + 0.95, 0.62, name, weight="bold", size=11, color=color)
        text(ax, x + 0.95, 1.03, what, size=8.5)
    steps = [
        (
            2.1,
            "translate",
            "nxscan.translators\nnxscan.translate",
            "finds axes and\nunits; says why",
        ),
        (5.0, "write", "nxscan.nexus", "complete and valid,\nor not at all"),
        (7.9, "open", "nxscan.nexus\nnxscan.view", "lazy: reads what\nis asked for"),
    ]
    for x, name, where, what in steps:
        arrow(ax, (x + 0.05, 0.85), (x + 0.95, 0.85))
        text(ax, x + 0.5, 0.68, name, size=10, weight="bold", va="bottom")
        text(ax, x + 0.5, 1.62, where, size=8.5, family="monospace", color=GRAY, va="top")
        text(ax, x + 0.5, 2.05, what, size=9, va="top")
    box(ax, 3.1, 2.85, 4.8, 0.75, GRAY)
    text(ax, 5.5, 3.08, "nxscan.validate", size=9.5, family="monospace")
    text(ax, 5.5, 3.37, "nexusformat, punx, silx, USID, and nxscan's own checks", size=9)
    arrow(ax, (6.95, 2.82), (6.95, 1.4))
    text(ax, 7.02, 2.62, "before the file gets its name", size=8.5, ha="left", color=GRAY)
    return figure
