"""Pools in scripts of a user's own: without a guard, from standard input, stopped by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

COMPUTE = """
import os
import sys
import tempfile
import time
from pathlib import Path

from nxscan.process.executors import open_pool
from nxscan.process.loop import run_units
from nxscan.process.shipping import run_shipped, ship


def compute(executor, job, units, folder):
    found = {}
    with open_pool(executor, 2) as pool:
        ticket = ship(job, Path(folder))
        def start(pool, unit):
            return pool.submit(run_shipped, ticket, unit)
        run_units(pool, units, start, 4, found.__setitem__)
    return found
"""

NO_GUARD = (
    COMPUTE
    + """
print("the script runs")
try:
    import beside_it
except ImportError:
    beside_it = None


class Job:
    def run_unit(self, unit):
        return (beside_it.thrice(unit) if beside_it else 3 * unit), os.getpid() != PARENT


PARENT = os.getpid()
print(sorted(compute(sys.argv[1], Job(), range(4), sys.argv[2]).items()))
"""
)

RESULT = "the script runs\n[(0, (0, True)), (1, (3, True)), (2, (6, True)), (3, (9, True))]\n"

SLOW = (
    COMPUTE
    + """
class Slow:
    def run_unit(self, unit):
        Path(sys.argv[2], f"worker-{os.getpid()}-{unit}").touch()
        time.sleep(0.4)
        Path(sys.argv[2], f"finished-{unit}").touch()


sys.argv = sys.argv[:3]
compute(sys.argv[1], Slow(), range(50), sys.argv[2])
"""
)

GIVEN = (
    COMPUTE
    + """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

compute(ProcessPoolExecutor(1, get_context("spawn")), len, range(2), sys.argv[1])
"""
)


def run(arguments: Sequence[object], text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize("executor", ["processes", "dask"])
def test_a_script_without_a_guard_runs_once_and_takes_its_module_along(executor, tmp_path):
    if executor == "dask":
        pytest.importorskip("distributed")
    script = tmp_path / "script.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{NO_GUARD}")
    (tmp_path / "beside_it.py").write_text("def thrice(n): return 3 * n\n")
    done = run([script, executor, tmp_path])
    assert (done.stdout, done.returncode) == (RESULT, 0), done.stderr


def test_standard_input_is_a_script_too(tmp_path):
    assert run(["-", "processes", tmp_path], NO_GUARD).stdout == RESULT


def test_a_pool_of_the_users_own_without_a_guard_ends_with_a_clear_error(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(GIVEN)
    done = run([script, tmp_path])
    assert done.returncode != 0
    assert "put what the script does under: if __name__ == '__main__':" in done.stderr


@pytest.fixture
def slow_script(tmp_path):
    """Start the slow script with an executor; what is left of it is killed at the end."""
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    (tmp_path / "marks").mkdir()
    started: list[tuple[subprocess.Popen[str], list[psutil.Process]]] = []

    def start(executor: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
        process = subprocess.Popen(
            [sys.executable, str(script), executor, str(tmp_path / "marks")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append((process, []))
        wait_for(lambda: len(list((tmp_path / "marks").glob("worker-*"))) >= 2)
        started[-1][1].extend(psutil.Process(process.pid).children(recursive=True))
        return started[-1]

    yield start
    for process, children in started:
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.kill()
        process.communicate()


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_for(condition: Callable[[], bool], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.skipif(os.name == "nt", reason="a process group gets no Ctrl-C there")
@pytest.mark.parametrize("executor", ["threads", "processes", "dask"])
def test_ctrl_c_stops_all_and_only_the_script_says_so(executor, slow_script, tmp_path):
    if executor == "dask":
        pytest.importorskip("distributed")
    process, children = slow_script(executor)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1, errors
    assert errors.rstrip().endswith("KeyboardInterrupt")
    wait_for(lambda: not any(alive(child) for child in children))
    marks = [path.name for path in Path(tmp_path, "marks").iterdir()]
    begun = {name.rpartition("-")[2] for name in marks if name.startswith("worker-")}
    finished = {name.rpartition("-")[2] for name in marks if name.startswith("finished-")}
    assert len(begun) < 50
    if executor == "threads":
        assert finished == begun


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_workers_do_not_outlive_a_killed_parent(slow_script):
    process, children = slow_script("processes")
    process.kill()
    assert len(children) >= 2
    wait_for(lambda: not any(alive(child) for child in children), 10)
