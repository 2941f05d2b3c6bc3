"""Processes that run inputs one after another, and may hang or crash over one of them."""

from __future__ import annotations

import faulthandler
import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fuzz.drive import Outcome, drive

Recipe = tuple[str, int, bool]
Drive = Callable[..., Outcome]
_MOST_MEMORY = 6 << 30


def run_all(
    seeds: Path,
    recipes: Iterable[Recipe],
    processes: int = 1,
    limit: float = 60.0,
    work: Drive = drive,
) -> Iterator[Outcome]:
    """Run every input, and yield what came of it as it comes.

    Parameters
    ----------
    seeds : Path
        What `fuzz.seeds.make_seeds` wrote.
    recipes : iterable of (kind, number, full)
        See `fuzz.drive.drive`.
    processes : int
        How many at a time.
    limit : float
        Seconds after which an input counts as a hang.
    work : callable
        What a process runs.

    """
    todo, lock = iter(recipes), threading.Lock()
    done: queue.Queue[Outcome | BaseException | None] = queue.Queue()

    def take() -> Recipe | None:
        with lock:
            return next(todo, None)

    def serve() -> None:
        worker = _Worker(seeds, limit, work)
        try:
            while (recipe := take()) is not None:
                done.put(worker.run(*recipe))
        except BaseException as error:
            done.put(error)
        finally:
            worker.end()
            done.put(None)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for _ in threads:
        while (outcome := done.get()) is not None:
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    for thread in threads:
        thread.join()


class _Worker:
    """A process; a new one takes its place when it has ended."""

    def __init__(self, seeds: Path, limit: float, work: Drive) -> None:
        self._seeds, self._limit, self._work = seeds, limit, work
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        what = (other, self._seeds, self._work)
        self._process = context.Process(target=_serve, args=what, daemon=True)
        self._process.start()
        other.close()
        self._pipe.recv()

    def run(self, kind: str, number: int, full: bool) -> Outcome:
        self._pipe.send((kind, number, full))
        try:
            if self._pipe.poll(self._limit):
                outcome: Outcome = self._pipe.recv()
                return outcome
            found = Outcome(kind, number, "hang", detail=f"no answer in {self._limit} s")
        except (EOFError, ConnectionError):
            self._process.join(10)
            detail = f"the process ended with {self._process.exitcode}"
            found = Outcome(kind, number, "crash", detail=detail)
        self.end()
        self._start()
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection, seeds: Path, work: Drive) -> None:
    _limit_memory()
    faulthandler.enable()  # a crash says where
    pipe.send("ready")
    while True:
        try:
            kind, number, full = pipe.recv()
        except EOFError:
            return
        pipe.send(work(seeds, kind, number, full=full))


def _limit_memory() -> None:
    """Have an absurd allocation fail instead of filling the machine."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def summary(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """Count the verdicts of each kind of input."""
    table: dict[str, dict[str, int]] = {}
    for outcome in outcomes:
        row: dict[str, Any] = table.setdefault(outcome.kind, {})
        row[outcome.verdict] = row.get(outcome.verdict, 0) + 1
    return dict(sorted(table.items()))
