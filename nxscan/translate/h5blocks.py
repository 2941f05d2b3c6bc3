"""Frames that a detector's own software wrote into HDF5: which are there, which were written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.hdf5.unwritten import unwritten_of
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.model import Source
from nxscan.translate.h5frames import stored_frames
from nxscan.translate.h5source import check_filters, open_source
from nxscan.translate.runs import runs, runs_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.frames import StoredFrames
    from nxscan.translate.contract import Options
    from nxscan.translate.report import Report

    Numbers = NDArray[np.int64]

MOST = 2**26
"""Frames of one file; a damaged one may say anything."""

PARTIAL = "copy what is missing, or translate what is there with --partial"


@dataclass(frozen=True, eq=False)
class Block:
    """Frames of one file, each with its number in the scan.

    Attributes
    ----------
    frames : StoredFrames
        Where they lie.
    numbers : ndarray of int64, shape (frames,)
        The detector's number of each.
    written : ndarray of bool, shape (frames,)
        False where room was made for a frame that never came.
    size, modified
        Bytes of the file, and when it was changed last, in seconds since 1970.

    """

    frames: StoredFrames
    numbers: Numbers
    written: NDArray[np.bool_]
    size: int
    modified: float

    @property
    def path(self) -> Path:
        """The file."""
        return self.frames.path

    def source(self, frames: int) -> Source:
        """Return the file as a source of so many frames of a scan."""
        return Source(str(self.path), self.size, self.modified, frames)


def located(paths: Iterable[Path]) -> list[Path]:
    """Return paths in folders without links, each file once."""
    folders: dict[Path, Path] = {}
    found: dict[Path, None] = {}
    for path in paths:
        folder = folders.get(path.parent) or folders.setdefault(path.parent, path.parent.resolve())
        found[folder / path.name] = None
    return list(found)


def read_block(path: Path, dataset: str, numbers: Numbers | None = None) -> Block:
    """Look at the frames of a dataset: how many, of what kind, and which were written.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str
        Where the frames are in it.
    numbers : ndarray of int64, optional
        The number of each; by default they count from 1.

    Raises
    ------
    SourceError
        If the file cannot be read, or holds no images there.

    """
    with open_source(path) as file:
        return block_of(file.get(dataset), path, dataset, numbers)


def block_of(node: Any, path: Path, dataset: str, numbers: Numbers | None = None) -> Block:
    """Do what `read_block` does with a dataset that is open."""
    if not isinstance(node, h5py.Dataset) or len(node.shape or ()) < 2:
        raise SourceError(f"{path} has no images at {dataset}", "is it the right file?")
    if node.dtype.kind not in "iuf":
        raise SourceError(f"{path}: {dataset} holds {node.dtype}, which is no type of images")
    if node.is_virtual:
        raise SourceError(
            f"{path}: {dataset} is put together from other files",
            "give the files that hold the images, or describe this one with --mapping",
        )
    check_filters(node)
    rank, state = len(node.shape) - 2, path.stat()
    frames = stored_frames(node, rank)
    if frames.count > MOST:
        raise SourceError(
            f"{path}: {dataset} says that it has {frames.count} frames, more than {MOST}",
            "the file may be damaged: copy it again",
        )
    counted = np.arange(1, frames.count + 1) if numbers is None else numbers
    written = ~unwritten_of(node, rank)
    return Block(frames, counted.astype(np.int64), written, state.st_size, state.st_mtime)


def check_alike(blocks: Sequence[Block]) -> None:
    """Refuse blocks whose frames differ in shape or type.

    Raises
    ------
    SourceError
        It names the file that differs from the most of them, and both kinds.

    """
    kinds = [(block.frames.shape, block.frames.dtype) for block in blocks]
    usual = max(kinds, key=kinds.count, default=None)
    for block, kind in zip(blocks, kinds, strict=True):
        if kind != usual:
            other = blocks[kinds.index(usual)]  # type: ignore[arg-type]  # it is in the list
            raise SourceError(
                f"{block.path} has {kind_text(block)} frames, but {other.path} has "
                f"{kind_text(other)}",
                "frames of one scan have one shape and type: leave the file out",
            )


def kind_text(block: Block) -> str:
    """Return shape and type of a block's frames as messages show them."""
    return f"{' × '.join(map(str, block.frames.shape))} {block.frames.dtype}"


def choose_written(
    blocks: Sequence[Block], options: Options, report: Report
) -> NDArray[np.intp] | None:
    """Return which frames of the blocks, counted through, are to be taken.

    Room that was made for frames that never came is an error; ``--live`` takes the frames
    before the first of these, ``--partial`` all that were written.

    Returns
    -------
    ndarray or None
        None where the report has the reason why nothing can be taken.

    """
    written = np.concatenate([block.written for block in blocks])
    if written.all():
        return np.arange(len(written))
    where = str(next(block.path for block in blocks if not block.written.all()))
    if not written.any():
        message = f"none of the {len(written)} frames was ever written: all are fill values"
        report.error(where, message, "the acquisition did not begin, or was not copied")
        return None
    numbers = np.concatenate([block.numbers for block in blocks])
    text = f"{int(np.sum(~written))} of {len(written)} frames were never written: numbers "
    text += runs_text(runs(numbers[~written]))
    if options.live:
        report.note(where, text, "--live takes the frames before them")
        taken = np.arange(int(np.argmin(written)))
        if len(taken):
            return taken
        report.error(where, "the first frame is not written yet", "try again when it is")
        return None
    if not options.partial:
        report.error(
            where, text, "translate those that were with --partial, or with --live while it runs"
        )
        return None
    report.warning(where, text)
    return np.flatnonzero(written)


def joined_blocks(
    blocks: Sequence[Block], taken: NDArray[np.intp], long_name: str
) -> VirtualSignal:
    """Return the frames that are taken as one signal, with one scan dimension."""
    whole = VirtualSignal.of([block.frames for block in blocks], "counts", long_name)
    return whole if len(taken) == whole.shape[0] else whole.arranged((len(taken),), taken)


def sources_of(blocks: Sequence[Block], taken: NDArray[np.intp]) -> list[Source]:
    """Return the blocks' files as sources, with the frames that are taken of each."""
    ends = np.cumsum([0, *(block.frames.count for block in blocks)])
    counts = np.histogram(taken, ends)[0] if len(blocks) else ()
    return [block.source(int(count)) for block, count in zip(blocks, counts, strict=True)]
