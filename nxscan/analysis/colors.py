"""Two numbers as one color: so that equal steps look equal, and no color comes twice.

OKLab (B. Ottosson, 2020, "A perceptual color space for image processing") is a space in which
distances are about as large as they look: L is lightness, (a, b) are hue and chroma. Two numbers
laid along a and b at one lightness make a key in which any equal difference looks equal, whatever
its direction; in HSV, the customary one, greens run together and yellow and cyan stand out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

Scheme = Literal["oklab", "hsv"]

LIGHTNESS = 0.71
HALF = 0.114
TURN = np.radians(15.5)
"""The largest square about gray that sRGB holds: its lightness, half its side, how it is turned."""

# Ottosson's matrices: from OKLab to cone responses (cube roots), and from those to linear sRGB
_TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def color(first: ArrayLike, second: ArrayLike, scheme: Scheme = "oklab") -> NDArray[np.uint8]:
    """Return colors of pairs of numbers.

    Parameters
    ----------
    first, second : array_like
        From −1 to 1; what lies beyond is taken for the nearest, NaN has no color.
    scheme : {"oklab", "hsv"}
        ``oklab``: the numbers are a and b at one lightness. ``hsv``: their direction is the hue,
        their distance from the middle the saturation, 1 from there on.

    Returns
    -------
    ndarray of uint8, shape (..., 4)
        Red, green, blue, and opacity: 255, or 0 (and black) where there is no color.

    """
    u, v = np.broadcast_arrays(np.asarray(first, np.float64), np.asarray(second, np.float64))
    known = np.isfinite(u) & np.isfinite(v)
    u, v = (np.clip(np.where(known, part, 0.0), -1, 1) for part in (u, v))
    rgb = _oklab(u, v) if scheme == "oklab" else _hsv(u, v)
    found = np.empty((*u.shape, 4), np.uint8)
    found[..., :3] = np.where(known[..., None], np.rint(255 * rgb), 0).astype(np.uint8)
    found[..., 3] = np.where(known, 255, 0)
    return found


def _oklab(u: Array, v: Array) -> Array:
    return to_srgb(oklab(u, v))


def oklab(u: ArrayLike, v: ArrayLike) -> Array:
    """Return the OKLab color (last axis) of numbers from −1 to 1."""
    u, v = np.broadcast_arrays(np.asarray(u, np.float64), np.asarray(v, np.float64))
    c, s = HALF * np.cos(TURN), HALF * np.sin(TURN)
    return np.stack([np.full(u.shape, LIGHTNESS), c * u - s * v, s * u + c * v], axis=-1)


def to_srgb(oklab: ArrayLike) -> Array:
    """Return sRGB (0 to 1, with its gamma) of OKLab, last axis; beyond the gamut it is clipped."""
    cones = (np.asarray(oklab, np.float64) @ _TO_CONES.T) ** 3
    linear = np.clip(cones @ _TO_RGB.T, 0, 1)
    return np.asarray(
        np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    )


def is_in_gamut(oklab: ArrayLike) -> NDArray[np.bool_]:
    """Tell which colors sRGB has."""
    linear = (np.asarray(oklab, np.float64) @ _TO_CONES.T) ** 3 @ _TO_RGB.T
    return np.asarray(((linear > -1e-9) & (linear < 1 + 1e-9)).all(axis=-1))


def _hsv(u: Array, v: Array) -> Array:
    """Return the colors of hue atan2(v, u), saturation √(u² + v²) up to 1, and value 1."""
    hue = np.mod(np.arctan2(v, u), 2 * np.pi) / (np.pi / 3)
    saturation = np.minimum(np.hypot(u, v), 1)
    # of each primary, how far the hue is from it on the hexagon (A. R. Smith, 1978)
    away = np.stack([np.mod(hue + offset, 6) for offset in (5, 3, 1)], axis=-1)
    ramp = np.clip(np.minimum(away, 4 - away), 0, 1)
    return np.asarray(1 - saturation[..., None] * ramp)
