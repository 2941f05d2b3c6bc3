"""What the process benchmarks share: rates of the block loop, rows and lines about them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import Row
from contenders import ours

MOST_BESIDE = 1.0
"""Seconds that plan, commit and validation may take together."""


@dataclass(frozen=True)
class Ours:
    """Runs of a process of nxscan.

    Attributes
    ----------
    parts : dict of str to list of float
        Seconds of each run, by what they were spent on; see ``ours.py``.

    """

    parts: Mapping[str, Sequence[float]]

    @property
    def loop(self) -> float:
        """Median of the block loops in seconds."""
        return statistics.median(self.parts["loop"])

    @property
    def beside(self) -> float:
        """Median of what plan, commit and validation took in seconds."""
        pairs = zip(self.parts["plan"], self.parts["commit"], strict=True)
        return statistics.median(plan + commit for plan, commit in pairs)

    @property
    def rate(self) -> float:
        """GB/s of the block loop."""
        return self.parts["bytes"][0] / self.loop / 1e9

    def and_later(self, other: Ours) -> Ours:
        """Return these runs with others, that came after those of the peers."""
        return Ours({key: [*self.parts[key], *other.parts[key]] for key in self.parts})

    def line(self) -> str:
        """Return what is said of them."""
        low, high = min(self.parts["loop"]), max(self.parts["loop"])
        return (
            f"loop {self.loop:.3f} s ({low:.3f} to {high:.3f}), {self.rate:.2f} GB/s; "
            f"plan, commit and validation {self.beside:.2f} s"
        )


def run_ours(process: str, source: Path, into: Path, *options: object) -> Ours:
    """Run a process of nxscan; options are those of ``ours.py``."""
    return Ours(ours("ours.py", process, source, into, *options))


def beside(what: str, runs: Ours) -> Row:
    """Return the row for what a run takes beside its loop."""
    found = runs.beside
    return Row(f"{what}: plan + commit", f"{found:.2f} s", "≤ 1 s", found <= MOST_BESIDE)


def ratio(what: str, theirs: float, ours: float, wanted: float) -> Row:
    """Return the row that compares seconds."""
    found = theirs / ours
    return Row(what, f"{found:.2f} ×", f"≥ {wanted:g} ×", found >= wanted)


def rms(found: Any, truth: Any) -> float:
    """Return the root mean square of a difference, where both are finite."""
    difference = np.ravel(found) - np.ravel(truth)
    return float(np.sqrt(np.nanmean(difference**2)))
