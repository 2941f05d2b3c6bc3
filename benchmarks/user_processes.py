"""Processes as a user writes them, in a module of their own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from nxscan import Output, Process

if TYPE_CHECKING:
    from nxscan.process import Block

_COARSE = 16


class Brightness(Process):
    """Mean of every position's values."""

    per = "position"

    def outputs(self, scan: Any) -> list[Output]:
        return [Output("brightness", scan.signal.units)]

    def compute(self, block: Block) -> dict[str, Any]:
        mean = block.frames.reshape(len(block.frames), -1).mean(axis=1)
        return {"brightness": mean.reshape(block.scan_shape)}


class Entropy(Process):
    """Entropy of every frame's distribution of counts, which takes a logarithm of every value."""

    per = "position"

    def outputs(self, scan: Any) -> list[Output]:  # noqa: ARG002  (whatever the scan)
        return [Output("entropy", "")]

    def compute(self, block: Block) -> dict[str, Any]:
        frames = block.frames.reshape(len(block.frames), -1)
        return {"entropy": _entropy(frames).reshape(block.scan_shape)}


class PeakFit(Process):
    """Least-squares fit of A exp(-((x - c) / s)² / 2) + b to every position's curve."""

    per = "position"

    def outputs(self, scan: Any) -> list[Output]:
        units = scan.main_axes()[-1].units
        return [
            Output("amplitude", scan.signal.units),
            Output("center", units, default=True),
            Output("sigma", units),
            Output("background", scan.signal.units),
        ]

    def compute(self, block: Block) -> dict[str, Any]:
        x = next(reversed(block.axes.values()))
        found = _fit(x, block.frames)
        names = ("amplitude", "center", "sigma", "background")
        return {name: found[:, k].reshape(block.scan_shape) for k, name in enumerate(names)}


@numba.njit(nogil=True, cache=True)
def _entropy(frames: Any) -> Any:
    found = np.empty(len(frames))
    for k in range(len(frames)):
        total = 0.0
        logs = 0.0
        for value in frames[k]:
            if value > 0:
                total += value
                logs += value * math.log(value)
        found[k] = math.log(total) - logs / total if total > 0 else np.nan
    return found


@numba.njit(nogil=True, cache=True)
def _fit(x: Any, curves: Any) -> Any:
    """Fit means of a few points first, then two steps of Gauss and Newton with all points."""
    found = np.empty((len(curves), 4))
    groups = x.size // _COARSE
    coarse_x = np.empty(groups)
    for i in range(groups):
        coarse_x[i] = x[i * _COARSE : (i + 1) * _COARSE].mean()
    coarse = np.empty(groups)
    for k in range(len(curves)):
        curve = curves[k]
        for i in range(groups):
            total = np.float32(0)
            for j in range(i * _COARSE, (i + 1) * _COARSE):
                total += curve[j]
            coarse[i] = total / _COARSE
        at = found[k]
        _guess(coarse_x, coarse, at)
        _refine(coarse_x, coarse, at, 20)
        _polish(x, curve, at)
    return found


@numba.njit(nogil=True, cache=True)
def _guess(x: Any, y: Any, at: Any) -> None:
    low = np.median(y)
    top = y.argmax()
    area = 0.0
    for value in y:
        area += max(value - low, 0.0)
    at[0] = max(y[top] - low, 1e-12)
    at[1] = x[top]
    at[2] = area * abs(x[1] - x[0]) / (at[0] * math.sqrt(2 * math.pi))
    at[3] = low


@numba.njit(nogil=True, cache=True, fastmath=True)
def _normal(x: Any, y: Any, at: Any, matrix: Any, right: Any) -> float:
    """Fill the normal equations, and return the sum of squares.

    The x are even, so that each exponential follows from the one before: a new start every few
    points keeps the error of that below 1e-13. Beyond 6 s the curve is flat within 1.6e-8 A.
    """
    amplitude, center, sigma, low = at
    step = (x[-1] - x[0]) / (x.size - 1)
    inside0 = int(max(0.0, math.floor((center - 6 * sigma - x[0]) / step)))
    inside1 = int(min(float(x.size), math.ceil((center + 6 * sigma - x[0]) / step)))
    h = step / sigma
    curl = math.exp(-h * h)
    s00 = s01 = s02 = s03 = s11 = s12 = s13 = s22 = s23 = 0.0
    r0 = r1 = r2 = r3 = squares = 0.0
    for i in range(inside0):
        r = y[i] - low
        r3 += r
        squares += r * r
    for i in range(inside1, x.size):
        r = y[i] - low
        r3 += r
        squares += r * r
    for start in range(inside0, inside1, 64):
        z = (x[start] - center) / sigma
        e = math.exp(-0.5 * z * z)
        ratio = math.exp(-h * z - 0.5 * h * h)
        for i in range(start, min(start + 64, inside1)):
            r = y[i] - low - amplitude * e
            ez = e * z
            ezz = ez * z
            s00 += e * e
            s01 += e * ez
            s02 += e * ezz
            s03 += e
            s11 += ez * ez
            s12 += ez * ezz
            s13 += ez
            s22 += ezz * ezz
            s23 += ezz
            r0 += e * r
            r1 += ez * r
            r2 += ezz * r
            r3 += r
            squares += r * r
            e *= ratio
            ratio *= curl
            z += h
    slope = amplitude / sigma
    matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[0, 3] = s00, s01 * slope, s02 * slope, s03
    matrix[1, 1], matrix[1, 2], matrix[1, 3] = s11 * slope**2, s12 * slope**2, s13 * slope
    matrix[2, 2], matrix[2, 3], matrix[3, 3] = s22 * slope**2, s23 * slope, x.size
    for row in range(4):
        for column in range(row):
            matrix[row, column] = matrix[column, row]
    right[0], right[1], right[2], right[3] = r0, r1 * slope, r2 * slope, r3
    return squares


@numba.njit(nogil=True, cache=True)
def _refine(x: Any, y: Any, at: Any, most: int) -> None:
    """Take steps of Levenberg and Marquardt until they no longer matter."""
    matrix, right = np.empty((4, 4)), np.empty(4)
    damped, trial = np.empty((4, 4)), np.empty(4)
    damping = 0.0
    squares = _normal(x, y, at, matrix, right)
    for _ in range(most):
        damped[:] = matrix
        for k in range(4):
            damped[k, k] *= 1 + damping
        change = np.linalg.solve(damped, right)
        trial[:] = at + change
        if trial[2] <= 0:
            damping = 10 * damping + 1e-3
            continue
        kept = squares
        squares = _normal(x, y, trial, matrix, right)
        if squares > kept * (1 + 1e-9):
            damping = 10 * damping + 1e-3
            squares = _normal(x, y, at, matrix, right)
            continue
        at[:] = trial
        damping *= 0.1
        if kept - squares <= 1e-7 * kept and abs(change[1]) < 1e-4 * at[2]:
            return


@numba.njit(nogil=True, cache=True)
def _polish(x: Any, y: Any, at: Any) -> None:
    """Take two steps of Gauss and Newton: from 1e-3 s away, what is left is below 1e-9 s."""
    matrix, right = np.empty((4, 4)), np.empty(4)
    for _ in range(2):
        _normal(x, y, at, matrix, right)
        at += np.linalg.solve(matrix, right)
