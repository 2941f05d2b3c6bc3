"""Damage files for as long as you like, and list every input that nxscan does not survive.

usage: python tests/fuzz/run.py [--minutes 10] [--seed N] [--processes 1] [--kinds edf-gz ...]
       python tests/fuzz/run.py --replay edf-gz:123

Failures go to fuzz-failures.jsonl, one JSON object a line; --replay runs one of them again, in
this process, and keeps the input.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.drive import Outcome, drive
from fuzz.pool import Recipe, run_all, summary
from fuzz.seeds import KINDS, damage, make_seeds

FULL_EVERY = 20
VERDICTS = ("refused", "right", "unjudged", "wrong", "traceback", "hang", "crash")


def recipes(seed: int, kinds: list[str], until: float) -> Iterator[Recipe]:
    """Yield inputs of each kind in turn until the time is over; one in twenty runs everything."""
    for number in itertools.count(seed * 1_000_000):
        for index, kind in enumerate(kinds):
            if time.monotonic() > until:
                return
            yield kind, number, (number + index) % FULL_EVERY == 0


def fuzz(options: argparse.Namespace, seeds: Path) -> list[Outcome]:
    """Run, and write down each failure as it comes."""
    until = time.monotonic() + 60 * options.minutes
    outcomes = []
    plan = recipes(options.seed, options.kinds, until)
    for outcome in run_all(seeds, plan, options.processes, options.limit):
        outcomes.append(outcome)
        if outcome.bad or outcome.verdict == "unjudged":
            print(f"{outcome.kind}:{outcome.number} {outcome.verdict} ({outcome.done})")
            with options.failures.open("a", encoding="utf-8") as file:
                file.write(json.dumps(outcome.to_dict()) + "\n")
    return outcomes


def print_summary(outcomes: list[Outcome], minutes: float) -> None:
    """Print how many inputs of each kind came to what."""
    print(f"{len(outcomes)} inputs in {minutes:.1f} min")
    print(f"{'kind':20}" + "".join(f"{verdict:>11}" for verdict in VERDICTS))
    for kind, row in summary(outcomes).items():
        print(f"{kind:20}" + "".join(f"{row.get(verdict, 0):>11}" for verdict in VERDICTS))


def replay(recipe: str, seeds: Path) -> int:
    """Run one input again, with everything, and keep it to look at."""
    kind, _, number = recipe.partition(":")
    target = Path(tempfile.mkdtemp(prefix=f"nxscan-{kind}-{number}-"))
    path, done = damage(seeds, kind, int(number), target)
    print(f"{path}: {done}")
    for full in (False, True):
        outcome = drive(seeds, kind, int(number), full=full)
        print(f"{'full' if full else 'quick'}: {outcome.verdict}\n{outcome.detail}")
    return int(outcome.bad)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one input")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures.jsonl"))
    parser.add_argument("--replay", metavar="KIND:NUMBER")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder) / "seeds"
        make_seeds(seeds)
        if options.replay:
            return replay(options.replay, seeds)
        outcomes = fuzz(options, seeds)
    print_summary(outcomes, (time.monotonic() - begun) / 60)
    return int(any(outcome.bad for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
