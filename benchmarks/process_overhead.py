"""What a run costs beside its work: workers, small blocks, resuming, memory.

Two workers share a compute-bound process (the entropy of every frame: a logarithm per value) and
one that only copies. Small: 10,000 positions of 64 values, from the command line, Python's start
included. Memory: a virtual dataset that repeats one file, which HDF5 reads, and one of chunks,
which are read past HDF5. What is kept for every position (axes, USID's indices, results) grows
with the scan; nothing else does.
"""

from __future__ import annotations

import sys
from pathlib import Path

from common import Row, run
from contenders import ours
from measured import ratio, run_ours
from process_data import made

ENTROPY = "user_processes:Entropy"
BRIGHTNESS = "user_processes:Brightness"
HERE = Path(__file__).parent


def measure_workers(folder: Path, times: int) -> list[Row]:
    """Run with one worker and with two."""
    path = made("maps", folder) / "contiguous.nxs"
    rows = []
    center = "nxscan.analysis.center_of_mass:CenterOfMass"
    for what, process, wanted in (("compute", ENTROPY, 1.7), ("memory", center, 1.0)):
        one, two = (
            run_ours(process, path, folder / "workers.nxs", "--times", times, "--workers", workers)
            for workers in (1, 2)
        )
        print(f"{what}-bound: one worker {one.line()}\n{what}-bound: two workers {two.line()}")
        rows.append(ratio(f"{what}-bound, two workers / one", one.loop, two.loop, wanted))
    (folder / "workers.nxs").unlink()
    return rows


def measure_small(folder: Path) -> list[Row]:
    """Run 10,000 positions of 64 values, as a user does."""
    path = made("positions", folder) / "positions.nxs"
    into = path.with_name("result.nxs")
    into.unlink(missing_ok=True)
    command = [sys.executable, "-m", "nxscan", "run", BRIGHTNESS, str(path), "--into", str(into)]
    seconds = run(command).seconds
    inside = run_ours(BRIGHTNESS, path, into)
    print(f"10,000 positions of 64 values: nxscan {inside.line()}")
    into.unlink()
    return [
        Row("10,000 positions of 64 values, `nxscan run`", f"{seconds:.2f} s", "< 3 s", seconds < 3)
    ]


def measure_resume(folder: Path) -> list[Row]:
    """Stop a run when nine blocks in ten are done, and go on."""
    path = made("repeated", folder) / "repeated_1.25.nxs"
    into = path.with_name("result.nxs")
    once = ("--times", 1, "--warm", path.with_name("once.nxs"))
    whole = run_ours(ENTROPY, path, into, *once)
    into.unlink()
    ours("ours.py", ENTROPY, path, into, *once, "--workers", 1, "--stop-at", 0.9)
    rest = run_ours(ENTROPY, path, into, *once, "--resume")
    blocks, before = rest.parts["blocks"][0], rest.parts["before"][0]
    left = 1 - before / blocks
    share = rest.loop / whole.loop
    print(
        f"resume: {before:.0f} of {blocks:.0f} blocks were there; loop {rest.loop:.2f} s of "
        f"{whole.loop:.2f} s, in all {rest.parts['total'][0]:.2f} s of "
        f"{whole.parts['total'][0]:.2f} s"
    )
    into.unlink()
    what = f"resume with {left:.0%} left, share of the time"
    return [Row(what, f"{share:.0%}", f"about {left:.0%}", 0 < left < 0.2 and share < left + 0.1)]


def measure_memory(folder: Path) -> list[Row]:
    """Take the peak memory of 1 and of 8 GiB."""
    data = made("repeated", folder)
    into = data / "result.nxs"
    rows = []
    for kind in ("repeated", "chunks"):
        peaks = []
        for size in ("1", "8"):
            source = data / f"{kind}_{size}.nxs"
            command = [sys.executable, str(HERE / "ours.py"), BRIGHTNESS, str(source), str(into)]
            found = run([*command, "--times", "1", "--cold"])
            peaks.append(found.peak_mb)
            print(f"{kind}, {size} GiB: {found.seconds:.1f} s, peak {found.peak_mb:.0f} MB")
        into.unlink()
        growth = peaks[1] / peaks[0]
        what = f"peak memory, 8 GiB / 1 GiB ({kind}: {peaks[1]:.0f} MB)"
        rows.append(Row(what, f"{growth:.2f} ×", "≤ 1.2 ×", growth <= 1.2))
    return rows
