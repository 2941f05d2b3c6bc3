"""Results as USID has them (stub)."""

from __future__ import annotations
from typing import Any


def write_usid_results(file: Any, group: str, new: Any) -> None:
    """Write."""
