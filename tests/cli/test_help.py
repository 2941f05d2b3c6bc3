"""Help is for users: names of arguments, no types of Python."""

import re
from importlib.metadata import version

import pytest

VERBS = (
    *("inspect", "translate", "validate", "info", "run", "status", "plot", "view"),
    *("translators", "processes", "demo"),
)


@pytest.mark.parametrize("verb", VERBS)
def test_no_types_of_python_are_shown(nxscan_, verb):
    out = nxscan_(verb, "--help").out
    assert re.findall(r"<\w+|list\[|[{}]", out) == []


@pytest.mark.skipif(
    tuple(int(part) for part in version("typer").split(".")[:2]) < (0, 29),
    reason="older typer lays its help out in another way",
)
@pytest.mark.parametrize(
    ("verb", "usage", "argument"),
    [
        ("inspect", "[OPTIONS] SOURCE...", "SOURCE...  Files"),
        ("validate", "[OPTIONS] FILE...", "FILE...  NeXus files"),
        ("run", "[OPTIONS] PROCESS [FILE|SOURCE]...", "FILE|SOURCE...  NeXus files"),
        ("demo", "[OPTIONS] [DIRECTORY]", "DIRECTORY  Where to"),
    ],
)
def test_arguments_are_called_by_their_names(nxscan_, verb, usage, argument):
    out = nxscan_(verb, "--help").out
    assert f"Usage: nxscan {verb} {usage}\n" in out
    assert f"\n  {argument}" in out
