"""Counters of a storage ring: its current, a beam monitor, the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.simulate.seeds import Purpose, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

_START = 1_500_000_000.0
"""2017-07-14 02:40:00 UTC, in the years when frames were written as EDF."""

_DEAD_TIME = 0.35
_CURRENT = 196.0
_LIFETIME = 60 * 3600.0
_MONITOR_RATE = 2.0e6


def ring_counters(frames: int, exposure: float, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return what every frame of a scan is counted with.

    The current decays as exp(−t / 60 h); the monitor's counts are Poisson and follow it.

    Parameters
    ----------
    frames : int
        How many frames.
    exposure : float
        Seconds a frame.
    seed : int
        Same seed, same monitor counts.

    Returns
    -------
    dict of str to ndarray, shape (frames,)
        ``sec`` (s), ``srcur`` (mA), ``mon`` (counts), ``epoch`` (s since 1970).

    """
    elapsed = np.arange(frames) * (exposure + _DEAD_TIME)
    current = _CURRENT * np.exp(-elapsed / _LIFETIME)
    rng = generator(seed, Purpose.COUNTERS)
    monitor = rng.poisson(_MONITOR_RATE * exposure * current / _CURRENT)
    return {
        "sec": np.full(frames, exposure),
        "srcur": current,
        "mon": monitor.astype(np.float64),
        "epoch": _START + elapsed,
    }
