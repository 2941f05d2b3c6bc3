"""Which modules' code must travel with an object, because a worker may not have them."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

import cloudpickle

_lock = threading.Lock()


@contextmanager
def by_value() -> Iterator[None]:
    """Have cloudpickle take along the code of modules that are not installed.

    Those are the files beside a script, a notebook's own modules, ``file.py:Class``. Numba has
    a cloudpickle of its own for compiled functions, which is told as well.
    """
    with _lock:
        added = [
            (library, module)
            for library in _libraries()
            for module in local_modules()
            if module.__name__ not in library.list_registry_pickle_by_value()
        ]
        for library, module in added:
            library.register_pickle_by_value(module)
        try:
            yield
        finally:
            for library, module in added:
                library.unregister_pickle_by_value(module)


def _libraries() -> list[Any]:
    numba = sys.modules.get("numba.cloudpickle")
    return [cloudpickle] if numba is None else [cloudpickle, numba]


def local_modules() -> list[ModuleType]:
    """Return the modules that were imported from a place where nothing is installed."""
    loaded = [(name, module) for name, module in list(sys.modules.items()) if name != "__main__"]
    return [
        module
        for name, module in loaded
        if isinstance(module, ModuleType) and module.__name__ == name and _is_local(module)
    ]


def _is_local(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    top = module.__name__.partition(".")[0]
    if not file or top in ("nxscan", "__mp_main__") or top in sys.stdlib_module_names:
        return False
    if PurePath(file).suffix not in (".py", ".pyc"):  # compiled code cannot travel
        return False
    return not file.startswith(_installed_folders())


@cache
def _installed_folders() -> tuple[str, ...]:
    named = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    named += [*site.getsitepackages(), site.getusersitepackages()]
    both = {path for name in named if name for path in (Path(name), Path(name).resolve())}
    return tuple(f"{path}{os.sep}" for path in both)
