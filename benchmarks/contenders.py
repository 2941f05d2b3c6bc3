"""Who is measured: scripts that print JSON, each run by the interpreter that has what it needs.

Peers' dependencies clash with each other's and with ours, so each has a virtual environment of its
own in one folder, which NXSCAN_PEERS or --peers names:

    for name in libertem darfix darling pyusid; do python -m venv $NXSCAN_PEERS/$name; done
    $NXSCAN_PEERS/libertem/bin/pip install "libertem==0.16.*" hdf5plugin dask
    $NXSCAN_PEERS/darfix/bin/pip install "darfix==7.0.2" scikit-image opencv-python-headless
    $NXSCAN_PEERS/darling/bin/pip install darling-pypi
    $NXSCAN_PEERS/pyusid/bin/pip install "pyUSID==0.0.12" sidpy "numpy<2" "pyarrow<20" distributed

dask.array runs in our own interpreter where it is installed, else in LiberTEM's. A peer that is
not there is said and left out.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_IN_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class AbsentError(Exception):
    """A peer is not installed, or failed; the message says which and why."""


@dataclass(frozen=True)
class Peers:
    """Interpreters of the peers.

    Attributes
    ----------
    folder : Path or None
        Holds one virtual environment per peer.

    """

    folder: Path | None

    @classmethod
    def given(cls, folder: Path | None) -> Peers:
        """Take the folder that was given, or else the one that NXSCAN_PEERS names."""
        named = os.environ.get("NXSCAN_PEERS")
        return cls(folder or (Path(named) if named else None))

    def ask(self, name: str, script: str, *arguments: object, one_thread: bool = False) -> Any:
        """Run a peer's script, and return what it prints.

        Raises
        ------
        AbsentError
            If the peer is not there, or failed.

        """
        command = [self._interpreter(name), "-I", str(HERE / "peers" / script)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        if one_thread:
            environment |= dict.fromkeys(_IN_THREADS, "1")
        return _said([*command, *map(str, arguments)], environment)

    def _interpreter(self, name: str) -> str:
        if name == "dask" and importlib.util.find_spec("dask") is not None:
            return sys.executable
        venv = "libertem" if name == "dask" else name
        place = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        if self.folder is None or not (self.folder / venv / place).exists():
            raise AbsentError(f"{name} is not there: make {venv}/{place} in NXSCAN_PEERS")
        return str((self.folder / venv / place).absolute())


def ours(script: str, *arguments: object) -> Any:
    """Run a script of ours, and return what it prints."""
    return _said([sys.executable, str(HERE / script), *map(str, arguments)], dict(os.environ))


def best(answers: Mapping[str, Sequence[float]]) -> tuple[str, float]:
    """Return the fastest of several ways and the median of its times in seconds."""
    medians = {name: statistics.median(times) for name, times in answers.items()}
    name = min(medians, key=lambda key: medians[key])
    return name, medians[name]


def _said(command: list[str], environment: Mapping[str, str]) -> Any:
    done = subprocess.run(
        command, capture_output=True, text=True, env=dict(environment), cwd=HERE, check=False
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise AbsentError(f"{' '.join(command)[:300]} failed:\n{done.stderr[-1500:]}")
    return json.loads(lines[-1])
