"""Where HDF5 finds a file that another one names."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from nxscan.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MOST_NAMED = 3
_BACK = (
    "put them back where they were, or nxscan relink FILE --from A --to B if they have moved; "
    "HDF5 would give fill values for them without an error"
)

_known: ContextVar[tuple[Path, Mapping[str, Path]] | None] = ContextVar("known", default=None)


@contextmanager
def known_places(holder: Path, places: Mapping[str, Path]) -> Iterator[None]:
    """Have `beside` find files that one file names where they are known to be.

    Parameters
    ----------
    holder : Path
        The file that names them, absolute.
    places : mapping of str to Path
        Where each is by its name; others are looked for.

    """
    token = _known.set((holder, places))
    try:
        yield
    finally:
        _known.reset(token)


def beside(holder: Path, name: str) -> Path | None:
    """Find a file that another one names, where HDF5 does.

    Absolute names are taken as they are; relative ones, and the last part of absolute ones that
    lead nowhere, are looked for in the folder of the file that names them, as it was opened and
    where it really lies. HDF5 goes on to look in the working directory, where a namesake would
    be taken for the file, and has prefixes in the environment: this does not.

    Parameters
    ----------
    holder : Path
        The file that names it, absolute.
    name : str
        The name; ``.`` is the file itself.

    Returns
    -------
    Path or None
        The file, absolute; None if it is not there.

    """
    if name == ".":
        return holder
    known = _known.get()
    if known is not None and known[0] == holder and name in known[1]:
        return known[1][name]
    # thousands of names are looked up: pathlib takes ten times as long
    if os.path.isabs(name):  # noqa: PTH117
        if os.path.isfile(name):  # noqa: PTH113
            return Path(name)
        name = os.path.basename(name)  # noqa: PTH119
    found = os.path.join(holder.parent, name)  # noqa: PTH118
    if not os.path.isfile(found):  # noqa: PTH113
        found = os.path.join(holder.resolve().parent, name)  # noqa: PTH118
    return Path(found) if os.path.isfile(found) else None  # noqa: PTH113


def missing(holder: Path, dataset: str, names: Sequence[str], what: str = "file") -> LayoutError:
    """Return the error for sources that are not there.

    Parameters
    ----------
    holder, dataset : Path, str
        What reads from them.
    names : sequence of str
        Which are missing.
    what : str
        What they are, in the singular.

    """
    named = ", ".join(names[:_MOST_NAMED])
    if len(names) == 1:
        message = f"the {what} {named}, which is not there"
    else:
        more = " and others" if len(names) > _MOST_NAMED else ""
        message = f"{len(names)} {what}s that are not there: {named}{more}"
    return LayoutError(f"{holder}: {dataset} reads from {message}", _BACK)
