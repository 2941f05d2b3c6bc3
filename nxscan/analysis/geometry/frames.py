"""Directions in the laboratory: from NeXus' frame to Poulsen's, from pixels to η, 2θ and Q.

NeXus (McStas) has z along the beam and y up; Poulsen et al. (2017, section 2) have x along the
beam and z up. Both are right-handed, and so the third axis is the same, to the left as one looks
downstream.

η is the right-handed rotation about the beam that brings the vertical scattering plane to the one
that is meant: a beam scattered by 2θ goes along (cos 2θ, −sin 2θ sin η, sin 2θ cos η).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def to_poulsen(vectors: ArrayLike) -> Array:
    """Return (x, y, z) of the NeXus frame in Poulsen's: (z, x, y). Components are the first axis.

    >>> to_poulsen([1, 2, 3]).tolist()
    [3.0, 1.0, 2.0]
    """
    x, y, z = np.asarray(vectors, np.float64)
    return np.stack([z, x, y])


def to_nexus(vectors: ArrayLike) -> Array:
    """Return (x, y, z) of Poulsen's frame in the NeXus frame: (y, z, x).

    >>> to_nexus(to_poulsen([1, 2, 3])).tolist()
    [1.0, 2.0, 3.0]
    """
    x, y, z = np.asarray(vectors, np.float64)
    return np.stack([y, z, x])


def pixel_places(
    rows: ArrayLike,
    columns: ArrayLike,
    pixel: tuple[float, float],
    center: tuple[float, float],
    distance: float,
    directions: tuple[int, int] = (-1, -1),
) -> Array:
    """Return where pixels of a vertical detector are in Poulsen's frame, shape (3, rows, columns).

    Parameters
    ----------
    rows, columns : array_like
        Indices of rows and columns.
    pixel : tuple of float
        Size of a pixel along rows and columns, in the unit of ``distance``.
    center : tuple of float
        Row and column that the direct beam, prolonged, hits. A detector that was raised by
        ``ffz`` has its own middle row ``ffz / pixel`` rows from there: see `center_of`.
    distance : float
        From the sample to the detector along the direct beam (|mainx|).
    directions : tuple of int
        Which way rows and columns grow: 1 along the laboratory's z and y, −1 against them.

    """
    z = directions[0] * (np.asarray(rows, np.float64) - center[0]) * pixel[0]
    y = directions[1] * (np.asarray(columns, np.float64) - center[1]) * pixel[1]
    shape = len(z), len(y)
    return np.stack(
        [
            np.full(shape, float(distance)),
            np.broadcast_to(y[None, :], shape),
            np.broadcast_to(z[:, None], shape),
        ]
    )


def center_of(
    shape: tuple[int, int],
    pixel: tuple[float, float],
    height: float = 0.0,
    sideways: float = 0.0,
    directions: tuple[int, int] = (-1, -1),
) -> tuple[float, float]:
    """Return the row and column of the direct beam, for a detector whose middle was moved.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    pixel : tuple of float
        Size of a pixel along them.
    height, sideways : float
        How far the detector's middle was moved along the laboratory's z and y (``ffz``, ``ffy``),
        in the unit of ``pixel``.
    directions : tuple of int
        As in `pixel_places`.

    """
    moved = (height, sideways)
    row, column = (
        (n - 1) / 2 - way * shift / size
        for n, way, shift, size in zip(shape, directions, moved, pixel, strict=True)
    )
    return row, column


def angles(places: ArrayLike) -> tuple[Array, Array]:
    """Return η and 2θ of what is scattered from the origin to places in Poulsen's frame, radians.

    η = atan2(−y, z), 2θ = atan2(√(y² + z²), x).
    """
    x, y, z = np.asarray(places, np.float64)
    return np.arctan2(-y, z), np.arctan2(np.hypot(y, z), x)


def direction(eta: ArrayLike, two_theta: ArrayLike) -> Array:
    """Return the unit vector of a scattered beam in Poulsen's frame; the inverse of `angles`."""
    eta, two_theta = np.broadcast_arrays(eta, two_theta)
    sine = np.sin(two_theta)
    return np.stack([np.cos(two_theta), -sine * np.sin(eta), sine * np.cos(eta)])


def scattering_vectors(eta: ArrayLike, two_theta: ArrayLike, wavelength: float) -> Array:
    """Return Q = k' − k in Poulsen's frame, |k| = 2π / λ, in 1 / (unit of the wavelength).

    For η = 0 it is |Q| (−sin θ, 0, cos θ): Poulsen et al. (2017), section 2.
    """
    scattered = direction(eta, two_theta)
    scattered[0] -= 1
    return np.asarray(2 * np.pi / wavelength * scattered)
