"""Tables of the corrections that nxscan brings, made from their classes."""

from __future__ import annotations

from importlib.metadata import entry_points

from nxscan.process import Correction
from nxscan.process.describe import ParameterFacts, facts_of


def corrections_table() -> str:
    """Return a Markdown table of what each correction does."""
    rows = [f"| [`{name}`](#{name}) | {_cell(facts_of(cls).summary)} |" for name, cls in _all()]
    return "\n".join(["| correction | what it does |", "|---|---|", *rows])


def parameters_table(name: str) -> str:
    """Return what a correction does, and a Markdown table of its parameters."""
    facts = facts_of(dict(_all())[name])
    rows = [_row(one) for one in facts.parameters]
    head = ["| parameter | takes | default | unit | meaning |", "|---|---|---|---|---|"]
    return "\n".join([facts.doc.replace("``", "`"), "", *head, *rows])


def _row(one: ParameterFacts) -> str:
    default, units = _cell(one.default) or "**required**", one.units or "–"
    return f"| `{one.name}` | {_cell(one.type)} | {default} | {units} | {_cell(one.help)} |"


def _all() -> list[tuple[str, type[Correction]]]:
    found = sorted(entry_points(group="nxscan.corrections"), key=lambda entry: entry.name)
    return [(entry.name, entry.load()) for entry in found if entry.value.startswith("nxscan.")]


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")
