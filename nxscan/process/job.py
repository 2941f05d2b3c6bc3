"""One pass of a run, as workers get it: which blocks there are and what is done with each."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError, ProcessError
from nxscan.process.block import Block
from nxscan.process.journal import Written, write_block
from nxscan.process.outcome import allocate, check_outputs, check_state
from nxscan.process.partition import hull, inside, tiles, volume
from nxscan.process.view import Scratch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Selection
    from nxscan.process.contract import Process
    from nxscan.process.frames import Frames
    from nxscan.process.noise import Noise
    from nxscan.process.output import Resolved
    from nxscan.process.required import Required
    from nxscan.process.view import View


@dataclass(frozen=True, eq=False)
class Job:
    """One pass of a process over a view of a scan. It can be pickled.

    Attributes
    ----------
    process : Process
        What computes.
    view : View
        What is read.
    outputs : tuple of Resolved
        What it gives.
    blocks : tuple of tuple of slice
        The partition.
    folder : Path
        The journal's.
    pass_index : int
        Which pass this is.
    final : bool
        Whether a block's state is finished by the worker: nothing is merged with it.
    noise : Noise or None
        The noise model, if the process wants variances.
    required : mapping of str to Required
        Earlier results that the process needs.
    previous : mapping of str to ndarray
        What the pass before gave.

    """

    process: Process
    view: View
    outputs: tuple[Resolved, ...]
    blocks: tuple[Selection, ...]
    folder: Path
    pass_index: int = 0
    final: bool = True
    noise: Noise | None = None
    required: Mapping[str, Required] = field(default_factory=dict)
    previous: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def run_unit(self, unit: Sequence[int]) -> list[Written]:
        """Compute blocks that are read together, and write each one's file."""
        if len(unit) == 1 and self._in_pieces:
            return [self._write(unit[0], self._compute_in_pieces(unit[0]))]
        region = hull([self.blocks[index] for index in unit])
        frames = self._read(region, scratch=None)
        return [
            self._write(index, self._compute_whole(index, _part(frames, self.blocks[index])))
            for index in unit
        ]

    def unit_bytes(self, unit: Sequence[int]) -> int:
        """Return the memory that a unit takes while it is computed."""
        return volume(hull([self.blocks[k] for k in unit])) * self.view.bytes_per_value

    @property
    def _in_pieces(self) -> bool:
        return self.process.per != "scan" and not self.process.is_reduction and not self.required

    def _write(self, index: int, arrays: Mapping[str, NDArray[Any]]) -> Written:
        return write_block(self.folder, self.pass_index, index, arrays)

    def _read(self, region: Selection, scratch: Scratch | None) -> Frames:
        return self.view.read(
            region,
            variance=self.noise,
            valid=self.process.wants_valid,
            scratch=scratch,
        )

    def _compute_in_pieces(self, index: int) -> dict[str, NDArray[Any]]:
        """Compute a block a few frames, or one tile, at a time."""
        block = self.blocks[index]
        owned = self._owned(block)
        arrays = allocate(self.outputs, owned)
        for piece in self._pieces(block):
            found = self._compute(index, self._read(piece, _scratch()))
            part = self._owned(piece)
            checked = check_outputs(self.process, self.outputs, found, part, index)
            for output in self.outputs:
                for name in output.names:
                    arrays[name][output.place(inside(part, owned))] = checked[name]
        return arrays

    def _compute_whole(self, index: int, frames: Frames) -> Mapping[str, NDArray[Any]]:
        state = self._compute(index, frames)
        if self.process.is_reduction:
            state = check_state(self.process, state, index)
            if not self.final:
                return state
            state = self._guarded(index, self.process.finish, state)
        return check_outputs(self.process, self.outputs, state, self._owned(frames.region), index)

    def _owned(self, region: Selection) -> Selection:
        """Return the part of a region along the dimensions that results belong to."""
        return owned(region, self.process.per, self.view.layout.scan_rank)

    def _compute(self, index: int, frames: Frames) -> Any:
        return self._guarded(index, self.process.compute, self._block(frames))

    def _guarded(self, index: int, function: Any, argument: Any) -> Any:
        """Call the user's code; what it raises names the process, the block and the line."""
        try:
            return function(argument)
        except NxscanError:
            raise
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = ", ".join(f"{part.start}:{part.stop}" for part in self.blocks[index])
            raise ProcessError(
                f"process {self.process.name!r} failed in block {index} [{where}]: "
                f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})",
                "finished blocks are kept: mend it and run it again",
            ) from error

    def _block(self, frames: Frames) -> Block:
        layout, region, rank = self.view.layout, frames.region, self.view.layout.scan_rank
        scan = region[:rank]
        return Block(
            data=frames.data,
            selection=region,
            scan_rank=rank,
            axes={name: axis.values[region[axis.dimension]] for name, axis in layout.axes.items()},
            counters={name: values[scan] for name, values in self.view.counters.items()},
            readings={name: values[scan] for name, values in self.view.readings.items()},
            valid=frames.valid,
            variance=frames.variance,
            required={name: item.part(layout, region) for name, item in self.required.items()},
            previous=self.previous,
            pass_index=self.pass_index,
        )

    def _pieces(self, block: Selection) -> Iterator[Selection]:
        """Cut a block along the dimensions that results belong to, at chunk edges."""
        rank = self.view.layout.scan_rank
        per_position = self.process.per == "position"
        dims = range(rank) if per_position else range(rank, len(block))
        return tiles(block, self.view.layout.edges, list(dims), self.view.signal.dtype.itemsize)


def owned(region: Selection, per: str, rank: int) -> Selection:
    """Return the part of a region along the dimensions that results belong to."""
    return {"pixel": region[rank:], "position": region[:rank], "scan": ()}[per]


def _part(frames: Frames, region: Selection) -> Frames:
    """Return a region of frames that hold it."""
    if frames.region == region:
        return frames
    index = inside(region, frames.region)
    return replace(
        frames,
        data=np.ascontiguousarray(frames.data[index]),
        region=region,
        variance=None if frames.variance is None else frames.variance[index],
        valid=None if frames.valid is None else frames.valid[index],
    )


_local = threading.local()


def _scratch() -> Scratch:
    """Return this thread's memory for pieces."""
    if not hasattr(_local, "scratch"):
        _local.scratch = Scratch()
    found: Scratch = _local.scratch
    return found
