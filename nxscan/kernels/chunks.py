"""Stored chunks to values: checksums, shuffles and copies, and bitshuffle-LZ4 in one go.

One call reads and decodes all chunks of a region without the GIL. The functions of C libraries
that it needs come as addresses, so that the compiled code can be kept from run to run. Whatever
is not as expected is left to the caller: these loops write inside their arrays only, and never
say why they stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nxscan.kernels.compiling import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Numbers = NDArray[np.int64]
    Words = NDArray[np.uint64]

_RUN = 256
_REDUCE = 1024
_MODULUS = np.uint64(65535)
_HEADER = 12
_CHECKSUM = 4
_BLOCK = 8192
_WORDS = _BLOCK // 8
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_PAIRS = np.uint64(0x3333333333333333)
_BITS = np.uint64(0x5555555555555555)
_HALVES = np.uint64(0x00000000FFFFFFFF)
_SHORTS = np.uint64(0x0000FFFF0000FFFF)
_BYTES = np.uint64(0x00FF00FF00FF00FF)


def _caller(result: int, arguments: tuple[int, ...]) -> Any:
    """Return what generates a call of C at an address: bits of its result and arguments."""

    def generate(_: Any, builder: Any, __: Any, values: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(result), [ir.IntType(bits) for bits in arguments])
        function = builder.inttoptr(values[0], kind.as_pointer())
        given = [
            value if bits == 64 else builder.trunc(value, ir.IntType(bits))
            for value, bits in zip(values[1:], arguments, strict=True)
        ]
        found = builder.call(function, given)
        return found if result == 64 else builder.sext(found, ir.IntType(64))

    return generate


@intrinsic
def _pread(_: Any, address: Any, file: Any, buffer: Any, count: Any, offset: Any) -> Any:
    """``ssize_t pread(int, void *, size_t, off_t)``, where off_t has 64 bits."""
    return types.int64(address, file, buffer, count, offset), _caller(64, (32, 64, 64, 64))


@intrinsic
def _lz4(_: Any, address: Any, source: Any, target: Any, size: Any, most: Any) -> Any:
    """``int LZ4_decompress_safe(const char *, char *, int, int)``."""
    return types.int64(address, source, target, size, most), _caller(32, (64, 64, 32, 32))


@intrinsic
def _unshuffle_bits(
    _: Any, address: Any, source: Any, target: Any, count: Any, itemsize: Any
) -> Any:
    """``int64_t bshuf_untrans_bit_elem(const void *, void *, size_t, size_t)``."""
    return types.int64(address, source, target, count, itemsize), _caller(64, (64, 64, 64, 64))


@njit(nogil=True, cache=True)
def fletcher32(data: Bytes) -> int:
    """Return HDF5's Fletcher-32 checksum (H5checksum.c) of bytes, at memory speed.

    The sums are taken over little-endian words, which processors add in rows, and turned into
    those over big-endian ones at the end: modulo 65535, swapping the bytes of a word is
    multiplying it by 256. Only zeros give zero, as HDF5's end-around carries do.
    """
    count = data.size // 2
    words = data[: 2 * count].view(np.uint16)
    runs = count // _RUN
    low, high, some = np.uint64(0), np.uint64(0), False
    for run in range(runs):
        plain, weighted = np.uint32(0), np.uint32(0)
        for k in range(_RUN):
            word = np.uint32(words[_RUN * run + k])
            plain = np.uint32(plain + word)
            weighted = np.uint32(weighted + np.uint32(word * np.uint32(_RUN - k)))
        high += np.uint64(_RUN) * low + np.uint64(weighted)
        low += np.uint64(plain)
        some = some or plain != 0
        if run % _REDUCE == _REDUCE - 1:
            low, high = low % _MODULUS, high % _MODULUS
    for k in range(_RUN * runs, count):
        low += np.uint64(words[k])
        high += low
        some = some or words[k] != 0
    if data.size % 2:
        low += np.uint64(data[-1])
        high += low
        some = some or data[-1] != 0
    if not some:
        return 0
    low = (low % _MODULUS * np.uint64(256) + _MODULUS - np.uint64(1)) % _MODULUS + np.uint64(1)
    high = (high % _MODULUS * np.uint64(256) + _MODULUS - np.uint64(1)) % _MODULUS + np.uint64(1)
    return int((high << np.uint64(16)) | low)


@njit(nogil=True, cache=True)
def is_checked(stored: Bytes) -> bool:
    """Tell whether the checksum at the end of stored bytes is theirs.

    HDF5 1.6.2 swapped the bytes of each half on little-endian machines; it is accepted still.
    """
    stop = stored.size - _CHECKSUM
    if stop < 0:
        return False
    found, swapped = np.int64(0), np.int64(0)
    for k in range(_CHECKSUM):
        found |= np.int64(stored[stop + k]) << (8 * k)
        swapped |= np.int64(stored[stop + (k ^ 1)]) << (8 * k)
    expected = fletcher32(stored[:stop])
    return bool(found == expected or swapped == expected)


@njit(nogil=True, cache=True)
def unshuffle(source: Bytes, target: Bytes, itemsize: int) -> None:
    """Put bytes that HDF5's shuffle filter has sorted by significance back in their order."""
    count = source.size // itemsize
    stop = count * itemsize
    if itemsize == 2:
        # the processor puts rows of bytes together when they are written as words
        pairs = target[:stop].view(np.uint16)
        low, high = source[:count], source[count:stop]
        for k in range(count):
            pairs[k] = np.uint16(low[k]) | np.uint16(high[k]) << np.uint16(8)
    elif itemsize == 4:
        words = target[:stop].view(np.uint32)
        first, second = source[:count], source[count : 2 * count]
        third, fourth = source[2 * count : 3 * count], source[3 * count : stop]
        for k in range(count):
            words[k] = (
                np.uint32(first[k])
                | np.uint32(second[k]) << np.uint32(8)
                | np.uint32(third[k]) << np.uint32(16)
                | np.uint32(fourth[k]) << np.uint32(24)
            )
    elif itemsize == 8:
        longs = target[:stop].view(np.uint64)
        for start in range(0, count, _RUN):
            run = min(_RUN, count - start)
            taken = longs[start : start + run]
            for byte in range(8):
                given = source[byte * count + start : byte * count + start + run]
                shift = np.uint64(8 * byte)
                kept = np.uint64(0) if byte == 0 else ~np.uint64(0)
                for k in range(run):
                    taken[k] = (taken[k] & kept) | np.uint64(given[k]) << shift
    else:
        for start in range(0, count, _RUN):
            run = min(_RUN, count - start)
            for byte in range(itemsize):
                given = source[byte * count + start : byte * count + start + run]
                spread = target[start * itemsize + byte : stop]
                for k in range(run):
                    spread[itemsize * k] = given[k]
    for k in range(stop, source.size):
        target[k] = source[k]


@njit(nogil=True, cache=True)
def copy_box(
    source: Bytes,
    target: Bytes,
    start: int,
    place: int,
    lengths: Numbers,
    source_steps: Numbers,
    target_steps: Numbers,
    run: int,
) -> None:
    """Copy a box of values, each of ``run`` bytes, between arrays given as their bytes.

    Parameters
    ----------
    source, target : ndarray of uint8
        The bytes of both arrays.
    start, place : int
        Where the box begins in them, in bytes.
    lengths : ndarray of int64
        Lengths of the box along each dimension.
    source_steps, target_steps : ndarray of int64
        Bytes from one index to the next along each dimension.
    run : int
        Bytes of one value.

    """
    last = lengths.size - 1
    while last >= 0:
        if lengths[last] > 1 and (source_steps[last] != run or target_steps[last] != run):
            break
        run *= lengths[last]
        last -= 1
    at = np.zeros(lengths.size, np.int64)
    while True:
        # indices that cannot be negative are copied in rows
        taken, given = target[place : place + run], source[start : start + run]
        for k in range(run):
            taken[k] = given[k]
        axis = last
        while axis >= 0:
            at[axis] += 1
            start += source_steps[axis]
            place += target_steps[axis]
            if at[axis] < lengths[axis]:
                break
            start -= lengths[axis] * source_steps[axis]
            place -= lengths[axis] * target_steps[axis]
            at[axis] = 0
            axis -= 1
        if axis < 0:
            return


@njit(nogil=True, cache=True)
def _big_endian(data: Bytes, start: int, count: int) -> int:
    value = 0
    for k in range(start, start + count):
        value = value << 8 | int(data[k])
    return value


@njit(inline="always")
def _swap(first: Any, second: Any, shift: Any, mask: Any) -> Any:
    """Exchange the upper part of each field of one word with the lower part of the other's."""
    moved = ((first >> shift) ^ second) & mask
    return first ^ (moved << shift), second ^ moved


@njit(inline="always")
def _transpose(rows: Any, far: Any, middle: Any, near: Any, step: Any) -> Any:
    """Transpose the 8 × 8 matrices of fields in eight words."""
    a, b, c, d, e, f, g, h = rows
    a, e = _swap(a, e, 4 * step, far)
    b, f = _swap(b, f, 4 * step, far)
    c, g = _swap(c, g, 4 * step, far)
    d, h = _swap(d, h, 4 * step, far)
    a, c = _swap(a, c, 2 * step, middle)
    b, d = _swap(b, d, 2 * step, middle)
    e, g = _swap(e, g, 2 * step, middle)
    f, h = _swap(f, h, 2 * step, middle)
    a, b = _swap(a, b, step, near)
    c, d = _swap(c, d, step, near)
    e, f = _swap(e, f, step, near)
    g, h = _swap(g, h, step, near)
    return a, b, c, d, e, f, g, h


@njit(inline="always")
def _put_in_order(block: Words, work: Words, out: Words, n: int, s: int) -> None:
    """Undo what bitshuffle did to a block; ``n`` and ``s`` are constants.

    It stores values of s bytes as 8·s rows of n words, one row for each bit (K. Masui et al.,
    Astronomy and Computing 12 (2015) 181). Eight words, one of each of eight rows, are
    transposed at once, first as 8 × 8 matrices of bits, then of bytes (H. S. Warren, Hacker's
    Delight, 2nd ed., section 7-3): in the widest registers that the processor has, this is
    more than twice as fast as the library's SSE2.
    """
    bits, rows = work[:_WORDS], work[_WORDS:]
    for group in range(s):
        at, to, step = 8 * n * group, n * group, n * s
        for w in range(n):
            words = (
                block[at + w],
                block[at + n + w],
                block[at + 2 * n + w],
                block[at + 3 * n + w],
                block[at + 4 * n + w],
                block[at + 5 * n + w],
                block[at + 6 * n + w],
                block[at + 7 * n + w],
            )
            a, b, c, d, e, f, g, h = _transpose(words, _NIBBLES, _PAIRS, _BITS, np.uint64(1))
            bits[to + w] = a
            bits[to + step + w] = b
            bits[to + 2 * step + w] = c
            bits[to + 3 * step + w] = d
            bits[to + 4 * step + w] = e
            bits[to + 5 * step + w] = f
            bits[to + 6 * step + w] = g
            bits[to + 7 * step + w] = h
    for group in range(s):
        at = 8 * n * group
        for w in range(n):
            words = (
                bits[at + w],
                bits[at + n + w],
                bits[at + 2 * n + w],
                bits[at + 3 * n + w],
                bits[at + 4 * n + w],
                bits[at + 5 * n + w],
                bits[at + 6 * n + w],
                bits[at + 7 * n + w],
            )
            a, b, c, d, e, f, g, h = _transpose(words, _HALVES, _SHORTS, _BYTES, np.uint64(8))
            rows[at + w] = a
            rows[at + n + w] = b
            rows[at + 2 * n + w] = c
            rows[at + 3 * n + w] = d
            rows[at + 4 * n + w] = e
            rows[at + 5 * n + w] = f
            rows[at + 6 * n + w] = g
            rows[at + 7 * n + w] = h
    for w in range(n):
        at = 8 * w * s
        for k in range(8):
            for group in range(s):
                out[at + k * s + group] = rows[(8 * group + k) * n + w]


@njit(nogil=True, cache=True)
def _unshuffle_pairs(block: Words, work: Words, out: Words) -> None:
    """Put a block of values of 2 bytes in order; ``work`` has twice its words."""
    _put_in_order(block, work, out, 64, 2)


@njit(nogil=True, cache=True)
def _unshuffle_quads(block: Words, work: Words, out: Words) -> None:
    """Put a block of values of 4 bytes in order; ``work`` has twice its words."""
    _put_in_order(block, work, out, 32, 4)


@njit(nogil=True, cache=True)
def _decode(
    stored: Bytes,
    target: Bytes,
    block: Bytes,
    work: Words,
    itemsize: int,
    lz4: int,
    unshuffle_bits: int,
) -> bool:
    """Decode a chunk of bitshuffle-LZ4 (bitshuffle.c) into all of ``target``, or return False."""
    if stored.size < _HEADER or _big_endian(stored, 0, 8) != target.size:
        return False
    step = _big_endian(stored, 8, 4)
    if step <= 0 or step > block.size or step % (8 * itemsize):
        return False
    at, done, size = _HEADER, 0, stored.size
    whole = target.size - target.size % (8 * itemsize)
    while done < whole:
        step = min(step, whole - done)
        if at + 4 > size:
            return False
        count = _big_endian(stored, at, 4)
        at += 4
        if at + count > size:
            return False
        source = stored.ctypes.data + at
        if _lz4(lz4, source, block.ctypes.data, count, step) != step:
            return False
        if step == _BLOCK and itemsize == 2:
            _unshuffle_pairs(
                block[:step].view(np.uint64), work, target[done : done + step].view(np.uint64)
            )
        elif step == _BLOCK and itemsize == 4:
            _unshuffle_quads(
                block[:step].view(np.uint64), work, target[done : done + step].view(np.uint64)
            )
        else:
            place, count_of = target.ctypes.data + done, step // itemsize
            if _unshuffle_bits(unshuffle_bits, block.ctypes.data, place, count_of, itemsize) < 0:
                return False
        at += count
        done += step
    if at + target.size - whole > size:
        return False
    for k in range(target.size - whole):
        target[whole + k] = stored[at + k]
    return True


@njit(nogil=True, cache=True)
def read_chunks(
    functions: Numbers,
    file: int,
    offsets: Numbers,
    sizes: Numbers,
    checked: bool,
    itemsize: int,
    stored: Bytes,
    chunk: Bytes,
    block: Bytes,
    out: Bytes,
    starts: Numbers,
    places: Numbers,
    whole: NDArray[np.bool_],
    lengths: Numbers,
    chunk_steps: Numbers,
    out_steps: Numbers,
    unit: int,
) -> int:
    """Read and decode chunks of bitshuffle-LZ4, and copy what is wanted of each.

    Parameters
    ----------
    functions : ndarray of int64
        Addresses of ``pread``, ``LZ4_decompress_safe`` and ``bshuf_untrans_bit_elem``.
    file : int
        The file's descriptor.
    offsets, sizes : ndarray of int64
        Where each chunk lies in the file.
    checked : bool
        Whether a Fletcher-32 checksum ends each chunk.
    itemsize : int
        Bytes that were shuffled together.
    stored, chunk, block : ndarray of uint8
        Buffers for the largest stored chunk, a chunk, and a block of bitshuffle's.
    out : ndarray of uint8
        The bytes of the array that takes the values.
    starts, places, lengths, chunk_steps, out_steps, unit
        What is copied of each chunk, as in `copy_box`.
    whole : ndarray of bool
        Which chunks are wanted whole and lie in one row there: they are decoded in place.

    Returns
    -------
    int
        How many chunks were read: less than all if one is not as it should be.

    """
    work = np.empty(2 * _WORDS, np.uint64)
    for k in range(offsets.size):
        size = sizes[k]
        if size > stored.size:
            return k
        if _pread(functions[0], file, stored.ctypes.data, size, offsets[k]) != size:
            return k
        if checked and not is_checked(stored[:size]):
            return k
        stop = size - _CHECKSUM if checked else size
        target = out[places[k] : places[k] + chunk.size] if whole[k] else chunk
        if not _decode(stored[:stop], target, block, work, itemsize, functions[1], functions[2]):
            return k
        if not whole[k]:
            copy_box(chunk, out, starts[k], places[k], lengths[k], chunk_steps, out_steps, unit)
    return offsets.size
