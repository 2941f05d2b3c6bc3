"""punx, the validator that users run: in a process of its own, see `punx_process`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from nxscan.validate.contract import Skip, Target
from nxscan.validate.finding import Finding, Severity
from nxscan.validate.hints import hint_for
from nxscan.validate.processes import run_script

_INSTALL = "pip install 'nxscan[punx]'"
_SEVERITY: dict[str, Severity] = {"ERROR": "error", "WARN": "warning", "NOTE": "note"}


def punx_rules(target: Target) -> Iterator[Finding]:
    """Check the file by punx's rules, in a process of its own."""
    if find_spec("punx") is None:
        raise Skip("punx is not installed", _INSTALL)
    answer = run_script("punx_process.py", target.path)
    if "unusable" in answer:
        raise Skip(f"punx cannot be imported: {answer['unusable']}", _INSTALL)
    for status, path, test, comment in answer["findings"]:
        hint = hint_for("punx", comment)
        yield Finding(_SEVERITY[status], path, test, comment, hint, "punx")
    if "crash" in answer:
        message = f"punx stopped with {answer['crash']}"
        hint = "see the other findings; links that lead nowhere and attributes in Latin-1 do this"
        yield Finding("error", "/", "validator crash", message, hint, "punx")
