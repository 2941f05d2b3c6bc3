"""One detector of a run: which tags have an image, where each lies, what was read with it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py._objects import phil

from nxscan.errors import SourceError
from nxscan.hdf5.datasets import DatasetFrames
from nxscan.hdf5.frames import StoredFrames
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.translate.h5source import check_filters
from nxscan.translators.sacla.tags import tagged

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Tags = NDArray[np.int64]
    Column = NDArray[np.float64]

IMAGE = {"tagged": b"detector_data", "cheetah": b"data"}
"""What the image of a tag is called."""

_ALL = h5py.h5s.ALL


@dataclass(frozen=True, eq=False)
class Panel:
    """The images of one detector.

    Attributes
    ----------
    name : str
        Its group.
    tags : ndarray of int64, shape (n,)
        The tags that have an image, ascending.
    frames : VirtualSignal or None
        Their images, in this order; None if there are none.
    columns : dict of str to ndarray of float64, shape (n,)
        What was read with each image: ``detector_status``, ``temperature``; NaN where it is
        missing.
    left_out : dict of int to str
        Tags whose image cannot be used, and why.
    repeated : tuple of int
        Tags that are there twice.

    """

    name: str
    tags: Tags
    frames: VirtualSignal | None
    columns: dict[str, Column] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    repeated: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Kind:
    """What frames of one scan have in common."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Image:
    """A dataset that holds an image."""

    name: bytes
    kind: _Kind
    chunks: tuple[int, ...] | None


def shots_of(group: Any) -> list[tuple[int, bytes]]:
    """Return the tag and the name of every shot's group below a group."""
    return tagged(group.id)


def read_panel(group: Any, name: str, path: Path, image: bytes) -> Panel:
    """Read where the images of a detector lie; none is read itself.

    Parameters
    ----------
    group : h5py.Group
        What holds the tags' groups.
    name : str
        What the detector is called.
    path : Path
        The file.
    image : bytes
        What the dataset of the image is called.

    Raises
    ------
    SourceError
        If the file is damaged, or the images are compressed by a filter that is not installed.

    """
    shots = shots_of(group)
    repeats = tuple(tag for tag, count in Counter(tag for tag, _ in shots).items() if count > 1)
    images, left_out = _look(group, shots, image)
    counts = Counter(one.kind for one in images.values())
    if not counts:
        return Panel(name, np.zeros(0, np.int64), None, {}, left_out, repeats)
    usual = max(counts, key=lambda kind: counts[kind])
    for tag, one in images.items():
        if one.kind != usual:
            found = f"{one.kind.dtype} of shape {one.kind.shape}"
            left_out[tag] = f"its image is {found}, others are {usual.dtype} of {usual.shape}"
    kept = {tag: one for tag, one in images.items() if tag not in left_out}
    tags = np.array(list(kept), np.int64)
    places = dict(shots)
    columns = _scalars(group, [places[tag] for tag in kept], image)
    frames = _signal(group, path, list(kept.values()), image)
    return Panel(name, tags, frames, columns, left_out, repeats)


def _look(
    group: Any, shots: list[tuple[int, bytes]], image: bytes
) -> tuple[dict[int, _Image], dict[int, str]]:
    """Open every image for what it is, by HDF5's own functions: there are thousands."""
    found: dict[int, _Image] = {}
    left_out: dict[int, str] = {}
    dtypes: list[tuple[Any, np.dtype[Any]]] = []
    with phil:
        for tag, name in shots:
            node = _open(group.id, name + b"/" + image)
            if node is None:
                left_out[tag] = f"it has no {image.decode()}"
                continue
            kind = node.get_type()
            dtype = next((known for one, known in dtypes if one == kind), None)
            if dtype is None:
                dtype = node.dtype
                dtypes.append((kind, dtype))
            shape = node.shape
            reason, chunks = _storage(node, dtype, shape)
            if reason:
                left_out[tag] = reason
            else:
                found[tag] = _Image(name, _Kind(shape, dtype), chunks)
    return found, left_out


def _open(group: Any, name: bytes) -> Any:
    try:
        return h5py.h5d.open(group, name)
    except (KeyError, ValueError):  # it is not there, or no dataset
        return None


def _storage(
    node: Any, dtype: np.dtype[Any], shape: tuple[int, ...] | None
) -> tuple[str, tuple[int, ...] | None]:
    """Return why an image cannot be used, and its chunks."""
    if dtype.kind not in "iuf" or not shape or len(shape) != 2 or 0 in shape:
        return f"its image is {dtype} of shape {shape}", None
    if node.get_offset() is not None:  # without chunks, in the file itself
        return "", None
    properties = node.get_create_plist()
    layout = properties.get_layout()
    if layout == h5py.h5d.VIRTUAL or properties.get_external_count():
        return "its image lies in another file", None
    if layout == h5py.h5d.CONTIGUOUS:
        return "its image was never written", None
    if layout != h5py.h5d.CHUNKED:
        return "", None
    chunks = properties.get_chunk()
    count = math.prod(-(-n // c) for n, c in zip(shape, chunks, strict=True))
    return "its image was never written" if node.get_num_chunks() < count else "", chunks


def _scalars(group: Any, places: list[bytes], image: bytes) -> dict[str, Column]:
    """Read the numbers beside each image; which there are, the first tag says."""
    columns: dict[str, Column] = {}
    with phil:
        first = h5py.h5g.open(group.id, places[0])
        for name in first:
            node = _open(first, name) if name != image else None
            if node is not None and _is_number(node):
                values = columns[name.decode("utf-8", "replace")] = np.full(len(places), np.nan)
                _read_numbers(group.id, [place + b"/" + name for place in places], node, values)
    return columns


def _read_numbers(group: Any, names: list[bytes], like: Any, values: Column) -> None:
    """Read a number of each dataset; those that are like one are read without a second look."""
    kind, size = like.get_type(), like.get_storage_size()
    for k, name in enumerate(names):
        node = _open(group, name)
        if node is None:
            continue
        alike = size and node.get_storage_size() == size and node.get_type() == kind
        if alike or _is_number(node):
            node.read(_ALL, _ALL, values[k : k + 1], mtype=h5py.h5t.NATIVE_DOUBLE)


def _is_number(node: Any) -> bool:
    """Tell whether a dataset holds one number; one that was never written holds none."""
    shape = node.shape
    single = shape is not None and math.prod(shape) == 1
    return single and node.dtype.kind in "biuf" and node.get_storage_size() > 0


def _signal(group: Any, path: Path, images: list[_Image], image: bytes) -> VirtualSignal:
    base = group.name.rstrip("/")
    names = [f"{base}/{(one.name + b'/' + image).decode()}" for one in images]
    kind = images[0].kind
    dtype = kind.dtype.newbyteorder("=")
    if all(one.chunks is None for one in images):
        whole = DatasetFrames(path, tuple(names), kind.shape, dtype)
        return VirtualSignal.of([whole], None, "intensity")
    check_filters(group.file[names[0]])
    sources = [
        StoredFrames(path, name, kind.shape, dtype, 0, one.chunks)
        for name, one in zip(names, images, strict=True)
    ]
    return VirtualSignal.of(sources, None, "intensity")


def require_images(panel: Panel, path: Path) -> VirtualSignal:
    """Return the images of a detector.

    Raises
    ------
    SourceError
        If it has none.

    """
    if panel.frames is None:
        raise SourceError(f"{path}: {panel.name} has no image", "choose another with --detector")
    return panel.frames
