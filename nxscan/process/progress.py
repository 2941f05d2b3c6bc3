"""How far a run is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RunProgress:
    """How far a run is.

    Attributes
    ----------
    process : str
        Its name.
    blocks_done, blocks_total : int
        Blocks, those of an earlier, interrupted run included.
    bytes_done, bytes_total : int
        Uncompressed bytes of this run's blocks.
    stage : str
        What is being done (``compute``, ``commit``).
    note : str
        What the user should know (``resumed, 12 of 40 blocks were there``).

    """

    process: str
    blocks_done: int
    blocks_total: int
    bytes_done: int
    bytes_total: int
    stage: str = "compute"
    note: str = ""


OnProgress = Callable[[RunProgress], None]
