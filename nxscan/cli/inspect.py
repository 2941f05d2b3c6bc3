"""``nxscan inspect``: what lies in a source, and how it would be translated."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from nxscan.cli import options
from nxscan.cli.render import echo, heading, paragraph, print_json, size, table, times, when

if TYPE_CHECKING:
    from nxscan.inspection import Inspection
    from nxscan.model import Axis
    from nxscan.translate.contract import ScanRef
    from nxscan.translate.report import MappedField, MissingField, Report

_LONGEST = 30
_MOST = 1
_COUNTERS = 60


def inspect(
    source: options.Sources,
    scan: options.ScanNumber = None,
    translator: options.TranslatorName = None,
    mapping: options.MappingFile = None,
    axes: options.Axes = None,
    dark: options.Dark = None,
    flat: options.Flat = None,
    partial: options.Partial = False,
    detector: options.Detector = None,
    live: options.Live = False,
    join: options.Join = None,
    table: options.Table = None,
    where: options.Where = None,
    new_mapping: options.NewMapping = None,
    json: options.Json = False,
) -> None:
    """Show what lies in a source, and the plan for it.

    Nothing is written, but for a draft that --new-mapping asks for. Exit status 1 if the
    translation would be refused.
    """
    if new_mapping is not None:
        from nxscan.inspection import write_new_mapping

        typer.echo(write_new_mapping(source, new_mapping))
        return
    shape = options.read_axes(axes)

    import nxscan

    found = nxscan.inspect(
        source,
        scan=scan,
        translator=translator,
        mapping=mapping,
        axes=shape,
        dark=dark,
        flat=flat,
        partial=partial,
        detector=detector,
        live=live,
        join=join,
        table=table,
        where=where,
    )
    if json:
        print_json(found.to_dict())
    else:
        _show(found)
    if found.report.errors:
        raise typer.Exit(1)


def _show(found: "Inspection") -> None:
    number = len(found.refs)
    typer.echo(f"{number} scan{'s' if number != 1 else ''} (translator {found.translator})")
    echo(table(*_scans(found.refs if found.ref is None else [found.ref])))
    if found.ref is None:
        typer.echo("\nFor more about one of them: --scan N")
        return
    heading(f"Scan {found.ref.number}: {found.ref.title}")
    if found.ref.command:
        echo(paragraph(found.ref.command))
    if found.scan is not None:
        echo(table(list(_parts(found))))
    _show_report(found)


def _scans(refs: Sequence["ScanRef"]) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Return the rows and heads of the list of scans; what no source says is left out."""
    # many scans of one file have its size
    told_apart = len(refs) == 1 or len({ref.size for ref in refs}) > 1
    columns: list[tuple[str, list[str]]] = [
        ("number", [ref.number for ref in refs]),
        ("command" if any(ref.command for ref in refs) else "title", [_name(ref) for ref in refs]),
        ("points", [_points(ref) for ref in refs]),
        ("frame", [f"{times(ref.shape)} {ref.dtype}".strip() for ref in refs]),
        ("detectors", [_some(ref.detectors) for ref in refs]),
        ("size", [size(ref.size) for ref in refs] if told_apart else []),
        ("time", [_time(ref) for ref in refs]),
    ]
    told = [(head, cells) for head, cells in columns if any(cells)]
    rows = [tuple(cells[k] for _, cells in told) for k in range(len(refs))]
    return rows, tuple(head for head, _ in told)


def _name(ref: "ScanRef") -> str:
    """Return what tells a scan to a person: the command, else the title."""
    return _short(ref.command or ref.title)


def _points(ref: "ScanRef") -> str:
    return str(ref.frames) if ref.declared is None else f"{ref.frames} of {ref.declared}"


def _time(ref: "ScanRef") -> str:
    """Return when a scan was begun, else when its file was changed, to the minute."""
    said = ref.started.strip()
    return said[:16].replace("T", " ") if said else when(ref.modified)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST])
    return f"{shown} +{len(names) - _MOST}" if len(names) > _MOST else shown


def _parts(found: "Inspection") -> Iterator[tuple[str, str]]:
    scan = found.scan
    if scan is None:
        return
    for name, signal in scan.signals.items():
        yield name, f"{times(signal.shape)} {signal.dtype} {signal.units or ''}".rstrip()
    for name, extra in (("dark", scan.dark), ("flat", scan.flat)):
        if extra is not None:
            yield name, f"{times(extra.shape)} {extra.dtype}"
    if scan.counters:
        names = list(scan.counters)
        more = f" … ({len(names)} in all)" if len(names) > _COUNTERS else ""
        yield "counters", ", ".join(names[:_COUNTERS]) + more


def _show_report(found: "Inspection") -> None:
    report = found.report
    heading("Axes, slow to fast")
    if found.scan is not None:
        axes = (*found.scan.axes.values(), *found.scan.integrated.values())
        echo(table([_axis_row(axis) for axis in axes]))
    for sentence in report.axes.evidence if report.axes else ():
        echo(paragraph(sentence, "  - "))
    if report.mapped:
        heading("Metadata")
        echo(table([_mapped_row(field) for field in report.mapped]))
    if report.missing:
        heading("Not found")
        echo(table([_missing_row(field) for field in report.missing]))
    if report.problems:
        heading("Problems")
        echo(_problems(report))


def _number(value: float) -> str:
    """Write a number as people do; tags and other whole numbers with all their digits.

    >>> _number(219817020.0), _number(0.1 + 0.2)
    ('219817020', '0.3')
    """
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:g}"


def _axis_row(axis: "Axis") -> tuple[str, str, str]:
    first, last = _number(axis.values[0]), _number(axis.values[-1])
    span = first if len(axis) == 1 else f"{first} to {last}"
    role = "" if axis.role == "scan" else f" ({axis.role})"
    if axis.role == "integrated" and axis.width is not None:
        middle, half = float(axis.values[0]), 0.5 * float(axis.width[0])
        span, role = f"{middle - half:g} to {middle + half:g}", " (in each frame)"
    return axis.name, f"{len(axis)}", f"{span} {axis.units or ''}".rstrip() + role


def _mapped_row(field: "MappedField") -> tuple[str, str]:
    value = f"{field.value} {field.units or ''}".rstrip()
    raw = "" if field.raw in (value, field.value) else f"{field.raw} → "
    return field.target, f"← {field.source}: {raw}{value}"


def _missing_row(field: "MissingField") -> tuple[str, str]:
    target = f"{field.target} (required)" if field.required else field.target
    tried = f"tried {', '.join(field.tried)}" if field.tried else "no source named"
    return target, tried + (f"; nearest {', '.join(field.nearest)}" if field.nearest else "")


def _problems(report: "Report") -> Iterator[str]:
    for severity in ("error", "warning", "note"):
        for problem in report.problems:
            if problem.severity == severity:
                yield from paragraph(str(problem))
