"""Images and events joined by tag: what belongs together, and what has no counterpart."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translators.sacla.tags import counted, have, tags_text, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from nxscan.translate.report import Report
    from nxscan.translators.sacla.content import Content
    from nxscan.translators.sacla.events import Events
    from nxscan.translators.sacla.panels import Panel

    Tags = NDArray[np.int64]

APART = "they are no part of the scan; the file lists them all with its translation"


def common_tags(
    content: Content, panels: Mapping[str, Panel], report: Report
) -> tuple[Tags, dict[str, str]]:
    """Return the tags of the scan, ascending, and all others as texts for the provenance.

    The scan holds the tags with a row of events and an image on every detector.

    Parameters
    ----------
    content : Content
        The run.
    panels : mapping of str to Panel
        The detectors that are chosen, each with images.
    report : Report
        Takes what has no counterpart, by tag.

    """
    title = content.run.title
    events = _checked(content, report)
    every = [panel.tags for panel in panels.values()]
    listed = reduce(np.union1d, every) if events is None else events.tags
    tags = reduce(np.intersect1d, [*every, listed])
    known = reduce(np.union1d, [*every, listed])
    apart: dict[str, str] = {}
    for panel in panels.values():
        _check_panel(panel, known, apart, report)
    for names, lost in _lacking(panels, listed):
        last = _last(lost, listed)
        more = f"; the last {last} of the run are among them: was it cancelled?" if last else ""
        some = f"{len(lost)} of {counted(len(listed))}"
        what = f"{some} {'has' if len(lost) == 1 else 'have'} no image of {names}"
        report.warning(title, f"{what}: {tags_text(lost, known)}{more}", APART)
        apart[f"tags without image of {names}"] = tags_text(lost, known, None)
    stray = without(reduce(np.union1d, every), listed)
    if len(stray):
        count, verb = counted(len(stray)), "has" if len(stray) == 1 else "have"
        message = f"{count} with an image {verb} no row in tag_number_list: "
        report.warning(title, message + tags_text(stray, known), APART)
        apart["tags without event"] = tags_text(stray, known, None)
    if not len(tags):
        hint = "choose fewer with --detector" if len(panels) > 1 else "was the run cancelled?"
        report.error(title, f"no tag has a row and an image of {', '.join(panels)}", hint)
    return tags, apart


def _checked(content: Content, report: Report) -> Events | None:
    """Return the events, having told what is wrong with them."""
    title, events = content.run.title, content.events
    if events is None:
        message = "there is no event_info/tag_number_list: no status and no energy is known"
        report.warning(title, message, "tags are those of the images")
        return None
    if len(events.contradictory):
        listed = tags_text(events.contradictory, events.tags, 20)
        message = f"{have(len(events.contradictory))} several rows that differ: {listed}"
        report.error(f"{title}/event_info", message, "which is right? copy the file again")
    if len(events.collapsed):
        listed = tags_text(events.collapsed, events.tags)
        message = f"{have(len(events.collapsed))} several rows that are the same: {listed}"
        report.note(f"{title}/event_info", message, "one of them is taken")
    for path, length in events.unfit.items():
        message = f"{path} has {counted(length, 'value')}, but there are {len(events.tags)} tags"
        report.warning(f"{title}/event_info", message, "it is kept in the raw metadata alone")
    for path in events.texts:
        report.note(f"{title}/event_info", f"{path} holds texts", "it is kept in the raw metadata")
    return events


def _check_panel(panel: Panel, known: Tags, apart: dict[str, str], report: Report) -> None:
    """Tell which images of a detector cannot be used."""
    if panel.repeated:
        listed = tags_text(np.array(panel.repeated, np.int64), known, 20)
        report.error(panel.name, f"tags are there twice: {listed}", "copy the file again")
    reasons: dict[str, list[int]] = {}
    for tag, reason in panel.left_out.items():
        reasons.setdefault(reason, []).append(tag)
    for reason, tags in reasons.items():
        unusable = np.array(sorted(tags), np.int64)
        text = f"{counted(len(tags))} cannot be used, since {reason}"
        report.warning(panel.name, f"{text}: {tags_text(unusable, known)}", APART)
        key = f"tags left out of {panel.name}"
        before = f"{apart[key]}; " if key in apart else ""
        apart[key] = f"{before}{reason}: {tags_text(unusable, known, None)}"


def _lacking(panels: Mapping[str, Panel], listed: Tags) -> Iterator[tuple[str, Tags]]:
    """Yield detectors that lack the same tags, and these."""
    groups: dict[bytes, tuple[list[str], Tags]] = {}
    for name, panel in panels.items():
        unusable = np.array(list(panel.left_out), np.int64)
        lost = without(without(listed, panel.tags), unusable)
        groups.setdefault(lost.tobytes(), ([], lost))[0].append(name)
    for names, lost in groups.values():
        if len(lost):
            every = len(names) == len(panels) > 1
            yield f"any of {len(panels)} detectors" if every else ", ".join(names), lost


def _last(lost: Tags, listed: Tags) -> int:
    """Return how many of the last tags of a run are lost; 0 for less than two."""
    there = np.flatnonzero(~np.isin(listed, lost))
    last = len(listed) - (int(there[-1]) + 1 if len(there) else 0)
    return last if last > 1 else 0
