"""What a translator found before anything is written: evidence, mapped fields, problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nxscan.errors import PlanError

if TYPE_CHECKING:
    from nxscan.translate.axes import AxesFound

    Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Problem:
    """One thing that a user should know before translating.

    An ``error`` stops the translation, a ``warning`` asks for a look, a ``note`` informs.
    """

    severity: Severity
    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.severity}: {self.where}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


@dataclass(frozen=True)
class MappedField:
    """A raw key that became a NeXus field."""

    target: str
    source: str
    raw: str
    value: str
    units: str | None = None


@dataclass(frozen=True)
class MissingField:
    """A NeXus field for which no raw key was found."""

    target: str
    tried: tuple[str, ...]
    nearest: tuple[str, ...]
    required: bool = False


@dataclass
class Report:
    """Collects what a translator finds while it opens a scan."""

    axes: AxesFound | None = None
    mapped: list[MappedField] = field(default_factory=list)
    missing: list[MissingField] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def error(self, where: str, message: str, hint: str = "") -> None:
        """Add a problem that stops the translation."""
        self.problems.append(Problem("error", where, message, hint))

    def warning(self, where: str, message: str, hint: str = "") -> None:
        """Add a problem that asks for a look."""
        self.problems.append(Problem("warning", where, message, hint))

    def note(self, where: str, message: str, hint: str = "") -> None:
        """Add something worth knowing."""
        self.problems.append(Problem("note", where, message, hint))

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop the translation."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def raise_errors(self) -> None:
        """Raise one PlanError that lists every error, if there is any."""
        if self.errors:
            lines = [
                f"{p.where}: {p.message}" + (f"; {p.hint}" if p.hint else "") for p in self.errors
            ]
            raise PlanError("\n".join(lines))
