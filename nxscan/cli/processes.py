"""``nxscan processes``: which analyses and corrections there are, and what they take."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nxscan.cli import options
from nxscan.cli.render import echo, heading, paragraph, print_json, table

if TYPE_CHECKING:
    from nxscan.process.describe import Facts, OutputFacts
    from nxscan.process.plugins import Installed


def processes(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Tell all about this one; module:Class and file.py:Class work, too.",
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """List the processes and corrections there are.

    Those of other packages are included. With a name: what it does, its parameters and its
    outputs.
    """
    if name is not None:
        _show_one(name, json=json)
    else:
        _show_all(json=json)


def _show_all(*, json: bool) -> None:
    from nxscan.process.describe import facts_of
    from nxscan.process.plugins import installed

    found = [(one, facts_of(one.type)) for one in installed()]
    if json:
        print_json([_plain(one, facts) for one, facts in found])
        return
    shared = {one.name for one, _ in found if _is_shared(one, [other for other, _ in found])}
    for kind, title in (("process", "Processes"), ("correction", "\nCorrections")):
        typer.secho(title, bold=True)
        rows = [
            (
                one.reference if one.name in shared else one.name,
                *([facts.per or "-"] if kind == "process" else []),
                one.package,
                _unquoted(facts.summary) or "-",
            )
            for one, facts in found
            if one.kind == kind
        ]
        per = ["one result per"] if kind == "process" else []
        echo(table(rows, ("name", *per, "from", "what it does")))
    typer.echo("\nMore about one of them: nxscan processes NAME")


def _is_shared(one: "Installed", others: "list[Installed]") -> bool:
    """Tell whether another package has the name, too, so that it does not say which is meant."""
    same = [other for other in others if (other.name, other.kind) == (one.name, one.kind)]
    return len(same) > 1


def _show_one(name: str, *, json: bool) -> None:
    from nxscan.process.describe import facts_of
    from nxscan.process.registry import find_any

    one = find_any(name)
    facts = facts_of(one.type)
    if json:
        print_json(_plain(one, facts))
        return
    typer.echo(f"{one.kind} {one.name}, version {facts.version}, from {one.package}")
    typer.echo(f"\n{_unquoted(facts.doc) or '(no docstring)'}")
    heading("Parameters")
    echo(_parameters(facts) if facts.parameters else paragraph("none"))
    if one.kind == "process":
        heading(f"Outputs, one value per {facts.per or 'what the parameters say'}")
        echo(_outputs(facts))
    heading("How to use it")
    echo(paragraph(_example(one, facts)))


def _parameters(facts: "Facts") -> Iterator[str]:
    width = max(len(one.name) for one in facts.parameters)
    for one in facts.parameters:
        takes = ", ".join(part for part in (one.type, one.limits) if part)
        unit = f", in {one.units}" if one.units else ""
        default = "must be given" if one.required else f"default {one.default or 'empty'}"
        yield from paragraph(f"{takes}{unit}; {default}", f"  {one.name:<{width}}  ")
        if one.help:
            yield from paragraph(one.help, " " * (width + 4))


def _outputs(facts: "Facts") -> Iterator[str]:
    if not facts.outputs:
        yield from paragraph("they depend on the scan")
        return
    rows = [
        (one.name, one.units or "-", one.dims or "one value", one.dtype, _role(one))
        for one in facts.outputs
    ]
    yield from table(rows, ("name", "unit", "dimensions", "type", ""))
    yield from paragraph("(for a scan along one axis, mu)")


def _unquoted(doc: str) -> str:
    """Return a docstring as a terminal shows it best."""
    return doc.replace("``", "'")


def _role(output: "OutputFacts") -> str:
    return ", ".join(part for part in (output.help, "default plot" * output.default) if part)


def _example(one: "Installed", facts: "Facts") -> str:
    """Return a command that uses it; what must be given is in capital letters."""
    needed = [f.name for f in facts.parameters if f.required]
    if one.kind == "process":
        given = "".join(f" -p {name}={name.upper()}" for name in needed)
        return f"nxscan run {one.name} scan.nxs{given}"
    given = ",".join(f"{name}={name.upper()}" for name in needed)
    return f"nxscan run PROCESS scan.nxs -c {one.name}{':' if given else ''}{given}"


def _plain(one: "Installed", facts: "Facts") -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "reference": one.reference,
        "package": one.package,
        **asdict(facts),
    }
