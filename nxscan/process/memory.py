"""How much memory a run may use, and how much of it can be computed at once within that."""

from __future__ import annotations

import re

import psutil

from nxscan.errors import ProcessError
from nxscan.process.cgroup import Cgroups

WORKER_BYTES = 190 * 10**6
"""What a worker process takes before it has read anything: Python, numpy, HDF5, numba."""

_UNITS = {
    unit: base**power
    for power, letter in enumerate(["", "k", "m", "g", "t"])
    for unit, base in ((letter, 1000), (f"{letter}b", 1000), (f"{letter}ib", 1024))
}


def limit(memory: int | str | None, cgroups: Cgroups | None = None) -> int:
    """Return how many bytes a run may use.

    Parameters
    ----------
    memory : int or str, optional
        Bytes, or a text with a unit: ``"2GiB"`` (1024³), ``"500MB"`` (1000²). By default, a
        quarter of what the machine or its control group has free.
    cgroups : Cgroups, optional
        Where to read the control group's limits; by default this process' own.

    Raises
    ------
    ProcessError
        If it is no amount of memory.

    Examples
    --------
    >>> limit("2GiB"), limit("500 MB"), limit(1000)
    (2147483648, 500000000, 1000)

    """
    if memory is None:
        return int(free(cgroups)) // 4
    amount = memory if isinstance(memory, int) else _parse(memory)
    if amount <= 0:
        raise _no_amount(memory)
    return amount


def free(cgroups: Cgroups | None = None) -> float:
    """Return how many bytes the machine has free, or this process' control group if less."""
    return min(psutil.virtual_memory().available, (cgroups or Cgroups()).free_memory())


def in_flight(limit: int, unit_bytes: int, workers: int, remote: bool) -> int:
    """Return how many units may be under way at once: at least 1.

    Where memory allows every worker one, each has a second one waiting, which takes no memory
    until it begins.

    Parameters
    ----------
    limit : int
        Bytes that the run may use.
    unit_bytes : int
        Bytes that one unit takes while it is computed.
    workers : int
        How many units are computed at once at most.
    remote : bool
        Whether workers are processes of their own, whose own memory counts as well.

    Raises
    ------
    ProcessError
        If not even one unit fits.

    """
    own = WORKER_BYTES if remote else 0
    fitting = limit // max(1, unit_bytes + own)
    if fitting < 1:
        needed = unit_bytes + own
        worker = f", {_text(own)} of it the worker itself" if own else ""
        raise ProcessError(
            f"one block needs {_text(needed)} of memory{worker}, but the run may use "
            f"{_text(limit)}",
            f"allow more with --memory (memory='{_whole_mib(needed)}MiB' is the least)"
            + (", or use threads" if own else ""),
        )
    return fitting if fitting < workers else 2 * workers


def _parse(text: str) -> int:
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]*)\s*", str(text))
    if found is None or found[2].lower() not in _UNITS:
        raise _no_amount(text)
    return int(float(found[1]) * _UNITS[found[2].lower()])


def _no_amount(memory: object) -> ProcessError:
    return ProcessError(
        f"memory is {memory!r}, which is no amount of memory", "write it as 2GiB or 500MB"
    )


def _whole_mib(amount: int) -> int:
    return -(-amount // 2**20)


def _text(amount: int) -> str:
    return f"{amount / 2**20:.0f} MiB" if amount >= 2**20 else f"{amount} bytes"
