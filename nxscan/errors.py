"""The errors that nxscan raises, each with its facts and what to do about them."""

from __future__ import annotations


class NxscanError(Exception):
    """A refusal that a user can act on: what was wrong with what, and what to do.

    Parameters
    ----------
    message : str
        The object, what was expected and what was found.
    hint : str, optional
        What the user can do about it.

    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class SourceError(NxscanError):
    """A source file or folder that is missing, unreadable, truncated or inconsistent."""


class MappingError(NxscanError):
    """A mapping file that cannot be used; the message lists every problem in it."""


class PlanError(NxscanError):
    """A translation whose plan has errors; the message lists every one of them."""


class OutputError(NxscanError):
    """An output that cannot be written: it exists, the disk is full, the folder is read-only."""


class LayoutError(NxscanError):
    """A file that is not an nxscan master, or has a newer or damaged layout."""


class MissingExtraError(NxscanError):
    """A feature whose optional dependency is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the extra {extra!r}, which is not installed",
            f"pip install 'nxscan[{extra}]'",
        )


class ProcessError(NxscanError):
    """A process that cannot run: its declaration, a parameter, or what its compute gave."""
