"""Classes of a user's own code: ``my_module:Range`` and ``path/file.py:Range``."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from nxscan.errors import ProcessError

_NOT_THEIRS = (str(Path(__file__).parents[1]), str(Path(importlib.__file__).parent), "<frozen ")


def load_object(text: str) -> Any:
    """Return what ``module:Name`` or ``path/file.py:Name`` stands for.

    A module is imported as ``python -m`` would, with the current folder first; a file as
    ``python file.py`` would, with the file's folder first.

    Raises
    ------
    ProcessError
        If there is no such module, file or name, or importing it raises; the user's own
        error is then part of the message, with file and line.

    """
    where, _, name = text.rpartition(":")
    module = _load_file(Path(where)) if where.endswith(".py") else _load_module(where)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise ProcessError(f"{where} has no {name!r}", _names(module, name))
        found = getattr(found, part)
    return found


def _names(module: ModuleType, wanted: str) -> str:
    own = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    near = get_close_matches(wanted, own, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"{meant}its classes are: {', '.join(own) or 'none'}"


def _load_module(name: str) -> ModuleType:
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
        raise ProcessError(
            f"{name!r} is no module", "write my_module:MyClass or path/to/file.py:MyClass"
        )
    with _first_on_path(Path.cwd()), _users_errors(name, name):
        return importlib.import_module(name)


def _load_file(path: Path) -> ModuleType:
    """Load a file under a name that the same text has on every machine.

    It goes to workers by value: no other machine has a module of that name.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProcessError(
            f"{path}: cannot be read: {error.strerror or error}",
            "name the file as from the current folder",
        ) from None
    stem = re.sub(r"\W", "_", path.stem)
    name = f"{stem}_{hashlib.sha256(content).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise ProcessError(f"{path}: is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _first_on_path(path.resolve().parent), _users_errors(str(path), name):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    cloudpickle.register_pickle_by_value(module)
    return module


@contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    """Look into ``folder`` first, and afterwards last.

    What the user's code imports later is found, too, and nothing of nxscan's is hidden by
    a file that happens to have its name.
    """
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path.remove(entry)
        if entry not in sys.path:
            sys.path.append(entry)


@contextmanager
def _users_errors(what: str, module: str) -> Iterator[None]:
    """Tell what a user's module raises as an error of theirs, where it happened."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ProcessError(
                f"there is no module {what!r}, neither installed nor in the current folder",
                "for a file somewhere else: path/to/file.py:MyClass",
            ) from None
        raise _failed(what, error) from None
    except (Exception, SystemExit) as error:
        raise _failed(what, error) from None


def _failed(what: str, error: BaseException) -> ProcessError:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_NOT_THEIRS)
    ]
    lines = traceback.format_list(frames)
    said = "".join([*lines, *traceback.format_exception_only(error)]).rstrip()
    return ProcessError(f"{what} cannot be imported:\n{said}")
