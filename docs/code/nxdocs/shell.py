"""Commands as a reader would type them, run while the page is built, with what they print."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from IPython.display import Markdown, display

from nxdocs.work import relative

_WIDTH = 96


def shell(*commands: str, status: int = 0, keep: int | None = None) -> None:
    """Run commands and show them with their output, as in a terminal.

    Parameters
    ----------
    *commands : str
        ``nxscan`` is that of the environment that builds the pages.
    status : int
        The exit status that each must end with: a page that says otherwise is not built.
    keep : int, optional
        Show so many lines of the output only.

    """
    blocks = []
    for command in commands:
        done = subprocess.run(  # noqa: S603  the pages' own commands
            _words(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"COLUMNS": str(_WIDTH), "TERMINAL_WIDTH": str(_WIDTH)},
            check=False,
        )
        if done.returncode != status:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}")
        blocks.append("\n".join([f"$ {command}", *_lines(done.stdout, keep)]))
    display(Markdown("```console\n" + "\n\n".join(blocks) + "\n```"))


def _words(command: str) -> list[str]:
    words = shlex.split(command)
    return [sys.executable, "-P", "-m", "nxscan", *words[1:]] if words[0] == "nxscan" else words


def _lines(text: str, keep: int | None) -> list[str]:
    lines = relative(text).rstrip().splitlines()
    return lines if keep is None or len(lines) <= keep else [*lines[:keep], "…"]
