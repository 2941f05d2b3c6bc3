"""Virtual and external datasets that h5py writes, and whether they resolve to the same values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nxscan.hdf5.resolve import resolve

U2 = np.dtype("<u2")
ENDLESS = h5py.h5s.UNLIMITED


def counts(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 60_000, shape).astype(U2)


def write(path: Path, name: str = "data", values: Any = None, **storage: Any) -> np.ndarray:
    with h5py.File(path, "a") as file:
        file.create_dataset(name, data=values, **storage)
    return values


def virtual(path: Path, shape: tuple[int, ...], parts: list[Any], **kwargs: Any) -> None:
    """Write a virtual dataset; each part is where it goes, its file, name, shape and selection."""
    layout = h5py.VirtualLayout(shape, kwargs.pop("dtype", U2))
    for where, file, name, source, *selection in parts:
        made = h5py.VirtualSource(file, name, source)
        layout[where] = made[selection[0]] if selection else made
    with h5py.File(path, "a", libver=("v110", "v110")) as file:
        file.create_virtual_dataset(kwargs.pop("name", "data"), layout, **kwargs)


def endless(path: Path, file: str, name: str, target: Any, source: Any, frame: Any) -> None:
    """Write a virtual dataset that goes on along its first dimension."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    shape, most = (1, *frame), (ENDLESS, *frame)
    space = h5py.h5s.create_simple(shape, most)
    space.select_hyperslab(*target)
    from_ = h5py.h5s.create_simple(source[0], source[1])
    if len(source) > 2:
        from_.select_hyperslab(*source[2])
    plist.set_virtual(space, file.encode(), name.encode(), from_)
    with h5py.File(path, "a", libver=("v110", "v110")) as opened:
        kind = h5py.h5t.py_create(U2)
        h5py.h5d.create(opened.id, b"data", kind, h5py.h5s.create_simple(shape, most), plist)


def check(path: Path, expected: np.ndarray, rank: int, name: str = "data") -> Any:
    signal = resolve(path, name, rank)
    assert signal is not None
    assert (signal.shape, signal.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(signal[...], expected)
    return signal


def external(path: Path, name: str, shape: Any, slots: Any, dtype: Any = U2) -> None:
    with h5py.File(path, "a") as file:
        file.create_dataset(name, shape, dtype, external=slots)
