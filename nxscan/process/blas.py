"""BLAS held to one thread while blocks are computed: cores are not fought over."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from threadpoolctl import ThreadpoolController

_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""What BLAS libraries read when they are loaded."""


class _Hold:
    """Counts who wants one thread; the first one sets it, the last one undoes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._seen = 0
        self._undo = ExitStack()

    def enter(self) -> None:
        with self._lock:
            self._holders += 1
            # a library that a compute imported in between is not held yet
            if self._holders == 1 or len(sys.modules) != self._seen:
                self._seen = len(sys.modules)
                controller = ThreadpoolController()
                self._undo.enter_context(controller.limit(limits=1, user_api="blas"))

    def leave(self) -> None:
        with self._lock:
            self._holders -= 1
            if self._holders == 0:
                self._undo.close()


_hold = _Hold()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread; as it was before when the last of all blocks of this ends.

    Other pools of threads (numba's, OpenMP) are not touched. It may be entered from many
    threads at once.
    """
    _hold.enter()
    try:
        yield
    finally:
        _hold.leave()


def one_blas_thread_for_good() -> None:
    """Hold BLAS to one thread for the rest of this process, libraries loaded later included."""
    for name in _VARIABLES:
        os.environ[name] = "1"
    _hold.enter()
