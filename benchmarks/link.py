"""Linked masters: how long they take to make, and what it costs that frames stay where they are.

What limits it. Linking single EDF files is reading their headers, and the checks of the finished
file. A frame of an EDF file of its own costs opening, reading and closing it. Processes over linked
HDF5 read the same bytes with the same code as over a copy; what differs is that a stored chunk is a
whole frame, so that curves of pixels lie in as many chunks as there are frames: reductions read
some hundred frames at a time and add them up tile by tile (k = 1, if memory holds these), other
processes of curves go over the frames k times, which is said before, or make a tiled copy first.

The frames are some 40 distinct ones that are written again and again (`link_data.py`); 10 GB
are needed for the folder.

usage: python benchmarks/link.py [--only edf hdf5 plain inspect] [--files 5000] [--frames 1000]
           [--copied 240] [--times 3] [--folder DIR] [--data DIR]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import link_data
from common import Row, print_table
from contenders import ours
from measured import ratio, run_ours

KINDS = ("edf", "hdf5", "plain", "inspect")
MOMENTS = "nxscan.analysis.moments:Moments"
CENTERS = "nxscan.analysis.center_of_mass:CenterOfMass"


def measure_edf(folder: Path, files: int, times: int) -> list[Row]:
    """Link single-frame EDF files, look at frames, read all of them."""
    raw = folder / f"edf_{files}"
    if not raw.exists():
        link_data.write_edf_files(raw, files, 512)
    master = folder / "edf.nxs"
    found = ours("link_ours.py", "edf", raw, master, times)
    linked, frame = (statistics.median(found[key]) for key in ("link", "frame"))
    reading, plain = (statistics.median(found[key]) for key in ("read", "bytes"))
    size = master.stat().st_size / 1e6
    print(f"edf: {files} files linked in {linked:.2f} s, a master of {size:.1f} MB")
    print(f"edf: all frames in {reading:.3f} s, the files' bytes in {plain:.3f} s")
    return [
        Row(f"{files} EDF files: link", f"{linked:.2f} s", "< 5 s", linked < 5),
        Row("linked EDF: a frame", f"{frame * 1e3:.2f} ms", "< 1 ms", frame < 1e-3),
        ratio("linked EDF: read in order, rate / the files' bytes", plain, reading, 0.8),
    ]


def measure_hdf5(folder: Path, frames: int, copied: int, times: int) -> list[Row]:
    """Run processes over frames that are a chunk of bitshuffle-LZ4 each, and over tiles of ours."""
    few, many = (_stack(folder, n, compressed=True) for n in (copied, frames))
    linked = ours("link_ours.py", "link", many, folder / "many.nxs", times)["link"]
    seconds = statistics.median(linked)
    rows = [Row(f"{frames} × 2048² in HDF5: link", f"{seconds:.2f} s", "", True)]
    ours("link_ours.py", "both", few, folder / "few")
    for name, process, wanted in (("moments", MOMENTS, None), ("center of mass", CENTERS, 0.8)):
        rows.append(_against_copy(folder, name, process, wanted, times))
    runs = run_ours(MOMENTS, folder / "many.nxs", folder / "result.nxs", "--times", 1)
    passes = ours("link_ours.py", "passes", folder / "many.nxs", folder / "result.nxs")["k"]
    print(f"moments over {frames} linked frames: {runs.line()}; k = {passes[0]:.0f}")
    return rows


def measure_plain(folder: Path, copied: int, times: int) -> list[Row]:
    """Run processes over uncompressed frames, and over a copy of them."""
    ours("link_ours.py", "both", _stack(folder, copied, compressed=False), folder / "few")
    return [
        _against_copy(folder, f"{name}, uncompressed,", process, 0.8, times)
        for name, process in (("moments", MOMENTS), ("center of mass", CENTERS))
    ]


def _stack(folder: Path, frames: int, *, compressed: bool) -> Path:
    path = folder / "raw" / f"{'bslz4' if compressed else 'plain'}_{frames}.h5"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        link_data.write_stack(path, frames, 2048, compressed=compressed)
    return path


def _against_copy(folder: Path, name: str, process: str, wanted: float | None, times: int) -> Row:
    """Run over both masters in turn, so that a machine that drifts is the same for both."""
    found: dict[str, list[float]] = {"linked": [], "copy": []}
    for which in [*found] * times:
        runs = run_ours(process, folder / f"few_{which}.nxs", folder / "result.nxs", "--times", 1)
        found[which] += runs.parts["loop"]
        print(f"{name}, {which}: {runs.line()}")
    linked, copy = (statistics.median(found[which]) for which in ("linked", "copy"))
    what = f"{name} over linked frames, rate / over a copy"
    if wanted is None:
        return Row(what, f"{copy / linked:.2f} ×", "", True)
    return ratio(what, copy, linked, wanted)


def measure_inspect(folder: Path, times: int) -> list[Row]:
    """List the scans of a BLISS master."""
    path = folder / "bliss" / "master.h5"
    found = ours("link_ours.py", "inspect", path, times)["inspect"]
    seconds = statistics.median(found)
    return [Row("list 500 scans of a BLISS master", f"{seconds:.2f} s", "< 2 s", seconds < 2)]


def measure(
    folder: Path,
    files: int = 5000,
    frames: int = 1000,
    copied: int = 240,
    times: int = 3,
    only: Sequence[str] = KINDS,
) -> list[Row]:
    """Run everything, or some, and return the rows of the table."""
    every: Mapping[str, Callable[[], Sequence[Row]]] = {
        "edf": partial(measure_edf, folder, files, times),
        "hdf5": partial(measure_hdf5, folder, frames, copied, times),
        "plain": partial(measure_plain, folder, copied, times),
        "inspect": partial(measure_inspect, folder, times),
    }
    return [row for name in only for row in every[name]()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--copied", type=int, default=240, help="frames that are copied, too")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where some 10 GB are free")
    parser.add_argument("--data", type=Path, help="where data are kept for the next time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        place = given.data or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        rows = measure(place, given.files, given.frames, given.copied, given.times, given.only)
    print_table(rows)


if __name__ == "__main__":
    main()
