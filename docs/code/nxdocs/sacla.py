"""Pictures of SACLA's shots: one of them, the mean of many, and profiles of kinds of shots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nxscan.simulate import Ring

_COLORS = ("#8a4b08", "#0b5d8f", "#777777")
_HIGHEST = 99.7


def draw_shots(
    shot: NDArray[Any], mean: NDArray[Any], rings: Sequence[Ring], center: tuple[float, float]
) -> Any:
    """Draw one shot beside the mean of many, with the rings that Bragg's law tells.

    Parameters
    ----------
    shot, mean : ndarray, shape (y, x)
        Images in photons.
    rings : sequence of Ring
        Which rings there are.
    center : (float, float)
        Row and column of the beam.

    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 5.0), layout="constrained")
    for ax, image, title in zip(axes, (shot, mean), ("one shot", "mean of all"), strict=True):
        shown = ax.imshow(image, vmin=0, vmax=np.percentile(image, _HIGHEST))
        ax.set_title(title)
        ax.set_xlabel("detector column (pixel)")
        figure.colorbar(shown, ax=ax, shrink=0.85, label="photons")
    axes[0].set_ylabel("detector row (pixel)")
    angle = np.radians(np.arange(361))
    low, high = axes[1].get_xlim(), axes[1].get_ylim()
    for k, ring in enumerate(rings):
        y = center[0] + ring.radius * np.sin(angle)
        x = center[1] + ring.radius * np.cos(angle)
        axes[1].plot(x, y, ":", color="white", lw=1.3)
        name = "".join(str(index) for index in ring.hkl)
        up = np.radians(-55 - 25 * k)
        place = center[1] + ring.radius * np.cos(up), center[0] + ring.radius * np.sin(up)
        axes[1].text(*place, name, color="black", size=8, ha="center", va="center").set_bbox(
            {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85}
        )
    axes[1].set_xlim(low)
    axes[1].set_ylim(high)
    plt.close(figure)
    return figure


def draw_profiles(profiles: Mapping[str, NDArray[Any]]) -> Any:
    """Draw profiles along the radius, one for each kind of shots.

    Parameters
    ----------
    profiles : mapping of str to ndarray
        Photons per pixel at the radii 0, 1, 2 … pixels.

    """
    figure, ax = plt.subplots(figsize=(8.5, 3.6), layout="constrained")
    for (name, profile), color in zip(profiles.items(), _COLORS, strict=True):
        ax.plot(np.arange(len(profile)), profile, color=color, lw=1.4, label=name)
    ax.set_xlabel("distance from the beam (pixel)")
    ax.set_ylabel("photons per pixel and shot")
    ax.legend()
    plt.close(figure)
    return figure


def radial_profile(
    image: NDArray[Any], center: tuple[float, float], covered: NDArray[np.bool_]
) -> NDArray[Any]:
    """Return the mean over rings one pixel wide, of pixels with a panel; NaN without any."""
    y, x = np.indices(image.shape)
    radius = np.rint(np.hypot(y - center[0], x - center[1])).astype(int)[covered]
    total = np.bincount(radius, image[covered])
    count = np.bincount(radius)
    return np.where(count, total / np.maximum(count, 1), np.nan)
