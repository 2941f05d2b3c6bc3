"""Simulated MDA files, as the saveData of EPICS' sscan module writes them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_TIME = "MAR 02, 2024 10:30:00.250000"
_TYPES = {"int16": (29, ">i4"), "float32": (30, ">f4"), "int8": (32, ">i4")}
_TYPES |= {"int32": (33, ">i4"), "float64": (34, ">f8")}


@dataclass(frozen=True, kw_only=True)
class MdaScan:
    """One scan: a loop over points, with another scan at each of them or none.

    Attributes
    ----------
    positions : mapping of str to array_like, shape (points,)
        What was set, by process variable.
    detectors : mapping of str to array_like, shape (points,)
        What was read.
    within : sequence of MdaScan or None
        The scan at each point, in scans of more than one dimension; None where none was taken.
    points : int or None
        Points asked for, where no column says.
    done : int or None
        Points that were finished; all by default.
    name : str
        The scan record.
    units, labels : mapping of str to str
        Of positions and detectors.
    readbacks : mapping of str to str
        Readback of a position.
    triggers : mapping of str to float
        What is started at each point.

    """

    positions: Mapping[str, ArrayLike] = field(default_factory=dict)
    detectors: Mapping[str, ArrayLike] = field(default_factory=dict)
    within: Sequence[MdaScan | None] = ()
    points: int | None = None
    done: int | None = None
    name: str = "sim:scan1"
    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    readbacks: Mapping[str, str] = field(default_factory=dict)
    triggers: Mapping[str, float] = field(default_factory=dict)

    @property
    def requested(self) -> int:
        """Points that were asked for."""
        lengths = [
            len(np.atleast_1d(v)) for v in (*self.positions.values(), *self.detectors.values())
        ]
        return self.points if self.points is not None else max([*lengths, len(self.within)])

    @property
    def rank(self) -> int:
        """Its dimensions, those of the scans in it counted."""
        return 1 + max((scan.rank for scan in self.within if scan is not None), default=0)


def simulate_map(y: ArrayLike, x: ArrayLike, channels: int = 0, seed: int = 0) -> MdaScan:
    """Return a map of a Gaussian spot, with spectra at each point where it has ``channels``.

    Parameters
    ----------
    y, x : array_like
        The positions, slow and fast.
    channels : int
        Channels of each spectrum; 0 for a map of counts alone.
    seed : int
        Of the counts' noise.

    """
    rows, columns = np.asarray(y, float), np.asarray(x, float)
    random = np.random.default_rng(seed)
    center, width = (rows.mean(), columns.mean()), max(np.ptp(columns), np.ptp(rows), 1e-9) / 4

    def row(at: float) -> MdaScan:
        distance = ((columns - center[1]) ** 2 + (at - center[0]) ** 2) / width**2
        counts = random.poisson(1000 * np.exp(-distance / 2)).astype(np.float32)
        spectra = [
            MdaScan(detectors={"sim:mca1": _line(c, channels)}, name="sim:scanH") for c in counts
        ]
        return MdaScan(
            positions={"sim:m1.VAL": columns},
            detectors={"sim:scaler1.S1": np.full(len(columns), 500.0), "sim:scaler1.S2": counts},
            within=spectra if channels else (),
            units={"sim:m1.VAL": "um"},
            labels={"sim:m1.VAL": "sample x", "sim:scaler1.S1": "I0", "sim:scaler1.S2": "I1"},
            triggers={"sim:scaler1.CNT": 1.0},
        )

    return MdaScan(
        positions={"sim:m2.VAL": rows},
        detectors={"sim:current": np.full(len(rows), 102.0)},
        within=[row(float(at)) for at in rows],
        name="sim:scan2",
        units={"sim:m2.VAL": "um", "sim:current": "mA"},
        labels={"sim:m2.VAL": "sample y"},
    )


def _line(counts: float, channels: int) -> NDArray[np.float32]:
    """Return a fluorescence line of so many counts in the middle of a spectrum."""
    at = np.arange(channels)
    line = np.exp(-((at - channels / 2) ** 2) / (2 * (channels / 16 + 0.5) ** 2))
    return np.asarray(np.rint(counts * line / max(line.sum(), 1)), np.float32)


def write_mda(
    path: Path,
    scan: MdaScan,
    *,
    number: int = 1,
    version: float = 1.3,
    regular: bool = True,
    extras: Mapping[str, Any] | None = None,
) -> Path:
    """Write a scan.

    Parameters
    ----------
    path : Path
        The file.
    scan : MdaScan
        The outermost scan.
    number : int
        The scan's number.
    version : float
        Of the format: 1.2, 1.3 or 1.4, which are laid out alike.
    regular : bool
        Whether the file says that all rows have the same number of points.
    extras : mapping of str to str, bytes or array, optional
        Extra PVs; bytes become characters. None writes no list of them, as in a scan that was
        not finished.

    Returns
    -------
    Path
        ``path``.

    """
    out = bytearray(struct.pack(">fii", version, number, scan.rank))
    out += struct.pack(f">{scan.rank}i", *_dims(scan))
    out += struct.pack(">ii", regular, 0)
    at_extras = len(out) - 4
    _put_scan(out, scan, scan.rank)
    if extras is not None:
        struct.pack_into(">i", out, at_extras, len(out))
        out += struct.pack(">i", len(extras))
        for name, value in extras.items():
            _put_extra(out, name, value)
    path.write_bytes(out)
    return path


def _dims(scan: MdaScan | None) -> list[int]:
    found = []
    while scan is not None:
        found.append(scan.requested)
        scan = next((one for one in scan.within if one is not None), None)
    return found


def _text(text: str) -> bytes:
    raw = text.encode("latin-1")
    if not raw:
        return struct.pack(">i", 0)
    return struct.pack(">ii", len(raw), len(raw)) + raw + b"\0" * (-len(raw) % 4)


def _put_scan(out: bytearray, scan: MdaScan, rank: int) -> None:
    points = scan.requested
    done = points if scan.done is None else scan.done
    out += struct.pack(">iii", rank, points, done)
    pointers = len(out)
    out += bytes(4 * points) if rank > 1 else b""
    out += _text(scan.name) + _text(_TIME)
    out += struct.pack(">iii", len(scan.positions), len(scan.detectors), len(scan.triggers))
    for k, name in enumerate(scan.positions):
        unit, label = scan.units.get(name, ""), scan.labels.get(name, "")
        back = scan.readbacks.get(name, "")
        texts = (name, label, "LINEAR", unit, back, "", unit if back else "")
        out += struct.pack(">i", k) + b"".join(map(_text, texts))
    for k, name in enumerate(scan.detectors):
        texts_of = (name, scan.labels.get(name, ""), scan.units.get(name, ""))
        out += struct.pack(">i", k) + b"".join(map(_text, texts_of))
    for k, (name, command) in enumerate(scan.triggers.items()):
        out += struct.pack(">i", k) + _text(name) + struct.pack(">f", command)
    for values in scan.positions.values():
        out += _column(values, points, done, ">f8")
    for values in scan.detectors.values():
        out += _column(values, points, done, ">f4")
    for k, one in enumerate(scan.within):
        if one is not None:
            struct.pack_into(">i", out, pointers + 4 * k, len(out))
            _put_scan(out, one, rank - 1)


def _column(values: ArrayLike, points: int, done: int, dtype: str) -> bytes:
    """Return a column's bytes; saveData writes 0 for points that were not taken."""
    column = np.zeros(points, dtype)
    taken = np.asarray(values, np.float64)[:done]
    column[: len(taken)] = taken
    return column.tobytes()


def _put_extra(out: bytearray, name: str, value: Any) -> None:
    out += _text(name) + _text("")
    if isinstance(value, str):
        out += struct.pack(">i", 0) + _text(value)
        return
    array = np.frombuffer(value, np.int8) if isinstance(value, bytes) else np.atleast_1d(value)
    kind, dtype = _TYPES[array.dtype.name]
    out += struct.pack(">ii", kind, array.size) + _text("") + array.astype(dtype).tobytes()
