"""Random generators that depend on a seed and a purpose, never on what was drawn before."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What random numbers are for; each purpose has a stream of its own."""

    CRYSTAL = 0
    FRAME = 1
    DARK = 2
    FLAT = 3
    HOT_PIXELS = 4
    MOTORS = 5
    COUNTERS = 6
    NOISE_TILE = 7
    SHOT = 8
    EVENT = 9


def generator(seed: int, purpose: Purpose, number: int = 0) -> np.random.Generator:
    """Return the generator of one purpose and frame number.

    >>> a = generator(7, Purpose.FRAME, 3).random()
    >>> a == generator(7, Purpose.FRAME, 3).random(), a == generator(7, Purpose.DARK, 3).random()
    (True, False)
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(int(purpose), number))
    return np.random.default_rng(sequence)
