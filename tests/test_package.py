"""What is installed: one package, its translators and schemas inside, nothing else."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import nxscan


def _files() -> list[Path]:
    files = metadata.files("nxscan")
    if not files:
        pytest.skip("nxscan is not installed as a wheel here, so there is nothing to list")
    return [Path(str(file)) for file in files]


def test_nothing_but_nxscan_appears_in_site_packages() -> None:
    tops = {file.parts[0] for file in _files() if file.parts[0] != ".."}
    assert all(top == "nxscan" or top.startswith("nxscan-") for top in tops)


def test_translators_schemas_and_types_are_inside() -> None:
    names = {file.as_posix() for file in _files()}
    for name in (
        "nxscan/py.typed",
        "nxscan/translators/edf/__init__.py",
        "nxscan/translators/mappings/esrf.toml",
        "nxscan/schemas/mapping.schema.json",
    ):
        assert name in names


def test_the_entry_points_are_found() -> None:
    _files()
    found = metadata.entry_points(group="nxscan.translators")
    assert [(point.name, point.load().name) for point in found if point.name == "edf"] == [
        ("edf", "edf")
    ]


def test_it_works_from_any_folder(tmp_path: Path) -> None:
    _files()
    code = "import nxscan; from nxscan.translate.registry import translators; print(*translators())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "edf" in done.stdout.split()
    assert nxscan.__version__ == metadata.version("nxscan")
