"""A lock has one holder; those of dead processes are taken over, by one, and no others."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from nxscan.errors import OutputError
from nxscan.nexus import durable
from nxscan.process import claim, owner
from nxscan.process.claim import take
from nxscan.process.lock import held
from nxscan.process.owner import Owner, new_owner, read_owner


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / ".scan.nxs.lock"


def ended_process() -> int:
    """Return the number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def left_by(lock: Path, **changes: Any) -> Owner:
    """Leave a lock as another process would."""
    left = replace(new_owner(), **changes)
    lock.write_bytes(left.dump())
    return left


def aged(lock: Path, seconds: float) -> None:
    then = lock.stat().st_mtime - seconds
    os.utime(lock, (then, then))


def refused(lock: Path) -> str:
    with pytest.raises(OutputError) as caught, held(lock, wait=0.05):
        pass
    return str(caught.value)


def test_while_it_is_held_another_has_to_wait(lock: Path) -> None:
    events = []

    def second() -> None:
        with held(lock, wait=120):
            events.append("second")

    with held(lock):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        events.append("first")
    thread.join(120)
    assert events == ["first", "second"]
    assert list(lock.parent.iterdir()) == []


def test_who_waits_too_long_is_told_who_holds_it_and_since_when(lock: Path) -> None:
    with held(lock) as claimed:
        said = refused(lock)
    assert f"{claimed.owner.host}:{os.getpid()}" in said
    assert claimed.owner.since_text in said
    assert "wait for that process or end it" in said


def test_it_is_released_when_what_it_was_held_for_fails(lock: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(lock):
        raise ZeroDivisionError
    assert not lock.exists()


def test_a_lock_of_a_process_that_has_ended_is_taken_over(lock: Path) -> None:
    left_by(lock, pid=ended_process())
    with held(lock, wait=0.05) as claimed:
        assert read_owner(lock) == claimed.owner
    assert list(lock.parent.iterdir()) == []


def test_a_process_with_the_number_of_one_that_has_ended_is_another(lock: Path) -> None:
    parent = psutil.Process(os.getppid())
    left_by(lock, pid=parent.pid, started=parent.create_time() - 100)
    with held(lock, wait=0.05):
        pass


def test_a_process_of_this_host_that_runs_keeps_it_without_heartbeats(lock: Path) -> None:
    parent = psutil.Process(os.getppid())
    left_by(lock, pid=parent.pid, started=parent.create_time())
    aged(lock, 10 * owner.SILENT)
    assert str(parent.pid) in refused(lock)


def test_an_earlier_process_of_the_same_number_is_not_this_one(lock: Path) -> None:
    """In a container that is started again, numbers are the same."""
    left_by(lock)
    with held(lock, wait=0.05):
        pass


@pytest.mark.parametrize("other", [{"host": "node17"}, {"space": "pid:[17]"}], ids=str)
def test_on_another_host_the_heartbeat_tells(lock: Path, other: dict[str, str]) -> None:
    left_by(lock, pid=ended_process(), **other)
    aged(lock, owner.SILENT / 2)
    refused(lock)
    aged(lock, owner.SILENT)
    with held(lock, wait=0.05):
        pass


def test_the_clock_of_this_host_does_not_count(lock: Path, monkeypatch: Any) -> None:
    left_by(lock, host="node17")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    assert "node17" in refused(lock)


def test_a_lock_that_says_nothing_is_left_alone_for_a_minute(lock: Path) -> None:
    lock.write_bytes(b'{"host": ')
    refused(lock)
    aged(lock, owner.SILENT + 1)
    with held(lock, wait=0.05):
        pass


def test_the_heartbeat_keeps_it_fresh(lock: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(claim, "BEAT", 0.02)
    with held(lock):
        aged(lock, 1000)
        old = lock.stat().st_mtime
        end = time.monotonic() + 120
        while lock.stat().st_mtime < old + 900:
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.mark.parametrize("taken", [True, False])
def test_a_lock_that_was_lost_is_noticed_and_left_alone(lock: Path, taken: bool) -> None:
    with held(lock) as claimed:
        claimed.ensure_held()
        lock.unlink()
        if taken:
            left_by(lock, host="node17")
        assert not claimed.still_held()
        with pytest.raises(OutputError, match="node17" if taken else "the file is gone"):
            claimed.ensure_held()
    assert lock.exists() == taken


def test_of_many_that_find_a_dead_lock_one_takes_it(lock: Path) -> None:
    dead = ended_process()
    for _ in range(20):
        left_by(lock, pid=dead)
        start, claims = threading.Barrier(6), []

        def compete(start: threading.Barrier = start, claims: list[Any] = claims) -> None:
            start.wait()
            for _ in range(5):
                claims.append(take(lock))

        threads = [threading.Thread(target=compete) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [one for one in claims if one is not None]
        assert len(won) == 1
        assert won[0].still_held()
        won[0].release()
        assert list(lock.parent.iterdir()) == []


def test_who_saw_the_dead_owner_late_does_not_take_away_the_living(lock: Path) -> None:
    seen = left_by(lock, pid=ended_process())
    with held(lock) as living:
        claim._take_away(lock, seen)
        assert living.still_held()


def test_a_living_lock_that_came_up_while_a_dead_one_was_taken_is_put_back(
    lock: Path, monkeypatch: Any
) -> None:
    seen, living = left_by(lock, pid=ended_process()), replace(new_owner(), host="node17")

    def swap(operation: str, *paths: Path) -> None:
        if operation == "rename" and paths[0] == lock:
            lock.write_bytes(living.dump())

    monkeypatch.setattr(durable, "observer", swap)
    claim._take_away(lock, seen)
    assert read_owner(lock) == living
    assert list(lock.parent.iterdir()) == [lock]


def test_a_guard_that_a_killed_process_left_does_not_last(lock: Path) -> None:
    dead = ended_process()
    left_by(lock, pid=dead)
    left_by(lock.with_name(lock.name + ".takeover"), pid=dead)
    with held(lock, wait=5):
        pass
    assert list(lock.parent.iterdir()) == []


def test_a_file_system_without_hard_links_will_do(lock: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(durable, "link", lambda *_: False)
    left_by(lock, pid=ended_process())
    with held(lock, wait=0.05) as claimed:
        assert claimed.still_held()
        refused(lock)
    assert list(lock.parent.iterdir()) == []


def test_a_folder_that_cannot_be_written_in_is_said(lock: Path, monkeypatch: Any) -> None:
    def closed(operation: str, *_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(durable, "observer", closed)
    assert "cannot write" in refused(lock)
    monkeypatch.undo()
    assert "is not there" in refused(lock.parent / "gone" / lock.name)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def at_every_operation(
    lock: Path, monkeypatch: Any
) -> Callable[[Callable[[], None]], list[type[BaseException] | None]]:
    """Take over a lock, and let something happen before one operation after the other."""

    def go(happens: Callable[[], None]) -> list[type[BaseException] | None]:
        ended: list[type[BaseException] | None] = []
        dead = ended_process()
        while True:
            left_by(lock, pid=dead)
            passed = [0]

            def observe(*_: Any, passed: list[int] = passed) -> None:
                passed[0] += 1
                if passed[0] == len(ended) + 1:
                    happens()

            with monkeypatch.context() as patch:
                patch.setattr(durable, "observer", observe)
                try:
                    with held(lock):
                        pass
                except (Killed, KeyboardInterrupt) as error:
                    ended.append(type(error))
                else:
                    ended.append(None)
            durable._made.clear()  # another process knows nothing of these
            owner.mine.clear()
            with held(lock, wait=5):
                pass
            assert list(lock.parent.iterdir()) == []
            if passed[0] < len(ended):
                return ended

    return go


def test_killed_at_any_operation_it_keeps_nobody_out(at_every_operation: Any) -> None:
    def kill() -> None:
        raise Killed

    ended = at_every_operation(kill)
    assert len(ended) > 12
    assert set(ended[:-1]) == {Killed}


def test_ctrl_c_at_any_operation_leaves_no_lock(at_every_operation: Any) -> None:
    ended = at_every_operation(lambda: signal.raise_signal(signal.SIGINT))
    assert set(ended[:-1]) == {KeyboardInterrupt}
