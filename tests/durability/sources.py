"""A small scan as EDF files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from nxscan.simulate.edf import edf_frame

ROWS, COLUMNS = 6, 4


def frames(size: int = 16) -> np.ndarray:
    """Return the frames, shape (chi, mu, y, x)."""
    rng = np.random.default_rng(3)
    return rng.integers(0, 4000, (ROWS, COLUMNS, size, size)).astype(np.uint16)


def write_source(folder: Path, kind: str, size: int = 16) -> list[Path]:
    """Write one file a frame (``.edf``, ``.edf.gz``), or all in one (``multi``)."""
    folder.mkdir()
    blocks = []
    for number, image in enumerate(frames(size).reshape(-1, size, size)):
        chi, mu = divmod(number, COLUMNS)
        header = {"motor_mne": "chi mu", "motor_pos": f"{chi / 10} {mu / 100}"}
        blocks.append(edf_frame(header, image, number if kind == "multi" else 0))
    if kind == "multi":
        (folder / "scan_0000.edf").write_bytes(b"".join(blocks))
        return [folder / "scan_0000.edf"]
    pack = gzip.compress if kind == ".edf.gz" else bytes
    paths = [folder / f"scan_{number:04d}{kind}" for number in range(len(blocks))]
    for path, block in zip(paths, blocks, strict=True):
        path.write_bytes(pack(block))
    return paths
