"""What plain h5py reads of HDF5 files, frames left out: raw files have no checksums of their own.

Where this has not changed, whatever bytes have, nxscan has to find what it found before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nxscan.hdf5.heaps import check_heaps

UNREADABLE = "cannot be read"
_MOST = 2000
_FRAME_RANK = 3

Dump = dict[str, Any]


def dump(folder: Path) -> Dump:
    """Return everything that h5py reads of the files in a folder, by file and place.

    Of datasets of three and more dimensions there is shape and type, and where they are virtual
    what they read from. Files that are no HDF5 are there as bytes.
    """
    found: Dump = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(_file(path, path.relative_to(folder).as_posix()))
    return found


def compare(whole: Dump, now: Dump) -> tuple[list[str], list[str]]:
    """Return what h5py reads otherwise than before, and what it cannot read any more."""
    broken = {key for key, value in now.items() if value is UNREADABLE}
    lost = broken | {key for key in whole if key not in now and _is_below(key, broken)}
    changed = [
        key for key, value in whole.items() if key not in lost and _is_other(now, key, value)
    ]
    return changed + [key for key in now if key not in whole and key not in lost], sorted(lost)


def _is_other(now: Dump, key: str, value: Any) -> bool:
    return key not in now or now[key] != value


def _is_below(key: str, broken: set[str]) -> bool:
    return any(key.startswith((f"{one}/", f"{one}@", f"{one}=", f"{one}:")) for one in broken)


def _file(path: Path, name: str) -> Iterator[tuple[str, Any]]:
    try:
        check_heaps(path)  # HDF5 would walk through some for ever
        with h5py.File(path, "r", locking=False) as file:
            yield from _group(file["/"], f"{name}:", set())
    except Exception:  # over a damaged file h5py raises any kind
        whole = path.read_bytes()
        yield name, UNREADABLE if whole.startswith(b"\x89HDF") or path.suffix != ".toml" else whole


def _group(group: Any, place: str, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    seen.add(h5py.h5o.get_info(group.id).addr)
    yield from _attributes(group, place)
    names = _quietly(lambda: list(group))
    if names is UNREADABLE:
        yield place, UNREADABLE
        return
    for name in names:
        yield from _member(group, name, f"{place}/{name}", seen)


def _member(group: Any, name: str, place: str, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    link = _quietly(lambda: group.get(name, getlink=True))
    if isinstance(link, h5py.SoftLink | h5py.ExternalLink):
        yield place, (getattr(link, "filename", ""), link.path)
        return
    node = UNREADABLE if link is UNREADABLE else _quietly(lambda: group[name])
    if isinstance(node, h5py.Group):
        yield place, "group"
        if len(seen) < _MOST and h5py.h5o.get_info(node.id).addr not in seen:
            yield from _group(node, place, seen)
    elif isinstance(node, h5py.Dataset):
        yield from _dataset(node, place)
    else:
        yield place, UNREADABLE if node is UNREADABLE else type(node).__name__


def _dataset(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    yield place, "dataset"
    yield from _attributes(node, place)
    yield f"{place}=shape", _quietly(lambda: (node.shape, str(node.dtype), node.chunks))
    yield f"{place}=filters", _quietly(lambda: str(node._filters))
    yield f"{place}=sources", _quietly(lambda: _sources(node))
    rank = _quietly(lambda: (node.ndim, node.size))
    if rank is UNREADABLE or rank[0] >= _FRAME_RANK or (rank[1] or 0) > 1_000_000:
        return
    yield f"{place}=value", _quietly(lambda: _plain(node[()]))


def _sources(node: Any) -> list[Any]:
    if not node.is_virtual:
        return [*(node.external or ())]
    found = node.virtual_sources()
    return [
        (one.file_name, one.dset_name, _space(one.src_space), _space(one.vspace)) for one in found
    ]


def _space(space: Any) -> Any:
    if space.get_select_type() == h5py.h5s.SEL_HYPERSLABS and space.is_regular_hyperslab():
        return space.get_regular_hyperslab()
    return space.shape


def _attributes(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    names = _quietly(lambda: list(node.attrs))
    if names is UNREADABLE:
        yield f"{place}@", UNREADABLE
        return
    for name in names:
        yield f"{place}@{name}", _quietly(lambda name=name: _plain(node.attrs[name]))


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    return str(array.dtype), array.shape, repr(array.tolist())


def _quietly(read: Any) -> Any:
    try:
        return read()
    except Exception:  # as above
        return UNREADABLE
