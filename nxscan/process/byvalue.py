"""Objects as bytes with the code that a worker may not have: scripts, notebooks, local modules."""

from __future__ import annotations

import io
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

_KEPT = ("__name__", "__doc__", "__file__", "__package__", "__path__")
"""What a module that travels keeps of what Python's import gave it."""

_lock = threading.Lock()


def dumps_by_value(obj: Any) -> bytes:
    """Return an object as bytes, with the code of modules that are not installed.

    Those are the files beside a script, a notebook's own modules, ``file.py:Class``.
    """
    with _registered(local_modules()):
        buffer = io.BytesIO()
        _Pickler(buffer).dump(obj)
    return buffer.getvalue()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, obj: Any) -> Any:
        """Have modules travel without what imported them, and even if they import each other."""
        if isinstance(obj, ModuleType) and obj.__name__ in _registry(cloudpickle):
            return ModuleType, (obj.__name__,), _content(obj)
        return super().reducer_override(obj)


def _content(module: ModuleType) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if name in _KEPT or not name.startswith(("__", "@"))
    }


def _registry(library: Any) -> set[str]:
    """Return the names of modules that a cloudpickle takes along."""
    return set(library.list_registry_pickle_by_value())


@contextmanager
def _registered(modules: list[ModuleType]) -> Iterator[None]:
    """Have cloudpickle take modules along; numba has one of its own for compiled functions."""
    with _lock:
        added = [
            (library, module)
            for library in _libraries()
            for module in modules
            if module.__name__ not in _registry(library)
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
