"""The sections of an entry's description, each a small generator of rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.view import describe
from nxscan.view.hdf5 import (
    attribute,
    broken_link,
    child,
    children,
    field_text,
    is_group,
    is_numeric,
    is_plot,
    nx_class,
    signal_name,
    text,
    texts,
)
from nxscan.view.listing import plot_in_words

if TYPE_CHECKING:
    Row = tuple[str, str]

KNOWN = frozenset({"data", "counters", "dark", "flat", "mask"})
"""NXdata of an entry that have a section of their own."""

MOST_VALUES = 1 << 20
"""Readings longer than this are not read to give their range."""


def entry_rows(entry: Any) -> Iterator[Row]:
    """Yield label and text of every section of an entry."""
    sections: tuple[Callable[[Any], Iterator[Row]], ...] = (
        _about,
        _frames,
        _integrated,
        _counters,
        _calibrations,
        _motors,
        _raw,
        _sources,
        _results,
        _other_plots,
    )
    for section in sections:
        yield from section(entry)


def _about(entry: Any) -> Iterator[Row]:
    start, end = field_text(entry, "start_time"), field_text(entry, "end_time")
    if start:
        yield "time", f"{start}{_duration(start, end)}"
    definition = field_text(entry, "definition")
    if definition:
        yield "definition", definition
    for _, node in children(entry):
        if nx_class(node) in ("NXinstrument", "NXsample"):
            name = field_text(node, "name")
            if name:
                yield nx_class(node)[2:], name


def _duration(start: str, end: str) -> str:
    try:
        seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    except (ValueError, TypeError):
        return f" to {end}" if end else ""
    if seconds < 120:
        return f", {seconds:.3g} s long"
    return f", {seconds / 60:.3g} min long" if seconds < 7200 else f", {seconds / 3600:.3g} h long"


def _frames(entry: Any) -> Iterator[Row]:
    """Yield every detector's signal, and the axes of the first one."""
    described = False
    for name, group in children(entry):
        if nx_class(group) != "NXdata" or not (name == "data" or name.startswith("data_")):
            continue
        signal = child(group, signal_name(group)) if signal_name(group) else None
        if signal is None:
            broken = broken_link(group, signal_name(group) or "data")
            yield "frames", f"cannot be read: {name}/{signal_name(group)} is {broken}"
            continue
        label = "frames" if signal.ndim > 1 else "signal"
        yield label, f"{_signal_name(signal)}: {describe.shape(signal.shape)}"
        yield "", describe.storage(signal, entry.file.filename)
        if not described:
            yield from _axes(group)
            described = True


def _signal_name(signal: Any) -> str:
    place = text(attribute(signal, "target")).split("/")
    detector = place[-2] if "instrument" in place else signal.name.rsplit("/", 1)[-1]
    return text(attribute(signal, "long_name")) or str(detector)


def _axes(group: Any) -> Iterator[Row]:
    named = texts(attribute(group, "axes"))
    beside = [name for name in group if f"{name}_indices" in group.attrs and name not in named]
    for label, names in (("axes", named), ("beside them", beside)):
        width = max((len(name) for name in names), default=0)
        for name in names:
            node = child(group, name)
            if node is not None and is_numeric(node) and node.size <= MOST_VALUES:
                units = text(attribute(node, "units"))
                words = describe.axis if node.ndim == 1 else describe.spread
                yield label, f"{name:<{width}}  {words(node[()], units)}"


def _integrated(entry: Any) -> Iterator[Row]:
    """Yield the motors that moved during each frame, and from where to where."""
    group = child(entry, "integrated")
    if group is None or not is_group(group):
        return
    for key in group:
        name = key.removesuffix("_start")
        ends = [child(group, f"{name}_{end}") for end in ("start", "stop")]
        if name != key and all(end is not None and is_numeric(end) for end in ends):
            start, stop = (float(end[()]) for end in ends)
            units = text(attribute(ends[0], "units"))
            yield "in each frame", f"{name}  {start:g} to {stop:g} {units}".rstrip()


def _counters(entry: Any) -> Iterator[Row]:
    group = child(entry, "counters")
    if group is None or not is_group(group):
        return
    names = [signal_name(group), *texts(attribute(group, "auxiliary_signals"))]
    width = max(len(name) for name in names)
    for name in names:
        node = child(group, name)
        if node is not None and is_numeric(node) and node.size <= MOST_VALUES:
            units = text(attribute(node, "units"))
            yield "counters", f"{name:<{width}}  {describe.spread(node[()], units)}"


def _calibrations(entry: Any) -> Iterator[Row]:
    for name in ("dark", "flat"):
        group = child(entry, name)
        if group is not None and is_group(group) and is_plot(group):
            signal = group[signal_name(group)]
            frames = signal.shape[0] if signal.ndim > 2 else 1
            detail = f"{describe.shape(signal.shape[-2:])} {signal.dtype}"
            yield name, f"{describe.count(frames, 'frame')} of {detail}"
    for mask in _masks(entry):
        bad = int(np.count_nonzero(mask[()]))
        yield "mask", f"{bad:,} of {mask.size:,} pixels are bad ({bad / mask.size:.2g})"


def _masks(entry: Any) -> list[Any]:
    own = child(entry, "mask/data")
    if own is not None:
        return [own]
    detectors = (
        d for _, i in _of_class(entry, "NXinstrument") for _, d in _of_class(i, "NXdetector")
    )
    masks = (child(detector, "pixel_mask") for detector in detectors)
    return [mask for mask in masks if mask is not None and is_numeric(mask)]


def _of_class(group: Any, nexus_class: str) -> Iterator[tuple[str, Any]]:
    for name, node in children(group):
        if nx_class(node) == nexus_class:
            yield name, node


def _motors(entry: Any) -> Iterator[Row]:
    """Yield the motors that moved one by one, and those at rest in one line."""
    resting: list[str] = []
    moving: dict[str, str] = {}
    for _, instrument in _of_class(entry, "NXinstrument"):
        for key, motor in _of_class(instrument, "NXpositioner"):
            value = child(motor, "value")
            if value is None or not is_numeric(value) or value.size > MOST_VALUES:
                continue
            if child(entry, f"integrated/{key}_start") is not None:
                continue
            name = field_text(motor, "name") or key
            words = describe.spread(value[()], text(attribute(value, "units")))
            if value.size > 1:
                moving[name] = words
            else:
                resting.append(f"{name} {words}")
    width = max(map(len, moving), default=0)
    for name, words in moving.items():
        yield "readings", f"{name:<{width}}  {words}"
    if resting:
        yield "at rest", f"{describe.count(len(resting), 'motor')}: {', '.join(resting)}"


def _raw(entry: Any) -> Iterator[Row]:
    keys = child(entry, "raw_metadata/keys")
    offsets = child(entry, "raw_metadata/header_offsets")
    parts = []
    if offsets is not None and not is_group(offsets):
        parts.append(describe.count(max(offsets.size - 1, 0), "header"))
    if keys is not None and is_group(keys):
        parts.append(describe.count(len(keys), "key"))
    if parts:
        yield "raw metadata", f"{', '.join(parts)} in {entry.name}/raw_metadata"


def _sources(entry: Any) -> Iterator[Row]:
    process = child(entry, "translation")
    if process is None or not is_group(process):
        return
    parameters = child(process, "parameters")
    how = [
        f"{key} {field_text(parameters, key)}"
        for key in ("translator", "mapping")
        if parameters is not None and field_text(parameters, key)
    ]
    date = field_text(process, "date")
    yield "translated", ", ".join([_program(process), *how, *([date] if date else [])])
    sources = child(process, "sources")
    if sources is not None and is_group(sources) and child(sources, "path") is not None:
        yield from _files(sources)


def _files(sources: Any) -> Iterator[Row]:
    """Yield number, size and place of the files of each role."""
    names = np.array([text(path) for path in np.reshape(sources["path"][()], -1)])
    sizes, roles = child(sources, "size"), child(sources, "role")
    role_of = (
        np.full(names.shape, "scan")
        if roles is None or roles.shape != names.shape
        else np.array([text(role) for role in roles[()]])
    )
    for role in dict.fromkeys(role_of.tolist()):
        chosen = role_of == role
        what = "file" if role == "scan" else f"{role} file"
        total = f", {describe.size(float(sizes[()][chosen].sum()))}" if sizes is not None else ""
        place = _range_of(names[chosen].tolist(), PurePath(sources.file.filename).parent)
        yield "sources", f"{describe.count(int(chosen.sum()), what)}{total}, {place}"


def _range_of(names: list[str], home: PurePath) -> str:
    """Return the folder of the sources, as seen from ``home``, and the first and last of them."""
    windows = any("\\" in name for name in names) and not any(n.startswith("/") for n in names)
    paths: list[PurePath] = [(PureWindowsPath if windows else PurePosixPath)(n) for n in names]
    folders = sorted({str(path.parent) for path in paths})
    place = _seen_from(home, folders[0])
    if len(paths) == 1:
        return str(paths[0]) if place == folders[0] else f"{paths[0].name} in {place}"
    if len(folders) > 1:
        return f"from {len(folders)} folders, the first is {place}"
    return f"{paths[0].name} to {paths[-1].name} in {place}"


def _seen_from(home: PurePath, folder: str) -> str:
    """Return a folder by the shorter of its ways: from the root, or from the file's folder."""
    try:
        way = os.path.relpath(folder, home) if PurePath(folder).is_absolute() else folder
    except ValueError:  # on another drive
        return folder
    if way == os.curdir:
        return "the folder of this file"
    return f"{way} (from the folder of this file)" if len(way) < len(folder) else folder


def _program(process: Any) -> str:
    return f"{field_text(process, 'program')} {field_text(process, 'version')}".strip()


def _results(entry: Any) -> Iterator[Row]:
    for name, process in _of_class(entry, "NXprocess"):
        if name == "translation":
            continue
        given = [f"{key} {words}" for key, words in _settings(process)]
        about = [_program(process), field_text(process, "date"), *given]
        yield "results", f"{name}  {', '.join(part for part in about if part)}".rstrip()
        default = text(attribute(process, "default"))
        plots = [(key, group) for key, group in _of_class(process, "NXdata") if is_plot(group)]
        for key, group in sorted(plots, key=lambda plot: plot[0] != default):
            yield "", f"  {key}  {plot_in_words(group)}"


def _settings(process: Any) -> Iterator[tuple[str, str]]:
    """Yield the parameters of a result that are one number or one text, with their units."""
    group = child(process, "parameters")
    for key, node in children(group) if group is not None and is_group(group) else ():
        if is_group(node) or node.shape != ():
            continue
        if is_numeric(node):
            yield key, f"{node[()]:g}{describe.unit_words(text(attribute(node, 'units')))}"
        else:
            yield key, field_text(group, key)


def _other_plots(entry: Any) -> Iterator[Row]:
    """Yield further NXdata of the entry, but for results, which are linked here as well."""
    results = [g for _, p in _of_class(entry, "NXprocess") for _, g in _of_class(p, "NXdata")]
    for name, group in _of_class(entry, "NXdata"):
        own = name in KNOWN or name.startswith("data_")
        if not own and is_plot(group) and all(group != result for result in results):
            yield "plots", f"{name}  {plot_in_words(group)}"
