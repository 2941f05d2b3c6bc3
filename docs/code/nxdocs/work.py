"""A folder for the examples of one page, below ``docs/_build``."""

from __future__ import annotations

import os
import re
import shutil
import socket
import warnings
from pathlib import Path


def work(page: str) -> Path:
    """Make a new empty folder for a page, and go there."""
    folder = root() / page
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.chdir(folder)
    warnings.simplefilter("ignore", DeprecationWarning)  # of other packages, on import
    return folder


def root() -> Path:
    """Return the folder in which all pages work."""
    return Path(os.environ["NXDOCS_WORK"])


def relative(text: str) -> str:
    """Return ``text`` with paths as a reader would see them, from the page's folder."""
    here = re.escape(str(Path.cwd()))
    text = re.sub(rf" in\n\s+(?={here})", " in ", text)  # a long path was put on a line of its own
    text = re.sub(rf"{here}{re.escape(os.sep)}", "", text)
    text = re.sub(rf"{here}(?!\w)", ".", text)
    text = re.sub(rf"\b{re.escape(socket.gethostname())}:\d+\b", "HOST:PID", text)
    return re.sub(r"\.\w+-\d+-\w+\.tmp\b", ".HOST-PID.tmp", text)
