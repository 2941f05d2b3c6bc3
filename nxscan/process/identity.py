"""What makes two runs the same: scan, process, code, parameters and corrections.

Everything that the numbers depend on is hashed, and nothing that they do not depend on: adding
a result to a file changes none of it, another parameter, another source or other code does.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import ProcessError
from nxscan.process.code_text import class_text

if TYPE_CHECKING:
    from pydantic import BaseModel

    from nxscan.model import Axis, Scan
    from nxscan.process.contract import Process
    from nxscan.process.correction import Correction

SCHEME = 2
"""Version of the identity and of the partition that block files follow."""


def identity(
    process: Mapping[str, Any],
    scan: Scan,
    corrections: Sequence[Mapping[str, Any]],
    data: Sequence[str],
) -> str:
    """Return the hash of everything that the results depend on.

    Parameters
    ----------
    process, corrections : mapping, sequence of mapping
        What `describe` says of them.
    scan : Scan
        What is worked on.
    data : sequence of str
        The fingerprints of the scan and of the results that the process needs.

    """
    facts = {
        "scheme": SCHEME,
        "data": list(data),
        "axes": [_axis(axis) for axis in scan.axes.values()],
        "mask": None if scan.mask is None else array_hash(np.asarray(scan.mask)),
        "positions": {
            f"{kind}/{name}": array_hash(np.asarray(item.value))
            for kind in ("counters", "readings")
            for name, item in sorted(getattr(scan, kind).items())
        },
        "process": process,
        "corrections": list(corrections),
    }
    return _hash(facts)


def scan_fingerprint(scan: Scan, uuid: str) -> str:
    """Return a hash of what is stored: the frames' checksums, or the files they lie in."""
    facts: dict[str, Any] = {
        "uuid": uuid,
        "signals": {name: _signal(signal) for name, signal in scan.signals.items()},
        "calibration": [_signal(signal) for signal in (scan.dark, scan.flat) if signal is not None],
    }
    if scan.frame_checksums is not None:
        facts["frames"] = array_hash(scan.frame_checksums)
    return _hash(facts)


def describe(item: Process | Correction) -> dict[str, Any]:
    """Return name, version, code and parameters of a process or a correction."""
    cls = type(item)
    return {
        "name": item.name,
        "version": item.version,
        "module": module_of(cls),
        "class": cls.__qualname__,
        "code": code_hash(cls),
        "parameters": parameters_of(item.parameters),
    }


def module_of(cls: type) -> str:
    """Return where a class was defined, as a user would write it."""
    if cls.__module__ != "__main__":
        return cls.__module__
    main = getattr(sys.modules["__main__"], "__file__", None)
    return Path(main).stem if main else "__main__"


def code_hash(cls: type) -> str:
    """Return a hash of the code of a class: what runs, and the file it comes from."""
    said = getattr(cls, "source_text", None)
    if isinstance(said, str):
        return _hash(said)
    text = class_text(cls)
    file = _file_of(cls)
    return _hash([text, None if file is None else _files_hash([file, *_neighbors(cls, file)])])


def _file_of(cls: type) -> Path | None:
    """Return the file of a class' module; a script or notebook is known by what runs alone."""
    if cls.__module__ == "__main__":
        return None
    try:
        file = inspect.getsourcefile(cls)
    except (OSError, TypeError):
        return None
    return Path(file) if file is not None and Path(file).exists() else None


def _neighbors(cls: type, file: Path) -> list[Path]:
    """Return the files that nxscan's own analyses share, compiled loops among them."""
    from nxscan import kernels

    if not cls.__module__.startswith("nxscan."):
        return []
    folders = (file.parent, Path(kernels.__file__).parent)
    return sorted(path for folder in folders for path in folder.glob("*.py"))


def _files_hash(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def parameters_of(parameters: BaseModel) -> dict[str, Any]:
    """Return parameters as they are hashed and recorded; a file counts by its content.

    Raises
    ------
    ProcessError
        If a file is not there.

    """
    found = {name: _value(name, value) for name, value in parameters}
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str, sort_keys=True))
    return plain


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Path):
        try:
            content = hashlib.sha256(value.read_bytes()).hexdigest()
        except OSError as error:
            raise ProcessError(
                f"parameter {name!r}: {value} cannot be read: {error.strerror or error}"
            ) from error
        return {"file": str(value), "sha256": content}
    if isinstance(value, float) and not np.isfinite(value):
        return repr(value)
    if isinstance(value, np.ndarray):
        return {"array": array_hash(value)}
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def array_hash(values: Any) -> str:
    """Return a hash of type, shape and bytes of an array."""
    array = np.asarray(values)
    if array.dtype.kind in "OU":
        return _hash([array.shape, [str(item) for item in array.ravel().tolist()]])
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    digest = hashlib.sha256(f"{little.dtype.str}{array.shape}".encode())
    digest.update(little.tobytes())
    return digest.hexdigest()


def _axis(axis: Axis) -> list[Any]:
    return [axis.name, axis.units, axis.role, axis.dimension, array_hash(axis.values)]


def _signal(signal: Any) -> list[Any]:
    return [getattr(signal, "dataset", ""), signal.shape, str(signal.dtype)]


def _hash(facts: Any) -> str:
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
