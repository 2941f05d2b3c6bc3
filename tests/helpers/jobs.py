"""A job for pools of workers, as a run ships one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nxscan.process.executors import Pool
from nxscan.process.loop import run_units
from nxscan.process.shipping import run_shipped, ship


class Calls:
    """Calls a function for each unit."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def run_unit(self, unit: Any) -> Any:
        return self.function(unit)


def compute(
    pool: Pool,
    function: Callable[[Any], Any],
    units: Sequence[Any],
    folder: Path,
    in_flight: int = 4,
) -> dict[Any, Any]:
    """Call the function for all units in the pool's workers; return what it gave for each."""
    job = Calls(function)
    ticket = ship(job, folder) if pool.remote else None
    results: dict[Any, Any] = {}

    def start(pool: Pool, unit: Any) -> Any:
        return pool.submit(run_shipped, ticket, unit) if ticket else pool.submit(job.run_unit, unit)

    run_units(pool, units, start, in_flight, results.__setitem__)
    return results
