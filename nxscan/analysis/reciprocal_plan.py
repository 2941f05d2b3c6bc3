"""How positions of a scan and pixels of the detector become places in reciprocal space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.geometry.frames import (
    angles,
    center_of,
    pixel_places,
    scattering_vectors,
)
from nxscan.analysis.geometry.rotations import about_y
from nxscan.errors import ProcessError
from nxscan.model.units import convert

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Axis, Scan

    Array = NDArray[np.float64]

COMPONENTS = ("rock", "roll", "par")
ROCKING = ("mu", "diffry", "phi")
ROLLING = ("chi", "diffrx")
PITCHING = ("obpitch", "two_theta", "tth")
MONOCHROMATOR = ("ccmth", "mono")
_RADIAN = "radian"


@dataclass(frozen=True)
class FarField:
    """The far-field detector, vertical and perpendicular to the direct beam.

    Attributes
    ----------
    distance, height, sideways : float
        Of its middle: along the beam (|mainx|), upwards (ffz), to the left (ffy), mm.
    pixel : tuple of float
        Size of its pixels along rows and columns, mm.
    directions : tuple of int
        Which way rows and columns grow: 1 along the laboratory's z and y, −1 against them.
    shape : tuple of int
        Rows and columns of the whole detector.

    """

    distance: float
    height: float
    sideways: float
    pixel: tuple[float, float]
    directions: tuple[int, int]
    shape: tuple[int, int]

    def vectors(self, rows: Array, columns: Array, two_theta: float) -> Array:
        """Return the scattering vectors of pixels, (rock, roll, par) by |Q| of ``two_theta``.

        Parameters
        ----------
        rows, columns : ndarray
            Numbers of rows and columns.
        two_theta : float
            Of the reference, radians; it is scattered in the vertical plane.

        Returns
        -------
        ndarray, shape (3, rows, columns)

        """
        center = center_of(self.shape, self.pixel, self.height, self.sideways, self.directions)
        places = pixel_places(rows, columns, self.pixel, center, self.distance, self.directions)
        found = scattering_vectors(*angles(places), 1.0)
        size = 4 * math.pi * math.sin(two_theta / 2)
        base = about_y(two_theta / 2)  # rows: directions of rock, roll and Q in the laboratory
        return np.asarray(np.tensordot(base, found, 1) / size)


@dataclass(frozen=True, eq=False)
class Positions:
    """What the motors of a scan do to scattering vectors, for every position.

    Attributes
    ----------
    turns : ndarray, shape (n, 3, 3)
        From the laboratory's (rock, roll, par) to the sample's.
    lengths : ndarray, shape (n,)
        By what the scattering vector is longer than that of the reference.

    """

    turns: Array
    lengths: Array


@dataclass(frozen=True)
class Motors:
    """Which motor does what; "" where none does.

    Attributes
    ----------
    rock, roll, pitch, monochromator : str
        Of µ or φ, of χ, of 2θ of the objective, of the Bragg angle of the monochromator.

    """

    rock: str = ""
    roll: str = ""
    pitch: str = ""
    monochromator: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """Those that there are."""
        return tuple(name for name in vars(self).values() if name)

    def positions(
        self,
        values: Mapping[str, Array],
        middles: Mapping[str, float],
        two_theta: float,
        axis_to_q: float,
    ) -> Positions:
        """Return what each position does.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (n,)
            Where each motor was, radians.
        middles : mapping of str to float
            Where it is for the reference, radians.
        two_theta, axis_to_q : float
            2θ of the reference; the angle between the axis of χ and Q; radians.

        """
        count = len(next(iter(values.values())))

        def moved(name: str) -> Array:
            return values[name] - middles[name] if name else np.zeros(count)

        length = 1 + 0.5 * moved(self.pitch) / math.tan(two_theta / 2)
        if self.monochromator:
            angle = middles[self.monochromator]
            length -= moved(self.monochromator) / math.tan(angle)
        return Positions(_turns(moved(self.rock), moved(self.roll), axis_to_q), length)


def _turns(rock: Array, roll: Array, axis_to_q: float) -> Array:
    """Return R_axis(−b) R_y(a) for each pair: the inverse of what the motors do."""
    n = np.array([math.sin(axis_to_q), 0.0, math.cos(axis_to_q)])
    cross = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    sine, cosine = np.sin(roll)[:, None, None], np.cos(roll)[:, None, None]
    about_axis = np.eye(3) - sine * cross + (1 - cosine) * (cross @ cross)
    return np.asarray(about_axis @ np.stack([about_y(a) for a in rock]))


def find_motors(scan: Scan, rock: str | None, roll: str | None) -> Motors:
    """Find out which axes of a scan tilt the sample, and which change |Q|.

    Raises
    ------
    ProcessError
        If a motor that is named is not scanned, or none is known.

    """
    axes = {axis.name: axis for axis in scan.axes.values() if axis.role == "scan"}
    for name in (rock, roll):
        if name is not None and name not in axes:
            raise ProcessError(
                f"reciprocal_space: {name!r} is not scanned", f"there are: {', '.join(axes)}"
            )
    taken = {name for name in (rock, roll) if name}

    def first(names: tuple[str, ...]) -> str:
        return next((name for name in axes if name in names and name not in taken), "")

    found = Motors(
        rock or first(ROCKING), roll or first(ROLLING), first(PITCHING), first(MONOCHROMATOR)
    )
    if not found.named:
        raise ProcessError(
            f"reciprocal_space: the scan is along {', '.join(axes) or 'nothing'}, and none of that "
            "is known to tilt the lattice or to change the energy or 2θ",
            "name the motors: rock=, roll=",
        )
    return found


def in_radians(axis: Axis) -> Array:
    """Return the values of a motor in radians."""
    return np.asarray(convert(axis.values, axis.units or "degree", _RADIAN))
