"""Foreign HDF5 files: opened without touching them, their links followed with care."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import h5py

from nxscan.errors import SourceError
from nxscan.hdf5.opening import comes_from_hdf5, open_reading

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_USER_BLOCKS = (0, 512, 1024, 2048, 4096)
_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.ENOLCK, errno.EBUSY}
_HELD = ("already open for write", "unable to lock file", "SWMR writing")
_TRIES = 5
_WAIT = 0.25
_KNOWN_FILTERS = {
    1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset",
    307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle",
    32013: "zfp", 32015: "zstd", 32019: "jpeg", 32026: "blosc2",
}  # fmt: skip


def member_names(group: Any) -> list[str]:
    """Return the names of a group's members, those left out that are no text: they are damaged.

    What is no group has none.
    """
    found = group if isinstance(group, h5py.Group) else ()
    return [name for name in found if isinstance(name, str)]


def is_hdf5(path: Path) -> bool:
    """Tell whether a file has HDF5's signature, where it may be."""
    try:
        with path.open("rb", buffering=0) as file:
            for place in _USER_BLOCKS:
                file.seek(place)
                if file.read(len(_SIGNATURE)) == _SIGNATURE:
                    return True
    except OSError:
        return False
    return False


@contextmanager
def open_source(path: Path) -> Iterator[Any]:
    """Open a raw HDF5 file for reading, and say what is wrong with it where something is.

    Nothing is locked. While a writer holds the file it is tried again for about a second; a
    file that is written in SWMR mode is read beside its writer.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    h5py.File

    Raises
    ------
    SourceError
        If it is missing, no HDF5, truncated, damaged or held by a writer; or if reading from
        it inside the ``with`` fails in HDF5.

    """
    with explained(path), _opened(path) as file:
        yield file


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what HDF5 raises while a file is read into a SourceError that names the file."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # over a damaged file h5py raises any kind
        if not comes_from_hdf5(error):
            raise
        raise SourceError(
            f"{path}: {_first_line(error)}", "the file may be damaged: copy it again"
        ) from error


def _opened(path: Path) -> Any:
    for turn in range(_TRIES):
        try:
            return open_reading(path)
        except OSError as error:
            if not _is_held(error):
                raise _refusal(path, error) from error
            held = error
        if turn < _TRIES - 1:
            time.sleep(_WAIT)
    raise SourceError(
        f"{path}: a program holds it open for writing: {_first_line(held)}",
        "wait until the acquisition has closed it; if none is running, it was not closed "
        "properly: copy it, and run h5clear -s on the copy",
    ) from held


def _is_held(error: OSError) -> bool:
    if error.errno == errno.EACCES and not isinstance(error, BlockingIOError):
        return "lock" in str(error)
    return error.errno in _BUSY or any(text in str(error) for text in _HELD)


def _refusal(path: Path, error: OSError) -> SourceError:
    if not path.exists():
        return SourceError(f"{path}: there is no such file", "check the name, and where you are")
    if isinstance(error, PermissionError):
        return SourceError(f"{path}: it may not be read", "check its permissions")
    if "truncated" in str(error):
        return SourceError(
            f"{path}: the HDF5 file is truncated: {path.stat().st_size} bytes are there, more "
            "were written",
            "copy it again from where it was measured",
        )
    if not is_hdf5(path):
        return SourceError(f"{path} is no HDF5 file", "nxscan inspect says what reads it")
    return SourceError(
        f"{path}: the HDF5 file cannot be opened: {_first_line(error)}",
        "copy it again from where it was measured",
    )


def _first_line(error: BaseException) -> str:
    return str(error.args[0] if error.args else error).partition("\n")[0]


def said_no(path: Path, reason: str) -> str:
    """Say why a file is not what a translator reads: no HDF5, not readable, or ``reason``."""
    if not is_hdf5(path):
        return f"{path.name} is no HDF5 file"
    try:
        with open_source(path):
            return f"{path.name}: {reason}"
    except SourceError as error:
        return error.message


@dataclass(frozen=True)
class Link:
    """A soft or external link of an HDF5 file.

    Attributes
    ----------
    path : str
        Where it is, absolute in its file.
    target : str
        Where it leads in the file that it leads to.
    file : Path or None
        The other file, absolute; None for a soft link.
    dangling : bool
        Nothing is there.
    outside : bool
        The other file lies in another folder than the source, and not below it.

    """

    path: str
    target: str
    file: Path | None = None
    dangling: bool = False
    outside: bool = False

    def __str__(self) -> str:
        leads = f"{self.target} of {self.file}" if self.file else self.target
        gone = ", which is not there" if self.dangling else ""
        return f"{self.path} leads to {leads}{gone}"


def find_links(group: Any) -> list[Link]:
    """Return every soft and external link below a group, whether it leads somewhere or not.

    Groups that links lead to are not entered.
    """
    found: list[tuple[bytes, int]] = []

    def visit(name: bytes, info: Any) -> None:
        if info.type != h5py.h5l.TYPE_HARD:
            found.append((name, info.type))

    group.id.links.visit(visit, info=True)
    return [_link(group, name, kind) for name, kind in found]


def _link(group: Any, name: bytes, kind: int) -> Link:
    place = f"{group.name.rstrip('/')}/{name.decode('utf-8', 'replace')}"
    if kind == h5py.h5l.TYPE_SOFT:
        target = group.id.links.get_val(name).decode("utf-8", "replace")
        return Link(place, target, dangling=not _is_there(group, name))
    if kind != h5py.h5l.TYPE_EXTERNAL:
        return Link(place, "a link of a kind of its own", dangling=True)
    filename, target = (part.decode("utf-8", "replace") for part in group.id.links.get_val(name))
    folder = source_folder(group)
    file = external_file(folder, filename)
    there = file is not None and _is_there(group, name, file)
    named = file if file is not None else folder / filename
    return Link(place, target, named, not there, not _inside(named, folder))


def source_folder(node: Any) -> Path:
    """Return the folder of the file that a group or dataset lies in, absolute."""
    return Path(node.file.filename).absolute().parent


def external_file(folder: Path, filename: str) -> Path | None:
    """Return the file that an external link names, or None where it is not there.

    HDF5 looks in the working directory, too, where a namesake would be taken for it.
    """
    for name in (filename, PureWindowsPath(filename).name):
        if (folder / name).is_file():
            return folder / name
    return None


def _is_there(group: Any, name: bytes, file: Path | None = None) -> bool:
    try:
        node = group.get(name)
        if node is None:
            return False
        return file is None or Path(node.file.filename).resolve() == file.resolve()
    except (OSError, KeyError, RuntimeError):
        return False


def _inside(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def get_node(group: Any, path: str) -> Any:
    """Return the group or dataset at ``path`` below a group; None where nothing is.

    External links are followed to the file that they name and to no namesake of it elsewhere.

    Raises
    ------
    SourceError
        If a link on the way leads nowhere; it names the link and where it leads.

    """
    here = group
    for part in PurePosixPath(path.strip("/")).parts if path.strip("/.") else ():
        name = part.encode()
        if not isinstance(here, h5py.Group) or not here.id.links.exists(name):
            return None
        kind = here.id.links.get_info(name).type
        if kind != h5py.h5l.TYPE_HARD and (link := _link(here, name, kind)).dangling:
            raise SourceError(
                f"{group.file.filename}: {link}",
                "put the file that it links to back, or choose another detector",
            )
        here = here[part]
    return here


def filters(dataset: Any) -> list[tuple[int, str]]:
    """Return the ids and names of the filters of a dataset's chunks."""
    plist = dataset.id.get_create_plist()
    found = (plist.get_filter(k) for k in range(plist.get_nfilters()))
    return [
        (code, _KNOWN_FILTERS.get(code) or name.decode("utf-8", "replace") or "unnamed")
        for code, _, _, name in found
    ]


def check_filters(dataset: Any) -> None:
    """Raise SourceError if a plug-in that the dataset's chunks need is not installed."""
    for code, name in filters(dataset):
        if not h5py.h5z.filter_avail(code):
            raise SourceError(
                f"{dataset.file.filename}: {dataset.name} is compressed with HDF5 filter {code} "
                f"({name}), which is not installed",
                "install its plug-in, and name its folder in HDF5_PLUGIN_PATH",
            )
