"""Run a process of nxscan a few times, and print where the time went as JSON.

The times come from what the run itself tells its progress bar: the block loop is what lies
between the first report and the one that the last block is done; what comes before is the plan
(and the file that results go to, if it must be made), what comes after the commit and validation.

usage: python ours.py MODULE:CLASS SOURCE INTO [--times 3] [--workers N] [-p JSON] [--save NPZ]
                      [--warm SOURCE] [--in-place] [--stop-at SHARE] [--resume]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nxscan import Process, Result
    from nxscan.process import RunProgress


class Watch:
    """Notes the instants of a run.

    Parameters
    ----------
    stop_at : float or None
        Share of the blocks after which this process ends at once, as if it were killed.

    """

    def __init__(self, stop_at: float | None = None) -> None:
        self._begun = time.perf_counter()
        self._told: list[tuple[float, RunProgress]] = []
        self._stop_at = stop_at

    def __call__(self, progress: RunProgress) -> None:
        self._told.append((time.perf_counter(), progress))
        share = progress.blocks_done / progress.blocks_total
        if self._stop_at is not None and share >= self._stop_at:
            print(json.dumps({"stopped": share}), flush=True)
            os._exit(0)

    def read(self) -> dict[str, float]:
        """Return the seconds of each part."""
        ended = time.perf_counter()
        computing = [item for item in self._told if item[1].stage == "compute"]
        (first, begun), (last, done) = computing[0], computing[-1]
        return {
            "plan": first - self._begun,
            "loop": last - first,
            "commit": ended - last,
            "total": ended - self._begun,
            "bytes": done.bytes_total,
            "blocks": done.blocks_total,
            "before": begun.blocks_done,
        }


def run(process: Process, given: argparse.Namespace) -> tuple[dict[str, float], Result]:
    """Run once, to a new file, or to a new copy of the master."""
    if not given.resume:
        given.into.unlink(missing_ok=True)
    source, into = given.source, given.into
    if given.in_place:
        source, into = shutil.copyfile(source, into), None
    watch = Watch(given.stop_at)
    result = process.run(source, into=into, workers=given.workers, progress=watch)
    return watch.read(), result


def make(spec: str, parameters: dict[str, Any]) -> Process:
    """Return a process by its module and class."""
    module, _, name = spec.partition(":")
    made: Process = getattr(importlib.import_module(module), name)(**parameters)
    return made


def arguments() -> argparse.Namespace:
    """Return what was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("process")
    parser.add_argument("source", type=Path)
    parser.add_argument("into", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--parameters", "-p", type=json.loads, default={})
    parser.add_argument("--save", type=Path, help="where the outputs go")
    parser.add_argument("--warm", type=Path, help="of what the run before is, that compiles")
    parser.add_argument("--cold", action="store_true", help="no run before, to compile")
    parser.add_argument("--in-place", action="store_true", help="INTO is a copy of SOURCE")
    parser.add_argument("--stop-at", type=float, help="end after this share of the blocks")
    parser.add_argument("--resume", action="store_true", help="go on with what is there")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    given = arguments()
    timed = []
    process = make(given.process, given.parameters)
    if not given.cold:
        warm = given.into.with_name("warm.nxs")
        process.run(given.warm or given.source, into=warm)
        warm.unlink()
    for _ in range(given.times):
        parts, result = run(process, given)
        timed.append(parts)
    if given.save is not None:
        np.savez(given.save, **{name: result[name] for name in result})
    print(json.dumps({key: [one[key] for one in timed] for key in timed[0]}))


if __name__ == "__main__":
    main()
