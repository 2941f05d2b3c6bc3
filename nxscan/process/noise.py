"""How the variance of a detector's value follows from the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan

Kind = Literal["poisson", "camera", "uniform"]


@dataclass(frozen=True)
class Noise:
    """variance = read_noise² + (I − offset) / gain, never below read_noise².

    This is the photon-transfer relation of a linear detector, K²σ_d² + σ_q² + K·(μ − μ_dark)
    in EMVA Standard 1288, whose gain K, in detector units per electron, is 1 / ``gain`` here,
    and whose dark and quantization noise together are ``read_noise``.

    Counting detectors are the default: no offset, gain 1, no read noise, so that a value of 0
    has variance 0. A camera's real noise differs from Poisson's by an order of magnitude; give
    what was measured, or let `NoiseParameters` measure it.

    Attributes
    ----------
    kind : {"poisson", "camera", "uniform"}
        ``uniform`` takes the same variance, read_noise², everywhere; without read noise it
        takes 1.
    offset : float
        Value of no light, in detector units.
    gain : float
        Electrons per detector unit.
    read_noise : float
        Standard deviation of a value without light, in detector units.

    Examples
    --------
    >>> Noise("camera", offset=100, gain=0.5, read_noise=3).variance(np.array([90, 100, 1100]))
    array([   9.,    9., 2009.], dtype=float32)

    """

    kind: Kind = "poisson"
    offset: float = 0.0
    gain: float = 1.0
    read_noise: float = 0.0

    def variance(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the variance of each raw value, in squared detector units; NaN for NaN."""
        floor = np.float32(self.read_noise**2)
        if self.kind == "uniform":
            return np.full(values.shape, floor or np.float32(1), np.float32)
        found = values.astype(np.float32)
        if self.offset:
            found -= np.float32(self.offset)
        np.maximum(found, np.float32(0), out=found)
        if self.gain != 1:
            found *= np.float32(1 / self.gain)
        if floor:
            found += floor
        return found


class NoiseParameters(ProcessParameters):
    """Parameters of a process that gives errors: what its detector's noise is.

    A process inherits its own parameters from this, and returns ``self.parameters.model(scan)``
    from `Process.noise`.
    """

    noise: Literal["poisson", "camera", "uniform", "auto"] = Field(
        "poisson",
        description="Noise of the raw values: 'poisson' counts; 'camera', with offset, gain and "
        "read noise, measured in the scan where they are not given; 'uniform', the same for "
        "every value; 'auto', what is measured in the scan, else poisson.",
    )
    offset: float | None = Field(
        None,
        description="Value of no light; by default measured ('camera', 'auto') or 0.",
        json_schema_extra={"units": "counts"},
    )
    gain: float | None = Field(
        None,
        gt=0,
        description="Electrons per unit of the detector; by default measured or 1.",
        json_schema_extra={"units": "1/count"},
    )
    read_noise: float | None = Field(
        None,
        ge=0,
        description="Standard deviation of a value without light; by default measured or 0.",
        json_schema_extra={"units": "counts"},
    )

    def model(self, scan: Scan) -> Noise:
        """Return the noise model of a scan.

        Raises
        ------
        ProcessError
            If something has to be measured, and the scan cannot tell it.

        """
        kind = self.noise
        if kind in ("camera", "auto") and None in (self.offset, self.gain, self.read_noise):
            from nxscan.process.transfer import measure

            return measure(scan, self)
        return Noise(
            "camera" if kind == "auto" else kind,
            self.offset or 0.0,
            1.0 if self.gain is None else self.gain,
            self.read_noise or 0.0,
        )
