"""Rotations of the goniometer, and the tilts of the lattice that its motors tell.

The stage of Poulsen et al. (2017, 2021) turns about µ, ω, χ and φ, the first of them the outermost:
Γ = M Ω X Φ, with µ and φ about y, χ about x, ω about z. Here µ and φ turn so that µ = θ brings a
lattice plane that is horizontal at µ = 0 to the Bragg condition (about −y); χ and ω are
right-handed.

One reflection tells how its scattering vector is tilted, and nothing of a rotation about it. The
misorientation of two points is therefore the angle between their scattering vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def about_x(angle: float) -> Array:
    """Return the right-handed rotation about x."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])


def about_y(angle: float) -> Array:
    """Return the right-handed rotation about y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1.0, 0], [-s, 0, c]])


def about_z(angle: float) -> Array:
    """Return the right-handed rotation about z."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def goniometer(mu: float = 0, omega: float = 0, chi: float = 0, phi: float = 0) -> Array:
    """Return Γ = M Ω X Φ, which takes vectors of the sample to the laboratory; radians."""
    return about_y(-mu) @ about_z(omega) @ about_x(chi) @ about_y(-phi)


def chi_axis_to_q(theta: float, mu: float) -> float:
    """Return the angle between the axis of χ and Q in the vertical scattering plane, radians.

    The axis lies along the beam and is carried by µ: at µ = θ it is perpendicular to Q.
    """
    return np.pi / 2 + theta - mu


def tilted(rock: ArrayLike, roll: ArrayLike, axis_to_q: float = np.pi / 2) -> Array:
    """Return the unit scattering vectors of points, in the sample's frame, components first.

    Parameters
    ----------
    rock, roll : array_like
        Where each point diffracts: µ (or φ), about an axis perpendicular to Q, which carries χ,
        and χ; radians, from those of a point for which ``axis_to_q`` holds. The first two
        components are nearly these two.
    axis_to_q : float
        Angle between the axis of χ and Q, radians.

    """
    a, b = np.broadcast_arrays(np.asarray(rock, np.float64), np.asarray(roll, np.float64))
    axis = np.array([np.sin(axis_to_q), 0.0, np.cos(axis_to_q)])
    axis = axis.reshape(3, *(1,) * a.ndim)
    # R_y(-a) R_axis(b) q = z, the direction in which Q must be to diffract
    q = np.stack([np.sin(a), np.zeros_like(a), np.cos(a)])
    along = (axis * q).sum(axis=0)
    cross = np.stack(
        [
            axis[1] * q[2] - axis[2] * q[1],
            axis[2] * q[0] - axis[0] * q[2],
            axis[0] * q[1] - axis[1] * q[0],
        ]
    )
    return np.asarray(q * np.cos(b) - cross * np.sin(b) + axis * along * (1 - np.cos(b)))


def angle_between(first: ArrayLike, second: ArrayLike) -> Array:
    """Return the angle between unit vectors, components first; exact for small angles, too."""
    chord = np.linalg.norm(np.asarray(first, np.float64) - np.asarray(second), axis=0)
    return np.asarray(2 * np.arcsin(np.minimum(chord / 2, 1)))
