"""Masters that lead to frames in other files, which are never opened for writing.

Frames of an nxscan master are linked to as they are: its identifier tells them from others.
Those of any other file become virtual datasets, or external storage, with NeXus' attributes.
The size and time of every file that they need are recorded, and compared when the master is
opened. Paths to HDF5 files are relative, so that all can be moved together; HDF5 takes those to
plain bytes for relative to the folder that a program runs in, so that they are absolute.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError
from nxscan.hdf5.datasets import DatasetFrames
from nxscan.hdf5.frames import RawFrames, StoredFrames
from nxscan.hdf5.h5signal import HDF5Signal
from nxscan.hdf5.opening import open_reading
from nxscan.hdf5.resolve import resolve
from nxscan.hdf5.virtual import Tile, VirtualSignal
from nxscan.model import ArraySignal
from nxscan.nexus import durable, layout
from nxscan.nexus.entry import write_checksums, write_entry, write_plots, write_root
from nxscan.nexus.frames import create_frames
from nxscan.nexus.guarded import new_hdf5
from nxscan.nexus.linktable import LinkedFile, home_of, real_paths, relative, write_files
from nxscan.nexus.mapped import create_mapped, map_frames
from nxscan.nexus.publish import failed_write, publish, remove_leftovers, staging
from nxscan.nexus.seal import write_seal
from nxscan.nexus.stacks import stacks
from nxscan.nexus.usid import write_face, write_usid
from nxscan.nexus.usid_linked import create_main

if TYPE_CHECKING:
    from nxscan.model import Scan, Signal
    from nxscan.nexus.stacks import Stack

Check = Callable[[Path], None]


def write_linked(
    scan: Scan,
    path: Path,
    identifier: str,
    *,
    overwrite: bool = False,
    check: Check | None = None,
) -> Path:
    """Write a master for a scan whose frames stay where they are.

    It is made beside ``path`` under a hidden name, and gets its own when it is complete,
    checked and on the disk.

    Parameters
    ----------
    scan : Scan
        The scan; its signals lie in files (`VirtualSignal`, `HDF5Signal`).
    path : Path
        The master.
    identifier : str
        That of the nxscan master that holds the frames, or, for other files, a new one.
    overwrite : bool
        Replace a master that is there.
    check : callable, optional
        Is called with the finished master before it gets its name, and raises if it is not
        valid.

    Returns
    -------
    Path
        The master, absolute.

    Raises
    ------
    OutputError
        If the master is there or cannot be written.
    LayoutError
        If frames cannot be linked to.

    """
    path = path.absolute()
    if path.exists() and not overwrite:
        raise durable.exists(path)
    require_linkable(scan)
    try:
        remove_leftovers(path)
        with staging(path) as folder:
            staged = durable.make_staging_file(path)
            try:
                _write(scan, staged, path, identifier)
                if check is not None:
                    check(staged)
                durable.sync_file(staged)
                with durable.held_signals():
                    durable.publish(staged, folder / path.name, overwrite=True)
                    publish(path, folder, None, overwrite=overwrite)
                    durable.sync_folder(path.parent)
            finally:
                durable.remove_staging_file(staged)
    except OSError as error:
        raise failed_write(error, path) from error
    return path


def require_linkable(scan: Scan) -> None:
    """Raise LayoutError if a signal of the scan cannot be linked to; it says which and why."""
    for stack in _led_to(scan):
        as_virtual(stack.signal, stack.rank)


def _led_to(scan: Scan) -> Iterator[Stack]:
    """Yield the frames that a master leads to."""
    return (stack for stack in stacks(scan) if not _goes_inside(stack))


def is_linkable(scan: Scan) -> bool:
    """Tell whether all frames of a scan lie in files as a link needs them."""
    kinds = VirtualSignal | HDF5Signal
    return all(_goes_inside(stack) or isinstance(stack.signal, kinds) for stack in stacks(scan))


def _goes_inside(stack: Stack) -> bool:
    """Tell whether frames are no file's: dark and flat frames that were computed or scaled."""
    main = stack.place.startswith(f"{layout.ENTRY}/instrument/")
    return isinstance(stack.signal, ArraySignal) and not main


def as_virtual(signal: Signal, rank: int) -> VirtualSignal:
    """Return a signal as one that is put together from frames in files.

    Raises
    ------
    LayoutError
        If its frames do not lie in files as they are.

    """
    if isinstance(signal, VirtualSignal):
        return signal
    if not isinstance(signal, HDF5Signal):
        raise LayoutError(
            f"{signal!r} cannot be linked to: its frames do not lie in files as plain bytes or "
            "HDF5 datasets (compressed images do not)",
            "copy them: --copy",
        )
    said = signal.units, signal.long_name
    # a virtual dataset leads on to the files that hold the values
    found = resolve(signal.path, signal.dataset, rank)
    if found is not None:
        found.units, found.long_name = said
        return found
    shape = signal.shape
    source = StoredFrames(signal.path, signal.dataset, shape, signal.dtype, rank, signal.chunks)
    count = math.prod(shape[:rank])
    frame = shape[rank:]
    tile = Tile((0,) * len(frame), frame, np.zeros(count, np.int32), np.arange(count))
    return VirtualSignal([source], [tile], shape[:rank], frame, *said)


def source_files(scan: Scan) -> list[Path]:
    """Return every file that the frames of a scan lie in, those of the main signal first."""
    found: dict[Path, None] = {}
    for stack in _led_to(scan):
        virtual = as_virtual(stack.signal, stack.rank)
        used = {int(k) for tile in virtual.tiles for k in np.unique(tile.source) if k >= 0}
        found.update(dict.fromkeys(virtual.sources[k].path for k in sorted(used)))
    return list(found)


def frames_of(scan: Scan) -> Iterator[tuple[Path, str, int]]:
    """Yield where each frame of the main signal lies: the file, and the place in it."""
    virtual = as_virtual(scan.signal, len(scan.scan_shape))
    paths = [source.path.resolve() for source in virtual.sources]
    for tile in virtual.tiles:
        for number, index in zip(tile.source.tolist(), tile.index.tolist(), strict=True):
            source = virtual.sources[number]
            if isinstance(source, RawFrames):
                yield paths[number], "", int(source.offsets[index])
            elif isinstance(source, DatasetFrames):
                yield paths[number], source.names[index], 0
            else:
                yield paths[number], getattr(source, "dataset", ""), index


def _write(scan: Scan, staged: Path, path: Path, identifier: str) -> None:
    folder = path.parent
    with new_hdf5(staged) as (file, tick):
        write_root(file, path.name)
        entry = write_entry(file, scan, identifier)
        if scan.frame_checksums is not None:
            write_checksums(entry, scan.frame_checksums)
        write_plots(entry, scan)
        for stack in stacks(scan):
            if _goes_inside(stack):
                _keep(file, stack)
        led_to = list(_led_to(scan))
        own = [_is_own(stack.signal, identifier) for stack in led_to]
        for k, stack in enumerate(led_to):
            face = _link_own if own[k] else _map
            main = face(file, stack, folder)
            if k == 0:
                main(file, scan)
            tick()
        if not all(own):
            _record(file, scan, path)
        write_seal(file, scan)


def _keep(file: Any, stack: Stack) -> None:
    group, name = stack.place.rsplit("/", 1)
    dataset = create_frames(file[group], name, stack.signal, stack.rank)
    dataset.attrs.update(stack.attributes)
    dataset[...] = stack.signal.read(...)


def _is_own(signal: Signal, identifier: str) -> bool:
    """Tell whether frames lie in a file of this very scan that nxscan wrote."""
    if not isinstance(signal, HDF5Signal):
        return False
    with open_reading(signal.path) as file:
        found = file.get(f"{layout.ENTRY}/entry_identifier_uuid")
        return isinstance(found, h5py.Dataset) and found[()] == identifier.encode()


def _link_own(file: Any, stack: Stack, folder: Path) -> Callable[[Any, Scan], None]:
    """Link to frames of an nxscan master; return what writes the USID face over them."""
    signal = stack.signal
    (real,) = real_paths([signal.path])  # type: ignore[attr-defined]
    name, dataset = relative(real, os.path.realpath(folder)), signal.dataset  # type: ignore[attr-defined]
    file[stack.place] = h5py.ExternalLink(name, dataset)
    return partial(write_usid, source_file=name, source_path=dataset)


def _map(file: Any, stack: Stack, folder: Path) -> Callable[[Any, Scan], None]:
    """Map foreign frames; return what writes the USID face over them."""
    home = home_of(stack.place)
    mapped = map_frames(file, home, as_virtual(stack.signal, stack.rank), folder)
    create_mapped(file, stack.place, home, mapped).attrs.update(stack.attributes)

    def face(file: Any, scan: Scan) -> None:
        write_face(file, scan, partial(create_main, home=home, mapped=mapped))

    return face


def _record(file: Any, scan: Scan, path: Path) -> None:
    checksums = {source.path: source.checksum for source in scan.provenance.sources}
    paths, folder = source_files(scan), os.path.realpath(path.parent)
    both = zip(paths, real_paths(paths), strict=True)
    write_files(
        file, [LinkedFile.of(real, folder, checksums.get(str(one), "")) for one, real in both]
    )
