"""Run every benchmark and print one table with versions, machine and date.

usage: python benchmarks/run.py [--folder DIR] [--peers DIR]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import components
import corrections
import fits
import link
import process
import sacla
import startup
import translate
from common import print_table
from contenders import Peers


def main() -> None:
    """Measure everything and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where some 20 GB are free")
    parser.add_argument("--peers", type=Path, help="folder of the peers' virtual environments")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        rows = translate.measure(Path(folder), frames=200, more=800, times=3)
        rows += startup.measure(Path(folder))
        rows += link.measure(Path(folder))
        rows += sacla.measure(Path(folder), tags=1000)
        peers = Peers.given(given.peers)
        for part in (process, fits, corrections, components):
            rows += part.measure(Path(folder), peers)
    print_table(rows)


if __name__ == "__main__":
    main()
