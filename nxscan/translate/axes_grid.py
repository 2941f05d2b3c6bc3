"""Decide between the ways in which the motors' sweeps may fit together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translate.axes_levels import Fit, Reading, offset_zigzag, unevenness
from nxscan.translate.axes_parts import Part, Parts, describe, explained, gaps, nestings
from nxscan.translate.axes_sweep import Sweep

if TYPE_CHECKING:
    from nxscan.translate.axes_levels import Values
    from nxscan.translate.axes_parts import Chain

UNLIKELY = -3.0
"""A structure counts only if the odds (log10) of finding it by chance are below this."""

_LINE_UNLIKELY = -2.0

EVEN = 0.1
"""Steps that differ by less than this part of their mean are even: meant, not drift."""

DRIFT = 1000.0
"""A motor with levels this clear steps, though it may drift a little while it is held."""

_DECADES = 3.0
_MOST_SWEEPS = 12


@dataclass(frozen=True)
class Decision:
    """What the readings say about the scan.

    Attributes
    ----------
    parts : tuple of Part
        The dimensions, slow to fast; without order there are none.
    doubt : str
        Why they are not the scan's shape; empty where they are.

    """

    parts: Parts = ()
    doubt: str = ""


def decide(readings: Sequence[Reading], frames: int) -> Decision:
    """Find the grid, line or repeated scan that the readings of all moving motors make."""
    candidates = _Candidates(readings, frames)
    return candidates.whole() or candidates.line_or_repeats()


class _Candidates:
    """The sweeps that were seen in a scan's motors, and how they may be nested."""

    def __init__(self, readings: Sequence[Reading], frames: int) -> None:
        self.readings = readings
        self.frames = frames
        self.fits: dict[Sweep, dict[str, Fit]] = {}
        for reading in readings:
            for fit in reading.fits:
                self._add(reading, fit)

    def whole(self) -> Decision | None:
        """Decide on grids whose every dimension is a motor's; None if there are none."""
        chains = self._whole_chains()
        if not chains:
            for chain in self._chains(complete=True):
                self._add_offset_zigzags(chain)
            chains = self._whole_chains()
        if not chains:
            return None
        best = max(chains, key=self._merit)
        rivals = [chain for chain in chains if chain != best and self._rivals(chain, best)]
        if rivals:
            return self._undecided(self._parts(best), self._parts(rivals[0]))
        doubtful = self._doubtful(best)
        if self._chance(best, by_order=doubtful) < UNLIKELY:
            return Decision(self._parts(best))
        line = self.line()
        if line:
            return self._undecided(self._parts(best), line)
        return Decision(self._parts(best), self._by_chance(self._parts(best)))

    def line_or_repeats(self) -> Decision:
        """Decide between one sweep over all frames, repeated points, and an aborted grid."""
        line, repeats, cut = self.line(), self._repeats(), self._cut_short()
        if repeats.parts and explained(cut) <= explained(repeats.parts):
            motors = [part for part in repeats.parts if part.motors]
            if line and len(motors) == 1:
                return self._undecided(repeats.parts, line)
            return repeats
        if cut and not (line and explained(cut) == 1 and cut[0].motors):
            if line and explained(cut) == 1:
                return self._undecided(cut, line)
            total = math.prod(part.sweep.size for part in cut)
            doubt = f"aborted scan: {describe(cut)}: {self.frames} of {total} frames"
            return Decision(cut, doubt)
        return Decision(line) if line else Decision((), self._no_order())

    def line(self) -> Parts:
        """Return the motors that go one way from first to last frame, and not by chance."""
        moving = len(self.readings)
        order = math.log10(2 * moving) - math.lgamma(self.frames + 1) / math.log(10)
        names = []
        for reading in self.readings:
            if not reading.monotone or self._steps(reading):
                continue
            even = math.log10(min(1.0, max(unevenness(reading.values), 1e-6)))
            if moving == 1 or order + (self.frames - 2) * even < _LINE_UNLIKELY:
                names.append(reading.name)
        return (Part(Sweep(1, self.frames), tuple(names)),) if names else ()

    def _add(self, reading: Reading, fit: Fit) -> None:
        odds = fit.chance(self.frames, by_order=False) + math.log10(len(self.readings))
        if odds < UNLIKELY:
            self.fits.setdefault(fit.sweep, {}).setdefault(reading.name, fit)

    def _chains(self, *, complete: bool) -> list[Chain]:
        """List every nesting of sweeps, of those that end with the scan if ``complete``."""
        sweeps = [s for s in self.fits if s.completes(self.frames) or not complete]
        sweeps.sort(key=lambda sweep: self._chance((sweep,), by_order=True))
        return list(nestings(sweeps[:_MOST_SWEEPS]))

    def _whole_chains(self) -> list[Chain]:
        return [c for c in self._chains(complete=True) if not gaps(c, self.frames)]

    def _add_offset_zigzags(self, chain: Chain) -> None:
        used = self._motors(chain)
        for run, size in gaps(chain, self.frames):
            for reading in self.readings:
                fit = None if reading.name in used else offset_zigzag(reading.values, run, size)
                if fit is not None:
                    self._add(reading, fit)

    def _motors(self, chain: Chain) -> set[str]:
        return {name for sweep in chain for name in self.fits[sweep]}

    def _merit(self, chain: Chain) -> tuple[int, int, int, float]:
        """Rank chains: motors explained, gaps left, levels needed, how little is chance.

        Few levels win over many since a motor's readings, where they are taken once a point
        and not once a frame, show each point's reading error as a level of its own.
        """
        levels = sum(sweep.size for sweep in chain)
        chance = self._chance(chain, by_order=True)
        return len(self._motors(chain)), -len(gaps(chain, self.frames)), -levels, -chance

    def _rivals(self, chain: Chain, best: Chain) -> bool:
        """Tell whether as many motors bear out another chain, nearly as well by any measure."""
        if len(self._motors(chain)) < len(self._motors(best)):
            return False
        narrower = self._chance(best, by_order=False) <= self._chance(chain, by_order=False)
        margin = self._chance(chain, by_order=True) - self._chance(best, by_order=True)
        return not (narrower and margin >= _DECADES)

    def _chance(self, chain: Chain, *, by_order: bool) -> float:
        """Return the log10 of the odds that this many motors at rest show such a chain."""
        odds = len(chain) * math.log10(len(self.readings))
        for sweep in chain:
            fits = self.fits[sweep].values()
            odds += min(fit.chance(self.frames, by_order=by_order) for fit in fits)
        return odds

    def _doubtful(self, chain: Chain) -> bool:
        """Tell whether a motor outside the chain flickers, or makes a line of its own."""
        used = self._motors(chain)
        return any(
            reading.repeats_values or (reading.monotone and unevenness(reading.values) < EVEN)
            for reading in self.readings
            if reading.name not in used
        )

    def _parts(self, chain: Chain) -> Parts:
        """Return a chain and the repeats that fill its gaps, slow to fast."""
        parts = [Part(sweep, self._names(sweep)) for sweep in chain]
        parts += [Part(Sweep(run, size)) for run, size in gaps(chain, self.frames)]
        return tuple(sorted(parts, key=lambda part: -part.sweep.run))

    def _names(self, sweep: Sweep) -> tuple[str, ...]:
        """Return the motors of a sweep, only the convincing ones if there are any."""
        limit = UNLIKELY - math.log10(len(self.readings))
        fits = self.fits[sweep].items()
        sure = tuple(n for n, fit in fits if fit.chance(self.frames, by_order=True) < limit)
        return sure or tuple(self.fits[sweep])

    def _repeats(self) -> Decision:
        """Decide on the grid of which every point or row, or the whole, was taken repeatedly."""
        chains = [c for c in self._chains(complete=True) if len(gaps(c, self.frames)) == 1]
        if not chains:
            return Decision()
        best = max(chains, key=self._merit)
        parts = self._parts(best)
        by_chance = self._chance(best, by_order=True) >= UNLIKELY
        if by_chance and self.line():
            return Decision()
        for chain in chains:
            others = self._motors(chain) - self._motors(best)
            if others and self._rivals(chain, best):
                return self._undecided(parts, self._parts(chain))
        if by_chance:
            return Decision(parts, self._by_chance(parts))
        (run, size), *_ = gaps(best, self.frames)
        for reading in self.readings:
            moved = not reading.monotone and _ordered_within(reading.values, run, size)
            if moved and reading.name not in self._motors(best):
                return Decision(
                    parts,
                    f"the readings fit {describe(parts)}, but {reading.name} "
                    "moves in each repeat, on no grid",
                )
        return Decision(parts)

    def _cut_short(self) -> Parts:
        """Return the grid that was under way when the scan ended, where one was."""
        best = self._best_cut()
        if best:
            self._add_offset_zigzags(best)
            best = self._best_cut()
        total = math.prod(part.sweep.size for part in self._parts(best))
        return self._parts(best) if total > self.frames else ()

    def _best_cut(self) -> Chain:
        chains = self._chains(complete=False)
        likely = [c for c in chains if self._chance(c, by_order=True) < UNLIKELY]
        return max(likely, key=self._merit, default=())

    def _steps(self, reading: Reading) -> bool:
        """Tell whether a motor that goes one way does so in clear steps, drifting a little."""
        return any(fit.ratio > DRIFT for fit in reading.fits if fit.sweep.completes(self.frames))

    def _undecided(self, one: Parts, other: Parts) -> Decision:
        return Decision(one, f"the readings fit {describe(one)} as well as {describe(other)}")

    def _no_order(self) -> str:
        lines = [reading.name for reading in self.readings if reading.monotone]
        if not lines:
            return "no grid fits the motors' readings"
        few = f"{self.frames} frames are too few to tell which motor was scanned"
        return f"{few}: {', '.join(lines)} go one way, but may do so by chance"

    def _by_chance(self, parts: Parts) -> str:
        return f"the readings fit {describe(parts)}, but {self.frames} frames may do so by chance"


def _ordered_within(values: Values, run: int, size: int) -> bool:
    """Tell whether a motor goes the same way (or to and fro) in every group of repeats."""
    table = values.reshape(-1, size, run).mean(axis=2)
    groups = len(table)
    if math.log10(4) - groups * math.lgamma(size + 1) / math.log(10) > UNLIKELY:
        return False
    signs = np.sign(np.diff(table, axis=1))
    signs = signs * signs[0, 0]
    alternating = signs * np.where(np.arange(groups) % 2, -1, 1)[:, np.newaxis]
    return bool(np.all(signs > 0) or np.all(alternating > 0))
