"""A run that can be told where to die: ``python victim.py MASTER OUT.npz PROCESS EXECUTOR``.

``VICTIM=parent:N`` ends the run before its N-th operation on the disk, ``VICTIM=worker:N`` the
first worker process that gets as far, ``VICTIM=blocks:N`` a run of one thread when N blocks
have been finished; ``VICTIM=pause:N`` has it do nothing more then. ``VICTIM_LOG=FILE`` notes all
operations, ``VICTIM_INTO=FILE`` is where the result goes. It is run as a script, so that its
processes are those of ``__main__``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from nxscan import Output, Process
from nxscan.nexus import durable

BULK = ("write", "truncate")

ALONE = os.environ.get("VICTIM", "").startswith("blocks:")


def arm(role: str) -> None:
    """Count the operations of this process, and end it before one of them, if it is to die."""
    wanted, _, number = os.environ.get("VICTIM", "").partition(":")
    log = os.environ.get("VICTIM_LOG")
    # not in a global: what compute refers to is part of what a run depends on
    if os.environ.get("VICTIM_ARMED") == str(os.getpid()):
        return
    os.environ["VICTIM_ARMED"] = str(os.getpid())
    counted, bulk, blocks = [0], [0], [0]
    lock = threading.Lock()

    def observe(operation: str, *arguments: Any) -> None:
        with lock:
            if wanted == "blocks" and blocks[0] == int(number) and operation != "sync_folder":
                os.kill(os.getpid(), signal.SIGKILL)
            if wanted == "pause" and blocks[0] >= int(number):
                time.sleep(300)
            blocks[0] += operation == "rename" and names(arguments).endswith(".block")
            bulk[0] += operation in BULK
            if operation in BULK and bulk[0] % 7:
                return
            counted[0] += 1
            if log is not None:
                with Path(log).open("a") as file:
                    file.write(f"{role} {operation} {names(arguments)}\n")
            if wanted == role and counted[0] == int(number) and dies_now():
                os.kill(os.getpid(), signal.SIGKILL)

    durable.observer = observe


def names(arguments: tuple[Any, ...]) -> str:
    return " ".join(argument.name for argument in arguments if isinstance(argument, Path))


def dies_now() -> bool:
    """Tell whether nobody has died yet: a worker is replaced, and must not die again."""
    try:
        os.close(os.open(os.environ["VICTIM_MARK"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


class Maps(Process):
    """Two maps over the scan, of each frame by itself."""

    per = "position"

    def outputs(self, scan: Any) -> list[Output]:
        return [Output("mean", units="counts", default=True), Output("ratio", units="")]

    def compute(self, block: Any) -> dict[str, Any]:
        begin()
        frames = block.data.astype(float)
        axes = (-2, -1)
        mean = frames.mean(axis=axes)
        return {"mean": mean, "ratio": frames.std(axis=axes) / mean}


class Deviation(Process):
    """One number for the scan in two passes, whose rounding depends on the order of sums."""

    per = "scan"
    passes = 2

    def outputs(self, scan: Any) -> list[Output]:
        return [Output("deviation", units="counts", default=True)]

    def compute(self, block: Any) -> dict[str, Any]:
        begin()
        data = block.data.astype(float) * 0.1
        count = np.array(data.size)
        if block.pass_index == 0:
            return {"sum": data.sum(), "count": count}
        return {"squares": ((data - block.previous["mean"]) ** 2).sum(), "count": count}

    def merge(self, first: Any, second: Any) -> dict[str, Any]:
        return {name: first[name] + second[name] for name in first}

    def finish(self, state: Any) -> dict[str, Any]:
        if "sum" in state:
            return {"mean": state["sum"] / state["count"]}
        return {"deviation": np.sqrt(state["squares"] / state["count"])}


def begin() -> None:
    """Take some time, so that there is time to be killed in."""
    if os.environ["VICTIM_PARENT"] != str(os.getpid()):
        arm("worker")
    time.sleep(0.01)


def main(master: str, out: str, process: str, executor: str) -> None:
    from nxscan.process import partition

    partition.BLOCK_BYTES = 4 * 16 * 16 * 2
    os.environ["VICTIM_PARENT"] = str(os.getpid())
    arm("parent")
    print("begun", flush=True)
    result = {"Maps": Maps, "Deviation": Deviation}[process]().run(
        master, executor=executor, workers=1 if ALONE else 2, into=os.environ.get("VICTIM_INTO")
    )
    durable.observer = None
    np.savez(out, **{name: result[name] for name in result.names})


if __name__ == "__main__":
    main(*sys.argv[1:])
