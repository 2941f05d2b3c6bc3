"""The memory that a run takes at its peak, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_CODE = """
import json, sys, threading, time
import numpy as np, psutil
sys.path.insert(0, {tests!r})
from {module} import PROCESSES, CHAINS
process = PROCESSES[{process!r}]
options = json.loads({options!r})

if __name__ == "__main__":
    # compiled code and lazy imports are not counted: a small run has them all
    process.run({warm!r}, into={warm!r} + "_warm.nxs", corrections=CHAINS[{chain!r}],
                executor=options.get("executor", "threads"))
    me = psutil.Process()

    def used():
        total = me.memory_info().rss
        # who has children is asked of all processes of the machine
        for child in me.children(recursive=True) if options.get("executor") == "processes" else ():
            try:
                total += child.memory_info().rss
            except psutil.Error:
                pass
        return total

    def highest():
        try:
            import resource
        except ImportError:
            return 0
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
            1 if sys.platform == "darwin" else 1024)

    import gc
    gc.collect()
    base, before, peak, going = used(), highest(), [0], [True]

    def watch():
        while going[0]:
            peak[0] = max(peak[0], used())
            time.sleep(0.004)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    begun = time.perf_counter()
    notes = set()
    process.run({path!r}, into={into!r}, corrections=CHAINS[{chain!r}],
                progress=lambda told: notes.add(told.note), **options)
    seconds = time.perf_counter() - begun
    going[0] = False
    watcher.join()
    if highest() > before:
        peak[0] = max(peak[0], highest())
    print(json.dumps(dict(base=base, peak=peak[0] - base, seconds=seconds, notes=sorted(notes))))
"""


def peak_of(
    process: str, path: Path, warm: Path, into: Path, module: str, chain: str = "", **options: Any
) -> dict[str, Any]:
    """Run a process of ``module.PROCESSES`` in an interpreter of its own.

    Returns
    -------
    dict
        ``peak``: bytes beyond those after a small run, its workers' in other processes
        included; ``base``: those; ``seconds``; ``notes``: what the user was told.

    """
    code = _CODE.format(
        tests=str(Path(__file__).parents[1]),
        module=module,
        process=process,
        chain=chain,
        options=json.dumps(options),
        warm=str(warm),
        path=str(path),
        into=str(into),
    )
    script = into.with_suffix(".py")
    script.write_text(code)
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found
