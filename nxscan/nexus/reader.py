"""Read an nxscan master back as a Scan, lazily."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError
from nxscan.model import Axis, Field, Group, Provenance, RawMetadata, Scan, Signal, Source
from nxscan.nexus import layout
from nxscan.nexus.h5signal import HDF5Signal
from nxscan.nexus.opening import open_reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NOT_METADATA = ("NXdata", "NXprocess", "NXparameters")


def read_scan(path: Path) -> Scan:
    """Open an nxscan master.

    Frames, calibration frames and raw metadata stay in the file until they are asked for.

    Parameters
    ----------
    path : Path
        The master, as `nxscan.translate` made it.

    Raises
    ------
    LayoutError
        If it is no nxscan master, its layout is newer than this version's, or its frames
        are missing or belong to another scan.

    """
    path = path.absolute()
    with _open(path) as file:
        _check_version(path, file)
        entry = file[layout.ENTRY]
        parameters = entry["translation/parameters"]
        rank = int(parameters["scan_rank"][()])
        signals: dict[str, Signal] = dict(_signals(path, entry))
        data = entry["data"]
        checksums = parameters.get("frame_checksum")
        metadata = _read_group(entry)
        return Scan(
            title=_text(entry["title"][()]),
            signals=signals,
            axes=_axes(data, rank),
            counters=_counters(entry),
            readings=_take_readings(metadata),
            mask=entry["mask/data"][()] if "mask" in entry else None,
            dark=_stored(path, entry, f"{layout.ENTRY}/dark/data"),
            flat=_stored(path, entry, f"{layout.ENTRY}/flat/data"),
            metadata=metadata,
            raw_metadata=_raw(path, entry),
            provenance=_provenance(entry["translation"]),
            frame_checksums=None if checksums is None else checksums[()],
        )


def _open(path: Path) -> Any:
    if not path.exists():
        raise LayoutError(f"{path} does not exist")
    try:
        return open_reading(path)
    except OSError as error:
        raise LayoutError(f"{path} cannot be opened as HDF5: {error}") from error


def _check_version(path: Path, file: Any) -> None:
    place = f"{layout.PARAMETERS}/layout_version"
    if place not in file:
        raise LayoutError(
            f"{path} is no nxscan master: it has no {place}", "make one with nxscan translate"
        )
    found = int(file[place][()])
    if found > layout.LAYOUT_VERSION:
        program = _text(file[layout.TRANSLATION]["version"][()])
        raise LayoutError(
            f"{path} has layout version {found}, written by nxscan {program}; this nxscan reads "
            f"up to version {layout.LAYOUT_VERSION}",
            "update nxscan",
        )


def _signals(path: Path, entry: Any) -> Iterator[tuple[str, HDF5Signal]]:
    """Yield the detectors' signals, the main one first, each from the file that holds it."""
    main = _text(entry["data"].get("data", getlink=True).path).split("/")[-2]
    names = [n for n, g in entry["instrument"].items() if _class(g) == "NXdetector"]
    for name in sorted(names, key=lambda n: n != main):
        signal = _stored(path, entry, layout.detector_path(name))
        if signal is not None:
            yield name, signal


def _stored(path: Path, entry: Any, place: str) -> HDF5Signal | None:
    """Return the frames at ``place``, from the file that holds them."""
    if place.rsplit("/", 1)[0] not in entry.file:
        return None
    link = entry.file.get(place, getlink=True)
    if not isinstance(link, h5py.ExternalLink):
        return None if link is None else HDF5Signal(path, f"/{place}")
    _check_frames(path, entry, path.parent / link.filename)
    return HDF5Signal(path.parent / link.filename, link.path)


def _check_frames(path: Path, entry: Any, frames: Path) -> None:
    """See that the frames are there and are this scan's: HDF5 would read a namesake."""
    if not frames.exists():
        raise LayoutError(
            f"the frames of {path} are missing: {frames.name} is not in {frames.parent}",
            "keep both files in one folder",
        )
    with _open(frames) as file:
        found = file[f"{layout.ENTRY}/entry_identifier_uuid"][()]
    expected = entry["entry_identifier_uuid"][()]
    if found != expected:
        raise LayoutError(
            f"{frames} holds the frames of another scan (identifier {_text(found)}, expected "
            f"{_text(expected)})",
            f"put the {frames.name} that was written with {path.name} beside it",
        )


def _axes(data: Any, rank: int) -> dict[str, Axis]:
    """Read the axes, of each dimension the one in @axes first."""
    listed = [_text(name) for name in data.attrs["axes"]]
    others = [
        key.removesuffix("_indices")
        for key in data.attrs
        if key.endswith("_indices") and key.removesuffix("_indices") not in listed
    ]
    widths = {f"{name}_width" for name in (*listed, *others)}
    return {name: _axis(data, name, rank) for name in (*listed, *others) if name not in widths}


def _axis(data: Any, name: str, rank: int) -> Axis:
    field, width = data[name], data.get(f"{name}_width")
    dimension = int(np.ravel(data.attrs[f"{name}_indices"])[0])
    return Axis(
        name=name,
        values=np.asarray(field[()], dtype=np.float64),
        units=_units(field),
        long_name=_text(field.attrs.get("long_name", "")),
        role="scan" if dimension < rank else "detector",
        dimension=dimension,
        width=None if width is None else np.asarray(width[()], dtype=np.float64),
    )


def _counters(entry: Any) -> dict[str, Field]:
    if "counters" not in entry:
        return {}
    group = entry["counters"]
    axes = {key.removesuffix("_indices") for key in group.attrs if key.endswith("_indices")}
    return {name: _field(item) for name, item in group.items() if name not in axes}


def _take_readings(metadata: Group) -> dict[str, Field]:
    """Move positioners that hold a value for every position out of the metadata."""
    instrument = metadata.groups["instrument"]
    readings = {}
    for name, group in list(instrument.groups.items()):
        value = group.fields.get("value")
        if group.nx_class != "NXpositioner" or value is None or not np.ndim(value.value):
            continue
        readings[name] = Field(value.value, value.units, {"name": group.fields["name"].value})
        del instrument.groups[name]
    return readings


def _read_group(group: Any) -> Group:
    """Read the fields of a NeXus group and of those below it, results and plots left out."""
    found = Group(_class(group))
    reserved = {"NX_class", "default"}
    found.attributes = {k: _plain(v) for k, v in group.attrs.items() if k not in reserved}
    for name in group:
        link = group.get(name, getlink=True)
        frames = found.nx_class == "NXdetector" and name == "data"
        if frames or isinstance(link, h5py.ExternalLink):
            continue
        item = group[name]
        if isinstance(item, h5py.Dataset):
            if not (found.nx_class == "NXentry" and name in ("title", "entry_identifier_uuid")):
                found.fields[name] = _field(item)
        elif _class(item) and _class(item) not in _NOT_METADATA:
            child = _read_group(item)
            found.groups[name] = child
    return found


def _field(dataset: Any) -> Field:
    attributes = {k: _plain(v) for k, v in dataset.attrs.items() if k != "units"}
    return Field(_plain(dataset[()]), _units(dataset), attributes)


def _plain(value: Any) -> Any:
    """Return what h5py read as Python has it: text as str, scalars as numbers."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return np.array([_text(item) for item in value.ravel()]).reshape(value.shape)
    if isinstance(value, np.generic):
        return value.item()
    return value


def _provenance(group: Any) -> Provenance:
    parameters = group["parameters"]
    known = {"layout_version", "scan_rank", "raw_frames", "translator", "mapping", "frame_checksum"}
    further = {
        _text(item.attrs.get("description", name)): str(_plain(item[()]))
        for name, item in parameters.items()
        if name not in known
    }
    return Provenance(
        translator=_text(parameters["translator"][()]),
        mapping=_text(parameters["mapping"][()]),
        sources=_sources(group["sources"]) if "sources" in group else [],
        date=_text(group["date"][()]),
        program=_text(group["program"][()]),
        version=_text(group["version"][()]),
        parameters=further,
    )


def _sources(group: Any) -> list[Source]:
    columns = {name: _plain(group[name][()]) for name in group}
    rows = zip(*columns.values(), strict=True)
    return [Source(**{k: v.item() for k, v in zip(columns, row, strict=True)}) for row in rows]


def _raw(path: Path, entry: Any) -> RawMetadata:
    if "raw_metadata" not in entry:
        return RawMetadata()
    group = entry["raw_metadata"]
    names = {
        _text(item.attrs.get("description", name)): f"{group.name}/keys/{name}"
        for name, item in group["keys"].items()
    }
    count = len(group["header_offsets"]) - 1 if "header_offsets" in group else 0
    return RawMetadata(_Headers(path, group.name, count), _Values(path, names))


class _Headers(Sequence[bytes]):
    """The raw headers of a master, read one at a time."""

    def __init__(self, path: Path, group: str, count: int) -> None:
        self._path, self._group, self._count = path, group, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        with _open(self._path) as file:
            group = file[self._group]
            start, stop = group["header_offsets"][index % self._count :][:2]
            return group["headers"][start:stop].tobytes()


class _Values(Mapping[str, Any]):
    """The raw keys of a master, read one at a time."""

    def __init__(self, path: Path, names: dict[str, str]) -> None:
        self._path, self._names = path, names

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, key: str) -> str | NDArray[Any]:
        with _open(self._path) as file:
            value: str | NDArray[Any] = _plain(file[self._names[key]][()])
            return value


def _class(group: Any) -> str:
    return _text(group.attrs.get("NX_class", "")) if isinstance(group, h5py.Group) else ""


def _units(dataset: Any) -> str | None:
    units = _text(dataset.attrs.get("units", layout.UNKNOWN_UNITS))
    return None if units == layout.UNKNOWN_UNITS else units


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
