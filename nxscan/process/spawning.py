"""Worker processes that begin empty: they know nothing of the script that started them.

Python's own spawned processes import the parent's script again. A script without the guard
``if __name__ == "__main__":`` would start itself over and over, and a notebook or ``python -c``
has no script to import. Here, what a worker needs is shipped by value, so the script is left out.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import spawn
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from nxscan.errors import ProcessError
from nxscan.nexus.durable import held_signals
from nxscan.process.blas import one_blas_thread_for_good

_OURS, _DASK = "nxscan worker", "Dask Worker process"
"""How the names of processes begin that do without the script."""

_lock = threading.Lock()
_users = 0
_original: Callable[[str], dict[str, Any]] = spawn.get_preparation_data


@contextlib.contextmanager
def script_left_out() -> Iterator[None]:
    """Have workers that are started meanwhile, here or by dask, not import the script."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _users, _original
    with _lock:
        if _users == 0:
            _original = spawn.get_preparation_data
            spawn.get_preparation_data = _preparation
        _users += change
        if _users == 0:
            spawn.get_preparation_data = _original  # type: ignore[assignment]


def _preparation(name: str) -> dict[str, Any]:
    data = dict(_original(name))
    if name.startswith((_OURS, _DASK)):
        data.pop("init_main_from_name", None)
        data.pop("init_main_from_path", None)
    if name.startswith(_DASK) and threading.current_thread() is not threading.main_thread():
        # dask starts each process from a thread of its own, whose blocked signals it inherits
        _block_interrupts()
    return data


def _block_interrupts() -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])


def refuse_second_import() -> None:
    """Refuse to run from within a worker that is only just starting.

    Raises
    ------
    ProcessError
        If another library's worker is importing the script that calls this.

    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise ProcessError(
            "a worker process imports this script again and would start workers of its own",
            "put what the script does under: if __name__ == '__main__':",
        )


def refuse_workers_of_workers() -> None:
    """Refuse to start workers where Python does not allow it.

    Raises
    ------
    ProcessError
        If this process may not have processes of its own.

    """
    process = multiprocessing.current_process()
    if process.daemon:
        raise ProcessError(
            f"{process.name} is itself a worker process and may have none of its own",
            "use threads there",
        )


class _Worker(SpawnProcess):
    """A process that Ctrl-C does not reach; a process group gets it as a whole."""

    def start(self) -> None:
        with script_left_out(), held_signals(), _no_interrupts():
            super().start()


class WorkerContext(SpawnContext):
    """How a pool starts its processes; it keeps them, so that they can be ended."""

    def __init__(self) -> None:
        self._started: list[_Worker] = []

    def Process(self, *args: Any, **kwargs: Any) -> _Worker:  # type: ignore[override]  # noqa: N802
        """Make a process, as a pool asks for it."""
        kwargs["name"] = f"{_OURS} {len(self._started) + 1}"
        process = _Worker(*args, **kwargs)
        self._started.append(process)
        return process

    def terminate(self) -> None:
        """End all processes now."""
        for process in self._started:
            with contextlib.suppress(ValueError, OSError):  # closed, or not started
                if process.pid is not None:
                    process.terminate()


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start a process with Ctrl-C blocked, until `prepare_worker` has it ignored."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it would unblock the signal when it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare_worker() -> None:
    """Make a new process a worker: no Ctrl-C, one BLAS thread, gone when the parent is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    one_blas_thread_for_good()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    """Wait until the parent is gone: a killed one cannot say that there is no more to do."""
    parent.join()
    os._exit(1)
