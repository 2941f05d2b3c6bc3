"""Which shape find_axes gives to what motors were read at, and what it says about it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nxscan.translate.axes import AxesFound, find_axes

MU = np.linspace(-0.1, 0.1, 4)
CHI = np.linspace(0.0, 2.0, 5)


def raster(zigzag: bool = False) -> dict[str, np.ndarray]:
    """5 fast (chi) × 4 slow (mu)."""
    mu, chi = (grid.copy() for grid in np.meshgrid(MU, CHI, indexing="ij"))
    if zigzag:
        chi[1::2] = chi[1::2, ::-1]
    return {"chi": chi.ravel(), "mu": mu.ravel()}


def jitter(motors: dict[str, np.ndarray], part_of_range: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {
        name: values + rng.uniform(-1, 1, len(values)) * part_of_range * np.ptp(values)
        for name, values in motors.items()
    }


def find(motors: dict[str, np.ndarray], **options: object) -> AxesFound:
    return find_axes(motors, len(next(iter(motors.values()))), **options)


def names(found: AxesFound) -> list[str]:
    return [dimension.name for dimension in found.dimensions]


def assert_listed(found: AxesFound, frames: int) -> str:
    """Check that the scan is a list of positions in the order taken; return why it is one."""
    assert names(found) == ["position"]
    assert found.dimensions[0].kind == "position"
    assert found.shape == (frames,)
    assert found.order.tolist() == list(range(frames))
    [problem] = [p for p in found.problems if "list of positions" in p.hint]
    assert problem.severity == "warning"
    return problem.message


# The eight rows of the table of inputs that other finders of scan dimensions fail on.


def test_perfect_raster_is_a_grid_slow_to_fast():
    found = find(raster())
    assert names(found) == ["mu", "chi"]
    assert found.shape == (4, 5)
    assert found.order.tolist() == list(range(20))
    np.testing.assert_array_equal(found.dimensions[0].motors["mu"], MU)
    np.testing.assert_array_equal(found.dimensions[1].motors["chi"], CHI)
    assert not any(dimension.zigzag for dimension in found.dimensions)
    assert found.problems == ()


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("center", [0.0, 0.05, 1000.0])
def test_jitter_of_readings_does_not_change_the_shape(size: float, center: float):
    motors = jitter({name: v - v[7] + center for name, v in raster().items()}, size)
    found = find(motors)
    assert (names(found), found.shape) == (["mu", "chi"], (4, 5))
    expected = motors["chi"].reshape(4, 5).mean(axis=0)
    np.testing.assert_allclose(found.dimensions[1].motors["chi"], expected, rtol=1e-12)
    assert found.problems == ()


@pytest.mark.parametrize("zigzag", [False, True])
@pytest.mark.parametrize("frames", [16, 17, 18, 19])
def test_aborted_last_row_is_a_list_that_names_the_grid_under_way(frames: int, zigzag: bool):
    motors = {name: v[:frames] for name, v in jitter(raster(zigzag), 1e-4).items()}
    found = find(motors)
    message = assert_listed(found, frames)
    assert f"mu × chi, 4 × 5: {frames} of 20 frames" in message
    assert list(found.dimensions[0].motors) == ["mu", "chi"]
    np.testing.assert_array_equal(found.dimensions[0].motors["chi"], motors["chi"])


def test_scan_aborted_after_whole_rows_is_the_smaller_grid():
    found = find({name: values[:15] for name, values in raster().items()})
    assert (names(found), found.shape, found.problems) == (["mu", "chi"], (3, 5), ())


def test_zigzag_is_put_into_grid_order():
    motors = jitter(raster(zigzag=True), 1e-4)
    found = find(motors)
    assert (names(found), found.shape) == (["mu", "chi"], (4, 5))
    assert [dimension.zigzag for dimension in found.dimensions] == [False, True]
    assert found.order[:10].tolist() == [0, 1, 2, 3, 4, 9, 8, 7, 6, 5]
    stored = motors["chi"][found.order].reshape(4, 5)
    np.testing.assert_allclose(stored, np.tile(CHI, (4, 1)), atol=1e-3)
    assert any("zigzag" in sentence for sentence in found.evidence)


def test_motors_that_move_together_share_a_dimension():
    chi, mu = raster().values()
    found = find({"f": chi, "twice": 2 * chi, "mirrored": 5 - chi, "mu": mu})
    assert (names(found), found.shape) == (["mu", "f"], (4, 5))
    assert list(found.dimensions[1].motors) == ["f", "twice", "mirrored"]
    np.testing.assert_allclose(found.dimensions[1].motors["mirrored"], 5 - CHI, rtol=1e-15)


def test_most_regularly_stepped_motor_names_the_dimension():
    chi, mu = raster().values()
    found = find({"energy": np.exp(3 * np.sin(chi / 2)), "angle": chi, "mu": mu})
    assert names(found) == ["mu", "angle"]
    assert list(found.dimensions[1].motors) == ["angle", "energy"]


@pytest.mark.parametrize("latched", [False, True])
def test_repeats_of_each_point_are_the_fastest_dimension(latched: bool):
    """Readings are taken once a frame, or once a point (latched)."""
    steps = [lambda m: jitter(m, 1e-4), lambda m: {k: np.repeat(v, 3) for k, v in m.items()}]
    motors = raster()
    for step in steps if latched else steps[::-1]:
        motors = step(motors)
    found = find(motors)
    assert (names(found), found.shape) == (["mu", "chi", "repeat"], (4, 5, 3))
    assert found.dimensions[2].kind == "repeat"
    assert found.dimensions[2].motors == {}


# Further structure.


def test_repeated_scan_is_the_slowest_dimension():
    found = find({name: np.tile(v, 3) for name, v in raster(zigzag=True).items()})
    assert (names(found), found.shape) == (["repeat", "mu", "chi"], (3, 4, 5))


def test_repeated_rows_are_a_dimension_between():
    mu, _, chi = np.meshgrid(MU, np.arange(3), CHI, indexing="ij")
    found = find({"chi": chi.ravel(), "mu": mu.ravel()})
    assert (names(found), found.shape) == (["mu", "repeat", "chi"], (4, 3, 5))


@pytest.mark.parametrize(("offset", "name"), [(0.25, "half a step"), (0.5, "a full step")])
@pytest.mark.parametrize("rows", [2, 3, 4])
def test_offset_between_odd_and_even_rows_is_named_and_averaged(
    offset: float, name: str, rows: int
):
    motors = {k: v[: rows * 5] for k, v in jitter(raster(zigzag=True), 1e-4).items()}
    backward = np.arange(rows * 5) // 5 % 2 == 1
    motors["chi"] = motors["chi"] + offset * backward
    found = find(motors)
    assert (names(found), found.shape) == (["mu", "chi"], (rows, 5))
    assert found.dimensions[1].zigzag
    assert any(name in sentence and "chi" in sentence for sentence in found.evidence)
    mean = CHI + offset * (rows // 2) / rows
    np.testing.assert_allclose(found.dimensions[1].motors["chi"], mean, atol=1e-3)
    assert found.order[5:10].tolist() == [9, 8, 7, 6, 5]


def test_both_fast_dimensions_may_zigzag():
    shape = (3, 4, 5)
    index = np.indices(shape).reshape(3, -1)
    index[1] = np.where(index[0] % 2, 3 - index[1], index[1])
    index[2] = np.where(np.arange(60) // 5 % 2, 4 - index[2], index[2])
    found = find({"x": 0.1 * index[2], "y": 2.0 * index[1], "z": -1.0 * index[0]})
    assert (names(found), found.shape) == (["z", "y", "x"], shape)
    assert [dimension.zigzag for dimension in found.dimensions] == [False, True, True]
    stored = np.ravel_multi_index(tuple(index[:, found.order]), shape)
    assert stored.tolist() == list(range(60))


def test_zigzag_that_begins_anew_in_each_plane_is_recognized():
    z, y, x = np.indices((4, 3, 5))
    x = np.where(y % 2, 4 - x, x)
    found = find({"x": x.ravel() * 1.0, "y": y.ravel() * 1.0, "z": z.ravel() * 1.0})
    assert (names(found), found.shape) == (["z", "y", "x"], (4, 3, 5))
    assert (x.ravel()[found.order].reshape(4, 3, 5) == np.arange(5)).all()


def test_levels_taken_in_another_order_are_stored_upwards():
    found = find({"energy": np.tile([7.0, 9.0, 8.0], 5), "mu": np.repeat(np.arange(5.0), 3)})
    assert found.shape == (5, 3)
    assert found.dimensions[1].motors["energy"].tolist() == [7, 8, 9]
    assert found.order[:3].tolist() == [0, 2, 1]


def test_falling_axes_stay_falling():
    found = find({name: -values for name, values in raster().items()})
    np.testing.assert_array_equal(found.dimensions[1].motors["chi"], -CHI)
    assert found.order.tolist() == list(range(20))


def test_motor_that_moves_at_some_steps_only_joins_the_one_it_follows():
    motors = raster()
    motors["shutter"] = (motors["mu"] > 0) * 1.0
    found = find(motors)
    assert found.shape == (4, 5)
    assert found.dimensions[0].motors["shutter"].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("count", [2, 3, 7, 5000])
def test_one_motor_makes_a_line(count: int):
    found = find({"mu": np.linspace(3, -2, count), "still": np.full(count, 8.2)})
    assert (names(found), found.shape, found.problems) == (["mu"], (count,), ())


def test_line_of_uneven_steps_with_jitter_is_found():
    energies = np.logspace(0, 4, 30)
    rng = np.random.default_rng(0)
    found = find({"noise": rng.normal(size=30), "e": energies * (1 + 1e-5 * rng.normal(size=30))})
    assert (names(found), found.shape, found.problems) == (["e"], (30,), ())
    assert list(found.dimensions[0].motors) == ["e"]


def test_uneven_levels_make_a_grid():
    temperatures, field = np.array([4.0, 10.0, 77.0, 300.0]), np.logspace(-3, 2, 6)
    motors = {"b": np.tile(field, 4), "t": np.repeat(temperatures, 6)}
    found = find(motors)
    assert (names(found), found.shape) == (["t", "b"], (4, 6))


def test_encoder_noise_is_kept_as_readings_and_said_so():
    motors = raster()
    motors["noise"] = np.random.default_rng(1).normal(5, 1e-4, 20)
    found = find(motors)
    assert found.shape == (4, 5)
    assert not any("noise" in dimension.motors for dimension in found.dimensions)
    assert any(s.startswith("noise: varies by") and "readings" in s for s in found.evidence)


def test_drift_does_not_turn_a_grid_into_a_line():
    motors = raster()
    for name in ("chi", "mu"):
        motors[name] = motors[name] + np.linspace(0, 1e-4, 20)
    motors["drift"] = np.linspace(0, 1e-3, 20)
    found = find(motors)
    assert (names(found), found.shape) == (["mu", "chi"], (4, 5))
    assert not any("drift" in dimension.motors for dimension in found.dimensions)


def test_variation_below_rounding_is_no_movement():
    found = find({"mu": 1e6 + 1e-4 * np.arange(6.0)})
    assert [(d.name, d.kind, d.size) for d in found.dimensions] == [("frame", "frame", 6)]


def test_still_frames_are_a_dimension_without_motors():
    found = find_axes({"mu": np.full(7, 0.3)}, 7)
    [dimension] = found.dimensions
    assert (dimension.name, dimension.kind, dimension.size) == ("frame", "frame", 7)
    assert dimension.motors == {}


@pytest.mark.parametrize("frames", [0, 1])
def test_single_frame_has_no_dimensions(frames: int):
    found = find_axes({"mu": np.zeros(frames)}, frames)
    assert found.dimensions == ()
    assert found.shape == ()
    assert found.order.tolist() == list(range(frames))


# Where nothing decides.


def test_irregular_positions_are_a_list_with_every_motor():
    rng = np.random.default_rng(5)
    motors = {"x": rng.normal(size=24), "y": rng.normal(size=24), "still": np.ones(24)}
    found = find(motors)
    assert "no grid fits" in assert_listed(found, 24)
    assert set(found.dimensions[0].motors) == {"x", "y"}
    assert len([s for s in found.evidence if "without order" in s]) == 2


def test_held_levels_and_an_even_line_are_both_shown():
    found = find({"mu": np.repeat(MU, 5), "z": np.linspace(3.0, 4.0, 20)})
    message = assert_listed(found, 20)
    assert "mu × repeat, 4 × 5" in message
    assert "20 along z" in message


def test_scan_of_two_regions_is_not_taken_for_repeats():
    found = find({"e": np.concatenate((np.arange(7000.0, 7011), np.arange(8000.0, 8011)))})
    assert found.shape == (22,)


def test_motor_that_moves_in_each_repeat_on_no_grid_prevents_repeats():
    row = np.arange(5.0)
    loose = np.concatenate([row + 1, row * 2, row * 3 + 2, row * 1.5])
    found = find({"mu": np.repeat(MU, 5), "loose": loose})
    assert "loose moves in each repeat" in assert_listed(found, 20)


def test_few_frames_do_not_tell_which_of_two_motors_was_scanned():
    found = find({"a": np.array([0.0, 1.0]), "b": np.array([3.0, 3.001])})
    assert "a, b" in assert_listed(found, 2)


def test_flicker_in_the_last_digit_of_few_frames_is_no_scan_with_repeats():
    found = find({"mu": np.array([0.001, 0.001, 0.001, 0.002, 0.002, 0.002])})
    assert "mu × repeat, 2 × 3" in assert_listed(found, 6)


def test_flicker_does_not_hide_a_line():
    flicker = np.array([0.001, 0.001, 0.001, 0.002, 0.002, 0.002])
    found = find({"flicker": flicker, "mu": np.linspace(0.0, 1.0, 6)})
    assert (names(found), found.shape, found.problems) == (["mu"], (6,), ())


def test_aborted_3d_scan_is_not_taken_for_a_repeated_row():
    z, y, x = (axis.ravel()[:20] * 1.0 for axis in np.indices((3, 3, 4)))
    found = find({"x": x, "y": y, "z": z})
    assert "z × y × x, 2 × 3 × 4: 20 of 24 frames" in assert_listed(found, 20)


def test_aborted_zigzag_with_offset_is_named():
    row = np.arange(4.0)
    chi = np.concatenate([row, row[::-1] + 0.5] * 4)[:26]
    found = find({"mu": np.repeat(np.arange(8.0), 4)[:26], "chi": chi})
    assert "mu × chi, 7 × 4: 26 of 28 frames" in assert_listed(found, 26)


def test_loop_scan_is_a_list():
    found = find({"field": np.concatenate((np.arange(0, 6.0), np.arange(4, -6.0, -1)))})
    assert_listed(found, 16)


# Missing readings.


def test_motor_with_a_gap_is_no_axis_and_hides_no_repeat():
    motors = raster()
    motors["chi"][3] = np.nan
    found = find(motors)
    assert "chi, which moved, is missing in 1 of 20 frames" in assert_listed(found, 20)
    assert list(found.dimensions[0].motors) == ["mu"]
    assert "chi: missing in 1 of 20 frames" in found.evidence


def test_motor_with_a_gap_beside_a_whole_grid_is_reported():
    motors = raster() | {"extra": np.where(np.arange(20) < 3, np.nan, 1.0)}
    found = find(motors)
    assert found.shape == (4, 5)
    [problem] = found.problems
    assert problem.severity == "warning"
    assert "extra is missing in 3 of 20 frames" in problem.message


# Words and speed.


def test_evidence_reads_as_a_person_would_say_it():
    mu, chi = np.repeat([-0.1, -0.05, 0, 0.05, 0.1], 4), np.tile([0.0, 1, 2, 3], 5)
    found = find({"chi": chi, "mu": mu, "copy": -mu})
    assert found.evidence == (
        "mu: 5 levels from -0.1 to 0.1, each held for 4 frames",
        "copy: moves with mu, 5 levels from 0.1 to -0.1, each held for 4 frames",
        "chi: 4 levels from 0 to 3, gone through 5 times",
    )


def test_evidence_of_a_line_gives_its_step():
    assert find({"mu": np.linspace(0, 1, 11)}).evidence == ("mu: from 0 to 1 in 10 steps of 0.1",)


@pytest.mark.parametrize("fast", [False, True])
def test_ten_thousand_frames_of_a_hundred_motors_take_less_than_a_second(fast: bool):
    rng = np.random.default_rng(2)
    motors = {f"noise{k}": rng.normal(size=10_000) for k in range(98)}
    if fast:
        motors["x"] = np.tile(np.arange(100.0), 100) + 1e-4 * rng.normal(size=10_000)
        motors["y"] = np.repeat(np.arange(100.0), 100)
    start = time.process_time()
    found = find(motors)
    spent = time.process_time() - start
    assert found.shape == ((100, 100) if fast else (10_000,))
    assert spent < 1.0
