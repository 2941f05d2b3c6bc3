"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# a terminal's width and colors, and what a CI says of itself, change what typer and rich write;
# what HDF5 looks at changes what it opens
SETTINGS = """
    CLICOLOR CLICOLOR_FORCE COLUMNS FORCE_COLOR GITHUB_ACTIONS LINES NO_COLOR NXSCAN_DEBUG PY_COLORS
    TERMINAL_WIDTH TTY_COMPATIBLE TTY_INTERACTIVE HDF5_EXTFILE_PREFIX HDF5_EXT_PREFIX
    HDF5_PLUGIN_PATH HDF5_USE_FILE_LOCKING HDF5_VDS_PREFIX MPLBACKEND NUMBA_DISABLE_JIT
"""
for name in SETTINGS.split():
    os.environ.pop(name, None)

# the same examples every time, so that a red run can be repeated; HYPOTHESIS=random hunts for more;
# a machine that is busy with other things is none of the tests' business
patient: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fixed", derandomize=True, **patient)
settings.register_profile("random", derandomize=False, **patient)
settings.load_profile(os.environ.get("HYPOTHESIS", "fixed"))

# what starts tests in the background (a shell, nohup) has them and their children ignore signals
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Have one worker more than CPUs may be used: tests wait for disks and for other processes.

    xdist would count all cores of the machine.
    """
    from nxscan.process.cpus import usable_cpus

    return usable_cpus() + 1


@pytest.fixture(scope="session", autouse=True)
def quick_validators() -> Iterator[None]:
    """Start punx and nexusformat once, not for each file, where processes can be forked."""
    from helpers.validators import Server

    from nxscan.validate import processes, with_nexusformat, with_punx

    servers: dict[str, Server] = {}
    lock = threading.Lock()

    def run(name: str, path: Path, *more: str) -> Any:
        with lock:
            if name not in servers:
                servers[name] = Server(Path(processes.__file__).with_name(name))
        return servers[name].run(path, *more)

    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "linux":
            patch.setattr(with_punx, "run_script", run)
            patch.setattr(with_nexusformat, "run_script", run)
        yield
    for server in servers.values():
        server.end()


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return a function that finds a real facility file, or skips the test."""

    def find(name: str) -> Path:
        path = SHARED / "data" / name
        if not path.exists():
            pytest.skip(f"real data file {name} is not here: it is looked for in {SHARED / 'data'}")
        return path

    return find
