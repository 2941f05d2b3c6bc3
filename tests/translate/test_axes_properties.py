"""What holds of find_axes for any grid, any truncation and any irregular positions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nxscan.translate.axes import find_axes

_NO_CHANCE = 8


@dataclass
class Simulated:
    """A grid scan: its readings, and where each acquired frame belongs."""

    shape: tuple[int, ...]
    motors: dict[str, np.ndarray]
    levels: list[np.ndarray]
    place: np.ndarray

    @property
    def frames(self) -> int:
        return math.prod(self.shape)


@st.composite
def grids(draw: st.DrawFn, least: int = 1) -> Simulated:
    """Draw a scan of g0 (slow) ... gn (fast), among motors that stand still or are noise."""
    shape = tuple(draw(st.lists(st.integers(2, 6), min_size=least, max_size=3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames = math.prod(shape)
    index = np.indices(shape).reshape(len(shape), -1)
    if draw(st.booleans()):
        for k, size in enumerate(shape):
            row = np.arange(frames) // math.prod(shape[k:])
            index[k] = np.where(row % 2, size - 1 - index[k], index[k])
    size_of_jitter = draw(st.sampled_from([0.0, 1e-6, 1e-3]))
    even = draw(st.booleans())
    motors, levels = {}, []
    for k, size in enumerate(shape):
        steps = np.ones(size - 1) if even else rng.uniform(1, 3, size - 1)
        scale = rng.choice([-1, 1]) * 10.0 ** rng.integers(-4, 4)
        level = np.concatenate(([0], np.cumsum(steps))) * scale + rng.normal(0, 10)
        jitter = size_of_jitter * abs(scale) * rng.uniform(-1, 1, frames)
        motors[f"g{k}"] = level[index[k]] + jitter
        levels.append(level)
    if frames > 8:
        for k in range(draw(st.integers(0, 4))):
            motors[f"noise{k}"] = rng.normal(0, 10.0 ** rng.integers(-6, 2), frames)
    motors["still"] = np.full(frames, 42.0)
    names = draw(st.permutations(list(motors)))
    return Simulated(
        shape,
        {name: motors[name] for name in names},
        levels,
        np.ravel_multi_index(tuple(index), shape),
    )


@given(grids())
@settings(max_examples=150, deadline=None)
def test_every_grid_is_found_with_its_shape_levels_and_order(scan: Simulated):
    found = find_axes(scan.motors, scan.frames)
    assert found.shape == scan.shape
    assert [d.name for d in found.dimensions] == [f"g{k}" for k in range(len(scan.shape))]
    assert scan.place[found.order].tolist() == list(range(scan.frames))
    for dimension, level in zip(found.dimensions, scan.levels, strict=True):
        step = np.abs(np.diff(level)).min()
        np.testing.assert_allclose(dimension.motors[dimension.name], level, atol=2e-3 * step)
        assert not any(name.startswith(("noise", "still")) for name in dimension.motors)
    assert found.problems == ()


@given(grids(least=2), st.data())
@settings(max_examples=100, deadline=None)
def test_cut_short_grid_is_never_given_a_shape_that_it_does_not_have(
    scan: Simulated, data: st.DataObject
):
    frames = data.draw(st.integers(1, scan.frames - 1))
    found = find_axes({name: v[:frames] for name, v in scan.motors.items()}, frames)
    assert math.prod(found.shape) == frames
    assert sorted(found.order.tolist()) == list(range(frames))
    row = scan.shape[-1]
    if frames > row and frames % row:
        assert found.shape == (frames,)
        assert found.order.tolist() == list(range(frames))
        # in a handful of frames a noisy motor may step evenly by chance: a line, but no list
        if frames >= _NO_CHANCE:
            assert [d.kind for d in found.dimensions] == ["position"]
            assert any(problem.severity == "warning" for problem in found.problems)


@given(st.integers(12, 60), st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_irregular_positions_are_never_a_grid(frames: int, count: int, seed: int):
    rng = np.random.default_rng(seed)
    motors = {f"m{k}": rng.normal(size=frames) for k in range(count)}
    found = find_axes(motors, frames)
    assert found.shape == (frames,)
    first = np.diff(next(iter(found.dimensions[0].motors.values())))
    if found.dimensions[0].kind == "motor":
        assert (first > 0).all() or (first < 0).all()


def test_noise_in_few_frames_is_hardly_ever_a_grid():
    """Four numbers in two tight pairs do occur by chance: once in some thousand scans."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(400):
        frames, count = int(rng.integers(2, 12)), int(rng.integers(1, 12))
        motors = {f"m{k}": rng.normal(size=frames) for k in range(count)}
        wrong += find_axes(motors, frames).shape != (frames,)
    assert wrong <= 1


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        arrays(
            np.float64,
            12,
            elements=st.one_of(
                st.sampled_from([0.0, 1.0, 2.0, math.nan, math.inf, 5e-324, -1.7e308, 1.7e308]),
                st.floats(width=64),
            ),
        ),
        max_size=4,
    )
)
@settings(max_examples=150, deadline=None)
def test_any_numbers_give_a_shape_for_all_frames(motors: dict[str, np.ndarray]):
    found = find_axes(motors, 12)
    assert math.prod(found.shape) == 12
    assert sorted(found.order.tolist()) == list(range(12))
    for dimension in found.dimensions:
        for values in dimension.motors.values():
            assert values.shape == (dimension.size,)
            assert np.isfinite(values).all()


@given(grids(), st.integers(2, 4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_repeats_are_found_at_their_place(scan: Simulated, count: int, fastest: bool):
    assume(scan.frames >= 8)
    again = np.repeat if fastest else np.tile
    motors = {name: again(values, count) for name, values in scan.motors.items() if name[0] in "gs"}
    found = find_axes(motors, scan.frames * count)
    shape = (*scan.shape, count) if fastest else (count, *scan.shape)
    assert found.shape == shape
    assert [d.name for d in found.dimensions].index("repeat") == (len(scan.shape) if fastest else 0)
