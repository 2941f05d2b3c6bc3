"""How many CPUs this process may use."""

from __future__ import annotations

import os

import psutil

from nxscan.process.cgroup import Cgroups


def usable_cpus(cgroups: Cgroups | None = None) -> int:
    """Return how many CPUs this process may use, at least 1.

    That is less than the machine has where a batch system or a container allows less: through
    the affinity, or through a quota of the control group (rounded up).
    """
    quota = (cgroups or Cgroups()).cpus()
    allowed = _affinity()
    return allowed if quota >= allowed else max(1, -int(-quota // 1))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    try:
        return len(psutil.Process().cpu_affinity() or [0])
    except (AttributeError, psutil.Error):  # macOS has no affinity
        return os.cpu_count() or 1
