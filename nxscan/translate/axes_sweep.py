"""Sweeps: motors that step through levels in a fixed order, over and over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Sweep:
    """A motor that steps through ``size`` levels, ``run`` frames at each, over and over.

    Attributes
    ----------
    run : int
        Frames at each level: the product of the faster dimensions.
    size : int
        How many levels there are.
    zigzag : bool
        Every other sweep goes backwards.
    restart : int
        Every so many sweeps, a zigzag begins anew forwards; 0 is never.

    """

    run: int
    size: int
    zigzag: bool = False
    restart: int = 0

    @property
    def span(self) -> int:
        """Frames of one sweep."""
        return self.run * self.size

    def completes(self, frames: int) -> bool:
        """Tell whether ``frames`` frames end with a whole sweep."""
        return frames % self.span == 0

    def index(self, frames: int) -> Indices:
        """Return the place along the sweep of each of ``frames`` frames.

        >>> Sweep(run=1, size=3, zigzag=True).index(6).tolist()
        [0, 1, 2, 2, 1, 0]
        """
        column = np.arange(frames, dtype=np.intp) // self.run % self.size
        return np.where(self.backward(frames), self.size - 1 - column, column)

    def backward(self, frames: int) -> NDArray[np.bool_]:
        """Tell for each frame whether the sweep was going backwards."""
        row = np.arange(frames, dtype=np.intp) // self.span
        if not self.zigzag:
            return np.zeros(frames, dtype=bool)
        return np.asarray((row % self.restart if self.restart else row) % 2 == 1)


def sweep_of(labels: Indices, size: int) -> Sweep | None:
    """Return the sweep that levels make when read in order, which may end early, or None."""
    changes = np.flatnonzero(labels[1:] != labels[:-1])
    run = int(changes[0]) + 1
    sequence = labels[::run]
    if len(sequence) < size or len(np.unique(sequence[:size])) < size:
        return None
    if not np.array_equal(labels, np.repeat(sequence, run)[: len(labels)]):
        return None
    rows = -(-len(sequence) // size)
    padding = np.full(rows * size - len(sequence), -1, dtype=np.intp)
    table = np.concatenate((sequence, padding)).reshape(rows, size)
    forward = np.all((table == table[0]) | (table < 0), axis=1)
    backward = np.all((table == table[0, ::-1]) | (table < 0), axis=1)
    if not np.all(forward | backward):
        return None
    if forward.all():
        return Sweep(run, size)
    restart = _restart(backward)
    return None if restart is None else Sweep(run, size, zigzag=True, restart=restart)


def _restart(backward: NDArray[np.bool_]) -> int | None:
    """Say after how many rows a zigzag begins anew (0 is never); None if it is no zigzag."""
    rows = np.arange(len(backward))
    if np.array_equal(backward, rows % 2 == 1):
        return 0
    turns = np.flatnonzero(~backward[1:] & ~backward[:-1])
    period = int(turns[0]) + 1 if len(turns) else 0
    if period > 1 and np.array_equal(backward, rows % period % 2 == 1):
        return period
    return None
