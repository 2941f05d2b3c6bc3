"""What is right: what fabio reads of an EDF file, what a whole master holds."""

from __future__ import annotations

import bz2
import gzip
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nxscan.model import Field, Group, Scan
    from nxscan.translators.edf.file import Place

    FabioFrame = tuple[dict[str, str], np.ndarray]


class UnjudgedError(Exception):
    """There is nothing to compare with."""


def by_fabio(path: str) -> list[FabioFrame]:
    """Read all frames of a file with fabio, which fills what is missing with zeros.

    Raises
    ------
    UnjudgedError
        If fabio does not read the file.

    """
    from fabio.edfimage import EdfImage

    logging.getLogger("fabio").setLevel(logging.CRITICAL)
    try:
        image = EdfImage()
        image.read(path)
        return [_frame(image, index) for index in range(image.nframes)]
    except Exception as error:  # it raises whatever its parsing meets
        raise UnjudgedError(f"fabio does not read it: {type(error).__name__}: {error}") from error


def _frame(image: Any, index: int) -> FabioFrame:
    frame = image.get_frame(index)
    return dict(frame.header), np.array(frame.data)


def edf_differences(scan: Scan, places: list[Place]) -> Iterator[str]:
    """Compare a scan, read back from its master, with what fabio reads of its sources.

    Parameters
    ----------
    scan : Scan
        As `nxscan.open` gives it.
    places : list of Place
        Where each of its frames came from, in the order in which they are stored.

    """
    files = {place.path: by_fabio(place.path) for place in places}
    texts = {path: _content(Path(path)) for path in files}
    depth = len(scan.scan_shape)
    stored = scan.signal[...].reshape(-1, *scan.signal.shape[depth:])
    if len(stored) != len(places):
        yield f"{len(stored)} frames stored, {len(places)} read"
        return
    for k, place in enumerate(places):
        if place.index >= len(files[place.path]):
            yield f"frame {place.index} of {place.path}: fabio finds {len(files[place.path])}"
            continue
        header, pixels = files[place.path][place.index]
        if stored[k].dtype != pixels.dtype or stored[k].ravel().tobytes() != pixels.tobytes():
            yield f"frame {place.index} of {place.path} is not what fabio reads"
        raw = bytes(scan.raw_metadata.headers[k])
        if not raw or not texts[place.path][: place.offset].endswith(raw[-64:]):
            yield f"header of frame {place.index} of {place.path} is not the file's"
        yield from _motor_differences(scan, k, header)


def frame_counts(places: list[Place]) -> Iterator[str]:
    """Compare how many frames were found in each file with what fabio finds."""
    found = Counter(path for path, _ in {(place.path, place.index) for place in places})
    for path, count in found.items():
        expected = len(by_fabio(path))
        if count != expected:
            yield f"{path}: {count} frames found, fabio finds {expected}"


def _motor_differences(scan: Scan, k: int, header: dict[str, str]) -> Iterator[str]:
    """Compare what each motor was read at with fabio's header."""
    if bytes(scan.raw_metadata.headers[k]).count(b"motor_") != 2:
        return  # which of repeated keys counts, fabio and nxscan see differently; nxscan warns
    names, texts = header.get("motor_mne", "").split(), header.get("motor_pos", "").split()
    if len(names) != len(texts) or len(set(names)) != len(names):
        return
    expected = dict(zip(names, texts, strict=True))
    for reading in scan.readings.values():
        name = str(reading.attributes["name"])
        value = np.ravel(np.asarray(reading.value))[k]
        if name in expected and _number(expected[name]) not in (value, None):
            yield f"{name} at frame {k} is {value}, fabio reads {expected[name]}"


def _number(text: str) -> float | None:
    if "_" in text:  # Python reads 1_0 as 10
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        return gzip.decompress(data)
    return bz2.decompress(data) if data.startswith(b"BZh") else data


def contents(scan: Scan) -> dict[str, Any]:
    """Return everything that a scan holds, read, in a form that compares."""
    signals = {**scan.signals, "dark": scan.dark, "flat": scan.flat}
    return {
        "title": scan.title,
        "signals": {
            name: _signal(signal) for name, signal in signals.items() if signal is not None
        },
        "axes": {name: _plain(vars(axis)) for name, axis in scan.axes.items()},
        "counters": _fields(scan.counters),
        "readings": _fields(scan.readings),
        "mask": _plain(scan.mask),
        "metadata": _group(scan.metadata),
        "headers": list(scan.raw_metadata.headers),
        "raw": {key: _plain(scan.raw_metadata.values[key]) for key in scan.raw_metadata.values},
        "provenance": repr(scan.provenance),
        "checksums": _plain(scan.frame_checksums),
    }


def _signal(signal: Any) -> tuple[Any, ...]:
    return signal.shape, str(signal.dtype), signal.units, signal.long_name, signal[...].tobytes()


def _group(group: Group) -> tuple[Any, ...]:
    groups = {name: _group(child) for name, child in group.groups.items()}
    return group.nx_class, _plain(group.attributes), _fields(group.fields), groups


def _fields(fields: dict[str, Field]) -> dict[str, Any]:
    return {name: _plain(vars(field)) for name, field in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return (
            str(value.dtype),
            value.shape,
            value.tolist() if value.dtype == object else repr(value.tolist()),
        )
    return repr(value)
