"""How long a user waits before anything happens: import, help, opening a scan.

What limits it: `import nxscan` and `nxscan --help` load no heavy package; opening a scan reads
the axes, counters and metadata of the master with h5py, and no frame.

usage: python benchmarks/startup.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import Row, alternate, median, print_table, python, run

OPEN = """
import sys, time, nxscan, h5py, hdf5plugin
nxscan.open(sys.argv[1])  # imports
begun = time.perf_counter()
for _ in range(20):
    nxscan.open(sys.argv[1])
print((time.perf_counter() - begun) / 20)
"""


def make_scan(folder: Path) -> Path:
    """Translate a scan of 200 small frames with headers of 40 motors."""
    import nxscan
    from nxscan.simulate import crystal, rocking_scan, write_edf

    scan = rocking_scan(crystal((64, 64)), mu=np.linspace(-0.25, 0.25, 200))
    write_edf(scan, folder / "raw", darks=5)
    return nxscan.translate(folder / "raw", folder / "scan.nxs")


def measure(folder: Path) -> list[Row]:
    """Run everything and return the rows of the table."""
    path = make_scan(folder)
    bare, imported, helped = alternate(
        5,
        lambda: run(python("pass")),
        lambda: run(python("import nxscan")),
        lambda: run([sys.executable, "-m", "nxscan", "--help"]),
    )
    opened = float(subprocess.check_output(python(OPEN, str(path))))
    load = median(imported) - median(bare)
    helping = median(helped)
    return [
        Row("import nxscan", f"{load * 1e3:.0f} ms", "< 500 ms", load < 0.5),
        Row("nxscan --help", f"{helping * 1e3:.0f} ms", "< 1000 ms", helping < 1),
        Row("nxscan.open", f"{opened * 1e3:.1f} ms", "< 50 ms", opened < 0.05),
    ]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        print_table(measure(Path(folder)))


if __name__ == "__main__":
    main()
