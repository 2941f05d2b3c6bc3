"""How the lattice is tilted at every pixel, from centers along one or two motors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, field_validator

from nxscan.analysis.geometry.rotations import tilted
from nxscan.analysis.maps import Center, MapParameters, MapProcess, chosen
from nxscan.analysis.strain import KINDS
from nxscan.errors import ProcessError
from nxscan.model.units import convert, root_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block

    Array = NDArray[np.float64]

_ROLLING = ("chi", "diffrx", "samrx")
PERPENDICULAR = 90.0


class TiltParameters(MapParameters):
    """Along which motors the lattice's tilt is told, and how they stand to the reflection."""

    motors: tuple[str, ...] = Field(
        (),
        max_length=2,
        description="One or two motors ('mu,chi'); by default those of the scan that are neither "
        "energy nor 2θ.",
    )
    chi_to_q: float = Field(
        PERPENDICULAR,
        gt=0,
        lt=180,
        description="Angle between the axis of the rolling motor (chi) and the scattering vector. "
        "At 90 squares of tilts add up; at others rotation matrices are used.",
        json_schema_extra={"units": "degree"},
    )

    @field_validator("motors", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(name.strip() for name in given.split(",") if name.strip())
        return tuple(given) if isinstance(given, Sequence) else given


@dataclass(frozen=True, eq=False)
class Tilts:
    """The tilt of the lattice at every pixel.

    Attributes
    ----------
    field : ndarray, shape (k, y, x)
        What misorientation is computed from: centers in degrees, or unit scattering vectors.
    angular : bool
        Whether it is unit vectors.
    plane : ndarray, shape (m, y, x)
        Tilts in degrees whose distances are nearly misorientations.
    variance : ndarray, shape (m, y, x)
        Variances of those, degree².
    valid : ndarray of bool, shape (y, x)
        Where all are known.

    """

    field: Array
    angular: bool
    plane: Array
    variance: Array
    valid: NDArray[np.bool_]

    def distance(self, other: Array) -> Array:
        """Return the misorientation to other values of `field`, degrees."""
        chord = np.sqrt(((self.field - other) ** 2).sum(axis=0))
        if not self.angular:
            return np.asarray(chord)
        return np.asarray(np.degrees(2 * np.arcsin(np.minimum(0.5 * chord, 1))))


def make_tilts(found: Sequence[Center], chi_to_q: float = PERPENDICULAR) -> Tilts:
    """Return tilts from the centers along the rocking motor and, if there is one, the rolling one.

    Where the axis of the rolling motor is perpendicular to the scattering vector, the
    misorientation is √(Δµ² + Δχ²), to third order in the angles; else scattering vectors are
    turned back by both motors, and the misorientation is the angle between them.
    """
    values = np.stack([convert(each.values, each.units, "degree") for each in found])
    scale = [float(convert(1.0, each.units, "degree")) for each in found]
    variance = np.stack([(s * each.errors) ** 2 for s, each in zip(scale, found, strict=True)])
    valid = np.asarray(np.isfinite(values).all(axis=0))
    if len(found) == 1 or chi_to_q == PERPENDICULAR:
        return Tilts(values, False, values, variance, valid)
    middle = np.array([np.nanmedian(v) if valid.any() else 0.0 for v in values])
    angle = np.radians(chi_to_q)
    rock, roll = np.radians(values - middle[:, None, None])
    vectors = tilted(rock, roll, angle)
    variance[1] *= np.sin(angle) ** 2
    return Tilts(vectors, True, _plane(vectors), variance, valid)


def _plane(vectors: Array) -> Array:
    """Return tilts about two axes, degrees, whose length is the angle to the middle direction."""
    across = np.hypot(vectors[0], vectors[1])
    angle = np.degrees(np.arctan2(across, vectors[2]))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(across > 0, angle / across, np.degrees(1.0))
    return np.asarray(vectors[:2] * ratio)


class TiltProcess(MapProcess):
    """An analysis of how the lattice is tilted from pixel to pixel."""

    Parameters = TiltParameters

    def prepare_tilts(self, scan: Scan, least: int = 1) -> None:
        """Choose the motors: the rocking one first, the rolling one second."""
        names = chosen(scan, self.name, self.parameters.motors, KINDS)
        if not least <= len(names) <= 2:
            wanted = "two motors" if least == 2 else "one or two motors"
            raise ProcessError(
                f"{self.name} needs {wanted} that tilt the lattice, and finds "
                f"{', '.join(names) or 'none'}",
                "name them: motors=mu,chi",
            )
        if not self.parameters.motors:
            names.sort(key=lambda name: name in _ROLLING)
        self.prepare(scan, tuple(names))
        for name, units in zip(self._motors, self._units, strict=True):
            if root_units(units) != "radian":
                raise ProcessError(
                    f"{self.name}: centers along {name} are in {units or 'no unit'}, which is no "
                    "angle",
                    "name motors that tilt the lattice: motors=mu,chi",
                )

    def tilts(self, block: Block) -> Tilts:
        """Return the tilts of a block."""
        return make_tilts(self.maps(block), self.parameters.chi_to_q)

    @property
    def how(self) -> str:
        """How misorientation is computed, for people."""
        names, angle = self._motors, self.parameters.chi_to_q
        if len(names) == 1:
            metric = f"|delta {names[0]}|"
        elif angle == PERPENDICULAR:
            metric = f"sqrt(delta {names[0]}^2 + delta {names[1]}^2)"
        else:
            metric = f"angle between scattering vectors, {names[1]} at {angle:g} degree to Q"
        return f"misorientation: {metric}; {self.note}"
