"""Workers of dask.distributed: processes of this machine, or of a cluster."""

from __future__ import annotations

import asyncio
import concurrent.futures as cf
import logging
import weakref
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from nxscan.errors import MissingExtraError, ProcessError
from nxscan.process.cpus import usable_cpus
from nxscan.process.pool import Mirror, Pool
from nxscan.process.remote import pack, work
from nxscan.process.spawning import refuse_second_import, refuse_workers_of_workers, script_left_out

_log = logging.getLogger(__name__)

_CONNECT_SECONDS = 15


class DaskPool(Pool):
    """Workers of a dask client.

    A worker that is killed is replaced by dask, which gives its blocks to others; if one block
    kills several workers, dask gives up and so does the run.
    """

    def __init__(self, client: Any, workers: int | None) -> None:
        if getattr(client, "asynchronous", False):
            raise ProcessError(
                f"{client!r} is asynchronous, but a run waits for its blocks",
                "pass a client that was made without asynchronous=True",
            )
        self._client = client
        self._owned = ExitStack()
        self._live: weakref.WeakSet[Any] = weakref.WeakSet()
        self.workers = workers or self._present()

    def _present(self) -> int:
        """Return how many threads the workers have, once there is a worker."""
        if not self._client.nthreads():
            _log.info("waiting for the first worker of %r", self._client)
            self._client.wait_for_workers(1)
        threads: int = sum(self._client.nthreads().values())
        return max(1, threads)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> cf.Future[Any]:
        """Have a worker of the cluster call the function."""
        inner = self._client.submit(work, pack(function, arguments), pure=False)
        self._live.add(inner)
        return _DaskMirror(inner)

    def interrupt(self) -> None:
        """Forget what is being computed."""
        self._client.cancel(list(self._live), force=True)

    def close(self) -> None:
        """Leave the cluster; end it if it was started here."""
        self._owned.close()

    def own(self, stack: ExitStack) -> None:
        """Close ``stack`` when the pool is closed."""
        self._owned = stack


class _DaskMirror(Mirror):
    def cancel(self) -> bool:
        """Leave it: dask would also forget what is being computed."""
        return self.done()

    def _translated(self, error: BaseException) -> BaseException:
        if isinstance(error, ModuleNotFoundError):
            return ProcessError(
                f"a dask worker cannot import {error.name}",
                "start the workers in an environment where nxscan is installed",
            )
        if type(error).__name__ == "KilledWorker":
            return cf.BrokenExecutor(str(error))
        if isinstance(error, asyncio.CancelledError | cf.CancelledError):
            return ProcessError("the connection to the dask cluster was lost, or it was shut down")
        return error


def is_client(executor: Any) -> bool:
    """Say whether something is a dask.distributed client, without importing distributed."""
    return any(
        kind.__name__ == "Client" and kind.__module__.partition(".")[0] == "distributed"
        for kind in type(executor).__mro__
    )


def open_dask(address: str, workers: int | None) -> DaskPool:
    """Connect to a cluster, or to the one in use, or start one on this machine.

    Parameters
    ----------
    address : str
        A scheduler's (``tcp://host:8786``); empty for the client that is in use already or,
        if there is none, for a cluster of this machine's own, which is ended with the pool.
    workers : int, optional
        How many blocks to compute at once.

    Raises
    ------
    MissingExtraError
        If dask.distributed is not installed.
    ProcessError
        If there is no scheduler at the address.

    """
    try:
        import distributed
    except ImportError:
        raise MissingExtraError("the executor 'dask'", "dask") from None
    if address:
        return _connected(distributed, address, workers)
    with suppress(ValueError):  # there is none
        return DaskPool(distributed.default_client(), workers)
    return _own_cluster(distributed, workers)


def _connected(distributed: Any, address: str, workers: int | None) -> DaskPool:
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise ProcessError(
            f"no dask scheduler answers at {address!r}: {error}",
            "give the address that the scheduler printed, such as dask:tcp://host:8786",
        ) from error
    with ExitStack() as stack:
        stack.enter_context(client)
        pool = DaskPool(client, workers)
        pool.own(stack.pop_all())
    return pool


def _own_cluster(distributed: Any, workers: int | None) -> DaskPool:
    refuse_second_import()
    refuse_workers_of_workers()
    with ExitStack() as stack:
        stack.enter_context(script_left_out())
        cluster = distributed.LocalCluster(
            n_workers=workers or usable_cpus(),
            threads_per_worker=1,
            processes=True,
            memory_limit=None,  # the run keeps to its own
            dashboard_address="127.0.0.1:0",  # without one, it asks for port 8787 all the same
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.ERROR,  # at its end it warns of each block that it drops
        )
        stack.enter_context(cluster)
        client = stack.enter_context(distributed.Client(cluster, set_as_default=False))
        pool = DaskPool(client, workers)
        pool.own(stack.pop_all())
    return pool
