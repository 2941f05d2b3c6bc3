"""Processes and corrections by what a user writes: a name, a module's class, a file's class."""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib.metadata import EntryPoint
from typing import Any

from nxscan.errors import ProcessError
from nxscan.process.contract import Process
from nxscan.process.correction import Correction
from nxscan.process.function import FunctionProcess
from nxscan.process.loading import load_object
from nxscan.process.plugins import (
    Installed,
    Kind,
    announced,
    checked,
    installed,
    load,
    references,
)
from nxscan.process.texts import read_texts, split_options

__all__ = ["Installed", "find_any", "find_correction", "find_process", "installed", "make_process"]

_OPTIONS = re.compile(r":(?=\s*[^\W\d]\w*\s*=)")


def find_process(text: str) -> type[Process]:
    """Return the class of a process.

    Parameters
    ----------
    text : str
        The name of one that is installed (``moments``), a class of a module
        (``my_module:Range``; the current folder is looked into first), or of a file
        (``path/file.py:Range``). A process made by `Process.from_function` is found under
        the name of its variable.

    Raises
    ------
    ProcessError
        If there is none, two packages have one of this name, or its code cannot be imported.

    """
    found = _find(text, "process")
    if not issubclass(found, Process):  # for the types' sake: _find has checked it
        raise ProcessError(f"{text} is not a Process")
    return found


def make_process(text: str, parameters: dict[str, str]) -> Process:
    """Return a process with parameters that are written as text (``{"scale": "3"}``)."""
    found = find_process(text)
    return found(**read_texts(found.Parameters, parameters))


def find_correction(text: str | Correction) -> Correction:
    """Return a correction with its parameters.

    Parameters
    ----------
    text : str or Correction
        ``dark``, or with parameters ``threshold:low=3,high=100``. In place of the name, a
        class of a module or a file: ``my_module:Clean:low=3``. A comma begins the next
        parameter only where ``name=`` follows: ``roi:region=10:50,20:80`` has one. Lists are
        written with commas (``1,2,3``) or as JSON. A Correction is returned as it is.

    Raises
    ------
    ProcessError
        If there is none, or a parameter is not what it takes.

    """
    if isinstance(text, Correction):
        return text
    if not isinstance(text, str):
        raise ProcessError(
            f"{text!r} is no correction", "give a Correction, or text such as 'dark'"
        )
    who, *rest = _OPTIONS.split(text, maxsplit=1)
    found = _find(who.strip(), "correction")
    options = split_options(rest[0]) if rest else {}
    if options is None:
        raise ProcessError(
            f"correction {who}: {rest[0]!r} is not name=value,name=value, each name once",
            "as in threshold:low=3,high=100",
        )
    if not issubclass(found, Correction):  # for the types' sake: _find has checked it
        raise ProcessError(f"{who} is not a Correction")
    return found(**read_texts(found.Parameters, options))


def find_any(text: str) -> Installed:
    """Return a process or a correction by what a user writes for it, with where it is from.

    Of a process and a correction of one name, the process.

    Raises
    ------
    ProcessError
        As `find_process`.

    """
    if ":" in text or text.endswith(".py"):
        found = _load_own(text)
        kind: Kind = "correction" if _is_correction(found) else "process"
        return Installed(text, kind, checked(found, kind, text), text, "your own code")
    for kind in ("process", "correction"):
        if announced(kind, text):
            return load(_only(text, kind), kind)
    raise ProcessError(
        f"there is no process or correction {text!r}", _known(text, "process", "correction")
    )


def _find(text: str, kind: Kind) -> type[Process] | type[Correction]:
    if ":" in text or text.endswith(".py"):
        return checked(_load_own(text), kind, text)
    return load(_only(text, kind), kind).type


def _load_own(text: str) -> Any:
    if text.endswith(".py"):
        raise ProcessError(f"which class of {text}?", f"write {text}:MyClass")
    found = load_object(text)
    return type(found) if isinstance(found, FunctionProcess) else found


def _is_correction(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, Correction)


def _only(name: str, kind: Kind) -> EntryPoint:
    """Return the one entry point of a name; ``hot-pixels`` is ``hot_pixels``."""
    points = announced(kind, name) or announced(kind, name.replace("-", "_"))
    if not points:
        raise ProcessError(f"there is no {kind} {name!r}", _known(name, kind))
    if len(points) > 1:
        raise ProcessError(
            f"{len(points)} packages have a {kind} {name!r}",
            f"in place of the name write one of: {', '.join(references(points))}",
        )
    return points[0]


def _known(name: str, *kinds: Kind) -> str:
    names = sorted({point.name for kind in kinds for point in announced(kind)})
    near = get_close_matches(name, names, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return (
        f"{meant}installed are: {', '.join(names) or 'none'}; "
        "for one of your own write my_module:MyClass or file.py:MyClass"
    )
