"""Elastic strain along the scattering vector."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis.geometry.bragg import (
    spacing,
    strain_of_energy,
    strain_of_monochromator,
    strain_of_two_theta,
    wavelength,
)
from nxscan.analysis.maps import MapParameters, MapProcess, centers
from nxscan.errors import ProcessError
from nxscan.model.units import convert
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

    Array = NDArray[np.float64]

Kind = Literal["monochromator", "two_theta", "energy"]
KINDS: dict[str, Kind] = {
    "ccmth": "monochromator",
    "mono": "monochromator",
    "obpitch": "two_theta",
    "two_theta": "two_theta",
    "tth": "two_theta",
    "energy": "energy",
    "nrj": "energy",
}
"""What motors change, by their names."""
_FORMULAS: dict[Kind, Callable[[Any, Any], Array]] = {
    "monochromator": strain_of_monochromator,
    "two_theta": strain_of_two_theta,
    "energy": strain_of_energy,
}


class StrainParameters(MapParameters):
    """What strain is computed from, and against what."""

    motor: str | None = Field(
        None, description="Motor that was scanned; by default ccmth, obpitch, energy or the like."
    )
    kind: Literal["auto", "monochromator", "two_theta", "energy"] = Field(
        "auto",
        description="What the motor changes: the Bragg angle of the monochromator, 2θ of objective "
        "or detector, or the photon energy; 'auto' goes by its name.",
    )
    reference: float | Path | Literal["median"] = Field(
        "median",
        description="Where the unstrained lattice is, in the motor's unit: 'median' of the map, a "
        "number, or a map of the same shape in a .npy file.",
    )
    reflection: tuple[int, ...] | None = Field(
        None,
        description="Miller indices of the reflection, to be kept with the result.",
        min_length=3,
        max_length=4,
    )
    d0: float | None = Field(
        None,
        gt=0,
        description="Lattice spacing of the unstrained lattice; by default from 2θ and the energy, "
        "where both are known.",
        json_schema_extra={"units": "angstrom"},
    )


class Strain(MapProcess):
    """Strain along the scattering vector, of a scan of the energy or of 2θ.

    ε = (d − d₀) / d₀, dimensionless, from the centers c of the curves along the motor:

    - monochromator (ccmth): ε = cot(c₀) Δc
    - scattering angle (obpitch, 2θ): ε = −½ cot(c₀ / 2) Δc
    - energy: ε = −Δc / c₀

    with angles in radians, Δc = c − c₀, and the reference c₀ that ``reference`` says. It is one
    component of the strain tensor, that along Q: nothing is known of the others. Absolute values
    are as good as the reference: with the median, they are relative to the middle of the map.

    Outputs are ``strain``, ``reference`` (c₀, a number or a map), ``d0`` (where it is known) and
    ``status``. The error is that of the center; that of the reference is common to all pixels,
    and not in it. Of a scan that changes orientation as well (three axes), the centers along the
    motor are those of the curves that are left when the other axes are added up.

    """

    bytes_per_value = 150
    Parameters = StrainParameters

    _changes: Kind = "monochromator"
    _map: Array | None = None
    _d0: float | None = None

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the strain, and what it was computed against."""
        motor = self._motor(scan)
        self.prepare(scan, (motor,))
        self._map = self._given_map(scan)
        self._d0 = self.parameters.d0 or _spacing(scan, self._space.two_theta)
        label = f"strain along Q ({motor})"
        found = [
            self.map_output("strain", "", label, default=True, note=self._stated(motor)),
            self._reference_output(motor),
            self.status_output(),
        ]
        if self._d0 is not None:
            found.append(Output("d0", "angstrom", dims=(), long_name="spacing of the reference"))
        return found

    def compute(self, block: Block) -> Arrays:
        """Return the strain of every pixel."""
        center, status = self.maps(block)[0], self.status(block)
        reference = self._reference(center.values)
        value, slope = self._strain(center.values, reference, center.units)
        lost = ~np.isfinite(value) & (status == 0)
        found = {
            "strain": value,
            "strain_errors": np.abs(slope) * center.errors,
            "reference": reference,
            "status": np.where(lost, np.uint8(4), status),
        }
        return found if self._d0 is None else found | {"d0": np.array(self._d0)}

    def _strain(self, center: Array, reference: Array, units: str) -> tuple[Array, Array]:
        """Return the strain and its derivative by the center, in the motor's unit."""
        function = _FORMULAS[self._changes]
        unit = units if self._changes == "energy" else "radian"
        where = np.asarray(convert(reference, units, unit))
        delta = np.asarray(convert(center - reference, units, unit))
        one = np.asarray(convert(np.ones(()), units, unit))
        return function(delta, where), np.asarray(function(one, where))

    def _motor(self, scan: Scan) -> str:
        known, given = centers(scan, self.name), self.parameters
        fitting = [name for name in known if name in KINDS]
        motor = given.motor or (fitting[0] if fitting else next(iter(known)))
        if motor not in known:
            there = ", ".join(known)
            raise ProcessError(f"strain: no centers along {motor!r}", f"there are: {there}")
        if given.kind == "auto" and motor not in KINDS:
            raise ProcessError(
                f"strain: the scan is along {', '.join(known)}, which is neither an energy nor 2θ",
                "set motor, and kind=monochromator, two_theta or energy",
            )
        self._changes = KINDS[motor] if given.kind == "auto" else given.kind
        return motor

    def _given_map(self, scan: Scan) -> Array | None:
        path = self.parameters.reference
        if not isinstance(path, Path):
            return None
        try:
            found = np.asarray(np.load(path, allow_pickle=False), np.float64)
        except (OSError, ValueError) as error:
            raise ProcessError(f"strain: reference {path} cannot be read: {error}") from error
        if found.shape != scan.frame_shape:
            raise ProcessError(
                f"strain: the reference in {path} has the shape {found.shape}, and the maps have "
                f"{scan.frame_shape}"
            )
        return found

    def _reference_output(self, motor: str) -> Output:
        units, text = self._units[0], f"{motor} of the unstrained lattice"
        if self._map is not None:
            return self.map_output("reference", units, text, errors=False)
        return Output("reference", units, dims=(), long_name=text, note=self._said())

    def _reference(self, values: Array) -> Array:
        if self._map is not None:
            return self._map
        given = self.parameters.reference
        if given != "median":
            return np.array(float(given))
        known = values[np.isfinite(values)]
        return np.array(np.median(known) if known.size else np.nan)

    def _said(self) -> str:
        given = self.parameters.reference
        return {"median": "median of the map"}.get(str(given), f"given: {given}")

    def _stated(self, motor: str) -> str:
        formula = {
            "monochromator": f"cot({motor}_0) delta {motor}",
            "two_theta": f"-1/2 cot({motor}_0 / 2) delta {motor}",
            "energy": f"-delta {motor} / {motor}_0",
        }[self._changes]
        hkl = self.parameters.reflection
        named = f"; reflection {' '.join(map(str, hkl))}" if hkl else ""
        return f"{formula}, along Q; reference: {self._said()}{named}; {self.note}"


def _spacing(scan: Scan, two_theta: float | None) -> float | None:
    """Return d = λ / (2 sin θ) in Å, where the energy and 2θ are known."""
    energy = scan.metadata.get("instrument/beam/incident_energy")
    if two_theta is None or energy is None or not energy.units or np.ndim(energy.value) > 0:
        return None
    kilovolts = float(convert(float(energy.value), energy.units, "keV"))
    found = spacing(two_theta, wavelength(kilovolts)) if kilovolts > 0 else math.nan
    return found if math.isfinite(found) else None
