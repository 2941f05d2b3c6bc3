"""What one run holds: rows of events, images of detectors, what holds for all of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.hdf5.virtual import joined
from nxscan.translate.h5source import member_names, open_source
from nxscan.translate.h5values import read_values
from nxscan.translators.sacla.events import Events, joined_events, read_events
from nxscan.translators.sacla.groups import STACKED, detector_names, group_of, listed_runs
from nxscan.translators.sacla.panels import IMAGE, Panel, read_panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nxscan.translators.sacla.groups import Run

    Raw = str | NDArray[Any]

MASK = "metadata/pixelmask"
_MOST = 16
"""Items of a list that are there one by one as well."""


@dataclass(frozen=True, eq=False)
class Content:
    """One run, or several that were joined.

    Attributes
    ----------
    runs : tuple of Run
        Where it is.
    events : Events or None
        What was recorded for every tag; None if nothing was.
    panels : dict of str to Panel
        The detectors that were asked for.
    values : dict of str to str or ndarray
        What holds for the whole run, by its path below the run.
    absent : tuple of int
        Runs that the file lists, and that are not in it.
    mask : ndarray or None
        Cheetah's mask of bad pixels: 0 is good.

    """

    runs: tuple[Run, ...]
    events: Events | None
    panels: dict[str, Panel]
    values: dict[str, Raw] = field(default_factory=dict)
    absent: tuple[int, ...] = ()
    mask: NDArray[Any] | None = None

    @property
    def run(self) -> Run:
        """The first run."""
        return self.runs[0]


def detectors_of(run: Run) -> dict[str, str]:
    """Return the detectors of a run, and what each calls itself.

    Raises
    ------
    SourceError
        If the file cannot be read.

    """
    if run.flavor == "cheetah":
        return {STACKED: ""}
    with open_source(run.path) as file:
        group = group_of(file, run)
        names = detector_names(group)
        said = {name: group.get(f"{name}/detector_info/detector_name") for name in names}
        return {name: _text(node) for name, node in said.items()}


def _text(node: Any) -> str:
    if not isinstance(node, h5py.Dataset) or node.shape not in ((), (1,)):
        return ""
    found = np.ravel(node[()])[0]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)


def read_content(run: Run, detectors: Sequence[str]) -> Content:
    """Read a run, with some of its detectors.

    Raises
    ------
    SourceError
        If the file is damaged.

    """
    with open_source(run.path) as file:
        group = group_of(file, run)
        if run.flavor == "cheetah":
            return _cheetah(run, group)
        panels = {
            name: read_panel(group[name], name, run.path, IMAGE[run.flavor]) for name in detectors
        }
        values = _values(group, detectors)
        numbers = {int(name) for name in listed_runs(file)}
        there = {int(name[4:]) for name in file if name.startswith("run_") and name[4:].isdigit()}
        absent = tuple(sorted(numbers - there))
        return Content((run,), read_events(group), panels, whole(values), absent)


def _values(group: Any, detectors: Sequence[str]) -> dict[str, Raw]:
    """Read what holds for a whole run; the thousands of groups of its shots are not visited."""
    left_out = {*detector_names(group), "event_info"}
    places = [name for name in member_names(group) if name not in left_out]
    places += [f"{name}/detector_info" for name in detectors]
    values: dict[str, Raw] = {}
    for place in places:
        node = group.get(place)
        found = read_values(node, attributes=False, lenient=True) if _is_group(node) else {}
        values |= {f"{place}/{path}": value for path, value in found.items()}
    return values


def _is_group(node: Any) -> bool:
    return isinstance(node, h5py.Group)


def _cheetah(run: Run, group: Any) -> Content:
    """Read a file of Cheetah's, whose shots bear what was recorded for them."""
    panel = read_panel(group, STACKED, run.path, IMAGE["cheetah"])
    said = group.get("metadata")
    values = read_values(said, attributes=False, lenient=True) if said is not None else {}
    mask = group.get(MASK)
    image = np.asarray(mask[()]) if isinstance(mask, h5py.Dataset) else None
    if image is not None and (panel.frames is None or image.shape != panel.frames.frame_shape):
        image = None
    events = Events(panel.tags, dict(panel.columns))
    only = Panel(STACKED, panel.tags, panel.frames, {}, panel.left_out, panel.repeated)
    named = {f"metadata/{path}": value for path, value in values.items()}
    return Content((run,), events, {STACKED: only}, whole(named), mask=image)


def whole(values: dict[str, Raw]) -> dict[str, Raw]:
    """Return values that hold for the run: a list also as one value for each of its items.

    >>> whole({"size": np.array([50.0, 40.0])})
    {'size': '50.0 40.0', 'size[0]': '50.0', 'size[1]': '40.0'}
    """
    found: dict[str, Raw] = {}
    for path, value in values.items():
        if isinstance(value, np.ndarray) and value.ndim == 1:
            texts = [str(item) for item in value]
            found[path] = " ".join(texts)
            if len(value) <= _MOST:
                found |= {f"{path}[{k}]": text for k, text in enumerate(texts)}
        else:
            found[path] = value
    return found


def joined_content(contents: Sequence[Content]) -> Content:
    """Return several runs as one.

    Raises
    ------
    SourceError
        If they do not go together; it says how.

    """
    first = contents[0]
    if len(contents) == 1:
        return first
    known = [
        replace(one.events, columns={**one.events.columns, "run_number": _number_of(one)})
        for one in contents
        if one.events is not None
    ]
    if len(known) != len(contents):
        raise SourceError("some of the runs have no tag_number_list", "join the others")
    panels = {name: _joined(name, [one.panels[name] for one in contents]) for name in first.panels}
    runs = tuple(run for content in contents for run in content.runs)
    return Content(runs, joined_events(known), panels, first.values, mask=first.mask)


def _number_of(content: Content) -> NDArray[Any]:
    count = 0 if content.events is None else len(content.events.tags)
    return np.full(count, content.run.number)


def _joined(name: str, panels: Sequence[Panel]) -> Panel:
    full = [panel for panel in panels if panel.frames is not None]
    if not full:
        return panels[0]
    tags = np.concatenate([panel.tags for panel in full])
    order = np.argsort(tags, kind="stable")
    frames = joined([panel.frames for panel in full if panel.frames is not None])
    shared = [key for key in full[0].columns if all(key in panel.columns for panel in full)]
    columns = {key: np.concatenate([p.columns[key] for p in full])[order] for key in shared}
    left_out = {tag: reason for panel in panels for tag, reason in panel.left_out.items()}
    repeated = tuple(tag for panel in panels for tag in panel.repeated)
    return Panel(
        name, tags[order], frames.arranged((len(tags),), order), columns, left_out, repeated
    )
