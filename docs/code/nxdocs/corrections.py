"""Tables of the processes and corrections that nxscan brings, made from their classes."""

from __future__ import annotations

from nxscan.process.describe import Facts, OutputFacts, ParameterFacts, facts_of
from nxscan.process.plugins import Installed, Kind, installed


def processes_table() -> str:
    """Return a Markdown table of what each process gives."""
    rows = [
        f"| [`{one.name}`](#{one.name}) | {facts.per} | {_cell(facts.summary)} |"
        for one, facts in _all("process")
    ]
    return "\n".join(["| process | one value per | what it gives |", "|---|---|---|", *rows])


def process_section(name: str) -> str:
    """Return what a process does, with tables of its parameters and outputs."""
    facts = _facts("process", name)
    head = ["| output | unit | dimensions | type | meaning |", "|---|---|---|---|---|"]
    outputs = [_output_row(one) for one in facts.outputs]
    shown = (
        [*head, *outputs]
        if outputs
        else ["What comes out depends on the parameters, and has the axes that are kept."]
    )
    return "\n".join([parameters_table(name, "process"), "", *shown])


def corrections_table() -> str:
    """Return a Markdown table of what each correction does."""
    rows = [
        f"| [`{one.name}`](#{one.name}) | {_cell(facts.summary)} |"
        for one, facts in _all("correction")
    ]
    return "\n".join(["| correction | what it does |", "|---|---|", *rows])


def parameters_table(name: str, kind: Kind = "correction") -> str:
    """Return what a process or correction does, and a Markdown table of its parameters."""
    facts = _facts(kind, name)
    rows = [_row(one) for one in facts.parameters]
    head = ["| parameter | takes | default | unit | meaning |", "|---|---|---|---|---|"]
    text = _without_notes(facts.doc).replace("``", "`")
    return "\n".join([text, "", *(head if rows else []), *rows])


def _without_notes(doc: str) -> str:
    """Leave out how it is made: that is for those who read the code."""
    return doc.partition("\n\nNotes\n-----")[0]


def _output_row(one: OutputFacts) -> str:
    name = f"**`{one.name}`**" if one.default else f"`{one.name}`"
    meaning = _cell(one.help)
    return f"| {name} | {one.units or '–'} | {one.dims or 'one value'} | {one.dtype} | {meaning} |"


def _row(one: ParameterFacts) -> str:
    known = "–" if one.default in ("", "None", "()") else _cell(one.default)
    default = "**required**" if one.required else known
    takes = ", ".join(part for part in (one.type, one.limits) if part)
    return f"| `{one.name}` | {_cell(takes)} | {default} | {one.units or '–'} | {_cell(one.help)} |"


def _all(kind: Kind) -> list[tuple[Installed, Facts]]:
    found = sorted(installed(kind), key=lambda one: one.name)
    return [(one, facts_of(one.type)) for one in found if one.reference.startswith("nxscan.")]


def _facts(kind: Kind, name: str) -> Facts:
    return next(facts for one, facts in _all(kind) if one.name == name)


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")
