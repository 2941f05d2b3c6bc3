"""Stored chunks back to values outside HDF5: its filters as steps from bytes to bytes.

Every step knows how many bytes must come out and writes into a buffer of that size, so that no
damage can make it write elsewhere. What HDF5 would refuse, it refuses.
"""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import deflate
import numpy as np

from nxscan.hdf5.plugins import function, kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Filter = tuple[int, tuple[int, ...]]

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
BLOSC, LZ4, BITSHUFFLE, ZSTD = 32001, 32004, 32008, 32015
BITSHUFFLE_LZ4 = 2
_BITSHUFFLE_ZSTD = 3
MOST = 2**31 - 1
"""Most bytes of a chunk, stored or not: what LZ4 and Blosc can count."""

_CHECKSUM = 4
_BLOCKS = 12


class DecodeError(RuntimeError):
    """A stored chunk that is not what its filters make."""


class Buffers(threading.local):
    """Memory that a thread uses again for every chunk: new memory costs more than decoding."""

    def __init__(self) -> None:
        self._held: dict[str, Bytes] = {}

    def take(self, name: str, size: int) -> Bytes:
        """Return this thread's buffer of a name, cut to a size."""
        held = self._held.get(name)
        if held is None or held.size < size:
            held = self._held[name] = np.empty(size, np.uint8)
        return held[:size]


class Step(Protocol):
    """One filter, undone."""

    @property
    def growth(self) -> int | None:
        """Bytes that the filter adds; None where it compresses."""

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Undo the filter into the target, or memory of its own of that size, and return it."""


class Fletcher32:
    """HDF5's checksum at the end of the bytes."""

    growth: int | None = _CHECKSUM

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Check, and return what was checked."""
        del target
        if not kernels().is_checked(source):
            raise DecodeError("its Fletcher-32 checksum is not that of its bytes")
        return source[:-_CHECKSUM]


@dataclass(frozen=True)
class Shuffle:
    """Bytes sorted by significance, as HDF5's shuffle filter does."""

    itemsize: int
    growth: int | None = 0

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Put them back in order."""
        kernels().unshuffle(source, target, self.itemsize)
        return target


class Deflate:
    """Zlib's compression (gzip), undone by libdeflate: four times as fast as zlib."""

    growth: int | None = None

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Decompress, and let zlib's own checksum decide."""
        try:
            found = deflate.zlib_decompress(source, target.size)
        except (deflate.DeflateError, ValueError) as error:
            raise DecodeError(f"gzip: {error}") from error
        if len(found) != target.size:
            raise DecodeError(f"gzip: {len(found)} bytes came out, expected {target.size}")
        return np.frombuffer(found, np.uint8)


@dataclass(frozen=True)
class Lz4:
    """LZ4 in blocks with a header, as the plug-in 32004 stores it (H5Zlz4.c)."""

    function: Any
    growth: int | None = None

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Decompress block by block; one that did not get smaller is stored as it was."""
        size, block = _header(source, ">QI")
        if size != target.size or block == 0:
            raise DecodeError(f"LZ4: its header says {size} bytes, expected {target.size}")
        at, done = _BLOCKS, 0
        while done < size:
            block = min(block, size - done)
            (count,) = _header(source[at:], ">I")
            at += 4
            if at + count > source.size:
                raise DecodeError("LZ4: a block ends beyond the chunk")
            if count == block:
                target[done : done + block] = source[at : at + count]
            else:
                self._block(source[at : at + count], target[done : done + block])
            at += count
            done += block
        return target

    def _block(self, source: Bytes, target: Bytes) -> None:
        made = self.function(source.ctypes.data, target.ctypes.data, source.size, target.size)
        if made != target.size:
            raise DecodeError("LZ4: a block is damaged")


@dataclass(frozen=True)
class Zstd:
    """Zstandard, as the plug-in 32015 stores it."""

    function: Any
    growth: int | None = None

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Decompress."""
        made = self.function(target.ctypes.data, target.size, source.ctypes.data, source.size)
        if made != target.size:
            raise DecodeError("zstd: the chunk is damaged")
        return target


@dataclass(frozen=True)
class Blosc:
    """Blosc 1, as the plug-in 32001 stores it."""

    function: Any
    validate: Any
    growth: int | None = None

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Check its header, then decompress in this thread alone."""
        size = ctypes.c_size_t()
        found = self.validate(source.ctypes.data, source.size, ctypes.byref(size))
        if found != 0 or size.value != target.size:
            raise DecodeError(f"Blosc: {size.value} bytes in its header, expected {target.size}")
        made = self.function(source.ctypes.data, target.ctypes.data, target.size, 1)
        if made != target.size:
            raise DecodeError("Blosc: the chunk is damaged")
        return target


@dataclass(frozen=True)
class Bitshuffle:
    """Bits sorted by significance in blocks, without compression (plug-in 32008)."""

    function: Any
    itemsize: int
    block: int
    growth: int | None = 0

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Put the bits back in order."""
        count = target.size // self.itemsize
        places = source.ctypes.data, target.ctypes.data
        if self.function(*places, count, self.itemsize, self.block) < 0:
            raise DecodeError("bitshuffle failed")
        return target


@dataclass(frozen=True)
class CompressedBitshuffle:
    """Bits sorted by significance, then LZ4 or zstd in blocks (plug-in 32008)."""

    function: Any
    itemsize: int
    growth: int | None = None

    def decode(self, source: Bytes, target: Bytes) -> Bytes:
        """Check where its blocks end, which bitshuffle does not, and decode them."""
        size, block = _header(source, ">QI")
        if size != target.size or block == 0 or block % (8 * self.itemsize):
            raise DecodeError(f"bitshuffle: its header says {size} bytes, not {target.size}")
        self._check(source, size, block)
        count, length = size // self.itemsize, block // self.itemsize
        places = source.ctypes.data + _BLOCKS, target.ctypes.data
        if self.function(*places, count, self.itemsize, length) < 0:
            raise DecodeError("bitshuffle: a block is damaged")
        return target

    def _check(self, source: Bytes, size: int, block: int) -> None:
        rest = size % (8 * self.itemsize)
        data, at = source.data, _BLOCKS
        for _ in range(-(-(size - rest) // block)):
            at += 4
            if at <= source.size:
                at += int.from_bytes(data[at - 4 : at], "big")
            if at > source.size:
                break
        if at + rest > source.size:
            raise DecodeError("bitshuffle: a block ends beyond the chunk")


def _header(source: Bytes, form: str) -> tuple[int, ...]:
    if source.size < struct.calcsize(form):
        raise DecodeError("it is shorter than its header")
    return struct.unpack_from(form, source.data)


def _deflate(_: tuple[int, ...]) -> Step | None:
    return Deflate()


def _shuffle(values: tuple[int, ...]) -> Step | None:
    return Shuffle(values[0]) if values and values[0] > 0 else None


def _fletcher32(_: tuple[int, ...]) -> Step | None:
    return Fletcher32()


def _lz4(_: tuple[int, ...]) -> Step | None:
    found = function("lz4", "LZ4_decompress_safe")
    return None if found is None else Lz4(found)


def _zstd(_: tuple[int, ...]) -> Step | None:
    found = function("zstd", "ZSTD_decompress")
    return None if found is None else Zstd(found)


def _blosc(_: tuple[int, ...]) -> Step | None:
    found = function("blosc", "blosc_decompress_ctx")
    validate = function("blosc", "blosc_cbuffer_validate")
    return None if found is None or validate is None else Blosc(found, validate)


def _bitshuffle(values: tuple[int, ...]) -> Step | None:
    if len(values) < 3 or values[2] == 0:
        return None
    itemsize, block, kind = values[2], *(*values[3:5], 0, 0)[:2]
    name = {BITSHUFFLE_LZ4: "bshuf_decompress_lz4", _BITSHUFFLE_ZSTD: "bshuf_decompress_zstd"}
    found = function("bshuf", name.get(kind, "bshuf_bitunshuffle"))
    if found is None:
        return None
    return (
        CompressedBitshuffle(found, itemsize)
        if kind in name
        else Bitshuffle(found, itemsize, block)
    )


_STEPS: dict[int, Callable[[tuple[int, ...]], Step | None]] = {
    DEFLATE: _deflate,
    SHUFFLE: _shuffle,
    FLETCHER32: _fletcher32,
    BLOSC: _blosc,
    LZ4: _lz4,
    BITSHUFFLE: _bitshuffle,
    ZSTD: _zstd,
}


class Pipeline:
    """All filters of a dataset, undone from the last to the first.

    Parameters
    ----------
    steps : sequence of Step
        In the order in which HDF5 applied the filters.
    size : int
        Bytes of a chunk's values.

    """

    def __init__(self, steps: Sequence[Step], size: int) -> None:
        self._steps = steps
        self.size = size
        self._buffers = Buffers()
        self._known = 2 ** len(steps) - 1
        self._plans: dict[int, list[tuple[int, Step, int | None]]] = {}

    def decode(self, stored: Bytes, mask: int, target: Bytes) -> Bytes:
        """Decode a chunk.

        Parameters
        ----------
        stored : ndarray of uint8
            What the file holds.
        mask : int
            The filters that the chunk did not go through, one bit each.
        target : ndarray of uint8
            Memory for the values' bytes.

        Returns
        -------
        ndarray of uint8
            The values' bytes: ``target``, or other memory that is good until the next call.

        Raises
        ------
        DecodeError
            If the bytes are damaged.

        """
        data = stored
        for number, step, size in self._plan(mask & self._known):
            place = target if number == 0 else self._buffers.take(f"step {number % 2}", size or 0)
            if size is not None and step.growth is not None and data.size != size + step.growth:
                raise DecodeError(f"it has {data.size} bytes, expected {size + step.growth}")
            data = step.decode(data, place)
        if data.size != self.size:
            raise DecodeError(f"it has {data.size} bytes, expected {self.size}")
        return data

    def is_plain(self, mask: int) -> bool:
        """Tell whether the values are stored as they are."""
        return not self._plan(mask & self._known)

    def _plan(self, mask: int) -> list[tuple[int, Step, int | None]]:
        """Return the steps to take, each with its place and the bytes that come out."""
        if mask not in self._plans:
            used = [step for k, step in enumerate(self._steps) if not mask >> k & 1]
            plan: list[tuple[int, Step, int | None]] = []
            size: int | None = self.size
            for number, step in enumerate(used):
                plan.append((number, step, size))
                size = None if size is None or step.growth is None else size + step.growth
            self._plans[mask] = plan[::-1]
        return self._plans[mask]


def pipeline(filters: Sequence[Filter], size: int) -> Pipeline | None:
    """Return what decodes chunks that went through these filters; None where only HDF5 can.

    Parameters
    ----------
    filters : sequence of (int, tuple of int)
        Number and client data of each filter, in the order of the dataset.
    size : int
        Bytes of a chunk's values.

    """
    steps, compressed = [], False
    if size > MOST:
        return None
    for number, values in filters:
        make = _STEPS.get(number)
        step = make(values) if make else None
        if step is None or (compressed and number != FLETCHER32):
            return None
        compressed = compressed or step.growth is None
        steps.append(step)
    return Pipeline(steps, size)
