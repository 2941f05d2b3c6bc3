"""Pools of workers behind one interface: threads, processes, and executors that a user brings."""

from __future__ import annotations

import concurrent.futures as cf
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from nxscan.errors import ProcessError
from nxscan.process.blas import OneBlasThread, one_blas_thread_here
from nxscan.process.remote import Outcome, pack, work
from nxscan.process.slots import Slots
from nxscan.process.spawning import WorkerContext, prepare_worker

_log = logging.getLogger(__name__)


class Pool(ABC):
    """Workers that compute units of a run.

    Attributes
    ----------
    workers : int
        How many units are computed at once.
    remote : bool
        Whether workers are other processes: then what they need must be shipped.
    slots : Slots or None
        What holds threads to that number, where there are more of them, which write meanwhile.

    """

    workers: int
    remote: bool = True
    slots: Slots | None = None

    @abstractmethod
    def submit(self, function: Callable[..., Any], *arguments: Any) -> cf.Future[Any]:
        """Have a worker call the function; what it raises comes back as it was.

        Raises
        ------
        concurrent.futures.BrokenExecutor
            If a worker was killed; `renew` may help.

        """

    def renew(self) -> bool:
        """Replace workers that were killed; False if that was done before or cannot be done."""
        return False

    def interrupt(self) -> None:  # noqa: B027  most can end nothing
        """End what is being computed, as far as that is possible, after a Ctrl-C."""

    def close(self) -> None:  # noqa: B027  not all are to be closed
        """Let the workers go."""


class ThreadPool(Pool):
    """Threads of this process: nothing is copied, and compiled code runs side by side.

    Parameters
    ----------
    workers : int
        How many read and compute at once.
    writing : int
        How many threads there are beside: while one waits for the disk, another computes.

    """

    remote = False

    def __init__(self, workers: int, writing: int = 0) -> None:
        self.workers = workers
        self.slots = Slots(workers)
        self._blas = OneBlasThread()
        self._executor = cf.ThreadPoolExecutor(workers + writing, "nxscan", one_blas_thread_here)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> cf.Future[Any]:
        """Have a thread call the function."""
        self._blas.tighten()
        return self._executor.submit(function, *arguments)

    def close(self) -> None:
        """Wait for what runs."""
        with self._blas:
            self._executor.shutdown(cancel_futures=True)


class ProcessPool(Pool):
    """Processes of this machine, for computes that hold Python's lock."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._renewed = False
        self._begin()

    def _begin(self) -> None:
        self._context = WorkerContext()
        self._executor = cf.ProcessPoolExecutor(
            self.workers, mp_context=self._context, initializer=prepare_worker
        )

    def submit(self, function: Callable[..., Any], *arguments: Any) -> cf.Future[Any]:
        """Have a process call the function."""
        return _ProcessMirror(self._executor.submit(work, pack(function, arguments)))

    def renew(self) -> bool:
        """Start new processes, once."""
        self._executor.shutdown(cancel_futures=True)
        if self._renewed:
            return False
        _log.warning("a worker process was killed; starting new ones")
        self._renewed = True
        self._begin()
        return True

    def interrupt(self) -> None:
        """End the processes now."""
        self._context.terminate()

    def close(self) -> None:
        """End the processes when they are done."""
        self._executor.shutdown(cancel_futures=True)


class GivenPool(Pool):
    """An executor that the user brought, which is left as it was."""

    def __init__(self, executor: Any, workers: int) -> None:
        self.workers = workers
        self.remote = not isinstance(executor, cf.ThreadPoolExecutor)
        self._executor = executor
        self._blas = None if self.remote else OneBlasThread()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> cf.Future[Any]:
        """Have the executor call the function."""
        try:
            if self._blas is not None:
                self._blas.tighten()
                return Mirror(self._executor.submit(function, *arguments))
            inner = self._executor.submit(work, pack(function, arguments))
        except cf.BrokenExecutor:
            raise
        except RuntimeError as error:
            raise ProcessError(
                f"{self._executor!r} takes no work: {error}", "pass an executor that is open"
            ) from error
        if not hasattr(inner, "add_done_callback"):
            raise ProcessError(
                f"submit of {self._executor!r} returned a {type(inner).__name__}, but it must be "
                "a future like those of concurrent.futures"
            )
        in_processes = isinstance(self._executor, cf.ProcessPoolExecutor)
        return _ProcessMirror(inner) if in_processes else Mirror(inner)

    def close(self) -> None:
        """Leave the executor open."""
        if self._blas is not None:
            self._blas.close()


class Mirror(cf.Future[Any]):
    """A future that ends as another one does, with the outcome that a worker sent unpacked.

    It also ends when the executor is shut down: those of concurrent.futures are then canceled,
    but whoever waits for them is not told.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self._inner = inner
        inner.add_done_callback(self._follow)

    def cancel(self) -> bool:
        """Cancel what has not begun."""
        inner = self._inner
        return self.done() if inner is None else bool(inner.cancel())

    def _follow(self, inner: Any) -> None:
        self._inner = None  # dask keeps a result as long as there is a future of it
        if inner.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
            return
        try:
            outcome = inner.result()
        except BaseException as error:
            self.set_exception(self._translated(error))
            return
        try:
            value = outcome.get() if isinstance(outcome, Outcome) else outcome
        except BaseException as error:
            self.set_exception(error)
        else:
            self.set_result(value)

    def _translated(self, error: BaseException) -> BaseException:
        """Return an error of the pool's own as the run is to see it."""
        return error


class _ProcessMirror(Mirror):
    def cancel(self) -> bool:
        """Leave it: Python 3.11 hangs if a worker is killed after one of its calls was canceled."""
        return self.done()
