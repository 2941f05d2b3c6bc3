"""Merging partial states in one fixed tree, whatever order they were computed in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nxscan.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nxscan.process.contract import Process

    Arrays = Mapping[str, NDArray[Any]]


def merge_all(process: Process, states: Iterable[Arrays]) -> Arrays:
    """Merge states, neighbours first, and return the one that is left.

    The tree depends on their number alone, so that rounding is the same in every run; at most
    log2(n) + 1 states are in memory at once.

    >>> class Trace:
    ...     def merge(self, a, b): return {"s": f"({a['s']}{b['s']})"}
    >>> merge_all(Trace(), [{"s": c} for c in "abcde"])["s"]
    '(((ab)(cd))e)'
    """
    waiting: list[tuple[int, Arrays]] = []
    for state in states:
        level, merged = 0, state
        while waiting and waiting[-1][0] == level:
            merged = process.merge(waiting.pop()[1], merged)
            level += 1
        waiting.append((level, merged))
    if not waiting:
        raise ProcessError(f"process {process.name!r} has no block to merge")
    result = waiting.pop()[1]
    while waiting:
        result = process.merge(waiting.pop()[1], result)
    return result
