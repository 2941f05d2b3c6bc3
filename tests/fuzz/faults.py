"""What a process may do instead of answering; for the tests of the pool."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from fuzz.drive import Outcome


def misbehave(seeds: Path, kind: str, number: int, *, full: bool = False) -> Outcome:
    """Hang, or end without a word, or answer."""
    if kind == "hang":
        time.sleep(600)
    if kind == "crash":
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return Outcome(kind, number, "right")
