"""Scan commands of BLISS as they are documented, and those of the real files."""

from __future__ import annotations

import pytest

from nxscan.translators.bliss.command import from_parameters, parse_command


@pytest.mark.parametrize(
    ("text", "motors", "sizes"),
    [
        ("ascan eta 15.24 19.24 50 1", [("eta",)], [51]),
        ("dscan mu -0.1 0.1 20 0.5", [("mu",)], [21]),
        ("a2scan x 0 1 y 2 3 10 0.1", [("x", "y")], [11]),
        ("d2scan x 0 1 y 2 3 10 0.1", [("x", "y")], [11]),
        ("amesh fast 0 1 4 slow 5 6 2 0.1", [("slow",), ("fast",)], [3, 5]),
        ("dmesh fast 0 1 4 slow 5 6 2 0.1", [("slow",), ("fast",)], [3, 5]),
        ("fscan mu 0 0.1 40 0.5", [("mu",)], [40]),
        ("fscan2d chi -1 0.5 5 mu 0 0.1 40 0.5 0.6", [("chi",), ("mu",)], [5, 40]),
        ("f2scan x 0 0.1 y 2 0.2 10 0.1", [("x", "y")], [10]),
        ("fsweep omega 0 1 180 0.1", [("omega",)], [180]),
    ],
)
def test_motors_and_points_of_a_command(text: str, motors: list, sizes: list[int]) -> None:
    command = parse_command(text)
    assert [sweep.motors for sweep in command.sweeps] == motors
    assert [sweep.size for sweep in command.sweeps] == sizes
    product = 1
    for size in sizes:
        product *= size
    assert command.points == product
    assert not command.integrated


def test_a_fast_motor_with_one_point_moves_during_each_frame() -> None:
    command = parse_command("fscan2d chi -1 0.08 62 diffrz -1.5 3.5 1 1 1.00041")
    assert command.integrated == {"diffrz": (-1.5, 2.0)}
    assert command.motors == ("chi",)
    assert command.points == 62


@pytest.mark.parametrize(
    ("text", "points"), [("loopscan 10 0.1", 10), ("ct 1", 1), ("timescan 0.5", None)]
)
def test_commands_without_motors_go_on_in_time(text: str, points: int | None) -> None:
    command = parse_command(text)
    assert command.timed
    assert command.points == points
    assert command.sweeps == ()


@pytest.mark.parametrize(
    "text", ["", "lineup x 3", "ascan", "ascan mu 0 1", "ascan mu a b 3 1", "fscan mu 0 0.1 -3 1"]
)
def test_what_is_not_understood_asks_for_nothing(text: str) -> None:
    command = parse_command(text)
    assert command.sweeps == ()
    assert command.points is None


def test_a_loop_over_a_scan_says_no_number_of_points() -> None:
    command = parse_command("fscanloop mu 0 0.1 40 0.5 3")
    assert command.motors == ("mu",)
    assert command.points is None


def test_fscan_parameters_describe_a_mesh_and_a_loop() -> None:
    mesh = {
        "slow_motor": "chi",
        "slow_start_pos": "-1.0",
        "slow_step_size": "0.5",
        "slow_npoints": "5",
        "fast_motor": "mu",
        "fast_start_pos": "0",
        "fast_step_size": "0.1",
        "fast_npoints": "40",
        "fast_motor_mode": "ZIGZAG",
    }
    found = from_parameters("fscan2d", mesh)
    assert found is not None
    assert found.motors == ("chi", "mu")
    assert found.points == 200
    single = {"motor": "mu", "start_pos": "0", "step_size": "0.1", "npoints": "40", "nscans": "3"}
    loop = from_parameters("fscanloop", single)
    assert loop is not None
    assert [sweep.size for sweep in loop.sweeps] == [3, 40]
    assert from_parameters("fscan", {"motor": "mu", "npoints": "40"}) is None
    assert from_parameters("fscan", {}) is None
