"""Tables of positions as programs write them, and plain readers of each to compare with."""

from __future__ import annotations

import csv
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

Columns = dict[str, list[float]]


def csv_map(folder: Path) -> None:
    """Write a raster with keys, units and comments."""
    rows = "".join(
        f"{219817020 + 2 * k},{x * 0.5},{y * 0.25},a_{k:03d}.tif,{900 + 7 * k % 13}\n"
        for k, (y, x) in enumerate(np.ndindex(3, 4))
    )
    (folder / "map.csv").write_text(
        f"# sample: gold\ntag,x (um),y (um),file,I0 (counts)\n{rows}", encoding="utf-8"
    )


def spec_scans(folder: Path) -> None:
    """Write three scans: of one motor, of two, and with spectra."""
    text = (
        "#F sim.spec\n#E 1335447606\n#D Thu Apr 26 15:40:06 2012\n"
        "#O0 Two Theta  Theta  samx\n\n"
        "#S 1  ascan  Theta 10 10.3 3 0.5\n#D Thu Apr 26 15:41:00 2012\n#P0 20.5 10 -1.25\n"
        "#N 3\n#L Theta  Seconds  I0\n10 0.5 7\n10.1 0.5 8\n10.2 0.5 9\n10.3 0.5 10\n\n"
        "#S 2  mesh  samx 0 1 1 samy 0 2 2 1\n#P0 20.5 10 0\n#N 3\n#L samx  samy  I0\n"
        "0 0 1\n1 0 2\n0 1 3\n1 1 4\n0 2 5\n1 2 6\n\n"
        "#S 3  ascan  samx 0 1 1 1\n#@MCA %16C\n#@CHANN 4 0 3 1\n#P0 20.5 10 0\n#N 2\n"
        "#L samx  I0\n@A 1 2\\\n 3 4\n0 5\n@A 5 6 7 8\n1 6\n\n"
    )
    (folder / "sim.spec").write_text(text, encoding="utf-8")


def mda_map(folder: Path, channels: int = 0) -> None:
    """Write a map with extra PVs of every type."""
    from nxscan.simulate.mda import simulate_map, write_mda

    extras: dict[str, Any] = {
        "sim:a": "on",
        "sim:b": np.array([1.5, 2.5]),
        "sim:c": b"some text",
        "sim:d": np.array([7], np.int16),
        "sim:e": np.array([7], np.int32),
        "sim:f": np.array([0.5], np.float32),
    }
    made = simulate_map(np.arange(3) * 0.5, np.arange(4) * 0.25, channels=channels)
    write_mda(folder / "map.mda", made, number=12, extras=extras)


def mda_spectra(folder: Path) -> None:
    """Write a map with a spectrum at each point."""
    mda_map(folder, channels=4)


def csv_columns(path: Path, key: str) -> Columns:
    """Read a table with the csv module; any error means that there is nothing to compare with."""
    lines = path.read_text("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    header, *rows = csv.reader(kept, skipinitialspace=True)
    return {
        name.partition("(")[0].strip(): [
            math.nan if not one.strip() else float(one) for one in column
        ]
        for name, column in zip(header, zip(*rows, strict=True), strict=True)
        if not any(_is_text(one) for one in column)
    }


def _is_text(cell: str) -> bool:
    try:
        float(cell or "0")
    except ValueError:
        return True
    return False


def spec_columns(path: Path, key: str) -> Columns:
    """Read a scan with silx alone."""
    from silx.io.specfile import SpecFile

    file = SpecFile(str(path))
    scan = file[key]
    return {
        label: scan.data[k].tolist()
        for k, label in enumerate(scan.labels)
        if scan.labels.count(label) == 1
    }


def mda_columns(path: Path, key: str) -> Columns:
    """Read the innermost loop that moved something with struct alone."""
    data = path.read_bytes()
    (rank,) = struct.unpack_from(">i", data, 8)
    found: dict[int, dict[str, list[float]]] = {}
    _mda_scan(data, 12 + 4 * rank + 8, found)
    moving = [level for level in sorted(found) if found[level].pop("", None)]
    return found[moving[0]]


def _mda_scan(data: bytes, at: int, found: dict[int, dict[str, list[float]]]) -> None:
    rank, points, done = struct.unpack_from(">3i", data, at)
    at += 12
    lower = struct.unpack_from(f">{points}I", data, at) if rank > 1 else ()
    at += 4 * len(lower)
    for _ in range(2):
        at = _skip(data, at)[0]
    counts = struct.unpack_from(">3i", data, at)
    at += 12
    names: list[str] = []
    for kind, texts in enumerate((7, 3, 1)):
        for _ in range(counts[kind]):
            at += 4
            for k in range(texts):
                at, text = _skip(data, at)
                names += [text] if k == 0 and kind < 2 else []
            at += 4 if kind == 2 else 0
    columns = found.setdefault(rank, {})
    columns.setdefault("", []).extend([1.0] * counts[0])
    for k, name in enumerate(names):
        code, size = ("d", 8) if k < counts[0] else ("f", 4)
        columns.setdefault(name, []).extend(struct.unpack_from(f">{points}{code}", data, at)[:done])
        at += size * points
    for offset in lower:
        if offset:
            _mda_scan(data, offset, found)


def _skip(data: bytes, at: int) -> tuple[int, str]:
    (length,) = struct.unpack_from(">i", data, at)
    if not length:
        return at + 4, ""
    (length,) = struct.unpack_from(">i", data, at + 4)
    raw = data[at + 8 : at + 8 + length].split(b"\0")[0]
    return at + 8 + length + -length % 4, raw.decode("latin-1").strip()
