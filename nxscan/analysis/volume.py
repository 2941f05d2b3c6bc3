"""A volume of layers, and how it is kept: as NeXus, or for ParaView."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import OutputError, ProcessError
from nxscan.model import ArraySignal, Axis, Field, Provenance, Scan, Source
from nxscan.nexus import durable
from nxscan.nexus.writer import write_scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_EVEN = 0.01
"""Steps that differ by less than this part of their mean are called even."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A map of every layer of a sample, one above the other.

    Attributes
    ----------
    name, units, long_name : str
        What the values are.
    values : ndarray, shape (z, y, x)
        NaN where a layer has no value.
    z, y, x : Axis
        Where the layers, rows and columns are.
    shifts : ndarray, shape (z, 2)
        How far, in pixels along y and x, each layer lay from the first one, before that was
        undone; 0 where layers were not registered.
    errors : ndarray, shape (z, 2)
        One standard deviation of the shifts, against the brightest layer; NaN where they were
        not measured.
    paths : tuple of Path
        The files, in the order of z.
    note : str
        How it was made.

    """

    name: str
    units: str | None
    long_name: str
    values: Floats
    z: Axis
    y: Axis
    x: Axis
    shifts: Floats
    errors: Floats
    paths: tuple[Path, ...]
    note: str = ""

    def write(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the volume.

        Parameters
        ----------
        path : path
            ``.nxs``: a master with the volume as NXdata, and the shifts. ``.vti``: VTK's image
            data, for layers at even steps; ``.vtr``: its rectilinear grid. Both need the extra
            ``volume``; numbers are in the units of the axes, which VTK does not keep.
        overwrite : bool
            Replace a file that is there.

        Raises
        ------
        OutputError
            If the file exists or cannot be written, or its suffix is none of these.
        ProcessError
            If a ``.vti`` is wanted of layers at uneven steps, or pyevtk is not installed.

        """
        path = Path(path).absolute()
        if path.suffix == ".nxs":
            return write_scan(self.as_scan(), path, overwrite=overwrite)
        if path.suffix not in (".vti", ".vtr"):
            raise OutputError(f"{path} has no suffix of a volume", "use .nxs, .vti or .vtr")
        if path.exists() and not overwrite:
            raise durable.exists(path)
        return self._write_vtk(path)

    def as_scan(self) -> Scan:
        """Return the volume as a scan of layers, on which other processes can run."""
        title = f"{self.long_name or self.name} of {len(self.z)} layers"
        signal = ArraySignal(self.values, self.units, self.long_name or self.name)
        axes = {axis.name: axis for axis in (self.z, self.y, self.x)}
        scan = Scan(title, {self.name: signal}, axes)
        for k, name in enumerate(("shift_y", "shift_x")):
            scan.counters[name] = Field(self.shifts[:, k], "pixel")
            scan.counters[f"{name}_errors"] = Field(self.errors[:, k], "pixel")
        states = [path.stat() for path in self.paths]
        scan.provenance = Provenance(
            translator="layers",
            sources=[
                Source(str(path), state.st_size, state.st_mtime)
                for path, state in zip(self.paths, states, strict=True)
            ],
            parameters={"note": self.note},
        )
        return scan

    def _write_vtk(self, path: Path) -> Path:
        """Write it by pyevtk, under another name until it is complete."""
        try:
            from pyevtk import hl
        except ImportError as error:
            raise ProcessError(
                f"{path.name} needs pyevtk, which is not installed",
                "pip install 'nxscan[volume]', or write .nxs",
            ) from error
        places, values = _upwards([self.x.values, self.y.values, self.z.values], self.values.T)
        data = {self.name: np.asfortranarray(values)}
        staged = durable.temporary_name(path).with_suffix(path.suffix)
        stem = str(staged.with_suffix(""))
        try:
            if path.suffix == ".vtr":
                hl.gridToVTK(stem, *places, pointData=data)
            else:
                origin = tuple(float(each[0]) for each in places)
                spacing = tuple(_step(each, self._axis(k)) for k, each in enumerate(places))
                hl.imageToVTK(stem, origin=origin, spacing=spacing, pointData=data)
            staged.replace(path)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error}") from error
        finally:
            staged.unlink(missing_ok=True)
        return path

    def _axis(self, k: int) -> Axis:
        return (self.x, self.y, self.z)[k]


def _upwards(
    places: Sequence[Floats], values: NDArray[Any]
) -> tuple[list[Floats], NDArray[np.float64]]:
    """Return places that grow along every dimension, which VTK wants, and the values there."""
    found = []
    for k, each in enumerate(places):
        down = len(each) > 1 and each[-1] < each[0]
        found.append(np.ascontiguousarray(each[::-1] if down else each, np.float64))
        values = np.flip(values, k) if down else values
    return found, values


def _step(places: Floats, axis: Axis) -> float:
    """Return the step between places that are even."""
    steps = np.diff(places)
    if not len(steps):
        return 1.0
    mean = float(steps.mean())
    if mean <= 0 or np.abs(steps - mean).max() > _EVEN * mean:
        raise ProcessError(
            f"{axis.name} has uneven steps, {steps.min():g} to {steps.max():g} "
            f"{axis.units or ''}, and a .vti has even ones",
            "write .vtr or .nxs",
        )
    return mean
