"""How a process is run: what a user may choose besides its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscan.process.progress import OnProgress
from nxscan.process.raw_source import Choice

if TYPE_CHECKING:
    from nxscan.process.correction import Correction


@dataclass(frozen=True)
class Settings:
    """How a process is run; see `Process.run`."""

    on: str | None = None
    into: str | Path | None = None
    corrections: Sequence[Correction | str] = ()
    executor: Any = "threads"
    workers: int | None = None
    memory: int | str | None = None
    fresh: bool = False
    progress: OnProgress | None = None
    choice: Choice = field(default_factory=Choice)
