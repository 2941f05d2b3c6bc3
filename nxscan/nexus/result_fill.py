"""The values of a result written part by part, compressed by several threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from h5py._objects import phil

from nxscan.nexus.codec import encoders
from nxscan.nexus.pieces import tiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from nxscan.nexus.codec import Encoder

    Place = tuple[slice, ...]

_MOST_THREADS = 8
_AHEAD = 8
"""Chunks that wait to be written, for each thread."""


class Filler:
    """Writes parts of arrays into the datasets of a result.

    HDF5 compresses one chunk at a time. Chunks that a part holds whole are compressed by
    threads instead, and written by the one that calls, in the order in which they came.

    Parameters
    ----------
    datasets : mapping of str to h5py.Dataset
        Where values go, by name.
    pool : ThreadPoolExecutor
        The threads.
    most : int
        How many chunks may wait.

    """

    def __init__(self, datasets: Mapping[str, Any], pool: ThreadPoolExecutor, most: int) -> None:
        self._datasets = datasets
        self._encoders = {n: encoders(d) if d.chunks else None for n, d in datasets.items()}
        self._pool = pool
        self._most = most
        self._own = threading.local()
        self._waiting: deque[tuple[Any, tuple[int, ...], Future[bytes]]] = deque()

    def put(self, name: str, place: Place, values: NDArray[Any]) -> None:
        """Write values at a place; they must not change until all is settled.

        Parameters
        ----------
        name : str
            Of the dataset.
        place : tuple of slice
            Where in it, one slice for each dimension.
        values : ndarray
            What goes there, in the dataset's type.

        """
        dataset = self._datasets[name]
        parts = [part.indices(n) for part, n in zip(place, dataset.shape, strict=True)]
        if self._encoders[name] is None or not _has_whole_chunks(dataset, parts):
            dataset[place] = values
            return
        for offset, tile in tiles(values, dataset.chunks):
            corner = tuple(part[0] + k for part, k in zip(parts, offset, strict=True))
            future = self._pool.submit(self._encoded, name, tile)
            self._waiting.append((dataset, corner, future))
            self._settle(self._most)

    def settle(self) -> None:
        """Write all that is waiting."""
        self._settle(0)

    def _settle(self, most: int) -> None:
        while len(self._waiting) > most:
            dataset, corner, future = self._waiting.popleft()
            data = future.result()
            # h5py 3.11 calls this one without its own lock
            with phil:
                dataset.id.write_direct_chunk(corner, data)

    def _encoded(self, name: str, tile: NDArray[Any]) -> bytes:
        """Compress a tile in the encoder that this thread has for chunks of its kind."""
        dataset, make = self._datasets[name], self._encoders[name]
        held: dict[str, Encoder] = self._own.__dict__
        kind = f"{dataset.chunks} {dataset.dtype.str}"
        if kind not in held and make is not None:
            held[kind] = make()
        return bytes(held[kind].encode(tile))  # its buffer is used again


@contextmanager
def filler(datasets: Mapping[str, Any], threads: int | None = None) -> Iterator[Filler]:
    """Have what fills the datasets of a result; at the end, all is written.

    Parameters
    ----------
    datasets : mapping of str to h5py.Dataset
        Where values go, by name.
    threads : int, optional
        How many compress; by default one a core, at most 8.

    """
    count = threads or min(os.cpu_count() or 1, _MOST_THREADS)
    with ThreadPoolExecutor(count, thread_name_prefix="nxscan-result") as pool:
        made = Filler(datasets, pool, _AHEAD * count)
        try:
            yield made
            made.settle()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _has_whole_chunks(dataset: Any, parts: list[tuple[int, int, int]]) -> bool:
    """Tell whether a part begins and ends at edges of chunks, or at the dataset's end."""
    return all(
        start % edge == 0 and (stop % edge == 0 or stop == length)
        for (start, stop, _), edge, length in zip(parts, dataset.chunks, dataset.shape, strict=True)
    )
