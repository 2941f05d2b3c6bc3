"""The files that a user means by ``SOURCE``: a file, a folder, a glob."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from nxscan.errors import SourceError

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[tuple[str | tuple[int, str], ...], str]:
    """Return a key that sorts names by the numbers in them.

    >>> sorted(["f10.edf", "f9.edf", "f09.edf"], key=natural_key)
    ['f09.edf', 'f9.edf', 'f10.edf']
    """
    parts = _DIGITS.split(name)
    return tuple(_number_key(part) if k % 2 else part for k, part in enumerate(parts)), name


def _number_key(digits: str) -> tuple[int, str]:
    digits = digits.lstrip("0")
    return len(digits), digits


def expand(sources: Iterable[str | Path] | str | Path) -> list[Path]:
    """Find the files that ``sources`` name.

    Parameters
    ----------
    sources : str, Path, or iterable of these
        Files, folders (their own files, hidden ones left out, in natural order) or globs.

    Returns
    -------
    list of Path
        Each file once, in the order of the sources.

    Raises
    ------
    SourceError
        If a source does not exist, has no files or cannot be read.

    Examples
    --------
    >>> expand("there/is/no/such.edf")
    Traceback (most recent call last):
        ...
    nxscan.errors.SourceError: there/is/no/such.edf: there is no such file or folder; ...

    """
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    if not given:
        raise SourceError("no source was given", "name a file, a folder or a glob")
    found: dict[Path, None] = {}
    for source in given:
        found.update(dict.fromkeys(_expand_one(source)))
    return list(found)


def _expand_one(source: str | Path) -> list[Path]:
    path = Path(source)
    try:
        if path.is_dir():
            return _files_in(path)
        if path.exists():
            return [path]
    except OSError as error:
        raise _unreadable(path, error) from error
    if glob.has_magic(str(source)):
        return _matching(str(source))
    raise SourceError(
        f"{source}: there is no such file or folder", "check the name, and where you are"
    )


def _files_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
            names = [entry.name for entry in shown if entry.is_file()]
    except OSError as error:
        raise _unreadable(folder, error) from error
    if names:
        return [folder / name for name in sorted(names, key=natural_key)]
    folders = sorted((entry.name for entry in shown), key=natural_key)
    if folders:
        raise SourceError(
            f"{folder}: the folder has no files, only folders ({', '.join(folders[:5])})",
            "name one of them, or use a glob: " + str(folder / "**" / "*"),
        )
    raise SourceError(f"{folder}: the folder is empty", "name the folder that holds the frames")


def _matching(pattern: str) -> list[Path]:
    matches = [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    files = [path for path in matches if path.is_file()]
    if files:
        return sorted(files, key=lambda path: natural_key(str(path)))
    found = f"only {len(matches)} folders" if matches else "nothing"
    raise SourceError(f"{pattern}: the pattern matches {found}", "check it with ls")


def _unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(
        f"{path}: cannot be read: {error.strerror or error}", "check that you may read it"
    )
