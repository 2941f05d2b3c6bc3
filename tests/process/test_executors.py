"""Threads, processes and a real dask cluster of processes: all behave alike."""

from __future__ import annotations

import asyncio
import concurrent.futures as cf
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from helpers.jobs import compute
from threadpoolctl import threadpool_info, threadpool_limits

from nxscan.errors import MissingExtraError, ProcessError, SourceError
from nxscan.process import daskpool
from nxscan.process.cpus import usable_cpus
from nxscan.process.executors import open_pool
from nxscan.process.remote import RemoteTraceback

KINDS = ["threads", "processes", "dask"]


class OddlyMadeError(Exception):
    """Cannot be made again from its args."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")
        self.first = first


class HoldsALockError(Exception):
    """Cannot be pickled."""

    def __init__(self):
        super().__init__("with a lock")
        self.lock = threading.Lock()


@pytest.fixture(scope="module")
def pools():
    """A pool of processes and one of dask's, opened when they are first asked for."""
    opened = {}
    contexts = []

    def get(kind):
        if kind == "dask":
            pytest.importorskip("distributed")
        if kind not in opened:
            contexts.append(open_pool(kind, 2))
            opened[kind] = contexts[-1].__enter__()
        return opened[kind]

    yield get
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.fixture(scope="module")
def cluster():
    """A dask cluster of the user's own."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture(params=KINDS)
def pool(request, pools):
    if request.param == "threads":
        with open_pool("threads", 2) as pool:
            yield pool
    else:
        yield pools(request.param)


def failing(unit):
    raise {
        "process": ProcessError("block 3 is odd", "do this"),
        "extra": MissingExtraError("a fit", "ml"),
        "odd": OddlyMadeError(1, 2),
        "lock": HoldsALockError(),
    }[unit]


def test_units_are_computed_by_all_workers(pool, tmp_path):
    def unit(n):
        # the first one waits for the second worker, which may take long to start
        (tmp_path / f"seen-{os.getpid()}-{threading.get_ident()}").touch()
        end = time.monotonic() + 60
        while len(list(tmp_path.glob("seen-*"))) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        return n * n, os.getpid(), threading.get_ident()

    results = compute(pool, unit, range(16), tmp_path)
    assert {n: r[0] for n, r in results.items()} == {n: n * n for n in range(16)}
    processes = {r[1] for r in results.values()}
    if pool.remote:
        assert len(processes) == 2
        assert os.getpid() not in processes
    else:
        assert processes == {os.getpid()}
        assert len({r[2] for r in results.values()}) == 2


def test_an_exception_comes_back_with_its_facts(pool, tmp_path):
    with pytest.raises(ProcessError) as caught:
        compute(pool, failing, ["process"], tmp_path)
    assert (caught.value.message, caught.value.hint) == ("block 3 is odd", "do this")


def test_an_exception_that_is_made_in_another_way_comes_back_as_it_was(pool, tmp_path):
    with pytest.raises(OddlyMadeError, match="1 and 2") as caught:
        compute(pool, failing, ["odd"], tmp_path)
    assert caught.value.first == 1
    with pytest.raises(MissingExtraError, match=r"nxscan\[ml\]"):
        compute(pool, failing, ["extra"], tmp_path)


def test_a_worker_that_raises_goes_on_working(pool, tmp_path):
    with pytest.raises(ProcessError):
        compute(pool, failing, ["process"], tmp_path)
    assert compute(pool, abs, [-1, -2], tmp_path) == {-1: 1, -2: 2}


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_an_exception_that_cannot_travel_is_told_by_name(pools, kind, tmp_path):
    with pytest.raises(ProcessError, match="HoldsALockError: with a lock"):
        compute(pools(kind), failing, ["lock"], tmp_path)


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_the_traceback_in_the_worker_is_kept(pools, kind, tmp_path):
    with pytest.raises(OddlyMadeError) as caught:
        compute(pools(kind), failing, ["odd"], tmp_path)
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert "in failing" in str(caught.value.__cause__)


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_compute_that_calls_exit_is_an_error_of_its_block(pools, kind, tmp_path):
    with pytest.raises(ProcessError, match=r"exit\(3\)"):
        compute(pools(kind), sys.exit, [3], tmp_path)


def blas_threads(_=None):
    found = [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]
    return found or [0]


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(limits=2, user_api="blas"):
        if max(blas_threads()) < 2:
            pytest.skip("this numpy has no BLAS with threads")
        yield


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_blas_has_one_thread_in_worker_processes(kind, pools, tmp_path, two_blas_threads):
    found = compute(pools(kind), blas_threads, range(4), tmp_path)
    assert {n for numbers in found.values() for n in numbers} == {1}
    assert max(blas_threads()) == 2


def test_blas_has_one_thread_while_threads_compute(tmp_path, two_blas_threads):
    with open_pool("threads", 2) as pool:
        found = compute(pool, blas_threads, range(4), tmp_path)
    assert {n for numbers in found.values() for n in numbers} == {1}
    assert max(blas_threads()) == 2


def test_a_blas_that_is_loaded_by_a_unit_is_held_from_the_next_one(tmp_path):
    script = """
from threadpoolctl import threadpool_info
from nxscan.process.executors import open_pool

def unit():
    import scipy.linalg
    return max(x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas")

with open_pool("threads", 1) as pool:
    first, second = pool.submit(unit).result(), pool.submit(unit).result()
print(second, first == unit())
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "1 True\n", done.stderr


def test_two_runs_at_once_leave_blas_as_it_was(tmp_path, two_blas_threads):
    begun, end = threading.Event(), threading.Event()

    def other():
        with open_pool("threads", 1) as pool:
            compute(pool, lambda n: (begun.set(), end.wait(120)), [0], tmp_path)

    thread = threading.Thread(target=other)
    with open_pool("threads", 1) as pool:
        thread.start()
        begun.wait(120)
        assert compute(pool, blas_threads, [0], tmp_path) == {0: [1] * len(blas_threads())}
    end.set()
    thread.join()
    assert max(blas_threads()) == 2


def test_numba_keeps_its_threads(tmp_path):
    numba = pytest.importorskip("numba")
    before = numba.get_num_threads()
    with open_pool("threads", 2) as pool:
        found = compute(pool, lambda n: numba.get_num_threads(), [0], tmp_path)
    assert found == {0: numba.config.NUMBA_NUM_THREADS}
    assert numba.get_num_threads() == before


def test_blas_has_its_threads_again_after_a_unit_raised(tmp_path, two_blas_threads):
    with pytest.raises(ProcessError), open_pool("threads", 2) as pool:
        compute(pool, failing, ["process"], tmp_path)
    assert max(blas_threads()) == 2


def kill_once(marker: Path):
    """Return a function that kills its worker the first time that it is given 5."""

    def unit(n):
        if n == 5 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return n * n

    return unit


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_units_of_a_killed_worker_are_computed_by_another_one(kind, pools, tmp_path, caplog):
    pool = pools("dask") if kind == "dask" else None
    if pool is not None:
        results = compute(pool, kill_once(tmp_path / "killed"), range(12), tmp_path)
    else:
        with open_pool("processes", 2) as own:
            results = compute(own, kill_once(tmp_path / "killed"), range(12), tmp_path)
        assert "a worker process was killed" in caplog.text
    assert (tmp_path / "killed").exists()
    assert results == {n: n * n for n in range(12)}


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_unit_that_kills_every_worker_ends_the_run_and_says_how_to_go_on(tmp_path):
    def unit(n):
        if n == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return n

    with (
        pytest.raises(ProcessError, match=r"out of memory.*finished blocks are kept"),
        open_pool("processes", 1) as pool,
    ):
        compute(pool, unit, range(8), tmp_path)


def test_no_worker_process_is_left_when_the_pool_is_closed(tmp_path):
    with open_pool("processes", 2) as pool:
        found = compute(pool, lambda n: (time.sleep(0.02), os.getpid())[1], range(8), tmp_path)
    assert not any(psutil.pid_exists(pid) for pid in found.values())


def test_workers_are_by_default_as_many_as_cpus_may_be_used():
    with open_pool("threads") as threads, open_pool("processes") as processes:
        assert threads.workers == usable_cpus()
        assert processes.workers == min(usable_cpus(), 61)


def test_a_given_thread_pool_is_used_and_left_open(tmp_path):
    with cf.ThreadPoolExecutor(3, thread_name_prefix="mine") as executor:
        with open_pool(executor) as pool:
            assert (pool.workers, pool.remote) == (3, False)
            names = compute(pool, lambda n: threading.current_thread().name, range(6), tmp_path)
        assert all(name.startswith("mine") for name in names.values())
        assert executor.submit(abs, -1).result() == 1


def test_a_given_process_pool_is_used_and_left_open(tmp_path):
    context = multiprocessing.get_context("spawn")
    with cf.ProcessPoolExecutor(1, mp_context=context) as executor:
        with open_pool(executor) as pool:
            assert (pool.workers, pool.remote) == (1, True)
            found = compute(pool, lambda n: (os.getpid(), blas_threads()), [0, 1], tmp_path)
            with pytest.raises(OddlyMadeError):
                compute(pool, failing, ["odd"], tmp_path)
        assert os.getpid() not in {pid for pid, _ in found.values()}
        assert {max(threads) for _, threads in found.values()} <= {0, 1}
        assert executor.submit(abs, -1).result() == 1


class Simple:
    """The least that an executor has: submit; its futures are those of concurrent.futures."""

    num_workers = 5

    def submit(self, function, /, *arguments, **keywords):
        future = cf.Future()
        future.set_result(function(*arguments, **keywords))
        return future


def test_any_object_with_submit_is_an_executor(tmp_path):
    with open_pool(Simple()) as pool:
        assert (pool.workers, pool.remote) == (5, True)
        assert compute(pool, np.square, [2, 3], tmp_path) == {2: 4, 3: 9}
        with pytest.raises(OddlyMadeError):
            compute(pool, failing, ["odd"], tmp_path)
    with open_pool(Simple(), workers=2) as pool:
        assert pool.workers == 2


def test_an_executor_whose_submit_gives_no_future_is_refused(tmp_path):
    class Wrong:
        def submit(self, function, *arguments):
            return 3

    with (
        open_pool(Wrong()) as pool,
        pytest.raises(ProcessError, match=r"returned a int, but it must be a future"),
    ):
        compute(pool, abs, [1], tmp_path)


def test_an_executor_that_was_shut_down_is_refused(tmp_path):
    executor = cf.ThreadPoolExecutor(1)
    executor.shutdown()
    with open_pool(executor) as pool, pytest.raises(ProcessError, match="takes no work"):
        compute(pool, abs, [1], tmp_path)


def test_an_executor_that_is_shut_down_meanwhile_is_told(tmp_path):
    with cf.ThreadPoolExecutor(1) as executor, open_pool(executor) as pool:

        def unit(n):
            executor.shutdown(wait=False, cancel_futures=True)

        with pytest.raises(ProcessError, match=r"was shut down.*finished blocks are kept|no work"):
            compute(pool, unit, range(9), tmp_path)


def test_an_import_error_of_a_compute_is_its_own(pool, tmp_path):
    def unit(n):
        import there_is_no_such_module  # noqa: F401

    with pytest.raises(ModuleNotFoundError, match="there_is_no_such_module"):
        compute(pool, unit, [0], tmp_path)


def test_a_worker_process_may_use_threads_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with open_pool("threads", 1) as pool:
        assert compute(pool, abs, [-1], tmp_path) == {-1: 1}
    with cf.ThreadPoolExecutor(1) as executor, open_pool(executor) as pool:
        assert compute(pool, abs, [-1], tmp_path) == {-1: 1}


@pytest.mark.parametrize("wrong", ["thread", "dask:", "tcp://h:1", "", 3, None, cf.Executor])
def test_what_is_no_executor_is_refused_with_what_there_is(wrong):
    with (
        pytest.raises(ProcessError, match=r"no executor.*threads, processes, dask, dask:tcp://"),
        open_pool(wrong),
    ):
        pass


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2"])
def test_a_wrong_number_of_workers_is_refused(workers):
    with pytest.raises(ProcessError, match="must be 1 or more"), open_pool("threads", workers):
        pass


@pytest.mark.parametrize("kind", ["processes", Simple()])
def test_a_script_that_a_worker_imports_again_is_told_of_the_guard(kind, monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(ProcessError, match="if __name__ == '__main__':"), open_pool(kind):
        pass


def test_a_worker_process_is_told_to_use_threads(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with pytest.raises(ProcessError, match="use threads"), open_pool("processes"):
        pass


def test_dask_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nxscan\[dask\]'"), open_pool("dask"):
        pass


def test_a_dask_client_is_used_and_left_open(cluster, tmp_path):
    with cluster.get_client() as client:
        with open_pool(client) as pool:
            assert (pool.workers, pool.remote) == (2, True)
            found = compute(pool, lambda n: os.getpid(), range(4), tmp_path)
        workers = set(client.run(os.getpid).values())
        assert set(found.values()) <= workers
        assert client.submit(abs, -1).result() == 1


def test_dask_takes_the_client_that_is_in_use(cluster, tmp_path):
    import distributed

    with distributed.Client(cluster) as client:
        with open_pool("dask") as pool:
            found = compute(pool, lambda n: os.getpid(), range(4), tmp_path)
        assert set(found.values()) <= set(client.run(os.getpid).values())


def test_dask_connects_to_an_address(cluster, tmp_path):
    with open_pool(f"dask:{cluster.scheduler_address}", workers=7) as pool:
        assert pool.workers == 7
        assert compute(pool, abs, [-3], tmp_path) == {-3: 3}
    with cluster.get_client() as client:
        assert client.submit(abs, -1).result() == 1


def test_an_address_where_no_scheduler_answers_is_named(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(daskpool, "_CONNECT_SECONDS", 0.3)
    with (
        pytest.raises(ProcessError, match=r"no dask scheduler answers at 'tcp://127.0.0.1:9'"),
        open_pool("dask:tcp://127.0.0.1:9"),
    ):
        pass


def test_an_asynchronous_client_is_refused(cluster):
    import distributed

    async def ask():
        address = cluster.scheduler_address
        async with distributed.Client(address, asynchronous=True, set_as_default=False) as client:
            with pytest.raises(ProcessError, match="asynchronous"), open_pool(client):
                pass

    asyncio.run(ask())


def test_errors_keep_their_hint_through_pickle():
    import pickle

    error = pickle.loads(pickle.dumps(SourceError("a.edf is cut off", "copy it again")))
    assert (type(error), error.message, error.hint) == (
        SourceError,
        "a.edf is cut off",
        "copy it again",
    )
