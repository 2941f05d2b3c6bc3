"""Runs a validator's script in a Python process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECONDS = 600


def run_script(name: str, path: Path, *more: str) -> Any:
    """Run one of this folder's scripts over a file and return the JSON that it writes.

    What else it has to know goes with it as further arguments.

    Raises
    ------
    RuntimeError
        If the process ends with an error, or does not end within ten minutes.

    """
    script = Path(__file__).with_name(name)
    # -P: modules of this folder must not stand in for others of the same name
    command = [sys.executable, "-P", "-X", "utf8", "-W", "ignore", str(script), str(path)]
    command += more
    environment = {**os.environ, "HDF5_USE_FILE_LOCKING": "FALSE", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603  (no shell; the path is one argument)
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{name} did not end within {_SECONDS} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"{name} ended with status {done.returncode}: {last}")
    return json.loads(done.stdout)
