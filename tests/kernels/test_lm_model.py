"""Derivatives of peaks against finite differences, and the power that vectorizes."""

from __future__ import annotations

import numpy as np
import pytest

from nxscan.kernels.lm_model import (
    GAUSSIAN,
    LORENTZIAN,
    MODEL,
    PSEUDO_VOIGT,
    X,
    count_of,
    differentiate,
    evaluate,
    first_derivative,
)

STEP = 1e-6


def made(kind, dims, peaks, linear, seed=0):
    """Return rows with random places, and random parameters."""
    rng = np.random.default_rng(seed)
    each = count_of(kind, dims)
    count = each * peaks + 1 + dims * linear
    m = np.zeros((first_derivative(dims, peaks) + count, 40))
    m[X : X + dims] = rng.uniform(-1, 1, (dims, 40))
    p = rng.uniform(0.3, 2, count)
    if kind == PSEUDO_VOIGT:
        p[each - 1 : each * peaks : each] = rng.uniform(0.1, 0.9, peaks)
    return m, p


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("peaks", [1, 2, 3])
@pytest.mark.parametrize(
    ("kind", "dims"),
    [(GAUSSIAN, 1), (LORENTZIAN, 1), (PSEUDO_VOIGT, 1), (GAUSSIAN, 2), (GAUSSIAN, 3)],
)
def test_derivatives_are_finite_differences(kind, dims, peaks, linear):
    m, p = made(kind, dims, peaks, linear)
    evaluate(m, p, kind, dims, peaks, linear)
    differentiate(m, p, kind, dims, peaks, linear)
    found = m[first_derivative(dims, peaks) :].copy()
    for k in range(len(p)):
        sides = []
        for sign in (1, -1):
            moved = p.copy()
            moved[k] += sign * STEP
            evaluate(m, moved, kind, dims, peaks, linear)
            sides.append(m[MODEL].copy())
        np.testing.assert_allclose(found[k], (sides[0] - sides[1]) / (2 * STEP), atol=1e-8)


@pytest.mark.parametrize(("kind", "dims"), [(GAUSSIAN, 1), (LORENTZIAN, 1), (GAUSSIAN, 3)])
def test_a_model_is_its_formula(kind, dims):
    m, p = made(kind, dims, 2, linear=True)
    evaluate(m, p, kind, dims, 2, True)
    x, each = m[X : X + dims], count_of(kind, dims)
    expected = p[2 * each] + p[2 * each + 1 :] @ x
    for k in range(2):
        own = p[each * k : each * (k + 1)]
        lower = np.zeros((dims, dims))
        lower[np.tril_indices(dims)] = own[1 + dims :]
        away = x - own[1 : 1 + dims, np.newaxis]
        q = np.einsum("in,ij,jn->n", away, lower @ lower.T, away)
        expected = expected + own[0] * (2.0**-q if kind == GAUSSIAN else 1 / (1 + q))
    np.testing.assert_allclose(m[MODEL], expected, rtol=1e-13)


def test_a_gaussian_far_from_its_center_is_small_and_finite():
    m = np.zeros((first_derivative(1, 1) + 4, 40))
    m[X] = np.linspace(0, 100, 40)
    evaluate(m, np.array([1.0, 0.0, 1.0, 0.0]), GAUSSIAN, 1, 1, False)
    near = m[X] < 30
    np.testing.assert_allclose(m[MODEL][near], 2.0 ** -(m[X][near] ** 2), rtol=2e-14)
    assert (m[MODEL][~near] < 1e-250).all()
    assert (m[MODEL] > 0).all()
