"""A checksum for every object of a master: a byte that has changed is never taken for what it was.

HDF5 guards its own structures and every filtered chunk, but neither text of variable length
(units, labels, titles) nor values that lie in one piece. The seal has a CRC-32 of each object's
attributes, and of each value that HDF5 does not guard. It survives copying and repacking; an
object that was edited on purpose differs from it, and one that was added is not in it.
"""

from __future__ import annotations

import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError
from nxscan.hdf5.opening import open_reading
from nxscan.nexus import layout
from nxscan.nexus.groups import make_group
from nxscan.nexus.stacks import stacks

if TYPE_CHECKING:
    from nxscan.model import Scan

    Row = tuple[str, int, int]

DAMAGE = (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError)
"""What h5py, and a reader of what it gives, raise over a damaged file."""
_GZIP = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
_CHANGED = (
    "restore the file from a copy, or translate the scan again; if it was edited on purpose: "
    "nxscan.open(path, verify=False)"
)


def write_seal(file: Any, scan: Scan) -> None:
    """Write the checksums of all objects of a master that is otherwise complete.

    Parameters
    ----------
    file : h5py.File
        The master.
    scan : Scan
        What it holds.

    """
    linked = [stack for stack in stacks(scan) if _is_external(file, stack.place)]
    rows = list(_rows(file["/"]))
    rows += [(f"/{stack.place}", _attributes_crc(stack.attributes), 0) for stack in linked]
    _write(file, rows)


def extend_seal(file: Any, replaced: Iterable[str] = ()) -> None:
    """Add the checksums of objects that were added to a master to those that it has.

    An object that was there keeps the checksum of when it was written: damage that has come
    since stays visible. A master without checksums stays without.

    Parameters
    ----------
    file : h5py.File
        The master.
    replaced : iterable of str
        Paths of links that lead to something else now; what lies below them is taken anew.

    """
    parts = tuple(f"{path}/" for path in replaced)
    rows = [
        (path, attributes, value)
        for path, (attributes, value) in Seal(file).rows.items()
        if not f"{path}/".startswith(parts)
    ]
    if rows:
        _write(file, [*rows, *_rows(file["/"], {path for path, _, _ in rows})])


def _write(file: Any, rows: Sequence[Row]) -> None:
    if layout.SEAL in file:
        del file[layout.SEAL]
    parent, name = layout.SEAL.rsplit("/", 1)
    group = make_group(file[parent], name, "NXparameters")
    paths, attributes, values = zip(*rows, strict=True)
    columns = {
        "path": np.array([path.encode() for path in paths]),
        "attributes": np.array(attributes, np.uint32),
        "value": np.array(values, np.uint32),
    }
    for column, numbers in columns.items():
        # HDF5 checks what is compressed: the seal guards itself
        group.create_dataset(column, data=numbers, **_GZIP)


class Seal:
    """The checksums of a master, read.

    Parameters
    ----------
    file : h5py.File
        The master; one without a seal has nothing to compare with.

    Attributes
    ----------
    where : str
        The file's name.
    rows : dict of str to (int, int)
        For each object, the checksums of its attributes and of its value.

    """

    def __init__(self, file: Any) -> None:
        self.where = str(file.filename)
        self.rows: dict[str, tuple[int, int]] = {}
        if layout.SEAL not in file:
            return
        group = file[layout.SEAL]
        columns = [group[name][()].tolist() for name in ("path", "attributes", "value")]
        self.rows = {p.decode(): (a, v) for p, a, v in zip(*columns, strict=True)}

    @property
    def paths(self) -> list[str]:
        """Every object that has a checksum."""
        return list(self.rows)

    def check_attributes(self, path: str, attributes: Mapping[str, Any]) -> None:
        """Raise LayoutError if the attributes of an object are not those that were written."""
        row = self.rows.get(path)
        if row is not None and row[0] != _attributes_crc(attributes):
            raise _changed(self.where, path, "the attributes")

    def check_value(self, dataset: Any, value: Any) -> None:
        """Raise LayoutError if the value of a dataset is not the one that was written."""
        path = dataset.name
        row = self.rows.get(path)
        if row is not None and _is_unguarded(dataset) and row[1] != zlib.crc32(_encoded(value)):
            raise _changed(self.where, path, "the value")


def differences(file: Any) -> Iterator[tuple[str, str]]:
    """Yield path and reason for each object of a master that is not what its seal says."""
    try:
        seal = Seal(file)
    except DAMAGE as error:
        yield f"/{layout.SEAL}", f"cannot be read: {reason(error)}"
        return
    for path in seal.paths:
        try:
            _check(file, path, seal)
        except LayoutError as error:
            yield path, error.message.removeprefix(f"{seal.where}: ").removeprefix(f"{path}: ")
        except DAMAGE as error:
            yield path, f"cannot be read: {reason(error)}"


def reason(error: BaseException) -> str:
    """Return what an exception says; a KeyError would put it in quotation marks."""
    return str(error.args[0] if error.args else error)


def _check(file: Any, path: str, seal: Seal) -> None:
    link = file.get(path, getlink=True) if path != "/" else None
    if isinstance(link, h5py.ExternalLink):
        frames = Path(file.filename).parent / link.filename
        if frames.exists():  # a link that leads nowhere is another check's finding
            with open_reading(frames) as beside:
                seal.check_attributes(path, dict(beside[link.path].attrs.items()))
        return
    item = file[path]
    seal.check_attributes(path, dict(item.attrs.items()))
    if isinstance(item, h5py.Dataset) and _is_unguarded(item):
        seal.check_value(item, item[()])


def _is_external(file: Any, place: str) -> bool:
    return isinstance(file.get(place, getlink=True), h5py.ExternalLink)


def _changed(where: str, path: str, what: str) -> LayoutError:
    return LayoutError(f"{where}: {path}: {what} changed after the file was written", _CHANGED)


def _rows(group: Any, known: Container[str] = ()) -> Iterator[Row]:
    """Yield a row for every object that hard links reach, but for those that are known."""
    if group.name not in known:
        yield group.name, _attributes_crc(dict(group.attrs.items())), 0
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        path = f"{group.name.rstrip('/')}/{name}"
        if path == f"/{layout.SEAL}":
            continue
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _rows(item, known)
        elif path not in known:
            value = zlib.crc32(_encoded(item[()])) if _is_unguarded(item) else 0
            yield item.name, _attributes_crc(dict(item.attrs.items())), value


def _is_unguarded(dataset: Any) -> bool:
    """Tell whether HDF5 keeps no checksum of a value: it does of chunks, which are filtered."""
    plist = dataset.id.get_create_plist()
    return plist.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT) and not dataset.external


def _attributes_crc(attributes: Mapping[str, Any]) -> int:
    """Return a checksum that does not depend on the order.

    ``default`` is left out, which changes with every result, and references, which are
    addresses.
    """
    crc = 0
    for name in sorted(attributes):
        value = attributes[name]
        if name != "default" and not _is_reference(value):
            crc = zlib.crc32(name.encode() + b"\0" + _encoded(value), crc)
    return crc


def _is_reference(value: Any) -> bool:
    return isinstance(value, h5py.Reference | h5py.RegionReference)


def _encoded(value: Any) -> bytes:
    """Return a value's bytes, whether it comes from Python, from HDF5, or through another file."""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return b"text " + value
    if isinstance(value, h5py.Empty):
        return b"empty"
    array = np.asarray(value)
    if array.dtype.kind in "OU":
        items = [_encoded(item) for item in array.ravel().tolist()]
        return f"texts {array.shape} {[len(item) for item in items]}".encode() + b"".join(items)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return f"{little.dtype.str} {array.shape}".encode() + little.tobytes()
