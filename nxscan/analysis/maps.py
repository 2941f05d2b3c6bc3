"""What analyses of maps have in common: they work on the centers that another process found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis.drift import KINDS, drift
from nxscan.analysis.space import Space, SpaceParameters, make_space
from nxscan.errors import ProcessError
from nxscan.process.contract import Process
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block

    Array = NDArray[np.float64]

STATUS = "0 ok; what the numbers mean is told by the result that was worked on; 4 masked"
MASKED = 4
"""Status of pixels that have no value although what they were made from had one."""


class MapParameters(SpaceParameters):
    """Which maps are worked on, and which of their pixels."""

    of: str = Field(
        "moments",
        description="Process whose centers are taken, if no result is named: 'moments', "
        "'rocking_curve'.",
    )
    use: Literal["ok", "all"] = Field(
        "ok",
        description="'ok' takes pixels whose status is 0, 'all' whatever has a center. Others are "
        "NaN.",
    )


@dataclass(frozen=True, eq=False)
class Center:
    """A map of centers along one motor, in the motor's unit.

    Attributes
    ----------
    motor : str
        Its name.
    units : str
        Its unit.
    values, errors : ndarray, shape (y, x)
        Centers, and one standard deviation of each, NaN where it is not known.

    """

    motor: str
    units: str
    values: Array
    errors: Array


class MapProcess(Process):
    """An analysis of the maps of an earlier result; its blocks are whole maps."""

    per = "scan"
    works_on: ClassVar[Literal["frames", "result"]] = "result"
    bytes_per_value = 250
    Parameters = MapParameters

    _space: Space
    _motors: tuple[str, ...] = ()
    _units: tuple[str, ...] = ()
    _names: tuple[str, ...] = ()

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.requires = (self.parameters.of,)

    def prepare(self, scan: Scan, motors: tuple[str, ...]) -> None:
        """Remember which maps are meant, and where their pixels are."""
        known = centers(scan, self.name)
        self._motors = motors
        self._names = tuple(known[name] for name in motors)
        self._units = tuple(scan.signals[name].units or "" for name in self._names)
        self._space = make_space(scan, self.parameters)
        if self.parameters.gradient_correction:
            self._check_gradient()

    def _check_gradient(self) -> None:
        space = self._space
        if not any(name in KINDS for name in self._motors):
            raise ProcessError(
                f"{self.name}: gradient_correction is of {', '.join(KINDS)}, and the centers are "
                f"of {', '.join(self._motors)}",
                "leave it off",
            )
        if space.optics is None or space.two_theta is None or space.obx is None:
            raise ProcessError(
                f"{self.name}: gradient_correction needs magnification, pixel_size, two_theta and "
                "obx, and the file does not tell all of them",
                "set those that it lacks",
            )

    @property
    def note(self) -> str:
        """What was done to the centers, and where the pixels are, for people."""
        corrected = [name for name in self._motors if name in KINDS]
        on = self.parameters.gradient_correction
        text = f"objective's gradient taken off {', '.join(corrected)}" if on else ""
        plain = "objective's gradient not taken off" if corrected else ""
        return "; ".join(part for part in (text or plain, self._space.note) if part)

    def maps(self, block: Block) -> list[Center]:
        """Return the centers, NaN where they are not to be used."""
        return self.maps_in(next(iter(block.required.values())))

    def maps_in(self, arrays: Mapping[str, NDArray[Any]]) -> list[Center]:
        """Return the centers, of the arrays of a result."""
        bad = self.status_in(arrays) != 0
        found = []
        for motor, name, units in zip(self._motors, self._names, self._units, strict=True):
            values = np.where(bad, np.nan, arrays[name].astype(np.float64))
            if self.parameters.gradient_correction and motor in KINDS:
                values -= drift(motor, values, units, self._space)
            errors = arrays.get(f"{name}_errors")
            known = np.full(values.shape, np.nan) if errors is None else errors
            known = np.where(np.isfinite(values), known, np.nan)
            found.append(Center(motor, units, values, known.astype(np.float64)))
        return found

    def status(self, block: Block) -> NDArray[np.uint8]:
        """Return the status of every pixel; 0 is what is used."""
        return self.status_in(next(iter(block.required.values())))

    def status_in(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
        """Return the status of every pixel, of the arrays of a result."""
        shape = arrays[self._names[0]].shape
        found = np.zeros(shape, np.uint8)
        if self.parameters.use == "ok" and "status" in arrays:
            found = arrays["status"].astype(np.uint8)
        missing = ~np.isfinite([arrays[name] for name in self._names]).all(axis=0)
        return np.where(missing & (found == 0), np.uint8(MASKED), found)

    def map_output(self, name: str, units: str, text: str, **more: Any) -> Output:
        """Return an output of the pixels, in the sample's coordinates where they are known."""
        given: dict[str, Any] = {"note": self.note, "errors": True, "dtype": np.float64} | more
        dims = (self._space.y, self._space.x)
        return Output(name, units, dims=dims, long_name=text, **given)

    def status_output(self) -> Output:
        """Return the status of the pixels as an output."""
        return self.map_output("status", "", "status", errors=False, dtype=np.uint8, note=STATUS)


def centers(scan: Scan, owner: str) -> dict[str, str]:
    """Return the maps of centers of a result: for each motor the name of its map.

    Raises
    ------
    ProcessError
        If there are none.

    """
    known = {f"center_{name}": name for name in scan.integrated}
    found = {known[name]: name for name in scan.signals if name in known}
    if not found and "center" in scan.signals:
        found = {_only(scan): "center"}
    if not found:
        names = ", ".join(name for name in scan.signals if not name.endswith("_errors"))
        raise ProcessError(
            f"{owner} works on maps of centers, and {scan.title!r} has {names}",
            "name a result of moments or of rocking_curve with 'on', or none",
        )
    return found


def _only(scan: Scan) -> str:
    """Return the motor whose centers are there without a name."""
    swept = [name for name, axis in scan.integrated.items() if axis.width is not None]
    said = (scan.signals["center"].long_name or "").split()
    named = [name for name in swept if name in said]
    return (named or swept or ["center"])[0]


def chosen(scan: Scan, owner: str, wanted: tuple[str, ...], kinds: Mapping[str, Any]) -> list[str]:
    """Return the motors that are wanted, or all but those of ``kinds``.

    Raises
    ------
    ProcessError
        If a motor that is wanted has no centers.

    """
    known = centers(scan, owner)
    for name in wanted:
        if name not in known:
            raise ProcessError(
                f"{owner}: there are no centers along {name!r}", f"there are: {', '.join(known)}"
            )
    return list(wanted) or [name for name in known if name not in kinds]
