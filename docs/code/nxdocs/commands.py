"""Commands, and nxscan's at once: a process that has imported nxscan forks for each of them.

Run as a script it is that process.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

_NEEDED = (
    "matplotlib.backends.backend_agg",
    "nxscan.analysis.moments",
    "nxscan.cli.render",
    "nxscan.nexus.writer",
    "nxscan.process.run",
    "nxscan.translators.edf",
    "nxscan.validate.run",
    "scipy.ndimage",
    "silx.io",
)
_SETTINGS = ("CLICOLOR_FORCE", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "TTY_COMPATIBLE")
"""What has commands color their output though it goes to a page."""


def run(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command in this folder; return its status, and what it wrote.

    Parameters
    ----------
    words : sequence of str
        ``nxscan`` is that of the environment that builds the pages.
    environment : mapping
        Its environment variables.

    """
    plain = {name: value for name, value in environment.items() if name not in _SETTINGS}
    if words[0] == "nxscan" and sys.platform == "linux":
        return _ask(words, plain)
    if words[0] == "nxscan":
        words = [sys.executable, "-P", "-m", *words]
    done = subprocess.run(  # noqa: S603  the pages' own commands
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=plain,
        check=False,
    )
    return done.returncode, done.stdout


def _ask(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    server = _server(tuple(sorted(environment.items())))
    if server.stdin is None or server.stdout is None:
        raise RuntimeError("the process that runs commands has no pipes")
    server.stdin.write(json.dumps([words, str(Path.cwd())]) + "\n")
    server.stdin.flush()
    line = server.stdout.readline()
    if not line:
        raise RuntimeError(f"the process that runs commands ended with {server.wait()}")
    status, text = json.loads(line)
    return int(status), str(text)


@cache
def _server(environment: tuple[tuple[str, str], ...]) -> subprocess.Popen[str]:
    """Start a process; a page that changes its environment gets another one."""
    return subprocess.Popen(  # noqa: S603  this very file
        [sys.executable, "-P", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(environment),
        start_new_session=True,  # an interrupt of the page's process is not for this one
    )


def _serve() -> None:
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in _NEEDED:
        import_module(name)
    for line in sys.stdin:
        said.write(json.dumps(_forked(*json.loads(line))) + "\n")
        said.flush()


def _forked(words: list[str], folder: str) -> tuple[int, str]:
    """Return status and output of a fork that runs one command."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for output in (1, 2):
                os.dup2(writing, output)
            os.close(writing)
            status = _command(words, folder)
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, errors="replace") as output:
        text = output.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def _command(words: list[str], folder: str) -> int:
    os.chdir(folder)
    sys.argv = words
    status = 0
    try:
        runpy.run_module("nxscan", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    _serve()
