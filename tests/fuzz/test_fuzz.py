"""A bounded number of damaged inputs with a fixed seed; ``run.py`` goes on for as long as asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from fuzz.drive import Outcome
from fuzz.faults import misbehave
from fuzz.mutate import CHANGES, mutate
from fuzz.pool import Recipe, run_all, summary
from fuzz.seeds import KINDS, damage, make_seeds

EACH = {"hdf5": 4, "linked": 4, "table": 4}
"""Inputs of each kind, 8 of those that are not named."""
LONG_ONLY = ("linked-master",)
"""Kinds that only `run.py` damages: over the metadata of a file with virtual datasets HDF5 2.0
itself crashes about once in 200 inputs, and such a master is never twice the same bytes."""
FULL = ("edf-multi", "mapping-esrf", "master-translated", "foreign-new", "generic")
LIMIT = 120.0


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "seeds"
    make_seeds(folder)
    return folder


def recipes() -> Iterator[Recipe]:
    """Yield every kind whole, then damaged."""
    for number in range(-1, 8):
        for kind, made in KINDS.items():
            most = 0 if kind in LONG_ONLY else EACH.get(made.what, 8)
            if number < most:
                yield kind, number, number == 0 and kind in FULL


@pytest.fixture(scope="module")
def outcomes(seeds: Path) -> list[Outcome]:
    return list(run_all(seeds, recipes(), processes=2, limit=LIMIT))


def test_no_damaged_input_ends_in_a_traceback_a_hang_a_crash_or_wrong_data(
    outcomes: list[Outcome],
) -> None:
    assert len(outcomes) == len(list(recipes()))
    assert [outcome for outcome in outcomes if outcome.bad] == []
    verdicts = {verdict for row in summary(outcomes).values() for verdict in row}
    assert {"refused", "right"} <= verdicts


def test_what_is_whole_is_right(outcomes: list[Outcome]) -> None:
    whole = [one for one in outcomes if one.number < 0 and KINDS[one.kind].what != "foreign"]
    assert len(whole) > 10
    assert [outcome for outcome in whole if outcome.verdict != "right"] == []


def test_a_process_that_hangs_or_crashes_is_told_apart_and_replaced(tmp_path: Path) -> None:
    todo = [(kind, k, False) for k, kind in enumerate(("right", "hang", "crash", "right"))]
    outcomes = list(run_all(tmp_path, todo, limit=2.0, work=misbehave))
    assert [outcome.verdict for outcome in outcomes] == ["right", "hang", "crash", "right"]


def test_a_recipe_always_gives_the_same_input(seeds: Path, tmp_path: Path) -> None:
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        path, done = damage(seeds, "edf-plain", 5, tmp_path / name)
        made.append((path.name, done, path.read_bytes()))
    assert made[0] == made[1]
    assert made[0][2] != (seeds / "edf-plain" / made[0][0]).read_bytes()


@pytest.mark.parametrize("name", CHANGES)
def test_every_kind_of_damage_takes_every_length(name: str) -> None:
    for number, data in enumerate((b"", b"a", b"12 ;\n", bytes(range(256)) * 9)):
        rng = Random(number)
        changed = CHANGES[name](data, rng, [0, len(data)])
        assert isinstance(changed, bytes)
        assert len(changed) <= 2 * len(data) + 2048


def test_damage_changes_something_nearly_always() -> None:
    data = b"{\nDim_1 = 4 ;\nSize = 16 ;\n}\n" + bytes(range(64))
    unchanged = sum(mutate(data, Random(k), [0, 28])[0] == data for k in range(200))
    assert unchanged < 40
