"""Open a NeXus or any HDF5 file to look at it, and find what it would show.

Everything here reads foreign files as well: broken links, attributes of any string type and
missing ``@default`` are normal cases, not errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError, SourceError

if TYPE_CHECKING:
    from os import PathLike

MAX_CHAIN = 16
"""Longest chain of ``@default`` that is followed, so that a circular one ends."""


@contextmanager
def open_file(path: str | PathLike[str]) -> Iterator[Any]:
    """Open an HDF5 file for reading, without a lock and with every compression known.

    Raises
    ------
    SourceError
        If the file is missing, unreadable, damaged, or no HDF5 file.

    """
    import h5py

    from nxscan.hdf5.opening import comes_from_hdf5, open_reading

    path = Path(path).absolute()  # see child()
    try:
        with path.open("rb"):
            pass
        if not h5py.is_hdf5(path):
            raise SourceError(f"{path} is not an HDF5 file", "nxscan translate makes one of it")
        file = open_reading(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(f"{path} cannot be opened: {error}", "is it complete?") from error
    with file:
        try:
            yield file
        except Exception as error:
            if isinstance(error, NxscanError) or not comes_from_hdf5(error):
                raise
            raise SourceError(
                f"{path} is damaged: {error.args[0] if error.args else error}",
                "nxscan validate says where; restore the file from a copy, or write it again",
            ) from error


def text(value: Any) -> str:
    """Return an attribute or a string field as text, whatever string type it has.

    >>> text(b"degree"), text(["a"]), text(None)
    ('degree', 'a', '')
    """
    if isinstance(value, np.ndarray | list | tuple):
        value = np.asarray(value).reshape(-1)[0] if np.size(value) else ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None or type(value).__name__ == "Empty" else str(value)


def texts(value: Any) -> list[str]:
    """Return a list of names: one text, an array of texts, or the old ``a:b`` or ``[a,b]``.

    >>> texts("mu:chi"), texts("[y,x]"), texts([b"y", b"x"])
    (['mu', 'chi'], ['y', 'x'], ['y', 'x'])
    """
    if value is None:
        return []
    if isinstance(value, str | bytes):
        names = text(value).strip("[]").replace(",", ":").split(":")
        return [name.strip() for name in names if name.strip()]
    return [text(item) for item in np.asarray(value).reshape(-1)]


def attribute(node: Any, name: str) -> Any:
    """Return an attribute, or None where it is missing or cannot be read."""
    try:
        return node.attrs.get(name)
    except (OSError, UnicodeDecodeError, TypeError, ValueError):
        return None


def nx_class(node: Any) -> str:
    """Return the NeXus class of a group, or ""."""
    return "" if node is None else text(attribute(node, "NX_class"))


def child(group: Any, name: str) -> Any:
    """Return a member of a group, or None where it is missing or its link is broken.

    Where a linked file is not beside the master, HDF5 takes a file of that name from the
    working directory: another scan's frames. It is told by its path, which is not absolute.
    """
    try:
        node = group[name]
        return node if Path(node.file.filename).is_absolute() else None
    except (KeyError, OSError, ValueError, RuntimeError):
        return None


def children(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and node of every member whose link is not broken."""
    for name in group:
        node = child(group, name)
        if node is not None:
            yield name, node


def _why_not(group: Any, name: str) -> str:
    try:
        group[name]
    except (KeyError, OSError, ValueError, RuntimeError) as error:
        return f"cannot be read: {error.args[0] if error.args else error}"
    return "can be read"


def is_group(node: Any) -> bool:
    """Tell a group from a dataset."""
    return hasattr(node, "keys")


def field_text(group: Any, name: str) -> str:
    """Return the text of a scalar field, or "" where there is none."""
    node = child(group, name)
    if node is None or is_group(node) or node.size is None or node.size > 1:
        return ""
    return text(node[()]).strip()


def is_numeric(node: Any) -> bool:
    """Tell whether a node is a dataset of numbers that has data in it."""
    return not is_group(node) and node.dtype.kind in "biufc" and bool(node.size)


def signal_name(group: Any) -> str:
    """Return the name of the signal of an NXdata, by the new or the old rule, or ""."""
    name = text(attribute(group, "signal"))
    if name or nx_class(group) != "NXdata":
        return name
    for key, node in children(group):
        if not is_group(node) and text(attribute(node, "signal")) == "1":
            return str(key)
    return ""


def is_plot(node: Any) -> bool:
    """Tell whether a node can be drawn: a dataset of numbers, or a group with such a signal."""
    if not is_group(node):
        return is_numeric(node)
    name = signal_name(node)
    signal = child(node, name) if name else None
    return signal is not None and is_numeric(signal)


def find_plot(file: Any, h5path: str | None = None) -> Any:
    """Return the group or dataset to draw.

    The ``@default`` chain is followed from ``h5path``, or from the root. Where a group of it
    has no ``@default``, its first NXdata with numbers is taken, else its largest dataset.

    Raises
    ------
    SourceError
        If ``h5path`` or the chain leads nowhere, or there is nothing that can be drawn.

    """
    node = file if h5path is None else child(file, h5path)
    if node is None:
        raise SourceError(f"{file.filename} has no {h5path!r}", "nxscan info lists what it has")
    for _ in range(MAX_CHAIN):
        if is_plot(node):
            return node
        name = text(attribute(node, "default")) if is_group(node) else ""
        if not name and is_group(node) and not signal_name(node):
            return _best_plot(file, node)
        if not name:
            raise _nothing_to_draw(file, node)
        below = child(node, name)
        if below is None:
            raise SourceError(
                f"{file.filename}: @default of {node.name} is {name!r}, which is not there",
                "nxscan info lists what the file has; draw one of it with --path",
            )
        node = below
    raise SourceError(f"{file.filename}: @default goes in a circle at {node.name}")


def _best_plot(file: Any, group: Any) -> Any:
    found = find_all(group)
    if not found:
        raise _nothing_to_draw(file, group)
    return found[0]


def _nothing_to_draw(file: Any, node: Any) -> SourceError:
    if is_group(node):
        broken = _broken_signals(node)
    else:
        broken = f": it is {node.dtype} of shape {node.shape}"
    return SourceError(
        f"{file.filename}: nothing that can be drawn in {node.name}{broken}",
        "put the file back where it was" if "file" in broken else "nxscan info lists what it has",
    )


def _broken_signals(group: Any) -> str:
    groups = [group, *(node for _, node in children(group) if is_group(node))]
    for node in groups:
        name = signal_name(node)
        broken = broken_link(node, name) if name else ""
        if broken:
            return f": {node.name}/{name} is {broken}"
    return ""


def broken_link(group: Any, name: str) -> str:
    """Say where a member leads that is not there, "" if it is there.

    The file that is missing is named, behind however many links.
    """
    if child(group, name) is not None:
        return ""
    where: Any = group
    link: Any = group.get(name, getlink=True) if name in group else None
    for _ in range(MAX_CHAIN):
        if hasattr(link, "filename"):
            beside = Path(group.file.filename).parent / link.filename
            wrong = _why_not(group, name) if beside.exists() else "is not there"
            return f"a link to {link.path} of the file {link.filename}, which {wrong}"
        if not hasattr(link, "path"):
            break
        parent, _, leaf = link.path.rpartition("/")
        base = where.file if link.path.startswith("/") else where
        where = child(base, parent or "/") if parent or base is where.file else base
        if where is None or leaf not in where:
            return f"a link to {link.path}, which is not there"
        link = where.get(leaf, getlink=True)
    return "not there"


def find_all(group: Any) -> list[Any]:
    """Return all that can be drawn below a group: NXdata first, then datasets by size."""
    plots: list[Any] = []
    datasets: list[Any] = []

    def visit(_name: str, node: Any) -> None:
        if is_group(node):
            if is_plot(node):
                plots.append(node)
        elif is_numeric(node) and node.ndim:
            datasets.append(node)

    group.visititems(visit)
    return plots + sorted(datasets, key=lambda node: -int(node.size))


def missing_sources(dataset: Any) -> list[str]:
    """Return the files that a virtual or external dataset needs and that are not there.

    HDF5 gives fill values for them without an error, so a reader has to ask.
    """
    folder = Path(dataset.file.filename).parent
    return [name for name in sorted(source_files(dataset)) if not (folder / name).exists()]


def source_files(dataset: Any) -> set[str]:
    """Return the other files that a virtual or external dataset reads from, as it names them.

    Where it reads from datasets beside it, what these read from counts.
    """
    names: set[str] = set()
    pending, seen = [dataset], {dataset.name}
    while pending:
        one = pending.pop()
        plist = one.id.get_create_plist()
        names.update(name for name, _, _ in one.external or ())
        for k in range(plist.get_virtual_count() if one.is_virtual else 0):
            name = plist.get_virtual_filename(k)
            if name != ".":
                names.add(name.replace("%%", "%"))
                continue
            place = plist.get_virtual_dsetname(k).replace("%%", "%")
            if place not in seen and place in one.file:
                seen.add(place)
                pending.append(one.file[place])
    return names
