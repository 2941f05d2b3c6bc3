from pathlib import Path

import psutil
import pytest

from nxscan.errors import ProcessError
from nxscan.process import memory as memory_module
from nxscan.process.cgroup import Cgroups
from nxscan.process.cpus import usable_cpus
from nxscan.process.memory import WORKER_BYTES, in_flight, limit

MIB = 2**20


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def version_2(tmp_path: Path, group: str, files: dict[str, str]) -> Cgroups:
    """A tree of version 2; files are named from its root."""
    write(tmp_path / "listing", f"0::{group}\n")
    write(tmp_path / "mount/cgroup.procs", "1\n")
    for name, text in files.items():
        write(tmp_path / "mount" / name, text)
    return Cgroups(tmp_path / "listing", tmp_path / "mount")


def version_1(tmp_path: Path, files: dict[str, str]) -> Cgroups:
    """A tree of version 1, with the controllers cpu and memory."""
    write(tmp_path / "listing", "5:memory:/job\n3:cpu,cpuacct:/job\n1:name=systemd:/x\n0::/\n")
    for name, text in files.items():
        write(tmp_path / "mount" / name, text)
    return Cgroups(tmp_path / "listing", tmp_path / "mount")


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> int:
    """A machine with a tebibyte free."""

    class Free:
        available = 2**40

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Free)
    return 2**40


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2GiB", 2 * 1024**3),
        ("500MB", 500 * 1000**2),
        ("1.5 gib", 3 * 2**29),
        ("64k", 64_000),
        ("123", 123),
        (" 7 B ", 7),
        (4096, 4096),
    ],
)
def test_an_amount_of_memory_is_read_with_its_unit(text: str | int, amount: int) -> None:
    assert limit(text) == amount


@pytest.mark.parametrize("text", ["", "GiB", "2 GiBs", "-1GiB", "0", 0, -5, "1e9", "half"])
def test_what_is_no_amount_of_memory_is_refused_with_an_example(text: str | int) -> None:
    with pytest.raises(ProcessError, match="2GiB or 500MB"):
        limit(text)


def test_the_default_is_a_quarter_of_what_the_machine_has_free(tmp_path: Path, roomy: int) -> None:
    assert limit(None, Cgroups(tmp_path / "none", tmp_path / "none")) == roomy // 4


def test_the_default_keeps_to_the_control_group_above_the_own_one(
    tmp_path: Path, roomy: int
) -> None:
    groups = version_2(
        tmp_path,
        "/slurm/job",
        {
            "slurm/job/memory.max": "max",
            "slurm/job/memory.current": "5",
            "slurm/memory.max": f"{1000 * MIB}",
            "slurm/memory.current": f"{600 * MIB}",
        },
    )
    assert limit(None, groups) == 100 * MIB


def test_memory_high_counts_where_it_is_lower_than_memory_max(tmp_path: Path, roomy: int) -> None:
    files = {"memory.max": f"{900 * MIB}", "memory.high": f"{500 * MIB}", "memory.current": "0"}
    assert limit(None, version_2(tmp_path, "/", files)) == 125 * MIB


def test_what_is_kept_of_files_that_were_read_is_free(tmp_path: Path, roomy: int) -> None:
    files = {
        "memory.max": f"{1000 * MIB}",
        "memory.current": f"{1000 * MIB}",
        "memory.stat": f"anon 7\nactive_file {100 * MIB}\ninactive_file {300 * MIB}\nshmem 1\n",
    }
    assert limit(None, version_2(tmp_path, "/", files)) == 100 * MIB


def test_control_groups_of_version_1_are_read(tmp_path: Path, roomy: int) -> None:
    groups = version_1(
        tmp_path,
        {
            "memory/job/memory.limit_in_bytes": f"{800 * MIB}",
            "memory/job/memory.usage_in_bytes": f"{400 * MIB}",
            "memory/memory.limit_in_bytes": "9223372036854771712",
            "memory/memory.usage_in_bytes": f"{5000 * MIB}",
            "cpu,cpuacct/job/cpu.cfs_quota_us": "150000",
            "cpu,cpuacct/job/cpu.cfs_period_us": "100000",
        },
    )
    assert limit(None, groups) == 100 * MIB
    assert groups.cpus() == 1.5


def test_a_container_that_shows_the_hosts_path_has_its_limits_at_the_root(
    tmp_path: Path, roomy: int
) -> None:
    files = {"memory.max": f"{400 * MIB}", "memory.current": "0", "cpu.max": "50000 100000"}
    for group in ("/host/only", "/../../elsewhere"):
        groups = version_2(tmp_path, group, files)
        assert limit(None, groups) == 100 * MIB
        assert usable_cpus(groups) == 1


def test_cpus_are_those_of_the_affinity_or_of_the_quota(tmp_path: Path) -> None:
    quota = version_2(tmp_path, "/", {"cpu.max": "50000 100000"})
    without = version_2(tmp_path / "other", "/", {"cpu.max": "max 100000"})
    assert usable_cpus(quota) == 1
    allowed = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 0
    assert not allowed or usable_cpus(without) == allowed


def test_memory_bounds_how_many_units_are_under_way() -> None:
    assert in_flight(1000, 300, workers=8, remote=False) == 3


def test_where_memory_allows_it_each_worker_has_a_unit_waiting() -> None:
    assert in_flight(10**9, 1000, workers=4, remote=False) == 8


def test_the_own_memory_of_worker_processes_counts() -> None:
    assert in_flight(3 * WORKER_BYTES, WORKER_BYTES // 2, workers=8, remote=True) == 2
    assert in_flight(3 * WORKER_BYTES, WORKER_BYTES // 2, workers=8, remote=False) == 6


def test_a_unit_that_does_not_fit_is_refused_with_the_least_that_would_do() -> None:
    with pytest.raises(ProcessError, match=r"needs 64 MiB .* may use 10 MiB.*memory='64MiB'"):
        in_flight(10 * MIB, 64 * MIB, workers=2, remote=False)
    assert in_flight(limit("64MiB"), 64 * MIB, workers=2, remote=False) == 1


def test_the_default_of_this_machine_is_less_than_what_it_has() -> None:
    assert 0 < memory_module.limit(None) <= psutil.virtual_memory().total // 4
