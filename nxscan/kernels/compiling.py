"""How kernels are compiled: without the GIL, and once for each version of all their code.

numba's own cache looks at the file of a function alone: after another file changed, a function
that calls into it would run the machine code of before. So the cache lies in a folder that is
named after the content of every kernel.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba import config


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function as `numba.njit` does, with nxscan's own cache."""

    def compiled(function: Callable[..., Any]) -> Any:
        with _own_cache():
            return numba.njit(**options)(function)

    return compiled


@contextmanager
def _own_cache() -> Iterator[None]:
    folder = _folder()
    before = config.CACHE_DIR
    config.CACHE_DIR = before if folder is None else str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


@lru_cache(maxsize=1)
def _folder() -> Path | None:
    """Return where this version's machine code is kept; None where nothing can be written."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    try:
        folder = _caches() / f"kernels-{digest.hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home
        return None
    return folder if os.access(folder, os.W_OK) else None


def _caches() -> Path:
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR) / "nxscan"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "nxscan"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "nxscan"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nxscan"
