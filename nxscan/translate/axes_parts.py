"""Dimensions as sweeps that nest, and the repeats that fill the gaps between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nxscan.translate.axes_sweep import Sweep

Chain = tuple[Sweep, ...]


@dataclass(frozen=True)
class Part:
    """One dimension: how it was swept, and the motors that did it (none for repeats)."""

    sweep: Sweep
    motors: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its first motor, or ``repeat``."""
        return self.motors[0] if self.motors else "repeat"


Parts = tuple[Part, ...]


def describe(parts: Parts) -> str:
    """Name dimensions and their lengths, slow to fast.

    >>> describe((Part(Sweep(4, 5), ("mu",)), Part(Sweep(1, 4), ("chi", "obx"))))
    'mu × chi, 5 × 4'
    """
    if len(parts) == 1:
        return f"one line of {parts[0].sweep.size} along {parts[0].name}"
    names = " × ".join(part.name for part in parts)
    return f"{names}, " + " × ".join(str(part.sweep.size) for part in parts)


def explained(parts: Parts) -> int:
    """Count the motors that dimensions account for."""
    return sum(len(part.motors) for part in parts)


def nestings(sweeps: Sequence[Sweep]) -> Iterator[Chain]:
    """Yield every nesting of sweeps in which each starts anew with each step of a slower one."""

    def grow(chain: Chain, span: int) -> Iterator[Chain]:
        for sweep in sweeps:
            if sweep.run % span == 0:
                longer = (*chain, sweep)
                yield longer
                yield from grow(longer, sweep.span)

    yield from grow((), 1)


def gaps(chain: Chain, frames: int) -> list[tuple[int, int]]:
    """List what no sweep accounts for: run and size of the repeats that would fill each gap."""
    found, span = [], 1
    for sweep in chain:
        if sweep.run > span:
            found.append((span, sweep.run // span))
        span = sweep.span
    if frames > span:
        found.append((span, -(-frames // span)))
    return found
