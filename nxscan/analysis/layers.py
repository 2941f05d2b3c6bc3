"""Layers of a sample, each scanned and analyzed on its own, put together to a volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.layers_register import moved_back, register_maps
from nxscan.analysis.space import SpaceParameters, make_space
from nxscan.analysis.volume import Volume
from nxscan.errors import NxscanError, ProcessError
from nxscan.model import Axis
from nxscan.model.units import convert
from nxscan.process.result import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan

    Floats = NDArray[np.float64]

_UM = "um"


@dataclass(frozen=True, eq=False)
class Layer:
    """A map of one layer.

    Attributes
    ----------
    path : Path
        The file.
    scan : Scan
        The map as a scan: its axes, and the metadata of the layer's file.
    values : ndarray, shape (y, x)
        The map, NaN where the status is not 0.
    intensity : ndarray, shape (y, x)
        What layers are registered by.

    """

    path: Path
    scan: Scan
    values: Floats
    intensity: Floats


def stack_layers(
    paths: Sequence[str | Path],
    result: str = "moments",
    output: str | None = None,
    *,
    register: bool = True,
    motor: str | None = None,
    spacing: float | None = None,
    space: SpaceParameters | None = None,
) -> Volume:
    """Put maps of several layers together to a volume.

    Layers are registered in their plane: each is held against the next and the one after
    that, by the correlation of the local contrast of their maps of intensity, as the process
    ``shifts`` does with frames. What was found is undone by linear interpolation between
    pixels; a pixel one of whose neighbours has no value has none.

    Parameters
    ----------
    paths : sequence of path
        Masters with results, one for each layer.
    result : str
        The result (``moments_000``), or the process whose newest one is taken.
    output : str, optional
        Which of its maps; by default that of its default plot.
    register : bool
        Whether to look for shifts between layers; without, they lie as they were measured.
    motor : str, optional
        The motor whose position is the height of a layer, by which layers are put in order. By
        default that of the motors with a unit of length that is not the same in all layers, if
        there is one; without one, layers are in the order given, counted from 0.
    spacing : float, optional
        Distance of neighbouring layers in µm, in the order given, in place of a motor.
    space : SpaceParameters, optional
        The microscope, where the files do not know it: rows and columns are in µm of the
        sample where magnification and pixel size are known, else in pixels.

    Returns
    -------
    Volume
        The volume, with the shifts that were undone.

    Raises
    ------
    ProcessError
        If a file has not the result, maps differ in shape or unit, heights are not known or
        equal, or a layer is not to be found in its neighbours.

    Examples
    --------
    >>> from nxscan.analysis.layers import stack_layers
    >>> volume = stack_layers(["z0.nxs", "z1.nxs"], "moments", "center")  # doctest: +SKIP
    >>> volume.write("sample.vti")  # doctest: +SKIP

    """
    if len(paths) < 2:
        raise ProcessError(f"{len(paths)} layer is no volume", "give two files or more")
    layers = [_layer(Path(path), result, output) for path in paths]
    _check_alike(layers)
    z = _heights(layers, motor, spacing)
    order = np.argsort(z.values, kind="stable")
    layers, z = [layers[k] for k in order], replace(z, values=z.values[order])
    shifts, errors = np.zeros((len(layers), 2)), np.full((len(layers), 2), np.nan)
    if register:
        names = [layer.path.name for layer in layers]
        shifts, errors = register_maps(np.stack([layer.intensity for layer in layers]), names)
    values = [moved_back(layer.values, shift) for layer, shift in zip(layers, shifts, strict=True)]
    first = layers[0].scan
    placed = make_space(first, space or SpaceParameters())
    signal = first.signal
    name = next(iter(first.signals))
    return Volume(
        name=name,
        units=signal.units,
        long_name=signal.long_name or name,
        values=np.stack(values),
        z=z,
        y=replace(placed.y, dimension=1, role="detector"),
        x=replace(placed.x, dimension=2, role="detector"),
        shifts=shifts,
        errors=errors,
        paths=tuple(layer.path for layer in layers),
        note=f"{result}; {'registered' if register else 'not registered'}; {placed.note}",
    )


def _layer(path: Path, result: str, output: str | None) -> Layer:
    found = Result.load(path, result)
    name = found.default if output is None else output
    scan = found.as_scan(name)
    values = found[name].astype(np.float64)
    if values.ndim != 2:
        raise ProcessError(
            f"{name} of {found.group} in {path} has the shape {values.shape}, but layers are maps "
            "of rows and columns",
            f"name another with --output; there are: {', '.join(found.names)}",
        )
    if name != "status" and "status" in found and found["status"].shape == values.shape:
        values = np.where(found["status"] == 0, values, np.nan)
    name = "intensity" if "intensity" in found.names else name
    by = found[name].astype(np.float64)
    return Layer(path.absolute(), scan, values, by if by.shape == values.shape else values)


def _check_alike(layers: Sequence[Layer]) -> None:
    first = layers[0]
    for layer in layers[1:]:
        if layer.values.shape != first.values.shape:
            raise ProcessError(
                f"the map in {layer.path} has the shape {layer.values.shape}, that in "
                f"{first.path} {first.values.shape}",
                "layers must have been read through the same region and binning",
            )
        if layer.scan.signal.units != first.scan.signal.units:
            raise ProcessError(
                f"the map in {layer.path} is in {layer.scan.signal.units}, that in {first.path} "
                f"in {first.scan.signal.units}"
            )


def _heights(layers: Sequence[Layer], motor: str | None, spacing: float | None) -> Axis:
    """Return where the layers are, in the order given."""
    count = len(layers)
    if spacing is not None and motor is not None:
        raise ProcessError("layers: motor and spacing are both given", "give one of them")
    if spacing is not None:
        if not spacing > 0:
            raise ProcessError(f"layers: spacing={spacing} is no distance", "give one above 0")
        places = spacing * np.arange(float(count))
        return Axis("z", np.asarray(places, np.float64), _UM, "height of the layer", "scan", 0)
    known = _lengths(layers)
    if motor is not None and motor not in known:
        raise ProcessError(
            f"layers: not all files have a motor {motor!r} with a unit of length that stood still",
            f"there are: {', '.join(known) or 'none'}; or give spacing",
        )
    moved = [name for name, values in known.items() if np.ptp(values) > 0]
    chosen = motor or (moved[0] if len(moved) == 1 else None)
    if chosen is None:
        return Axis("z", np.arange(float(count)), "", "number of the layer", "scan", 0)
    values = known[chosen]
    if len(np.unique(values)) < count:
        raise ProcessError(
            f"layers: {chosen} is the same in two files: {', '.join(f'{v:g}' for v in values)} um",
            "name another motor, or give spacing",
        )
    return Axis("z", values, _UM, chosen, "scan", 0)


def _lengths(layers: Sequence[Layer]) -> dict[str, Floats]:
    """Return the positions in µm of the motors that stood still in every layer."""
    each = [_motors(layer.scan) for layer in layers]
    names = [name for name in each[0] if all(name in other for other in each)]
    return {name: np.array([other[name] for other in each]) for name in names}


def _motors(scan: Scan) -> dict[str, float]:
    found = {}
    for path, field in scan.metadata.walk():
        parts = path.split("/")
        is_motor = len(parts) == 3 and parts[0] == "instrument" and parts[2] == "value"
        if not is_motor or not field.units or np.ndim(field.value) > 0:
            continue
        try:
            found[parts[1]] = float(convert(float(np.asarray(field.value)), field.units, _UM))
        except NxscanError:  # an angle, a current
            continue
    return found
