"""Stacks of frames are combined tile by tile, each chunk read once for a tile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nxscan.analysis.corrections.stacks import combine, every, positions_of
from nxscan.model import ArraySignal


class Watched(ArraySignal):
    """Frames that are stored in chunks and note what is read of them."""

    def __init__(self, values: np.ndarray[Any, Any], chunks: tuple[int, ...]) -> None:
        super().__init__(values)
        self.stored, self.taken = chunks, []

    @property
    def chunks(self) -> tuple[int, ...]:
        return self.stored

    def read(self, selection: Any) -> np.ndarray[Any, Any]:
        found = super().read(selection)
        self.taken.append((selection, found.nbytes))
        return found


def stack() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 60_000, (3, 8, 12, 10)).astype(np.uint16)


@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize("budget", [1, 500, 10_000, 2**20])
@pytest.mark.parametrize("k", [1, 5])
def test_any_budget_gives_what_numpy_gives(statistic: Any, budget: int, k: int) -> None:
    values = stack()
    signal = Watched(values, (1, 4, 5, 5))
    places = positions_of((3, 8), range(0, 24, k))
    found = combine(signal, places, statistic, budget)
    frames = values.reshape(24, 12, 10)[::k].astype(float)
    expected = frames.mean(axis=0) if statistic == "mean" else np.median(frames, axis=0)
    np.testing.assert_allclose(found.frame, expected, rtol=1e-14)
    factor = found.variance * len(frames) / frames.var(axis=0, ddof=1)
    np.testing.assert_allclose(factor, factor[0, 0], rtol=1e-9)


def test_every_chunk_is_read_once_where_its_column_fits() -> None:
    values = stack()
    signal = Watched(values, (1, 4, 6, 5))
    combine(signal, positions_of((3, 8), range(24)), "median", 24 * 6 * 5 * 2)
    assert sum(size for _, size in signal.taken) == values.nbytes


def test_what_is_read_at_once_stays_within_the_budget() -> None:
    signal = Watched(stack(), (1, 1, 12, 10))
    combine(signal, positions_of((3, 8), range(24)), "median", 2000)
    whole = signal.values.nbytes
    assert sum(size for _, size in signal.taken) == whole
    tiles = {str(selection[2:]) for selection, _ in signal.taken}
    assert len(tiles) >= whole / 2000 / 1.5


def test_missing_values_stay_missing_in_the_median() -> None:
    values = np.random.default_rng(1).random((5, 3, 3))
    values[2, 1, 1] = np.nan
    found = combine(ArraySignal(values), every(ArraySignal(values)), "median")
    np.testing.assert_array_equal(found.frame, np.median(values, axis=0))
    assert np.isnan(found.frame[1, 1])
