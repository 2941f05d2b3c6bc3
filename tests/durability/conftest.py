"""Folders in which a translation begins."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from durability.scenes import Prepare, write


@pytest.fixture(scope="session")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """Make a folder with the old scan, if there is to be one; return its frames and its name."""
    templates = {}
    for apart in (False, True):
        templates[apart] = tmp_path_factory.mktemp("old")
        frames = write(templates[apart], 1, apart)

    def go(root: Path, old: bool | None) -> tuple[dict[str, Any], str]:
        if old is None:
            root.mkdir()
            return {}, "nothing"
        shutil.copytree(templates[old], root)
        return {"old": frames}, "old"

    return go
