"""The first draft of a mapping file, made from what is in an HDF5 file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscan.errors import SourceError
from nxscan.model.names import nexus_name
from nxscan.translate.h5source import open_source
from nxscan.translate.h5units import fitting_units, source_units
from nxscan.translate.h5values import read_values
from nxscan.translate.mapping_draft_find import (
    Frames,
    Run,
    datasets,
    find_frames,
    find_runs,
    scan_groups,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OTHERS = 6
_FIELDS = (
    ("instrument/beam/incident_energy", r"(mono_?|photon_?|incident_?|x?ray_?)?energy", "keV"),
    ("instrument/beam/incident_wavelength", r"(incident_?)?wave_?length", "angstrom"),
    ("instrument/{}/distance", r"(detector_?|sample_?detector_?)?distance", "m"),
    ("instrument/{}/x_pixel_size", r"(x_?pixel_?size|pixel_?size_?x?)", "m"),
    ("instrument/{}/y_pixel_size", r"(y_?pixel_?size|pixel_?size_?y?)", "m"),
    ("instrument/{}/beam_center_x", r"beam_?cent(er|re)_?x", "pixel"),
    ("instrument/{}/beam_center_y", r"beam_?cent(er|re)_?y", "pixel"),
    ("instrument/{}/count_time", r"(count|exposure|acquisition)_?(time|period)?", "s"),
    ("sample/temperature", r"(sample_?)?temperature", "K"),
    ("sample/name", r"sample(_?name|/name)", None),
    ("instrument/source/name", r"(facility|source/name)", None),
)


def draft_mapping(path: Path) -> str:
    """Return a first draft of a mapping for an HDF5 file, as the text of a TOML file.

    The largest numeric datasets are taken for frames, datasets whose length fits for axes, and
    scalars that are called like NeXus fields for those. What is not sure is there as a comment.

    Raises
    ------
    SourceError
        If the file cannot be read, or nothing in it may be frames.

    """
    with open_source(path) as file:
        groups = scan_groups(file)
        group = file[groups[0]] if groups else file["/"]
        found = datasets(group)
        frames = find_frames(found)
        if not frames or frames[0].role != "scan":
            raise SourceError(
                f"{path}: there is no numeric dataset that may be frames",
                "write the mapping by hand; schemas/mapping.schema.json says what it may have",
            )
        detector = _detector(frames[0])
        parts = [
            _head(path, groups, read_values(group, longest=1, attributes=False)),
            *_signals(frames, detector),
            *_axes(find_runs(found, frames[0]), frames[0]),
            *_fields(read_values(group, longest=1), detector),
        ]
    return "\n".join(parts)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(value: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", value)


def _head(path: Path, groups: Sequence[str], values: Mapping[str, Any]) -> str:
    lines = [
        f"# First draft for {_comment(path.name)}: check every line, then try it:",
        "#   nxscan inspect FILE --mapping THIS",
        "# Keys are paths below the scan's group; path@name is an attribute, /path is below the",
        "# file. What may be written here is in schemas/mapping.schema.json.",
        "",
        f"name = {_text(nexus_name(path.stem))}",
        "",
        "[scans]",
    ]
    if groups:
        named = groups if len(groups) <= _OTHERS else [_common(groups)]
        lines.append(f"groups = [{', '.join(_text(name) for name in named)}]")
        if len(groups) > 1:
            lines.append('# join = "path/of/what/moved"  # takes all of them as one scan')
    for key, names in (
        ("title", ("title", "@title")),
        ("command", ("scan_command", "command")),
        ("start", ("start_time", "@start_time")),
    ):
        there = next((name for name in names if name in values), None)
        lines.append(f"{key} = {_text(there)}" if there else f'# {key} = "path"')
    return "\n".join(lines) + "\n"


def _common(groups: Sequence[str]) -> str:
    """Return a pattern for the names of many groups."""
    shapes = {re.sub(r"\d+", "*", name) for name in groups}
    return shapes.pop() if len(shapes) == 1 else "*"


def _detector(frames: Frames) -> str:
    parts = [part for part in frames.key.split("/") if "*" not in part]
    silent = ("data", "image", "images", "value", "measurement", "instrument", "entry", "detector")
    named = [part for part in parts if part.lower() not in silent]
    return nexus_name(named[-1]) if named else "detector"


def _signals(frames: Sequence[Frames], detector: str) -> Iterator[str]:
    main = frames[0]
    rank = len(main.frame)
    yield "\n".join(_signal(main, detector, [f"rank = {rank}"] if rank != 2 else []))
    left = []
    taken = set()
    for other in frames[1:]:
        fits = other.frame == main.frame and other.role in ("dark", "flat")
        if fits and other.role not in taken:
            taken.add(other.role)
            yield "\n".join(_signal(other, detector, [f'role = "{other.role}"']))
        elif other.role == "mask" and (*other.scan, *other.frame)[-2:] == main.frame:
            extra = ['role = "mask"', "good = 0  # or: bad = 1"]
            yield _commented("\n".join(_signal(other, detector, extra)))
        else:
            left.append(other)
    for other in left[:_OTHERS]:
        name = _detector(other)
        extra = [f"rank = {len(other.frame)}"] if len(other.frame) != 2 else []
        yield _commented("\n".join(_signal(other, name, extra)))


def _signal(frames: Frames, name: str, extra: Sequence[str]) -> list[str]:
    shape = " × ".join(str(length) for length in (*frames.scan, *frames.frame))
    lines = ["[[signal]]", f"name = {_text(name)}", f"from = {_text(frames.key)}  # {shape}"]
    lines[-1] += f" {frames.dtype}"
    return [*lines, *extra, ""]


def _commented(text: str) -> str:
    return "\n".join(f"# {line}" if line else line for line in text.split("\n"))


def _axes(runs: Sequence[Run], frames: Frames) -> Iterator[str]:
    """Write the axes that are sure, one for each dimension; others as comments."""
    scan = len(frames.scan)
    taken: set[int] = set()
    names: set[str] = set()
    left = []
    for run in runs:
        sure = run.named or (run.even and not _across(run, scan))
        free = len(run.dimensions) < 2 and not taken.intersection(run.dimensions)
        if sure and free and run.name not in names and not _settled(run, taken, scan):
            taken.update(run.dimensions)
            names.add(run.name)
            yield "\n".join(_axis(run, scan))
        else:
            left.append(run)
    for run in left[:_OTHERS]:
        yield _commented("\n".join(_axis(run, scan)))
    readings = any(not run.dimensions for run in runs if run.name in names)
    for k in range(scan) if not readings else ():
        if k not in taken:
            lines = ["[[axis]]", 'name = "motor"', 'from = "path"', f"dimension = {k}", ""]
            yield _commented("\n".join(lines))


def _across(run: Run, scan: int) -> bool:
    return any(k >= scan for k in run.dimensions)


def _settled(run: Run, taken: set[int], scan: int) -> bool:
    """Tell whether readings in the scan's shape come too late: its dimensions have axes."""
    return not run.dimensions and len([k for k in taken if k < scan]) == scan


def _axis(run: Run, scan: int) -> list[str]:
    units = source_units(run.units)
    span = f"{len(run.values)} values, {run.values.min():g} … {run.values.max():g}"
    lines = [
        "[[axis]]",
        f"name = {_text(run.name)}",
        f"from = {_text(run.key)}  # {span} {_comment(run.units)}".rstrip(),
    ]
    if _across(run, scan):
        lines.append('role = "detector"')
    if run.dimensions:
        fits = ", ".join(map(str, run.dimensions))
        note = f"  # it fits {fits}" if len(run.dimensions) > 1 else ""
        lines.append(f"dimension = {run.dimensions[0]}{note}")
    if units is None:
        lines.append('# units = "degree"  # the file states no unit that is known')
    return [*lines, ""]


def _fields(values: Mapping[str, Any], detector: str) -> Iterator[str]:
    for target, pattern, units in _FIELDS:
        wanted = re.compile(rf"(^|.*[/@])({pattern})(/value|/data)?", re.IGNORECASE)
        keys = [
            key
            for key, value in values.items()
            if isinstance(value, str) and value and wanted.fullmatch(key) and "@units" not in key
        ]
        found = [key for key in keys if units is None or _number(values[key])]
        if not found:
            continue
        key = min(found, key=lambda key: (not _stated(values, key, units), len(key), key))
        lines = ["[[field]]", f"target = {_text(target.format(detector))}"]
        lines.append(f"from = {_text(key)}  # {_comment(values[key])[:60]}")
        if units is None:
            yield "\n".join([*lines, ""])
        elif _stated(values, key, units):
            yield "\n".join([*lines, 'units_in = "@units"', f"units = {_text(units)}", ""])
        else:
            said = f"units_in = {_text(units)}  # the file states no such unit"
            yield _commented("\n".join([*lines, said, f"units = {_text(units)}", ""]))


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _stated(values: Mapping[str, Any], key: str, units: str | None) -> bool:
    """Tell whether the file states a unit of the right kind."""
    return units is None or bool(fitting_units(str(values.get(f"{key}@units", "")), units))
