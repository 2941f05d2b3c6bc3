"""Which detectors of a run make up the scan."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nxscan.translate.report import Report
    from nxscan.translators.sacla.panels import Panel

_ASSEMBLED = "assembled"


def choose(detectors: Mapping[str, str], wanted: str | None, report: Report) -> list[str]:
    """Return the names of the detectors that are meant, the main one first.

    Parameters
    ----------
    detectors : mapping of str to str
        The run's detectors, and what each calls itself (``MPCCD-8-2-001-1``).
    wanted : str or None
        What the user names: detectors of either name, several separated by commas, with ``*``
        for any text. None takes the images that were assembled, or else every panel.
    report : Report
        Takes an error where nothing is meant.

    """
    if wanted is None:
        assembled = [name for name in detectors if _ASSEMBLED in name]
        if not detectors:
            report.error("detector", "the run has no detector_2d group", "were images saved?")
        elif assembled and len(assembled) < len(detectors):
            others = ", ".join(name for name in detectors if name not in assembled)
            report.note("detector", f"left out beside the assembled one: {others}", _NAME_THEM)
        return assembled or list(detectors)
    found: list[str] = []
    for pattern in filter(None, (part.strip() for part in wanted.split(","))):
        meant = [name for name, said in detectors.items() if _fits(pattern, name, said)]
        if not meant:
            there = (f"{name} ({said})" if said else name for name, said in detectors.items())
            report.error("--detector", f"there is no {pattern!r}", f"there are: {', '.join(there)}")
        found += [name for name in meant if name not in found]
    return found


_NAME_THEM = "--detector 'detector_2d_?' takes the panels"


def _fits(pattern: str, *names: str) -> bool:
    return any(name and fnmatch.fnmatchcase(name, pattern) for name in names)


def alike(panels: Mapping[str, Panel], report: Report, *, named: bool) -> dict[str, Panel]:
    """Return the detectors whose frames are those of the first; the others cannot be with them.

    Parameters
    ----------
    panels : mapping of str to Panel
        The detectors.
    report : Report
        Takes what is left out; errors, where the user named these detectors.
    named : bool
        The user did.

    """
    tell = report.error if named else report.warning
    found: dict[str, Panel] = {}
    shape: tuple[int, ...] | None = None
    for name, panel in panels.items():
        if panel.frames is None:
            reason = f": {next(iter(panel.left_out.values()))}" if panel.left_out else ""
            tell(name, f"it has no image{reason}", "it is left out: choose others with --detector")
            continue
        shape = shape or panel.frames.frame_shape
        if panel.frames.frame_shape == shape:
            found[name] = panel
        else:
            mine, other = panel.frames.frame_shape, f"{next(iter(found))} of {shape}"
            tell(name, f"its images are {mine}, those of {other}", f"--detector {name} takes it")
    if not found and not report.errors:
        report.error("detector", "no detector has an image", "was the run cancelled at once?")
    return found
