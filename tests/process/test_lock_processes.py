"""Locks between real processes: contended, killed, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nxscan.errors import OutputError
from nxscan.process.lock import held

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="these signals are those of POSIX")

COUNT = """
import sys
from pathlib import Path
from nxscan.process.lock import held
lock, counter = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(100):
    with held(lock, wait=60) as claim:
        inside = counter.with_suffix(".inside")
        inside.touch(exist_ok=False)
        number = int(counter.read_text())
        counter.write_text(str(number + 1))
        inside.unlink()
        claim.ensure_held()
"""

HOLD = """
import sys
from pathlib import Path
from nxscan.process.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def start(code: str, *arguments: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def heard(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock."""
    child = start(HOLD, tmp_path / ".scan.nxs.lock")
    assert heard(child) == "held"
    yield child
    if child.poll() is None:
        child.kill()
    child.communicate(timeout=180)


def test_two_processes_that_take_it_two_hundred_times_never_hold_it_both(tmp_path: Path) -> None:
    counter, lock = tmp_path / "counter", tmp_path / ".scan.nxs.lock"
    counter.write_text("0")
    children = [start(COUNT, lock, counter) for _ in range(2)]
    assert [heard(child) for child in children] == ["ready", "ready"]
    ends = [child.communicate("go\n", timeout=240) for child in children]
    assert [child.returncode for child in children] == [0, 0], ends
    assert counter.read_text() == "200"
    assert list(tmp_path.iterdir()) == [counter]


@POSIX
def test_when_the_holder_is_killed_the_next_one_takes_it(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    lock = tmp_path / ".scan.nxs.lock"
    os.kill(holder.pid, signal.SIGKILL)
    with held(lock, wait=30) as claim:  # killed, but not waited for: a zombie is dead
        assert claim.still_held()
    assert not lock.exists()


@POSIX
def test_a_holder_that_is_stopped_is_alive(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    lock = tmp_path / ".scan.nxs.lock"
    os.kill(holder.pid, signal.SIGSTOP)
    os.utime(lock, (0, 0))
    with pytest.raises(OutputError, match=f":{holder.pid} "), held(lock, wait=0.3):
        pass
    os.kill(holder.pid, signal.SIGCONT)
    holder.communicate("\n", timeout=180)
    with held(lock, wait=0.3):
        pass
