"""BLAS held to one thread while blocks are computed: cores are not fought over."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack
from types import TracebackType

from threadpoolctl import ThreadpoolController

_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""What BLAS libraries read when they are loaded."""

_held = threading.Lock()
"""Is taken while somebody holds BLAS: two that undo it would undo each other's."""

_found: tuple[int, ThreadpoolController] | None = None


class OneBlasThread:
    """Holds BLAS to one thread until it is closed; then it is as it was before.

    Other pools of threads (numba's, OpenMP's own) are not touched. OpenBLAS listens to one
    thread only: this is to be made, tightened and closed in the same one.
    """

    def __init__(self) -> None:
        self._thread = threading.current_thread()
        self._undo = ExitStack()
        self._mine = False
        self._seen = -1
        self.tighten()

    def tighten(self) -> None:
        """Hold libraries as well that were loaded since, and what another one let go."""
        if threading.current_thread() is not self._thread:
            return
        self._mine = self._mine or _held.acquire(blocking=False)
        if self._mine and len(sys.modules) != self._seen:
            self._seen = len(sys.modules)
            self._undo.enter_context(_libraries().limit(limits=1, user_api="blas"))

    def close(self) -> None:
        """Undo it."""
        self._undo.close()
        if self._mine:
            self._mine = False
            _held.release()

    def __enter__(self) -> OneBlasThread:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def one_blas_thread_here() -> None:
    """Hold BLAS to one thread for a new thread, where it counts threads for each (OpenMP)."""
    for library in _libraries().select(user_api="blas").lib_controllers:
        if getattr(library, "threading_layer", "") == "openmp":
            library.set_num_threads(1)


def one_blas_thread_for_good() -> None:
    """Hold BLAS to one thread for the rest of this process, libraries loaded later included."""
    for name in _VARIABLES:
        os.environ[name] = "1"
    OneBlasThread()


def _libraries() -> ThreadpoolController:
    """Return the libraries that are loaded; looking for them holds up all threads for a while."""
    global _found
    loaded = len(sys.modules)
    if _found is None or _found[0] != loaded:
        _found = loaded, ThreadpoolController()
    return _found[1]
