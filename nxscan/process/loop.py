"""The loop over the units of a run: a few at once, and none lost with a worker."""

from __future__ import annotations

import concurrent.futures as cf
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from nxscan.errors import ProcessError
from nxscan.process.pool import Pool

_log = logging.getLogger(__name__)

_TICK = 0.2 if os.name == "nt" else None
"""Seconds; on Windows, a wait without an end does not hear Ctrl-C."""

U = TypeVar("U")
R = TypeVar("R")


def run_units(
    pool: Pool,
    units: Sequence[U],
    start: Callable[[Pool, U], cf.Future[R]],
    in_flight: int,
    done: Callable[[U, R], None],
) -> None:
    """Have workers compute all units, never more than some at once, in any order.

    If a worker is killed, the pool is renewed once and the lost units are computed again,
    fewer at once. If a unit raises, or at Ctrl-C, the pool gets no further units; those that run
    are waited for and reported, then it is raised. At Ctrl-C, processes are ended instead.

    Parameters
    ----------
    pool : Pool
        The workers.
    units : sequence
        What there is to do.
    start : callable
        Gives a unit to the pool, and returns its future.
    in_flight : int
        How many units may be with the pool at once.
    done : callable
        Is told each finished unit and its result, in the thread that called this.

    Raises
    ------
    ProcessError
        If workers were killed again after the pool was renewed.

    """
    _Loop(pool, units, start, max(1, in_flight), done).run()


class _Loop(Generic[U, R]):
    def __init__(
        self,
        pool: Pool,
        units: Sequence[U],
        start: Callable[[Pool, U], cf.Future[R]],
        in_flight: int,
        done: Callable[[U, R], None],
    ) -> None:
        self._pool, self._start, self._done = pool, start, done
        self._waiting = deque(units)
        self._running: dict[cf.Future[R], U] = {}
        self._in_flight = in_flight
        self._telling = False

    def run(self) -> None:
        try:
            while self._waiting or self._running:
                self._step()
        except KeyboardInterrupt:
            self._pool.interrupt()
            self._drain()
            raise
        except BaseException:
            self._drain()
            raise

    def _step(self) -> None:
        try:
            self._fill()
            broken = self._collect(_wait(self._running, cf.FIRST_COMPLETED))
        except cf.BrokenExecutor:
            broken = True
        if broken:
            self._replace()

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self._in_flight:
            future = self._start(self._pool, self._waiting[0])
            self._running[future] = self._waiting.popleft()

    def _collect(self, futures: set[cf.Future[R]]) -> bool:
        """Report finished units; say whether a worker was lost, whose units then wait again."""
        broken = False
        for future in futures:
            unit = self._running.pop(future)
            try:
                result = future.result()
            except cf.BrokenExecutor:
                broken = True
                self._waiting.appendleft(unit)
            except cf.CancelledError:
                raise ProcessError(
                    "the executor was shut down, or lost its workers, while blocks were computed",
                    "finished blocks are kept: run it again with an executor that is open",
                ) from None
            else:
                self._tell(unit, result)
        return broken

    def _tell(self, unit: U, result: R) -> None:
        self._telling = True
        self._done(unit, result)
        self._telling = False

    def _replace(self) -> None:
        """Replace the workers; those units that were with them have ended or are lost."""
        self._collect(_wait(self._running, cf.ALL_COMPLETED))
        if not self._pool.renew():
            raise ProcessError(
                "a worker was killed, and another one after that (out of memory?)",
                "finished blocks are kept: run it again with less memory or fewer workers",
            )
        # most often the system killed it for want of memory
        self._in_flight = max(1, self._in_flight // 2)

    def _drain(self) -> None:
        """Begin nothing more, and report what is finished still."""
        for future in self._running:
            future.cancel()
        _wait(self._running, cf.ALL_COMPLETED)
        for future, unit in self._running.items():
            if future.cancelled():
                continue
            if (error := future.exception()) is not None:
                _log.debug("unit %r failed as well: %r", unit, error)
            elif not self._telling:  # what could not be told once is not told again
                self._tell(unit, future.result())


def _wait(futures: dict[cf.Future[R], U], until: str) -> set[cf.Future[R]]:
    """Wait for futures; return those that have ended."""
    ended: set[cf.Future[R]] = set()
    while futures:
        ended, left = cf.wait(futures, timeout=_TICK, return_when=until)
        if not left or (ended and until == cf.FIRST_COMPLETED):
            break
    return ended
