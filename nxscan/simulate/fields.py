"""Deformation fields of a crystal, as closed formulas: lengths in µm, angles in radians."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import erf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def edge_rotation(y: Array, x: Array, burgers: float, core: float = 0.0) -> Array:
    """Lattice rotation about the line of an edge dislocation at the origin.

    ω = ½ (∂u_y/∂x − ∂u_x/∂y) = −b x / (2π r²), Burgers vector along x: the curl of the
    displacements of Hirth and Lothe, *Theory of Dislocations*, 2nd edition, eq. 3-45 and 3-46.

    Parameters
    ----------
    y, x : ndarray
        Coordinates, µm; they broadcast.
    burgers : float
        Burgers vector b, µm.
    core : float
        r² becomes r² + core²: what is nearer than the resolution is not resolved.

    Returns
    -------
    ndarray
        ω in radians.

    """
    return -burgers * x / (2 * math.pi * (x**2 + y**2 + core**2))


def edge_strain(y: Array, x: Array, burgers: float, poisson: float, core: float = 0.0) -> Array:
    """Strain ε_yy normal to the glide plane of an edge dislocation at the origin.

    ε_yy = b y [(1 + 2ν) x² − (1 − 2ν) y²] / (4π (1 − ν) r⁴), plane strain, isotropic, from the
    stresses of Hirth and Lothe, eq. 3-43. Parameters as in `edge_rotation`.
    """
    numerator = y * ((1 + 2 * poisson) * x**2 - (1 - 2 * poisson) * y**2)
    return burgers * numerator / (4 * math.pi * (1 - poisson) * (x**2 + y**2 + core**2) ** 2)


def boundary_fraction(distance: Array, width: float) -> Array:
    """Part of a pixel that lies beyond a boundary, 0 to 1.

    p = ½ (1 + erf(s / (√2 w))): a step seen with a Gaussian resolution of standard deviation
    ``width``, at the signed ``distance`` s from the boundary, both in µm.
    """
    return np.asarray(0.5 * (1 + erf(distance / (math.sqrt(2) * width))), dtype=np.float64)


def random_field(
    y: Array, x: Array, length: float, rng: np.random.Generator, waves: int = 32
) -> Array:
    """Return a smooth random field of mean 0 and variance 1.

    √(2/n) Σ cos(k·r + φ), where the components of k are normal with standard deviation
    1/length: over many seeds the correlation is exp(−r² / (2 length²)). It depends on
    position, not on pixels: a finer grid shows the same field.

    Parameters
    ----------
    y, x : ndarray, shapes (ny,) and (nx,)
        Coordinates of rows and columns, µm.
    length : float
        Correlation length, µm.
    rng : Generator
        Where the waves come from.
    waves : int
        How many plane waves are added.

    Returns
    -------
    ndarray, shape (ny, nx)

    """
    ky, kx = rng.standard_normal((2, waves)) / length
    phase = rng.uniform(0, 2 * math.pi, waves)
    rows = np.exp(1j * (y[:, None] * ky + phase))
    columns = np.exp(1j * x[:, None] * kx)
    # a product of two thin matrices instead of ny · nx · n cosines
    return np.asarray((rows @ columns.T).real * math.sqrt(2 / waves), dtype=np.float64)
