"""Which workers a run has: threads, processes, dask's, or an executor that the user brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nxscan.errors import ProcessError
from nxscan.process.cpus import usable_cpus
from nxscan.process.daskpool import DaskPool, is_client, open_dask
from nxscan.process.pool import GivenPool, Pool, ProcessPool, ThreadPool
from nxscan.process.spawning import refuse_second_import, refuse_workers_of_workers

__all__ = ["Pool", "open_pool"]

_KNOWN = (
    "threads, processes, dask, dask:tcp://HOST:PORT; in Python also a dask client or any executor "
    "with the interface of concurrent.futures"
)

_MOST_PROCESSES = 61
"""Windows cannot wait for more."""


@contextmanager
def open_pool(executor: Any, workers: int | None = None, writing: int = 0) -> Iterator[Pool]:
    """Open a pool of workers, and let them go afterwards.

    Parameters
    ----------
    executor : str or concurrent.futures.Executor
        ``"threads"``, ``"processes"``, ``"dask"`` (the client in use, or a cluster of this
        machine's own), ``"dask:tcp://host:8786"``, a dask client, or any object with the
        interface of `concurrent.futures.Executor` (mpi4py's too). What the user brings is not
        closed.
    workers : int, optional
        How many units at once; by default one for each CPU that this process may use, or as
        many as the executor has.
    writing : int
        How many threads may write results while others compute, of ``"threads"``.

    Yields
    ------
    Pool
        The workers, with BLAS held to one thread.

    Raises
    ------
    ProcessError
        If there is no such executor, or it cannot be used here.
    MissingExtraError
        If dask.distributed is needed and not installed.

    """
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise ProcessError(f"workers is {workers!r}, but it must be 1 or more")
    pool = _make(executor, workers, writing)
    try:
        yield pool
    except KeyboardInterrupt:
        pool.interrupt()
        raise
    finally:
        pool.close()


def _make(executor: Any, workers: int | None, writing: int) -> Pool:
    if isinstance(executor, str):
        return _named(executor, workers, writing)
    if is_client(executor):
        return DaskPool(executor, workers)
    if not callable(getattr(executor, "submit", None)) or isinstance(executor, type):
        raise ProcessError(f"{executor!r} is no executor", f"there are: {_KNOWN}")
    refuse_second_import()
    return GivenPool(executor, workers or _size(executor))


def _named(name: str, workers: int | None, writing: int) -> Pool:
    kind, _, address = name.partition(":")
    if name == "threads":
        return ThreadPool(workers or usable_cpus(), writing)
    if name == "processes":
        refuse_second_import()
        refuse_workers_of_workers()
        return ProcessPool(min(workers or usable_cpus(), _MOST_PROCESSES))
    if kind == "dask" and bool(address) == (":" in name):
        return open_dask(address, workers)
    raise ProcessError(f"there is no executor {name!r}", f"there are: {_KNOWN}")


def _size(executor: Any) -> int:
    """Return how many workers an executor has, as far as it says so."""
    for name in ("_max_workers", "num_workers", "max_workers"):
        found = getattr(executor, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return usable_cpus()
