"""Many files read: one after the other while they come at once, then in threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from nxscan.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nxscan.translate.series.frame import Frame, Read

    Reader = Callable[[str], Sequence[Frame] | None]

_AT_ONCE = 0.001
"""Seconds in which the headers of a file are read from the cache, with much to spare."""


def read_all(
    paths: Sequence[str], reader: Reader, threads: int = 32, at_once: float = _AT_ONCE
) -> list[Read]:
    """Run a reader over many files, from the first slow one on in threads.

    Threads hide a slow disk; where files are in the cache, they only wait for each other.
    What is wrong with a file stands where its frames would.

    Parameters
    ----------
    paths : sequence of str
        The files.
    reader : callable
        Returns the frames of a file, or None if it is of another format; raises SourceError.
    threads : int
        Most at once.
    at_once : float
        Seconds that a file in the cache takes.

    """
    found = list(_read_at_once(paths, reader, at_once))
    with ThreadPoolExecutor(max(1, min(threads, len(paths)))) as pool:
        found += pool.map(lambda path: _try_to_read(path, reader), paths[len(found) :])
    return found


def _read_at_once(paths: Sequence[str], reader: Reader, at_once: float) -> Iterator[Read]:
    """Read files one after the other for as long as they come at once."""
    begun = time.perf_counter()
    for done, path in enumerate(paths, 1):
        yield _try_to_read(path, reader)
        if time.perf_counter() - begun > done * at_once:
            return


def _try_to_read(path: str, reader: Reader) -> Read:
    try:
        return reader(path)
    except SourceError as error:
        return error
