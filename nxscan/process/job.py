"""One pass of a run, as workers get it: which blocks there are and what is done with each."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError, ProcessError
from nxscan.process import partition
from nxscan.process.block import Block
from nxscan.process.journal import Written, write_block
from nxscan.process.outcome import allocate, check_outputs, check_state, part_shape
from nxscan.process.partition import hull, inside, pieces, tiles, volume
from nxscan.process.slots import Slots, own_slots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Selection
    from nxscan.process.contract import Process
    from nxscan.process.frames import Frames
    from nxscan.process.noise import Noise
    from nxscan.process.output import Resolved
    from nxscan.process.required import Required
    from nxscan.process.view import Scratch, View


LEAN = 8
"""A reduction that takes fewer bytes for each value is given whole blocks."""


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

    def run_unit(self, unit: Sequence[int], slots: Slots | None = None) -> list[Written]:
        """Compute blocks that are read together, and write each one's file.

        ``slots`` say how many threads may compute at once; others of them may write.
        """
        if len(unit) == 1:
            return [self.run_block(unit[0], slots=slots)]
        whole = self._read(hull([self.blocks[index] for index in unit]), None)
        return [self.run_block(index, whole, slots) for index in unit]

    def run_block(
        self, index: int, whole: Frames | None = None, slots: Slots | None = None
    ) -> Written:
        """Compute a block, and write its file; ``whole`` are frames that hold it, if read."""
        run = self._reduced if self.process.is_reduction else self._mapped
        with (slots or own_slots()).taken() as scratch:
            arrays = run(index, whole, scratch)
        return write_block(self.folder, self.pass_index, index, arrays)

    def read_part(self, part: Selection, whole: Frames, slots: Slots | None = None) -> None:
        """Read a part of what several blocks are computed from."""
        with (slots or own_slots()).taken() as scratch:
            self.view.read_into(part, whole, self.noise, scratch)

    def steps(self, index: int) -> Iterator[tuple[Selection, Iterator[Selection]]]:
        """Yield what is read at once of a block, and what of that is computed at once.

        They depend on the layout alone, so that rounding is the same in every run: whatever
        is read together with the block, compute is given the same parts of it.
        """
        block, itemsize = self.blocks[index], self.view.signal.dtype.itemsize
        edges, most = self.view.layout.edges, partition.PIECE_BYTES
        dims = self._dims(len(block))
        if self.process.is_reduction:
            lean = self.process.bytes_per_value < LEAN
            portion = partition.BLOCK_BYTES if lean else partition.PORTION_BYTES
            most = max(portion, self.state_bytes(index) // 2)
        for piece in tiles(block, edges, dims, itemsize, most) if dims else [block]:
            yield piece, pieces(piece, dims, itemsize, most) if dims else iter([piece])

    def parts(self, region: Selection) -> Iterator[Selection]:
        """Cut what several blocks are computed from into what a worker reads at once."""
        dims = list(range(len(region)))
        return tiles(region, self.view.layout.edges, dims, self.view.signal.dtype.itemsize)

    def state_bytes(self, index: int) -> int:
        """Return about what the results of a block take, or its state."""
        owned = self._owned(self.blocks[index])
        every = sum(
            len(output.names) * math.prod(part_shape(output, owned)) * 8 for output in self.outputs
        )
        if not self.process.whole_curves:
            return every
        rank, shape = self.view.layout.scan_rank, self.view.layout.shape  # maps of its own pixels
        return every * volume(self.blocks[index][rank:]) // max(math.prod(shape[rank:]), 1)

    def _dims(self, rank: int) -> list[int]:
        """Return the dimensions that a block may be cut along while it is computed."""
        scan = self.view.layout.scan_rank
        if self.process.is_reduction:
            return list(range(scan, rank) if self.process.whole_curves else range(scan))
        if self.required or self.process.per == "scan":
            return []
        return list(range(scan) if self.process.per == "position" else range(scan, rank))

    def _frames(self, index: int, whole: Frames | None, scratch: Scratch) -> Iterator[Frames]:
        """Read a block a few frames, or one tile, at a time."""
        for piece, parts in self.steps(index):
            frames = self._read(piece, scratch) if whole is None else whole
            for part in parts:
                yield _part(frames, part, None if whole is None else scratch)

    def _read(self, region: Selection, scratch: Scratch | None) -> Frames:
        return self.view.read(
            region,
            variance=self.noise,
            valid=self.process.wants_valid,
            scratch=scratch,
        )

    def _mapped(
        self, index: int, whole: Frames | None, scratch: Scratch
    ) -> Mapping[str, NDArray[Any]]:
        owned = self._owned(self.blocks[index])
        arrays: dict[str, NDArray[Any]] = {}
        for frames in self._frames(index, whole, scratch):
            part, found = self._owned(frames.region), self._compute(index, frames)
            checked = check_outputs(self.process, self.outputs, found, part, index)
            if part == owned:
                return _apart(checked, frames)
            arrays = arrays or allocate(self.outputs, owned)
            for output in self.outputs:
                for name in output.names:
                    arrays[name][output.place(inside(part, owned))] = checked[name]
        return arrays

    def _reduced(
        self, index: int, whole: Frames | None, scratch: Scratch
    ) -> Mapping[str, NDArray[Any]]:
        """Return the state of a block, or what it is finished to."""
        state: Mapping[str, NDArray[Any]] | None = None
        for frames in self._frames(index, whole, scratch):
            found = check_state(self.process, self._compute(index, frames), index)
            found = _apart(found, frames)
            if state is not None:
                found = self._guarded(index, self.process.merge, state, found)
            state = found
        if not self.final:
            return check_state(self.process, state, index)
        made = self._guarded(index, self.process.finish, state)
        return check_outputs(
            self.process, self.outputs, made, self._owned(self.blocks[index]), index
        )

    def _owned(self, region: Selection) -> Selection:
        """Return the part of a region along the dimensions that results belong to."""
        return owned(region, self.process.per, self.view.layout.scan_rank)

    def _compute(self, index: int, frames: Frames) -> Any:
        return self._guarded(index, self.process.compute, self._block(frames))

    def _guarded(self, index: int, function: Any, *arguments: Any) -> Any:
        """Call the user's code; what it raises names the process, the block and the line."""
        try:
            return function(*arguments)
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


def owned(region: Selection, per: str, rank: int) -> Selection:
    """Return the part of a region along the dimensions that results belong to."""
    return {"pixel": region[rank:], "position": region[:rank], "scan": ()}[per]


def _part(frames: Frames, region: Selection, scratch: Scratch | None) -> Frames:
    """Return a region of frames that hold it; its values may lie in ``scratch``."""
    if frames.region == region:
        return frames
    index = inside(region, frames.region)
    data = frames.data[index]
    if scratch is None:
        data = np.ascontiguousarray(data)
    elif not data.flags.c_contiguous:
        held = scratch.array(data.shape, data.dtype)
        held[...] = data
        data = held
    return replace(
        frames,
        data=data,
        region=region,
        variance=None if frames.variance is None else frames.variance[index],
        valid=None if frames.valid is None else frames.valid[index],
    )


def _apart(arrays: Mapping[str, NDArray[Any]], frames: Frames) -> dict[str, NDArray[Any]]:
    """Return arrays that stay as they are when the memory of the frames is used again."""
    return {k: v.copy() if np.may_share_memory(v, frames.data) else v for k, v in arrays.items()}
