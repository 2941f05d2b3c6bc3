"""How a user calls a run again, so that it goes on."""

from __future__ import annotations

import inspect
import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nxscan.process.contract import Process
from nxscan.process.correction import Correction
from nxscan.process.plugins import Kind, announced


def resume_text(
    process: Process,
    file: Path,
    *,
    into: Path | None = None,
    on: str | None = None,
    corrections: Sequence[Correction] = (),
) -> str:
    """Return the command that goes on with a run, or the Python call where none can.

    A class of a notebook or a script, and a value that no command line can say, are for the
    notebook or the script to repeat.

    >>> from nxscan.process import Output
    >>> halves = Process.from_function(lambda d: d[0] / 2, [Output("half")])
    >>> resume_text(halves, Path("scan.nxs"))
    "the process 'half' again, as it was called: .run('scan.nxs')"
    """
    who = _reference(process)
    chain = [_reference(one) for one in corrections]
    options = [*_options(process), *(text for one in corrections for text in _options(one))]
    if who is None or None in chain or None in options:
        given = f"{str(file)!r}" + ("" if into is None else f", into={str(into)!r}")
        return f"the process {process.name!r} again, as it was called: .run({given})"
    words = ["nxscan", "run", who, str(file)]
    for text in _options(process):
        words += ["-p", str(text)]
    for name, one in zip(chain, corrections, strict=True):
        given = ",".join(str(text) for text in _options(one))
        words += ["-c", f"{name}:{given}" if given else str(name)]
    for option, value in (("--on", on), ("--into", into)):
        if value is not None:
            words += [option, str(value)]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _reference(one: Process | Correction) -> str | None:
    """Return what finds a class from a command line: name, file or module; None if nothing."""
    cls = type(one)
    kind: Kind = "process" if isinstance(one, Process) else "correction"
    place = f"{cls.__module__}:{cls.__qualname__}"
    for point in announced(kind):
        if point.value == place:
            return point.name if len(announced(kind, point.name)) == 1 else place
    if cls.__module__ == "__main__" or hasattr(cls, "source_text") or "<" in cls.__qualname__:
        return None
    try:
        file = Path(inspect.getfile(cls))
    except (OSError, TypeError):
        return None
    if cls.__module__.partition(".")[0] == file.stem or "." in cls.__module__:
        return place
    return f"{file}:{cls.__qualname__}"


def _options(one: Process | Correction) -> Iterator[str | None]:
    """Yield ``name=value`` for what was given; None for a value that text cannot say."""
    for name in sorted(one.parameters.model_fields_set):
        text = _text(getattr(one.parameters, name))
        yield None if text is None else f"{name}={text}"


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, int | float | Path):
        return str(value).lower() if value is None or isinstance(value, bool) else str(value)
    if isinstance(value, list | tuple | dict):
        try:
            return json.dumps(value)
        except TypeError:
            return None
    return None
