"""What the drivers share: the command line, run in this process, and a success that is none."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

FAULT = "This is a fault of nxscan"


class WrongError(Exception):
    """A success that is none."""


def cli(*words: object) -> int:
    """Run the command line; return its exit status."""
    from nxscan.cli import main

    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["nxscan", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            status: Any = 0
        except SystemExit as ended:
            status = ended.code
    said = err.getvalue()
    if "Traceback" in said or FAULT in said:
        raise WrongError(f"nxscan {' '.join(map(str, words))}: {said}")
    if status not in (None, 0, 1):
        raise WrongError(f"nxscan {' '.join(map(str, words))} ended with {status}: {said}")
    return int(status or 0)


def expect_none(differences: Iterator[str]) -> None:
    """Raise WrongError that names the first differences, if there are any."""
    found = list(differences)
    if found:
        raise WrongError("; ".join(found[:5]))
