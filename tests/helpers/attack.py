"""Damage at random places of stored chunks, and what is then read past HDF5."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

from helpers.stored import counts, places, store
from nxscan.hdf5.decode import DecodeError
from nxscan.hdf5.directread import direct_reader

SHAPE = (6, 24, 20)
WHOLE = tuple(slice(0, n) for n in SHAPE)
CHECKED = ("fletcher32", "gzip")
"""Filters with a checksum: HDF5's, and zlib's own."""


@dataclass
class Outcome:
    """What came of damaged files: how many were refused, how many right, and what was wrong."""

    refused: int = 0
    right: int = 0
    problems: list[str] = field(default_factory=list)


def damage(path: Path, whole: bytes, rng: Random, chunks: list[Any]) -> None:
    """Change bytes of some chunks, or what HDF5 says of their length."""
    data = bytearray(whole)
    for _ in range(rng.choice([1, 1, 2, 8])):
        chunk = rng.choice(chunks)
        # headers decide about lengths: they are hit more often
        reach = rng.choice([4, 16, 32, chunk.size])
        start = chunk.byte_offset + rng.randrange(min(reach, chunk.size))
        length = min(rng.choice([1, 1, 2, 4, 30]), chunk.byte_offset + chunk.size - start)
        kind = rng.randrange(4)
        for at in range(start, start + length):
            # Fletcher's sums do not tell a word of 255s from one of zeros
            data[at] = (data[at] ^ 1 << rng.randrange(8), rng.randrange(255), 0, 254)[kind]
    path.write_bytes(bytes(data))


def attack(folder: Path, name: str, tries: int, seed: int = 0) -> Outcome:
    """Read damaged files of one chain of filters; to be run in a process that may crash."""
    rng = Random(f"{name} {seed}")
    outcome, path = Outcome(), folder / "x.h5"
    for number in range(tries):
        data = counts(SHAPE, rng.choice(["<u2", "<f8", "u1"]), number)
        store(path, data, rng.choice([(1, 12, 20), (2, 24, 20), (4, 7, 9)]), name)
        damage(path, path.read_bytes(), rng, list(places(path).values()))
        reader: Any = direct_reader(path, "/x")
        if reader is None:
            return outcome
        wrong_table = rng.random() < 0.2
        if wrong_table:
            sizes = reader._storage._table.sizes
            sizes[rng.randrange(len(sizes))] = rng.randrange(0, 60)
        try:
            found = reader.read(WHOLE)
        except (DecodeError, OSError):
            outcome.refused += 1
            continue
        outcome.right += bool(np.array_equal(found, data))
        if any(word in name for word in CHECKED) and not np.array_equal(found, data):
            outcome.problems.append(f"{name} {number}: wrong values")
        # what was decoded here is safe for HDF5, too
        if not wrong_table and not np.array_equal(found, _by_hdf5(path), equal_nan=True):
            outcome.problems.append(f"{name} {number}: HDF5 reads other values")
    return outcome


def _by_hdf5(path: Path) -> Any:
    with h5py.File(path) as file:
        return file["x"][()]
