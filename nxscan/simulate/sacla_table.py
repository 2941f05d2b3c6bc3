"""The table that SACLA's scan program leaves beside a run: motor steps by tag number."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from nxscan.errors import OutputError

if TYPE_CHECKING:
    from nxscan.simulate.sacla_truth import SaclaRun

HEADER = ("tag_number", "delay", "rocking")
"""Names of the columns: the tag, then motors in pulses."""


def write_scan_table(run: SaclaRun, path: str | Path) -> Path:
    """Write where the scan's motors stood at every tag, as CSV with a header row.

    Parameters
    ----------
    run : SaclaRun
        Whose shots; those without image are in the table, too.
    path : str or Path
        The file; its folder is made if it is missing.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If it exists already.

    """
    target = Path(path)
    if target.exists():
        raise OutputError(f"{target} exists already", "choose another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    shots = run.shots
    columns = (shots.tags, shots.steps["delay"], shots.steps["rocking"])
    with target.open("w", newline="", encoding="ascii") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(zip(*(column.tolist() for column in columns), strict=True))
    return target
