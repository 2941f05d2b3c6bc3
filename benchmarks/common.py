"""What every benchmark needs: run a command, take its time and memory, print a table."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("nxscan", "silx", "fabio", "h5py", "hdf5plugin", "numpy")


@dataclass(frozen=True)
class Run:
    """Wall time and peak memory of one process."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, the ratio that is wanted, the one found."""

    what: str
    found: str
    wanted: str
    good: bool


def run(command: Sequence[str]) -> Run:
    """Run a command to its end; raise if it fails."""
    begun = time.perf_counter()
    here = Path(__file__).parent
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=here)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)[:200]} ended with {process.returncode}")
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return Run(seconds, usage.ru_maxrss / unit)


def python(code: str, *arguments: str) -> list[str]:
    """Return the command that runs a piece of Python."""
    return [sys.executable, "-c", code, *arguments]


def alternate(times: int, *jobs: Callable[[], Run]) -> list[list[Run]]:
    """Run jobs in turn, so that a machine that drifts is the same for all."""
    found: list[list[Run]] = [[] for _ in jobs]
    for _ in range(times):
        for job, runs in zip(jobs, found, strict=True):
            runs.append(job())
    return found


def median(runs: Sequence[Run]) -> float:
    """Return the median of the wall times in seconds."""
    return statistics.median(one.seconds for one in runs)


def spread(runs: Sequence[Run]) -> str:
    """Return median and extremes of the wall times."""
    seconds = [one.seconds for one in runs]
    return f"{median(runs):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def print_table(rows: Sequence[Row]) -> None:
    """Print the machine, the versions and the rows."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{date.today()}, {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB")
    print(
        f"Python {platform.python_version()}, " + ", ".join(f"{p} {version(p)}" for p in PACKAGES)
    )
    for row in rows:
        mark = "ok  " if row.good else "MISS"
        print(f"{mark}  {row.what:58s} {row.found:>26s}   wanted {row.wanted}")


def read_once(folder: Path) -> None:
    """Bring files into the cache."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            while file.read(2**24):
                pass
