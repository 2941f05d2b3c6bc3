"""punx and nexusformat, started once and forked for each file.

nxscan starts a process for each file, of which it takes a second and more to import them and to
read their definitions. Run as a script this does that once, with nxscan's own script, and then
forks for each path that it is given: what one file leaves behind, the next does not see.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any


class Server:
    """A validator that waits for files.

    Parameters
    ----------
    script : Path
        One of ``nxscan.validate``, which has a function ``run``.

    """

    def __init__(self, script: Path) -> None:
        self.name, self._lock = script.name, threading.Lock()
        environment = {"HDF5_USE_FILE_LOCKING": "FALSE", "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-X", "utf8", "-W", "ignore", __file__, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=os.environ | environment,
            start_new_session=True,  # what a test sends to its group is not for this one
        )

    def run(self, path: Path, *more: str) -> Any:
        """Return what the script says of a file, as `nxscan.validate.processes.run_script`."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock:
            stdin.write(json.dumps([str(Path.cwd()), str(path), *more]) + "\n")
            stdin.flush()
            line = stdout.readline()
        status, answer = json.loads(line) if line else (self._process.wait(), "")
        if status:
            raise RuntimeError(f"{self.name} ended with status {status}")
        return json.loads(answer)

    def end(self) -> None:
        """Let it end."""
        self._process.communicate()


def _serve(script: Path) -> None:
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a validator prints is no answer
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with contextlib.suppress(ImportError):
        _prepare(module)
    for line in sys.stdin:
        said.write(json.dumps(_forked(module, *json.loads(line))) + "\n")
        said.flush()


def _prepare(module: Any) -> None:
    """Do what the script does before it looks at the file."""
    if module.__name__ == "punx_process":
        import punx.validate

        ready = punx.validate.Data_File_Validator(module.NXDL_SET)
        punx.validate.Data_File_Validator = lambda _: ready
    else:
        import nexusformat.nexus.validate  # noqa: F401


def _forked(module: Any, folder: str, *given: str) -> tuple[int, str]:
    """Return status and answer of a fork that looks at one file."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.chdir(folder)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            with os.fdopen(writing, "w", encoding="utf-8") as answer:
                answer.write(json.dumps(module.run(*given)))
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        text = answer.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="nxscan-punx-") as config:
        os.environ["XDG_CONFIG_HOME"] = config
        _serve(Path(sys.argv[1]))
