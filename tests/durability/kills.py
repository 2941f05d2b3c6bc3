"""Kills runs with SIGKILL, lets the same call go on, and compares with an undisturbed run.

``python tests/durability/kills.py --count 200`` kills as often and says what came out; the
tests kill 20 times. Deaths are before every kind of operation on the disk in turn (block
created, synced, renamed; lock taken; master copied, appended, synced, renamed ...), in a worker,
and at random instants; a run that goes on may be killed again.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

VICTIM = Path(__file__).with_name("victim.py")
PROCESSES = ("Maps", "Deviation")
MASTER = "scan.nxs"


@dataclass
class Lab:
    """A scan, and what undisturbed runs make of it.

    Attributes
    ----------
    folder : Path
        Where all is done.
    deaths : Counter
        How many died where.

    """

    folder: Path
    deaths: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        from helpers.scans import make_scan

        from nxscan.nexus import layout, write_scan

        limit, layout.INLINE_LIMIT = layout.INLINE_LIMIT, 0
        try:
            write_scan(make_scan((6, 10), (16, 16))[0], self.template / MASTER)
        finally:
            layout.INLINE_LIMIT = limit
        self.undisturbed = cache(self._undisturbed)

    @property
    def template(self) -> Path:
        return self.folder / "template"

    def _undisturbed(self, process: str) -> tuple[dict[str, bytes], list[str], float]:
        """Return the arrays, the operations, and the seconds from first to last block."""
        log = self.folder / f"log-{process}"
        case = Case(self, process, "threads")
        begun = case.begin(VICTIM_LOG=str(log))
        assert begun.wait() == 0, begun.said()
        return case.arrays(), log.read_text().splitlines(), time.monotonic() - begun.at

    def kill(self, number: int) -> None:
        """Kill a run in one of the ways, let it go on, and check what it ends in."""
        chance = random.Random(number)
        process = PROCESSES[number // 2 % 2]
        case = Case(self, process, "processes" if number % 6 == 3 else "threads")
        arrays, log, duration = self.undisturbed(process)
        if number % 5 == 4:
            where = case.die_at_an_instant(chance.uniform(0, duration))
        elif case.executor == "processes":
            where = case.die_in_a_worker(chance.randrange(1, 20))
        else:
            points = list(kinds(log).values())
            where = case.die_before(chance.choice(points[5 * number % len(points)]), log)
        self.deaths[where] += 1
        case.check_wounded()
        if chance.random() < 0.3:
            case.die_at_an_instant(chance.uniform(0, duration))
            self.deaths["again at an instant"] += 1
            case.check_wounded()
        case.go_on(arrays)
        shutil.rmtree(case.root)


def kinds(log: list[str]) -> dict[tuple[str, str], list[int]]:
    """Return where each kind of operation stands in a log."""
    found: dict[tuple[str, str], list[int]] = {}
    for number, line in enumerate(log):
        found.setdefault(kind(line), []).append(number)
    return found


def kind(line: str) -> tuple[str, str]:
    """Return operation and kind of file of a line in a log."""
    _, operation, *names = line.split()
    unique = r"\.\w+-\d+-\w+(\.journal)?\.tmp$|[0-9a-f]{12}|p\d+_b\d+"
    return operation, re.sub(unique, "", names[-1])


@dataclass
class Begun:
    """A run that has begun."""

    child: subprocess.Popen[str]
    errors: Path
    at: float

    def kill(self) -> None:
        """Kill the parent, and wait until its workers have noticed."""
        self.child.kill()
        self.child.wait(180)

    def wait(self) -> int:
        """Wait until it has ended; return its status."""
        try:
            return self.child.wait(300)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def said(self) -> str:
        return self.errors.read_text()


class Case:
    """One scan of its own on which a run dies."""

    def __init__(self, lab: Lab, process: str, executor: str) -> None:
        self.lab, self.process, self.executor = lab, process, executor
        self.root = Path(tempfile.mkdtemp(dir=lab.folder))
        self.scan = self.root / "scan"
        # with the times, which are part of what a run depends on
        shutil.copytree(lab.template, self.scan)
        self.frames = self._frames()

    def begin(self, **environment: str) -> Begun:
        """Start the run, and wait until it has begun."""
        arguments = [self.scan / MASTER, self.root / "out.npz", self.process, self.executor]
        errors = self.root / f"errors-{time.monotonic_ns()}"
        with errors.open("w") as file:
            child = subprocess.Popen(
                [sys.executable, str(VICTIM), *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env={**os.environ, "VICTIM_MARK": str(self.root / "mark"), **environment},
            )
        assert child.stdout is not None
        begun = Begun(child, errors, time.monotonic())
        with child.stdout:
            if child.stdout.readline() != "begun\n":
                raise AssertionError(f"it ended with {begun.wait()}: {begun.said()}")
        begun.at = time.monotonic()
        return begun

    def die_at_an_instant(self, seconds: float) -> str:
        """Start the run, kill it after some time."""
        begun = self.begin()
        time.sleep(seconds)
        begun.kill()
        return "at an instant"

    def die_in_a_worker(self, operation: int) -> str:
        """Have the first worker that gets as far die; the run goes on with others."""
        begun = self.begin(VICTIM=f"worker:{operation}")
        assert begun.wait() == 0, begun.said()
        died = (self.root / "mark").exists()
        return "in a worker" if died else "in no worker: none got as far"

    def die_before(self, operation: int, log: list[str]) -> str:
        """Have the run die before one of its operations; other threads may change their order."""
        begun = self.begin(VICTIM=f"parent:{operation + 1}")
        assert begun.wait() == -signal.SIGKILL, begun.said()
        return f"before {' of '.join(kind(log[operation]))}"

    def check_wounded(self) -> None:
        """See that what a killed run leaves is whole."""
        assert self._frames() == self.frames, "the frames have changed"
        from nxscan.validate import validate

        report = validate(self.scan / MASTER, data=True, external=False)
        assert report.ok, report.text()

    def go_on(self, arrays: dict[str, bytes]) -> None:
        """Run it undisturbed, and see that it ends like one that never was disturbed."""
        begun = self.begin()
        assert begun.wait() == 0, begun.said()
        assert self.arrays() == arrays, "the result has changed"
        self.check_wounded()
        left = sorted(path.name for path in self.scan.iterdir())
        assert left == [MASTER, "scan_frames.h5"], left
        from nxscan.nexus.results import results

        assert len(results(self.scan / MASTER)) == 1

    def arrays(self) -> dict[str, bytes]:
        with np.load(self.root / "out.npz") as found:
            return {name: found[name].tobytes() for name in found}

    def _frames(self) -> Any:
        path = self.scan / "scan_frames.h5"
        return path.read_bytes(), path.stat().st_mtime_ns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    options = parser.parse_args()
    sys.path.insert(0, str(VICTIM.parents[1]))
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder))
        for number in range(options.first, options.first + options.count):
            try:
                lab.kill(number)
            except BaseException:
                print(f"kill {number}:", flush=True)
                raise
    print(f"{options.count} runs were killed and ended like undisturbed ones:")
    for where, count in sorted(lab.deaths.items()):
        print(f"  {count:4d}  {where}")


if __name__ == "__main__":
    main()
