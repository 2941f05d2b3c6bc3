"""Components against darfix (scikit-learn's PCA and NMF, its own NICA), the stack in memory.

Both run in turn, each in a process of its own; ratios are of CPU seconds, which other work on the
machine changes less than wall time, and of the wall time beside them. darfix's NICA gives no
reconstruction: it takes absolute values.

usage: python benchmarks/components.py [--only pca nmf nica nica_nmf] [--peers DIR] [--times 3]
           [--rounds 2] [--folder DIR] [--data DIR]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import Row, print_table
from contenders import AbsentError, Peers, ours
from fits_data import made

METHODS = ("pca", "nmf", "nica", "nica_nmf")
COUNT = 5
WANTED = 1.0


def measure(
    folder: Path, peers: Peers, times: int = 3, rounds: int = 2, only: Sequence[str] = METHODS
) -> list[Row]:
    """Run everything, or some, and return the rows of the table."""
    stack = made("one", folder) / "stack.npy"
    rows = []
    for method in only:
        found, theirs = [], []
        try:
            for _ in range(rounds):
                found.append(ours("components_memory.py", method, stack, times, COUNT))
                given = (method, stack, times, COUNT)
                theirs.append(peers.ask("darfix", "darfix_components.py", *given))
        except AbsentError as error:
            print(f"left out: {error}")
        _say("nxscan", method, found)
        if theirs:
            _say(f"darfix {theirs[0]['version']}", method, theirs)
            for kind in ("cpu", "seconds"):
                ratio = _median(theirs, kind) / _median(found, kind)
                what = f"{method}, {COUNT} components, in memory, {kind} / darfix"
                rows.append(Row(what, f"{ratio:.2f} ×", f"≥ {WANTED:g} ×", ratio >= WANTED))
    return rows


def _median(answers: Sequence[Any], kind: str) -> float:
    return statistics.median([second for one in answers for second in one[kind]])


def _say(who: str, method: str, answers: Sequence[Any]) -> None:
    cpu, seconds = _median(answers, "cpu"), _median(answers, "seconds")
    error = answers[0]["error"]
    print(f"{method}: {who}: CPU {cpu:.2f} s, wall {seconds:.2f} s, relative error {error:.4f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--peers", type=Path, help="folder of virtual environments")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2, help="how often both run in turn")
    parser.add_argument("--folder", type=Path, help="where some 100 MB are free")
    parser.add_argument("--data", type=Path, help="where data are kept for the next time")
    given = parser.parse_args()
    peers = Peers.given(given.peers)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        rows = measure(given.data or Path(folder), peers, given.times, given.rounds, given.only)
    print_table(rows)


if __name__ == "__main__":
    main()
