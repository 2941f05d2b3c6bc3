"""Commands as a reader would type them, run while the page is built, with what they print."""

from __future__ import annotations

import os
import shlex

from IPython.display import Markdown, display

from nxdocs.commands import run
from nxdocs.work import relative

_TERMINAL = {"COLUMNS": "96", "TERMINAL_WIDTH": "96"}


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
        ended, text = run(shlex.split(command), os.environ | _TERMINAL)
        if ended != status:
            raise RuntimeError(f"{command} ended with {ended}:\n{text}")
        blocks.append("\n".join([f"$ {command}", *_lines(text, keep)]))
    display(Markdown("```console\n" + "\n\n".join(blocks) + "\n```"))


def _lines(text: str, keep: int | None) -> list[str]:
    lines = relative(text).rstrip().splitlines()
    return lines if keep is None or len(lines) <= keep else [*lines[:keep], "…"]
