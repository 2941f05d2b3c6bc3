"""Sums over frames and over pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.compiling import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STRIP = 2048


@njit(nogil=True, cache=True)
def sum_frames(frames: NDArray[Any], total: NDArray[Any]) -> None:
    """Add all frames to ``total``.

    Parameters
    ----------
    frames : ndarray, shape (n, pixels), in C order
        Values.
    total : ndarray, shape (pixels,)
        What is added to; of a type that holds the sum.

    """
    n, pixels = frames.shape
    for low in range(0, pixels, _STRIP):
        high = min(low + _STRIP, pixels)
        target = total[low:high]
        for i in range(0, n - 3, 4):
            a, b = frames[i, low:high], frames[i + 1, low:high]
            c, d = frames[i + 2, low:high], frames[i + 3, low:high]
            for p in range(len(target)):
                target[p] = target[p] + a[p] + b[p] + c[p] + d[p]
        for i in range(n - n % 4, n):
            a = frames[i, low:high]
            for p in range(len(target)):
                target[p] += a[p]


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def squares_about(
    frames: NDArray[Any], mean: NDArray[np.float64], total: NDArray[np.float64]
) -> None:
    """Add the squared differences of all frames from ``mean`` to ``total``.

    Parameters
    ----------
    frames : ndarray, shape (n, pixels), in C order
        Values.
    mean, total : ndarray of float64, shape (pixels,)
        What is subtracted, and what is added to.

    """
    n, pixels = frames.shape
    for low in range(0, pixels, _STRIP):
        high = min(low + _STRIP, pixels)
        target, center = total[low:high], mean[low:high]
        for i in range(n):
            values = frames[i, low:high]
            for p in range(len(target)):
                difference = values[p] - center[p]
                target[p] += difference * difference
