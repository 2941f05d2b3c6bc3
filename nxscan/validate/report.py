"""What a validation found, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nxscan.validate.consequences import REASON
from nxscan.validate.finding import Finding, Severity, Source

_ORDER: tuple[Severity, ...] = ("error", "warning", "note")
_MOST_PATHS = 5


@dataclass(frozen=True)
class Suppressed:
    """A finding that does not count, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True)
class CheckRun:
    """Whether a check ran.

    Attributes
    ----------
    name, source : str
        Which one, and of which validator.
    ran : bool
        False where it had nothing to look at or its validator is not installed.
    reason, hint : str
        Why it did not run, and what to do to have it run.
    seconds : float
        How long it took.

    """

    name: str
    source: Source
    ran: bool
    reason: str = ""
    hint: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Report:
    """All that a validation found in one file.

    Attributes
    ----------
    path : Path
        The file.
    findings : tuple of Finding
        Those that count, worst first.
    suppressed : tuple of Suppressed
        Known false positives, and what only follows from a link that leads nowhere, each with
        the reason why it does not count.
    checks : tuple of CheckRun
        What ran and what did not.

    """

    path: Path
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    checks: tuple[CheckRun, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is no error and no warning."""
        return all(finding.severity == "note" for finding in self.findings)

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def text(self, all: bool = False) -> str:  # noqa: A002  (named like the option --all)
        """Return the report for a person to read.

        Parameters
        ----------
        all : bool
            Show every path, what was set aside with the reasons, and every check.

        """
        return "\n".join(_lines(self, everything=all))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain lists and texts, for JSON."""
        return {
            "path": str(self.path),
            "ok": self.ok,
            "findings": [finding.to_dict() for finding in self.findings],
            "suppressed": [
                {**item.finding.to_dict(), "reason": item.reason} for item in self.suppressed
            ],
            "checks": [
                {
                    "name": run.name,
                    "source": run.source,
                    "ran": run.ran,
                    "reason": run.reason,
                    "hint": run.hint,
                    "seconds": round(run.seconds, 3),
                }
                for run in self.checks
            ],
        }


def _lines(report: Report, *, everything: bool) -> Iterator[str]:
    verdict = "valid" if report.ok else "NOT VALID"
    counts = [_plural(report.count(severity), severity) for severity in _ORDER]
    yield f"{report.path}: {verdict} ({', '.join(counts)})"
    for severity in _ORDER:
        alike: dict[tuple[str, ...], list[str]] = {}
        for finding in report.findings:
            if finding.severity == severity:
                key = (finding.source, finding.rule, finding.message, finding.hint)
                alike.setdefault(key, []).append(finding.path)
        for (source, rule, message, hint), paths in alike.items():
            yield ""
            yield f"  {severity}: {message}  [{source}: {rule}]"
            yield from _paths(paths, everything=everything)
            if hint:
                yield f"    → {hint}"
    yield ""
    yield from _set_aside(report, everything=everything)
    yield from _runs(report.checks, everything=everything)


def _paths(paths: list[str], *, everything: bool) -> Iterator[str]:
    shown = paths if everything else paths[:_MOST_PATHS]
    yield from (f"    {path}" for path in shown)
    if len(shown) < len(paths):
        yield f"    … and {len(paths) - len(shown)} more like these"


def _set_aside(report: Report, *, everything: bool) -> Iterator[str]:
    following = sum(item.reason == REASON for item in report.suppressed)
    counts = (
        (following, "consequence"),
        (len(report.suppressed) - following, "known false positive"),
    )
    kinds = [_plural(count, noun) for count, noun in counts if count]
    if not kinds:
        return
    more = "" if everything else ", --all shows them"
    yield f"  {' and '.join(kinds)} set aside{more}"
    if not everything:
        return
    alike: dict[str, list[Finding]] = {}
    for item in report.suppressed:
        alike.setdefault(item.reason, []).append(item.finding)
    for reason, findings in alike.items():
        yield f"    {reason}:"
        for finding in findings:
            yield f"      {finding.path}  {finding.message}  [{finding.source}: {finding.rule}]"


def _runs(checks: tuple[CheckRun, ...], *, everything: bool) -> Iterator[str]:
    ran = [run for run in checks if run.ran]
    if ran:
        names = [f"{run.name} ({run.source}, {run.seconds:.1f} s)" for run in ran]
        sources = list(dict.fromkeys(run.source for run in ran))
        yield f"  checked: {', '.join(names if everything else sources)}"
    for run in checks:
        if not run.ran and (run.hint or everything):
            hint = f"; to have it: {run.hint}" if run.hint else ""
            yield f"  not checked: {run.name} ({run.reason}{hint})"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
