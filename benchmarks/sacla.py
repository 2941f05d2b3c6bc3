"""SACLA runs: linking thousands of tags, reading them in place, copying them, against h5py's loop.

What limits it. Linking opens each tag's three datasets and writes one mapping for each, and the
checks of the finished file read these again. Reading is copying from the system's cache: the loop
over tags opens two objects and lets HDF5 check them for each image, and copies into new memory;
nxscan looks up all places once (the first read has that, too) and copies from them, here into
memory that is used again, in one thread and in as many as there are cores, as its processes do. A
copy is compression; the loop writes the same tiles with the same filter.

The run is simulated (`nxscan.simulate`): contiguous float32 images, 280 columns of events. 13 GB
are needed for the folder.

usage: python benchmarks/sacla.py [--tags 5000] [--copied 1000] [--times 3] [--folder DIR]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common import Row, print_table
from contenders import ours
from measured import ratio

SHAPE = (512, 1024)


def measure(folder: Path, tags: int = 5000, copied: int = 1000, times: int = 3) -> list[Row]:
    """Run everything and return the rows of the table."""
    raw = _run(folder, tags)
    found = ours("sacla_ours.py", "link", raw, folder / "linked.nxs", times)
    link = statistics.median(found["link"])
    size = (folder / "linked.nxs").stat().st_size / 1e6
    opened = statistics.median(found["open"])
    print(f"{tags} tags linked in {link:.2f} s, a master of {size:.1f} MB")
    rows = [
        Row(
            f"{tags} tags: link, per tag",
            f"{link / tags * 1e3:.2f} ms",
            "≤ 1 ms",
            link < tags / 1e3,
        ),
        Row("the master", f"{size:.1f} MB", "a few MB", size < 10),
        Row("linked run: open", f"{opened:.2f} s", "≤ 1 s", opened <= 1),
    ]
    seconds = ours("sacla_ours.py", "read", folder / "linked.nxs", raw, times)
    gigabytes = tags * SHAPE[0] * SHAPE[1] * 4 / 1e9
    for name, several in seconds.items():
        rates = ", ".join(f"{gigabytes / one:.2f}" for one in several)
        print(f"{name}: {rates} GB/s")
    middle = {name: statistics.median(several) for name, several in seconds.items()}
    rows += [
        ratio("first read, one thread, rate / the loop's", middle["loop"], middle["first"], 1),
        ratio("read, one thread, rate / the loop's", middle["loop"], middle["one"], 1),
        ratio(
            f"read, {os.cpu_count()} threads, rate / the loop's", middle["loop"], middle["all"], 3
        ),
    ]
    return [*rows, *_copying(folder, copied)]


def _copying(folder: Path, tags: int) -> Sequence[Row]:
    raw = _run(folder, tags)
    found = ours("sacla_ours.py", "copy", raw, folder / "copied.nxs")
    gigabytes = tags * SHAPE[0] * SHAPE[1] * 4 / 1e9
    for name, several in found.items():
        print(f"copy, {name}: {gigabytes / several[0]:.2f} GB/s")
    return [ratio(f"copy of {tags} tags, rate / the loop's", found["loop"][0], found["ours"][0], 1)]


def _run(folder: Path, tags: int) -> Path:
    from nxscan.simulate.mpccd import Mpccd
    from nxscan.simulate.sacla import sacla_run
    from nxscan.simulate.sacla_file import write_sacla

    path = folder / "raw" / f"simulated_{tags}.h5"
    if not path.exists():
        detector = Mpccd(panels=1, shape=SHAPE)
        write_sacla(sacla_run(tags=tags, detector=detector, pool=10), path)
    return path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tags", type=int, default=5000)
    parser.add_argument("--copied", type=int, default=1000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="kept afterwards; a temporary one by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        rows = measure(folder, given.tags, given.copied, given.times)
    print_table(rows)


if __name__ == "__main__":
    main()
