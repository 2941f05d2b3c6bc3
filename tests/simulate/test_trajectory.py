"""Motors go where a scan sends them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.errors import NxscanError
from nxscan.simulate import trajectory

ROWS = {"chi": [10, 20], "mu": [1, 2, 3]}


def test_the_last_motor_is_the_fast_one() -> None:
    path = trajectory(ROWS)
    assert path.readings["chi"].tolist() == [10, 10, 10, 20, 20, 20]
    assert path.readings["mu"].tolist() == [1, 2, 3, 1, 2, 3]
    assert path.shape == (2, 3)


def test_backlash_shifts_only_the_rows_that_go_backwards() -> None:
    path = trajectory(ROWS, zigzag=True, backlash=0.5)
    assert path.readings["mu"].tolist() == [1, 2, 3, 3.5, 2.5, 1.5]
    assert path.readings["chi"].tolist() == [10, 10, 10, 20, 20, 20]


def test_repeats_are_taken_one_after_the_other_and_are_the_last_dimension() -> None:
    path = trajectory({"mu": [1, 2]}, repeats=3)
    assert path.readings["mu"].tolist() == [1, 1, 1, 2, 2, 2]
    assert path.shape == (2, 3)
    assert path.index.tolist() == list(range(6))


def test_an_aborted_scan_has_the_first_frames_of_the_whole_one() -> None:
    whole, part = trajectory(ROWS, zigzag=True), trajectory(ROWS, zigzag=True, frames=4)
    assert part.declared == 6
    assert len(part) == 4
    for name in ROWS:
        np.testing.assert_array_equal(part.readings[name], whole.readings[name][:4])


def test_jitter_has_the_standard_deviation_asked_for() -> None:
    path = trajectory({"mu": np.arange(10000.0)}, jitter=0.02, seed=3)
    error = path.readings["mu"] - np.arange(10000)
    assert error.std() == pytest.approx(0.02, rel=5 / np.sqrt(2e4))
    assert abs(error.mean()) < 5 * 0.02 / 100


@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    repeats=st.integers(1, 3),
    zigzag=st.booleans(),
)
def test_every_place_of_the_grid_is_visited_once_with_its_own_positions(
    lengths: list[int], repeats: int, zigzag: bool
) -> None:
    motors = {f"m{k}": np.arange(n) * 10.0**k for k, n in enumerate(lengths)}
    path = trajectory(motors, repeats=repeats, zigzag=zigzag)
    assert sorted(path.index) == list(range(path.declared))
    where = np.unravel_index(path.index, path.shape)
    for (name, values), indices in zip(motors.items(), where[: len(lengths)], strict=True):
        np.testing.assert_array_equal(path.readings[name], values[indices])


@pytest.mark.parametrize(
    ("motors", "options", "word"),
    [
        ({}, {}, "at least one motor"),
        ({"mu": []}, {}, "'mu' needs a list"),
        ({"mu": 1.0}, {}, "'mu' needs a list"),
        ({"mu": [1]}, {"repeats": 0}, "repeats must be 1"),
        ({"mu": [1]}, {"frames": 2}, "frames must be 1 to 1"),
        ({"mu": [1]}, {"frames": 0}, "frames must be 1 to 1"),
        ({"mu": [1]}, {"jitter": -1}, "jitter 0 or more"),
    ],
)
def test_impossible_scans_are_refused(motors: dict, options: dict, word: str) -> None:
    with pytest.raises(NxscanError, match=word):
        trajectory(motors, **options)
