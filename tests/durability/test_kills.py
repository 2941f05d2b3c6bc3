"""Runs that are killed, in the parent or in a worker, end as if nothing had happened.

KILLS: how many are killed; a larger number hunts for more (or run ``kills.py --count N``).
"""

from __future__ import annotations

import os
import sys

import pytest
from durability.kills import Lab

COUNT = int(os.environ.get("KILLS", "20"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("kills"))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize("number", range(COUNT))
def test_a_killed_run_goes_on_and_ends_like_an_undisturbed_one(lab: Lab, number: int) -> None:
    lab.kill(number)
