"""What fitted peaks are at each position, and how much each value pulled its own fit to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.fit import OK, fit_tile
from nxscan.kernels.fit_report import peak_rows, report_rows
from nxscan.kernels.lm_model import GAUSSIAN, LORENTZIAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.rocking_curve_plan import Places
    from nxscan.kernels.fit import Task

    Floats = NDArray[np.float64]

_STEP = 0.01
"""By how much parameters are moved for a derivative, in their errors."""


def fit_models(curves: Floats, places: Places, task: Task) -> tuple[Floats, Floats]:
    """Fit one peak to curves; return its models, and the share of noise that each value keeps.

    The variance of what a fit leaves over is less than that of the value by the value's leverage,
    w J (JᵀWJ)⁻¹ Jᵀ: a fit goes nearer to those few values that alone tell its parameters.

    Parameters
    ----------
    curves : ndarray, shape (positions, pixels)
        Curves; NaN do not count.
    places, task
        Where, and what is fitted; the task has one peak.

    Returns
    -------
    models, kept : ndarray, shape (positions, pixels)
        NaN where the fit failed; one less the leverage.

    """
    pixels = curves.shape[1]
    values = np.empty((report_rows(task.kind, task.dims, 1, task.linear), pixels))
    errors, status = np.empty_like(values), np.empty(pixels, np.uint8)
    none, bare = np.empty((0, 0), np.bool_), np.empty((0, 0))
    tile = np.array(curves.T, order="C")
    fit_tile(tile, none, bare, places.units, places.steps, task, values, errors, status)
    values[:, status != OK] = np.nan
    model = model_of(values, places, task)
    variance = np.maximum(task.slope * model + task.offset, max(task.floor, 1e-12))
    weight = np.where(np.isfinite(curves), 1.0, 0.0) / variance
    return model, 1 - _leverage(values, errors, weight, places, task)


def model_of(values: Floats, places: Places, task: Task) -> Floats:
    """Return the models, shape (positions, pixels), of the rows of reports of one peak."""
    dims, row = task.dims, peak_rows(task.kind, task.dims)
    center, half = values[1 : 1 + dims], 0.5 * values[1 + dims : 1 + 2 * dims]
    away = (places.units[:, :, np.newaxis] - center[:, np.newaxis]) / half[:, np.newaxis]
    inverse = np.linalg.inv(_correlations(values[1 + 2 * dims :], dims))
    q = np.einsum("inp,pij,jnp->np", away, inverse, away)
    eta = {GAUSSIAN: 0.0, LORENTZIAN: 1.0}.get(task.kind, values[1 + 2 * dims])
    model: Floats = values[0] * ((1 - eta) * np.exp2(-q) + eta / (1 + q)) + values[row]
    if task.linear:
        model += places.units.T @ values[row + 1 : row + 1 + dims]
    return model


def _leverage(values: Floats, errors: Floats, weight: Floats, places: Places, task: Task) -> Floats:
    row = peak_rows(task.kind, task.dims)
    rows = [*range(row - 1), *range(row, row + 1 + task.dims * task.linear)]
    slopes = []
    for k in rows:
        step = _STEP * errors[k]
        sides = []
        for sign in (1, -1):
            moved = values.copy()
            moved[k] += sign * step
            sides.append(model_of(moved, places, task))
        slopes.append(sides[0] - sides[1])
    jacobian = np.nan_to_num(np.array(slopes))
    weighted = np.nan_to_num(weight) * jacobian
    information = np.einsum("anp,bnp->pab", weighted, jacobian)
    covariance = np.linalg.pinv(information, hermitian=True)
    found: Floats = np.einsum("anp,pab,bnp->np", weighted, covariance, jacobian)
    return found


def _correlations(rows: Floats, dims: int) -> Floats:
    """Return the correlation matrices of pixels; that of no correlation where there is no fit."""
    found = np.broadcast_to(np.eye(dims), (rows.shape[1], dims, dims)).copy()
    row = 0
    for j in range(dims):
        for k in range(j):
            found[:, j, k] = found[:, k, j] = np.nan_to_num(rows[row])
            row += 1
    return found
