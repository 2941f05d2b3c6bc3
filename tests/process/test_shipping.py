"""Objects that travel to workers: what goes along, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from helpers.jobs import Calls

from nxscan.errors import OutputError, ProcessError
from nxscan.process import shipping
from nxscan.process.shipping import Ticket, run_shipped, ship

CALL = """
import pickle, sys
from pathlib import Path
from nxscan.process.shipping import Ticket, run_shipped
print(run_shipped(Ticket(Path(sys.argv[1]), sys.argv[2], sys.version_info[:2]), int(sys.argv[3])))
"""


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch):
    monkeypatch.setattr(shipping, "_cache", shipping._Cache())


@pytest.fixture
def local_module(tmp_path, monkeypatch):
    """A module in a folder of its own that uses another one beside it."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "beside_it.py").write_text(
        "import local_code\nFACTOR = 3\ndef thrice(n): return FACTOR * n\n"
    )
    (folder / "local_code.py").write_text(
        "import beside_it\ndef function(n): return beside_it.thrice(n) + 1\n"
    )
    monkeypatch.syspath_prepend(folder)
    import local_code

    yield local_code
    for name in ("local_code", "beside_it"):
        del sys.modules[name]


def in_another_process(ticket: Ticket, unit: int) -> str:
    """Compute a unit where neither this module nor the local ones can be imported."""
    arguments = [str(ticket.path), ticket.checksum, str(unit)]
    run = subprocess.run(
        [sys.executable, "-c", CALL, *arguments],
        capture_output=True,
        text=True,
        cwd=ticket.path.parent,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_shipped_object_is_the_same_in_every_call(tmp_path):
    ticket = ship(Calls(abs), tmp_path)
    assert ticket.load() is ticket.load()
    assert run_shipped(ticket, -4) == 4


def test_a_local_module_and_what_it_uses_go_along(tmp_path, local_module):
    assert in_another_process(ship(Calls(local_module.function), tmp_path), 5) == "16"


def test_a_local_modules_compiled_function_goes_along(tmp_path, local_module):
    numba = pytest.importorskip("numba")
    compiled = numba.njit(local_module.beside_it.thrice)
    assert in_another_process(ship(Calls(compiled), tmp_path), 5) == "15"


def test_what_is_installed_is_taken_from_where_the_worker_is(tmp_path):
    job = ship(Calls(np.ma.masked_equal), tmp_path).load()
    assert job.function is np.ma.masked_equal


def test_cloudpickle_is_left_as_it_was(tmp_path, local_module):
    before = set(cloudpickle.list_registry_pickle_by_value())
    ship(Calls(local_module.function), tmp_path)
    assert set(cloudpickle.list_registry_pickle_by_value()) == before


def test_a_module_that_was_registered_before_stays_so(tmp_path, local_module):
    cloudpickle.register_pickle_by_value(local_module)
    try:
        ship(Calls(local_module.function), tmp_path)
        assert local_module.__name__ in cloudpickle.list_registry_pickle_by_value()
    finally:
        cloudpickle.unregister_pickle_by_value(local_module)


def test_a_local_module_that_cannot_travel_is_taken_from_where_the_worker_is(
    tmp_path, local_module
):
    local_module.beside_it.LOCK = threading.Lock()
    job = ship(Calls(local_module.function), tmp_path).load()
    assert job.function is local_module.function


def test_what_cannot_be_pickled_is_refused_with_the_reason(tmp_path):
    with pytest.raises(ProcessError, match=r"cannot be sent to worker processes.*lock"):
        ship(Calls(threading.Lock().acquire), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_refused(tmp_path):
    ticket = ship(Calls(abs), tmp_path)
    content = bytearray(ticket.path.read_bytes())
    content[len(content) // 2] ^= 1
    ticket.path.write_bytes(content)
    with pytest.raises(ProcessError, match="is damaged"):
        ticket.load()


def test_a_worker_that_does_not_see_the_folder_says_so(tmp_path):
    ticket = ship(Calls(abs), tmp_path)
    ticket.path.unlink()
    with pytest.raises(ProcessError, match=r"cannot read.*all workers see"):
        ticket.load()


def test_a_worker_with_another_python_says_so(tmp_path):
    ticket = ship(Calls(abs), tmp_path)
    other = Ticket(ticket.path, ticket.checksum, (3, 8))
    with pytest.raises(ProcessError, match=r"Python 3\.8, but the worker"):
        other.load()


def test_a_worker_that_lacks_a_package_names_it(tmp_path, local_module, monkeypatch):
    monkeypatch.setattr(shipping, "dumps_by_value", cloudpickle.dumps)  # as if it were installed
    ticket = ship(Calls(local_module.function), tmp_path)
    monkeypatch.delitem(sys.modules, "local_code")
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not p.endswith("code")])
    with pytest.raises(ProcessError, match="No module named 'local_code'"):
        ticket.load()
    sys.modules["local_code"] = local_module


def test_two_runs_in_one_folder_do_not_disturb_each_other(tmp_path):
    tickets = []

    def several(number):
        for k in range(10):
            tickets.append((k, ship(Calls(k.__add__), tmp_path)))

    threads = [threading.Thread(target=several, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tickets) == 40
    assert all(run_shipped(ticket, 100) == 100 + k for k, ticket in tickets)
    assert len(list(tmp_path.iterdir())) == len({ticket.path for _, ticket in tickets})


def test_only_the_most_recent_objects_are_kept(tmp_path):
    first = ship(Calls(abs), tmp_path)
    kept = first.load()
    for k in range(10):
        ship(Calls(k.__add__), tmp_path).load()
    assert first.load() is not kept


def test_a_relative_folder_is_found_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "journal").mkdir()
    monkeypatch.chdir(tmp_path)
    ticket = ship(Calls(abs), Path("journal"))
    monkeypatch.chdir("/")
    assert run_shipped(ticket, -2) == 2


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError):
        ship(Calls(abs), tmp_path)
