"""The loop over units, with threads and with pools that break when they are told to."""

from __future__ import annotations

import concurrent.futures as cf
import threading
import time

import pytest

from nxscan.errors import ProcessError
from nxscan.process.executors import open_pool
from nxscan.process.loop import run_units
from nxscan.process.pool import Pool


class Breaking(Pool):
    """Calls at once; ``breaks`` says at which calls a worker is killed, from 0."""

    workers = 1
    remote = False

    def __init__(self, breaks, renewals=1):
        self.breaks, self.renewals = set(breaks), renewals
        self.calls, self.broken, self.interrupted = 0, False, False
        self.most = 0

    def submit(self, function, *arguments):
        if self.broken:
            raise cf.BrokenExecutor("broken before")
        future = cf.Future()
        number, self.calls = self.calls, self.calls + 1
        if number in self.breaks:
            self.broken = True
            future.set_exception(cf.BrokenExecutor("killed"))
        else:
            future.set_result(function(*arguments))
        return future

    def renew(self):
        self.renewals -= 1
        self.broken = False
        return self.renewals >= 0

    def interrupt(self):
        self.interrupted = True


def squares(pool, units, in_flight=3):
    found = {}
    run_units(pool, units, lambda p, u: p.submit(lambda n: n * n, u), in_flight, found.__setitem__)
    return found


def test_every_unit_is_computed_and_reported_once():
    pool = Breaking([])
    assert squares(pool, range(10)) == {n: n * n for n in range(10)}
    assert pool.calls == 10


def test_no_units_are_no_work():
    assert squares(Breaking([]), []) == {}


def test_units_lost_with_a_worker_are_computed_again():
    pool = Breaking([4])
    assert squares(pool, range(10)) == {n: n * n for n in range(10)}
    assert pool.renewals == 0


def test_when_a_worker_is_killed_again_it_says_how_to_go_on():
    told = []
    with pytest.raises(ProcessError, match=r"killed.*out of memory.*finished blocks are kept"):
        run_units(
            Breaking([2, 5]),
            range(10),
            lambda p, u: p.submit(str, u),
            2,
            lambda u, r: told.append(u),
        )
    assert told
    assert len(told) == len(set(told)) < 10


def test_never_more_units_are_under_way_than_allowed():
    lock, now, most = threading.Lock(), 0, 0

    def unit(_):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1

    given, reported, ahead = 0, 0, 0

    def start(pool, n):
        nonlocal given, ahead
        given += 1
        ahead = max(ahead, given - reported)
        return pool.submit(unit, n)

    def done(unit, result):
        nonlocal reported
        reported += 1

    with open_pool("threads", 8) as pool:
        run_units(pool, range(30), start, 3, done)
    assert (most, ahead, reported) == (3, 3, 30)


def test_an_exception_stops_new_units_and_those_that_run_are_reported():
    began, told = [], []
    raised, both = threading.Event(), threading.Barrier(2)

    def unit(n):
        began.append(n)
        if n < 2:
            both.wait()
        if n == 0:
            raised.set()
            raise ValueError("unit 0")
        raised.wait()
        time.sleep(0.5)
        return n

    with pytest.raises(ValueError, match="unit 0"), open_pool("threads", 2) as pool:
        run_units(
            pool, range(50), lambda p, u: p.submit(unit, u), 2, lambda u, r: told.append((u, r))
        )
    assert sorted(began) == [0, 1]
    assert told == [(1, 1)]


def test_units_that_wait_in_the_pool_do_not_begin_after_an_exception():
    began = []

    def unit(n):
        began.append(n)
        if n == 0:
            raise ValueError("unit 0")
        time.sleep(0.5)

    with pytest.raises(ValueError, match="unit 0"), open_pool("threads", 1) as pool:
        run_units(pool, range(50), lambda p, u: p.submit(unit, u), 20, lambda u, r: None)
    assert len(began) <= 2


def test_what_cannot_be_reported_is_raised_and_not_reported_again():
    told = []

    def done(unit, result):
        told.append(unit)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), open_pool("threads", 2) as pool:
        run_units(pool, range(9), lambda p, u: p.submit(str, u), 4, done)
    assert len(told) == 1


def test_an_interrupt_ends_the_pool_and_reports_what_was_finished():
    pool, told = Breaking([]), []

    def start(pool, unit):
        if unit == 3:
            raise KeyboardInterrupt
        return pool.submit(str, unit)

    with pytest.raises(KeyboardInterrupt):
        run_units(pool, range(9), start, 9, lambda u, r: told.append(u))
    assert pool.interrupted
    assert sorted(told) == [0, 1, 2]
