"""A sidpy dataset as a Scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.model.names import nexus_name
from nxscan.translate.build import Found, build_scan
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translate.rawvalues import constants
from nxscan.translators.scifireaders.dimensions import (
    frame_axes,
    motors_of,
    scan_axes,
    sides_of,
    sidpy_units,
)
from nxscan.translators.scifireaders.lazy import DaskSignal
from nxscan.translators.scifireaders.reading import Loaded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan, Source
    from nxscan.translate.contract import Options
    from nxscan.translate.report import Report
    from nxscan.translators.scifireaders.dimensions import Side

    Values = NDArray[np.float64]

_LONGEST = 10_000
_DEEPEST = 12


def scan_of(
    dataset: Any,
    options: Options,
    report: Report,
    *,
    title: str = "",
    sources: Sequence[Source] = (),
    values: Any = None,
) -> Scan:
    """Return a sidpy dataset as a scan, lazily.

    Spatial and temporal dimensions (images, stacks of frames) and points of a cloud become the
    scan's, in their order; spectral, reciprocal and channel dimensions, and those of an unknown
    type, the detector's. Units, names and quantities are kept, and each dimension's type is in
    the provenance.

    Parameters
    ----------
    dataset : sidpy.Dataset
        What a reader gave.
    options : Options
        What the user asks for.
    report : Report
        Takes the axes, what was mapped, and problems.
    title : str, optional
        The scan's; without it the dataset's.
    sources : sequence of Source, optional
        The files that it was read from.
    values : dask.array.Array, optional
        Its values, where they are not to be read from the dataset.

    Raises
    ------
    SourceError
        If it holds no numbers.

    """
    if dataset.dtype.kind not in "biufc" or 0 in dataset.shape:
        raise SourceError(
            f"{title or dataset.title}: values of {dataset.dtype} and shape {dataset.shape} are "
            "not frames"
        )
    sides = sides_of(dataset)
    scanned = [side for side in sides if side.is_scanned]
    rest = [side for side in sides if not side.is_scanned]
    if not rest and all(len(side.values) == 1 for side in scanned):
        scanned, rest = [], scanned  # one number: there has to be something to plot
    cloud = _cloud(dataset, scanned)
    axes = scan_axes(scanned, cloud)
    signal = _signal(dataset, values, scanned, rest)
    quantity = _quantity(dataset)
    known = {side.name: side for side in scanned}
    found = Found(
        title=title or str(dataset.title),
        detectors={nexus_name(quantity): signal.listed()},
        motors=cloud if cloud is not None else motors_of(scanned),
        values=constants(dict(_raw(dataset)), signal.listed().shape[0]),
        units={name: side.units for name, side in known.items() if side.units is not None},
        labels={name: side.label for name, side in known.items()},
        sources=list(sources),
        frame_axes=frame_axes(rest, report),
        parameters=_parameters(dataset, sides),
    )
    if cloud is not None:
        said = sidpy_units(str(dataset.point_cloud.get("spatial_units", "")))
        found.units = {} if said is None else dict.fromkeys(cloud, said)
    if getattr(dataset, "variance", None) is not None:
        report.warning("variance", "the dataset's variance is not taken")
    report.axes = axes
    mapping = merge(builtin_mapping("scifireaders"), options.mapping)
    return build_scan(found, axes, mapping, report, "scifireaders")


def _signal(dataset: Any, values: Any, scanned: list[Side], rest: list[Side]) -> DaskSignal:
    """Return the values with the scan's dimensions first."""
    plain = Loaded.of(dataset).values if values is None else values
    ordered = plain.transpose([side.place for side in (*scanned, *rest)])
    units = sidpy_units(str(dataset.units))
    return DaskSignal(ordered, len(scanned), units, _quantity(dataset))


def _quantity(dataset: Any) -> str:
    said = str(dataset.quantity).strip()
    return "intensity" if said.lower() in ("generic", "none", "", "unknown") else said


def _cloud(dataset: Any, scanned: list[Side]) -> dict[str, Values] | None:
    """Return where the points of a cloud lie, by coordinate."""
    said = getattr(dataset, "point_cloud", None)
    if not isinstance(said, Mapping) or len(scanned) != 1:
        return None
    points = np.asarray(said.get("coordinates"), np.float64)
    if points.ndim != 2 or len(points) != len(scanned[0].values) or not np.isfinite(points).all():
        return None
    names = ["x", "y", "z", *(f"coordinate_{k}" for k in range(3, points.shape[1]))]
    return {names[k]: points[:, k].copy() for k in range(points.shape[1])}


def _parameters(dataset: Any, sides: list[Side]) -> dict[str, str]:
    """Return what the provenance should say."""
    kinds = sorted(sides, key=lambda side: side.place)
    said = {
        "dimension_types": ", ".join(f"{side.name}: {side.kind}" for side in kinds),
        "data_type": getattr(dataset.data_type, "name", str(dataset.data_type)),
        "modality": str(dataset.modality),
    }
    return {name: value for name, value in said.items() if value and value != "generic"}


def _raw(dataset: Any) -> Iterator[tuple[str, str | NDArray[Any]]]:
    """Yield everything that sidpy's metadata say, as ``metadata/key/key``."""
    for name in ("title", "quantity", "units", "source"):
        yield name, str(getattr(dataset, name, "")).strip()
    for name in ("metadata", "original_metadata"):
        yield from _flat(name, getattr(dataset, name, None), 0)


def _flat(path: str, value: Any, depth: int) -> Iterator[tuple[str, str | NDArray[Any]]]:
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for key, item in value.items():
            yield from _flat(f"{path}/{key}", item, depth + 1)
    elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        for k, item in enumerate(value):
            yield from _flat(f"{path}/{k}", item, depth + 1)
    elif isinstance(value, str | bytes | int | float | complex | np.generic):
        yield path, value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    elif isinstance(value, list | tuple | np.ndarray):
        yield from _column(path, np.asarray(value))


def _column(path: str, values: Any) -> Iterator[tuple[str, str | NDArray[Any]]]:
    if values.ndim <= 1 and 0 < values.size <= _LONGEST and values.dtype.kind in "biufU":
        yield path, values.ravel() if values.size > 1 else str(values.ravel()[0])
