"""What is reported of a peak, and its errors, from the parameters of a fit and their covariance.

The rows of a report are, for each peak: height, centers along each axis, full widths at half
maximum along each axis, correlations of axes (1, 0), (2, 0), (2, 1), η of a pseudo-Voigt, and the
integral; after all peaks: background and its slopes, reduced chi-square, number of peaks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.compiling import njit
from nxscan.kernels.lm_model import INNER, LN2, LORENTZIAN, PSEUDO_VOIGT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_GAUSS_AREA = math.sqrt(math.pi / LN2)
"""Integral of 2^(-x²)."""


@njit(nogil=True, cache=True)
def peak_rows(kind: int, dims: int) -> int:
    """Return how many rows of a report a peak has."""
    return 2 + 2 * dims + dims * (dims - 1) // 2 + (1 if kind == PSEUDO_VOIGT else 0)


@njit(nogil=True, cache=True)
def report_rows(kind: int, dims: int, peaks: int, linear: bool) -> int:
    """Return how many rows a report has."""
    rows: int = peak_rows(kind, dims) * peaks + 3
    return rows + (dims if linear else 0)


@njit(**INNER)
def volume_of(p: Floats, first: int, kind: int, dims: int) -> float:
    """Return the integral of a peak, A (π / ln 2)^(D/2) / det L of a Gaussian.

    A pseudo-Voigt's is A / L [(1 - η) √(π / ln 2) + η π].
    """
    widths = first + 1 + dims
    found: float = p[first]
    for j in range(dims):
        found /= p[widths + j * (j + 1) // 2 + j]
    if kind == LORENTZIAN:
        return found * math.pi
    if kind == PSEUDO_VOIGT:
        eta: float = p[widths + 1]
        return found * ((1.0 - eta) * _GAUSS_AREA + eta * math.pi)
    return found * _GAUSS_AREA**dims


@njit(**INNER, error_model="numpy")
def report_peak(
    p: Floats,
    covariance: Floats,
    first: int,
    kind: int,
    dims: int,
    scale: float,
    work: Floats,
    report: Floats,
    error: Floats,
    at: int,
) -> None:
    """Set the rows of a report from ``at`` on.

    Parameters
    ----------
    p, covariance
        The parameters of all peaks, and their covariance.
    first : int
        The first parameter of this peak.
    kind, dims
        Its profile and dimensions.
    scale : float
        What errors are multiplied by.
    work : ndarray, shape (3, more parameters than a peak has)
        Memory.
    report, error : ndarray, shape (rows,)
        Take the values and their errors.
    at : int
        Where in them the peak begins.

    """
    for j in range(1 + dims):
        report[at + j] = p[first + j]
        error[at + j] = scale * math.sqrt(covariance[first + j, first + j])
    widths = first + 1 + dims
    to = at + 1 + dims
    if dims == 1:
        report[to] = 2.0 / p[widths]
        error[to] = scale * 2.0 / p[widths] ** 2 * math.sqrt(covariance[widths, widths])
        to += 1
    else:
        to = _report_widths(p, covariance, widths, dims, scale, work, report, error, to)
    if kind == PSEUDO_VOIGT:
        report[to] = p[widths + 1]
        error[to] = scale * math.sqrt(covariance[widths + 1, widths + 1])
        to += 1
    total = volume_of(p, first, kind, dims)
    gradient = work[0]
    for j in range(len(gradient)):
        gradient[j] = 0.0
    gradient[0] = total / p[first]
    for j in range(dims):
        k = j * (j + 1) // 2 + j
        gradient[1 + dims + k] = -total / p[widths + k]
    if kind == PSEUDO_VOIGT:
        gradient[3] = p[first] / p[widths] * (math.pi - _GAUSS_AREA)
    report[to] = total
    count = widths - first + dims * (dims + 1) // 2 + (1 if kind == PSEUDO_VOIGT else 0)
    error[to] = scale * math.sqrt(_variance_of(gradient, covariance, first, count))


@njit(**INNER)
def _variance_of(gradient: Floats, covariance: Floats, first: int, count: int) -> float:
    total = 0.0
    for j in range(count):
        for k in range(count):
            total += gradient[j] * gradient[k] * covariance[first + j, first + k]
    return max(total, 0.0)


@njit(**INNER, error_model="numpy")
def _report_widths(
    p: Floats,
    covariance: Floats,
    at: int,
    dims: int,
    scale: float,
    work: Floats,
    report: Floats,
    error: Floats,
    to: int,
) -> int:
    """Set full widths and correlations from H = (L Lᵀ)⁻¹ = W Wᵀ, W = L⁻ᵀ; return the next row.

    With dL only at (a, b), dH_jk = -(H_ja W_kb + W_jb H_ka).
    """
    w, h = np.zeros((3, 3)), np.zeros((3, 3))
    for j in range(dims):
        for k in range(j, -1, -1):
            # Lᵀ is upper triangular, and so is its inverse: column j, upwards
            total = 1.0 if j == k else 0.0
            for i in range(k + 1, j + 1):
                total -= p[at + i * (i + 1) // 2 + k] * w[i, j]
            w[k, j] = total / p[at + k * (k + 1) // 2 + k]
    for j in range(dims):
        for k in range(dims):
            for i in range(dims):
                h[j, k] += w[j, i] * w[k, i]
    count = dims * (dims + 1) // 2
    gradient = work[0]
    for j in range(dims):
        width = math.sqrt(h[j, j])
        for a in range(dims):
            for b in range(a + 1):
                gradient[a * (a + 1) // 2 + b] = -2.0 * h[j, a] * w[j, b] / width
        report[to] = 2.0 * width
        error[to] = scale * math.sqrt(_variance_of(gradient, covariance, at, count))
        to += 1
    for j in range(dims):
        for k in range(j):
            across = math.sqrt(h[j, j] * h[k, k])
            rho = h[j, k] / across
            for a in range(dims):
                for b in range(a + 1):
                    both = -(h[j, a] * w[k, b] + w[j, b] * h[k, a]) / across
                    own = -h[j, a] * w[j, b] / h[j, j] - h[k, a] * w[k, b] / h[k, k]
                    gradient[a * (a + 1) // 2 + b] = both - rho * own
            report[to] = rho
            error[to] = scale * math.sqrt(_variance_of(gradient, covariance, at, count))
            to += 1
    return to
