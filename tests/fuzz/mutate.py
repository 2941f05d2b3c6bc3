"""Damage to the bytes of a file: cut, flip, repeat, swap, insert, renumber, truncate at an edge."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

NUMBER = re.compile(rb"(?<![\w.])-?\d+(?:\.\d*)?")
TOKENS = (
    b";", b"}\n", b"{", b"{\n", b"=", b"\x00", b"\n", b"\r\n", b" ", b'"', b"'", b"]", b"[", b"#",
    b"\xff\xfe", b"\xc3", b"\xe9", b"nan", b"inf", b"1e999", b"-0", b"Dim_1 = 3 ;\n",
    b"Size = 1 ;\n", b"motor_mne = mu mu ;\n", b"}\n{\n", b"EDF_BinaryFileName = /etc/hostname ;\n",
    b"EDF_DataFormatVersion = 2.0 ;\n", b"Compression = GZIP ;\n", b"\xe2\x80\xae", b"%s%n",
)  # fmt: skip
NUMBERS = (
    b"0", b"-1", b"1", b"2", b"3", b"255", b"65536", b"2147483648", b"4294967295",
    b"9223372036854775807", b"99999999999999999999999", b"1e30", b"nan", b"inf", b"0x10", b"1_0",
    b"", b"-", b"1.5", b"\xd9\xa3",
)  # fmt: skip
_LONGEST = 2048

Change = Callable[[bytes, Random, Sequence[int]], bytes]


def mutate(data: bytes, rng: Random, edges: Sequence[int] = ()) -> tuple[bytes, str]:
    """Damage bytes in one to three ways; return them and the names of what was done.

    Parameters
    ----------
    data : bytes
        A file.
    rng : Random
        Decides everything: the same state gives the same damage.
    edges : sequence of int
        Where its parts begin and end; half of the damage happens near one of them.

    """
    names = rng.choices(list(CHANGES), weights=list(_WEIGHTS), k=rng.choice((1, 1, 1, 2, 3)))
    for name in names:
        data = CHANGES[name](data, rng, [edge for edge in edges if edge <= len(data)])
    return data, "+".join(names)


def _place(data: bytes, rng: Random, edges: Sequence[int]) -> int:
    """Choose a byte, anywhere or near an edge."""
    if edges and rng.random() < 0.5:
        near = rng.choice(edges) + rng.randint(-64, 64)
        return min(max(near, 0), max(0, len(data) - 1))
    return rng.randrange(max(1, len(data)))


def _length(data: bytes, rng: Random) -> int:
    return min(rng.choice((1, 2, 4, 16, 512, rng.randint(1, _LONGEST))), len(data))


def _flip(data: bytes, rng: Random, edges: Sequence[int]) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8)) if out else 0):
        place = _place(data, rng, edges)
        out[place] = rng.choice((out[place] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 255))
    return bytes(out)


def _cut(data: bytes, rng: Random, edges: Sequence[int]) -> bytes:
    """Take out a piece, or all that follows."""
    start = _place(data, rng, edges)
    stop = len(data) if rng.random() < 0.3 else start + _length(data, rng)
    return data[:start] + data[stop:]


def _repeat(data: bytes, rng: Random, edges: Sequence[int]) -> bytes:
    start = _place(data, rng, edges)
    stop = rng.choice(edges) if edges and rng.random() < 0.3 else start + _length(data, rng)
    start, stop = min(start, stop), max(start, stop)
    return data[:stop] + data[start:stop] + data[stop:]


def _swap(data: bytes, rng: Random, edges: Sequence[int]) -> bytes:
    length = _length(data, rng)
    first, second = sorted((_place(data, rng, edges), _place(data, rng, edges)))
    length = min(length, second - first, len(data) - second)
    out = bytearray(data)
    out[first : first + length] = data[second : second + length]
    out[second : second + length] = data[first : first + length]
    return bytes(out)


def _insert(data: bytes, rng: Random, edges: Sequence[int]) -> bytes:
    place = _place(data, rng, edges)
    piece = rng.choice(TOKENS) if rng.random() < 0.7 else rng.randbytes(_length(data, rng))
    return data[:place] + piece + data[place:]


def _renumber(data: bytes, rng: Random, edges: Sequence[int]) -> bytes:
    """Put another number where text has one."""
    found = list(NUMBER.finditer(data[: 1 << 16]))
    if not found:
        return _flip(data, rng, edges)
    chosen = rng.choice(found)
    return data[: chosen.start()] + rng.choice(NUMBERS) + data[chosen.end() :]


def _edge(data: bytes, rng: Random, edges: Sequence[int]) -> bytes:
    """Truncate where a part ends, or a byte beside it."""
    places = [*edges, len(data)]
    return data[: max(0, rng.choice(places) + rng.choice((-1, 0, 0, 1)))]


CHANGES: dict[str, Change] = {
    "flip": _flip,
    "cut": _cut,
    "repeat": _repeat,
    "swap": _swap,
    "insert": _insert,
    "renumber": _renumber,
    "edge": _edge,
}
_WEIGHTS = (4, 2, 2, 2, 3, 4, 1)
