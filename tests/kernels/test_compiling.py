"""Where compiled kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import numpy as np
from nxscan.kernels.chunks import fletcher32
from numba import config
fletcher32(np.zeros(10, np.uint8))
print(config.CACHE_DIR, fletcher32.stats.cache_path, sep="|")
"""


def ran(folder: Path, **environment: str) -> list[str]:
    kept = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=kept | {"XDG_CACHE_HOME": str(folder), "HOME": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().split("|")


def test_kernels_are_kept_in_a_folder_of_their_version(tmp_path: Path) -> None:
    (_, path) = ran(tmp_path)
    assert "nxscan" in path
    assert "kernels-" in path
    assert list(tmp_path.rglob("*.nbi"))


def test_a_user_chooses_where_with_numbas_own_variable(tmp_path: Path) -> None:
    (left, path) = ran(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "mine"))
    assert left == str(tmp_path / "mine")
    assert path.startswith(str(tmp_path / "mine" / "nxscan"))


def test_without_a_home_kernels_work_as_well(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    ran(nowhere)
