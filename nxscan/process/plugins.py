"""The processes and corrections that are installed, nxscan's own and third parties' alike."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, get_args

from nxscan.errors import ProcessError
from nxscan.process.contract import Per, Process
from nxscan.process.correction import Correction

Kind = Literal["process", "correction"]

GROUPS: dict[Kind, str] = {"process": "nxscan.processes", "correction": "nxscan.corrections"}
BASES: dict[Kind, type[Process] | type[Correction]] = {
    "process": Process,
    "correction": Correction,
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Installed:
    """A process or correction that a package announces.

    Attributes
    ----------
    name : str
        What is typed to get it.
    kind : {"process", "correction"}
        Which of the two.
    type : type
        The class.
    reference : str
        ``package.module:Class``, which gets it, too, and is never ambiguous.
    package : str
        The package that brings it, with its version.

    """

    name: str
    kind: Kind
    type: type[Process] | type[Correction]
    reference: str
    package: str


def installed(kind: Kind | None = None) -> list[Installed]:
    """Return all that is installed, in the order of the names.

    What cannot be loaded is left out with a warning in the log. Of two that have one name,
    both are there.
    """
    found = []
    for one in GROUPS if kind is None else (kind,):
        for point in announced(one):
            try:
                found.append(load(point, one))
            except ProcessError as error:
                logger.warning("%s; it is left out", error.message)
    return found


def announced(kind: Kind, name: str | None = None) -> list[EntryPoint]:
    """Return the entry points of a kind, those of one name if it is given; nothing is loaded."""
    points = {
        (point.name, point.value): point
        for point in entry_points(group=GROUPS[kind])
        if name is None or point.name == name
    }
    return [points[key] for key in sorted(points)]


def load(point: EntryPoint, kind: Kind) -> Installed:
    """Load what an entry point announces.

    Raises
    ------
    ProcessError
        If it cannot be imported or is something else, whatever a third party's module does.

    """
    what = f"the {kind} {point.name!r} of {package_of(point)} ({point.value})"
    try:
        found = point.load()
    except (Exception, SystemExit) as error:
        raise ProcessError(
            f"{what} cannot be loaded: {type(error).__name__}: {error}",
            "this is a fault of that package: install another version of it",
        ) from error
    return Installed(point.name, kind, checked(found, kind, what), point.value, package_of(point))


def checked(found: object, kind: Kind, what: str) -> type[Process] | type[Correction]:
    """Return the class if it is one of its kind that can be used, or raise ProcessError."""
    base = BASES[kind]
    if not isinstance(found, type) or not issubclass(found, base):
        seen = f"the class {found.__name__}" if isinstance(found, type) else _seen(found)
        raise ProcessError(
            f"{what} is {seen}, not a {base.__name__}",
            f"from nxscan.process import {base.__name__}; class MyOwn({base.__name__}): ...",
        )
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if issubclass(found, Process):
        per = getattr(found, "per", None)
        if per is None and found.__init__ is Process.__init__:
            missing.insert(0, "per")
        elif isinstance(per, str) and per not in get_args(Per):
            ways = " or ".join(repr(way) for way in get_args(Per))
            raise ProcessError(f"{what}: per is {per!r}", f"it must be {ways}")
    if missing:
        raise ProcessError(
            f"{what} is not complete: it does not define {', '.join(missing)}",
            "see nxscan.Process for what each of them is",
        )
    return found


def package_of(point: EntryPoint) -> str:
    """Return name and version of the package that announces an entry point."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"


def references(points: list[EntryPoint]) -> Iterator[str]:
    """Yield a line for each entry point: what tells it apart, and where it is from."""
    for point in points:
        yield f"{point.value} (of {package_of(point)})"


def _seen(found: object) -> str:
    if isinstance(found, Process | Correction):
        return f"an instance, {found!r}"
    return f"a {type(found).__name__}"
