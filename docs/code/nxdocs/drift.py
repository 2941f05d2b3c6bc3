"""A rocking scan of a sample that drifts, and pictures of what is found of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from nxscan.model import ArraySignal, Axis, Scan
from nxscan.nexus import write_scan
from nxscan.simulate.drift import DriftingScan, drifting_scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan import Result

_BLUE, _BROWN = "#0b5d8f", "#8a4b08"
_PLACE = (110, 150)
_HALF = 22


def write_drifting(path: str | Path) -> DriftingScan:
    """Write a scan along ``mu`` whose sample drifts by ten pixels, and return the truth."""
    angles = np.linspace(-0.3, 0.3, 31)
    k = np.arange(31)[:, None]
    shifts = k * [0.33, -0.2] + np.random.default_rng(2).normal(0, 0.25, (31, 2))
    made = drifting_scan((256, 288), angles, shifts=shifts, spread=0.1, seed=12)
    axes = {"mu": Axis("mu", angles, "degree", "rocking angle", "scan", 0)}
    for d, (name, n) in enumerate(zip("yx", made.frames.shape[1:], strict=True), start=1):
        text = f"detector {'row' if name == 'y' else 'column'}"
        axes[name] = Axis(name, np.arange(n) * 1.0, "pixel", text, "detector", d)
    scan = Scan("rocking scan", {"pco": ArraySignal(made.frames, "counts", "intensity")}, axes)
    write_scan(scan, Path(path))
    return made


def draw_frames(made: DriftingScan, which: tuple[int, ...] = (8, 15, 22)) -> Any:
    """Draw some frames of a scan, and where one pixel of the sample lies in them."""
    figure, panels = plt.subplots(1, len(which), figsize=(9.5, 3.2), layout="constrained")
    for ax, k in zip(panels, which, strict=True):
        ax.imshow(made.frames[k], cmap="viridis", vmax=np.percentile(made.frames, 99.8))
        y, x = np.add(_PLACE, made.shifts[k])
        ax.plot(x, y, "o", ms=12, mfc="none", mec="white", mew=1.5)
        ax.axhline(_PLACE[0], color="white", lw=0.6, ls=":")
        ax.axvline(_PLACE[1], color="white", lw=0.6, ls=":")
        ax.set_title(f"mu = {made.angles[k]:.2f}°", size=10)
        ax.set_axis_off()
    plt.close(figure)
    return figure


def draw_found(found: Result, made: DriftingScan) -> Any:
    """Draw the shifts that were found, the true ones, and what they differ by."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8.5, 4.6), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    at = int(np.nanargmin(np.abs(found["shift_y"]) + np.abs(found["shift_x"])))
    for d, (name, color) in enumerate((("shift_y", _BLUE), ("shift_x", _BROWN))):
        truth = made.shifts[:, d] - made.shifts[at, d]
        above.plot(made.angles, truth, "-", color=color, lw=1, label=f"{name}: true")
        above.plot(made.angles, found[name], ".", color=color, label=f"{name}: found")
        errors = found.errors(name)
        below.errorbar(made.angles, found[name] - truth, errors, fmt=".", color=color, lw=1)
    below.axhline(0, color="#999999", lw=0.8)
    above.set_ylabel("shift (pixel)")
    above.legend(fontsize=8.5, ncols=2)
    below.set_ylabel("found − true")
    below.set_xlabel("mu (degree)")
    plt.close(figure)
    return figure


def off(found: Result, made: DriftingScan) -> NDArray[np.float64]:
    """Return what is wrong with the shifts, (y, x) for each position that has them."""
    shifts = np.stack([found["shift_y"], found["shift_x"]], axis=1)
    at = int(np.nanargmin(np.abs(shifts).sum(axis=1)))
    known = np.isfinite(shifts).all(axis=1)
    return np.asarray((shifts - made.shifts + made.shifts[at])[known])


def draw_sums(before: NDArray[Any], after: NDArray[Any]) -> Any:
    """Draw a part of the mean of all frames as they are, and moved back."""
    figure, panels = plt.subplots(1, 2, figsize=(8.0, 4.0), layout="constrained")
    y, x = _PLACE
    part = (slice(y - _HALF, y + _HALF), slice(x - _HALF, x + _HALF))
    limits = np.nanpercentile(after[part], (1, 99.5))
    for ax, values, title in zip(panels, (before, after), ("as they are", "moved"), strict=True):
        extent = (x - _HALF, x + _HALF, y + _HALF, y - _HALF)
        ax.imshow(values[part], cmap="viridis", clim=limits, extent=extent)
        ax.set_title(title, size=10)
        ax.set_xlabel("x (pixel)")
    panels[0].set_ylabel("y (pixel)")
    plt.close(figure)
    return figure
