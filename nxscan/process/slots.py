"""Room for some workers to read and compute at once; others of them write meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import LifoQueue

from nxscan.process.view import Scratch


class Slots:
    """Slots of threads that read and compute, each with memory for what is read.

    There may be more threads than slots: while a disk takes the results of one block, which is
    mostly waiting, another thread computes. The memory that was used last is still in the
    processor's cache, and is given away first.

    Parameters
    ----------
    count : int
        How many threads may compute at once.

    """

    def __init__(self, count: int) -> None:
        self._free: LifoQueue[Scratch] = LifoQueue()
        for _ in range(count):
            self._free.put(Scratch())

    @contextmanager
    def taken(self) -> Iterator[Scratch]:
        """Have a slot, as soon as one is free, and the memory that goes with it."""
        scratch = self._free.get()
        try:
            yield scratch
        finally:
            self._free.put(scratch)


_local = threading.local()


def own_slots() -> Slots:
    """Return a slot of this thread's own, for workers that nobody counts."""
    if not hasattr(_local, "slots"):
        _local.slots = Slots(1)
    found: Slots = _local.slots
    return found
