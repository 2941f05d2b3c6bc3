"""Translate 200 EDF frames of 2048² uint16 against `silx convert` and against copying the files.

What limits it: on a disk that takes 1 GB/s, the processor. Of about 2.9 CPU seconds for 200 frames,
bitshuffle-LZ4 takes 1.2 in threads (SSE2, as the wheels of hdf5plugin are built), the checksums
of frames and chunks, copies into tiles and reading from the cache 0.7, writing past the cache
0.2, the master beside them 0.2; the rest runs on one core: imports and headers 0.4, the checks of
the finished file 0.2. Two cores that did nothing but read, cut into tiles and compress need 0.65 s.
Copying writes every byte uncompressed and so is limited by the disk.

All outputs are durable: nxscan syncs its files, `cp` and silx are followed by `sync`. Raw files
are in the cache before each run.

usage: python benchmarks/translate.py [--frames 200] [--more 800] [--times 3] [--folder DIR]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from common import Row, Run, alternate, median, print_table, python, read_once, run, spread

HEADER = """{{
Image = {frame} ;
ByteOrder = LowByteFirst ;
DataType = UnsignedShort ;
Dim_1 = 2048 ;
Dim_2 = 2048 ;
Size = 8388608 ;
count_time = 1 ;
motor_pos = {mu:.6f} 0.5 ;
motor_mne = mu chi ;
"""
TRANSLATE = "import sys, nxscan; nxscan.translate(sys.argv[1], sys.argv[2])"


def make_raw(folder: Path, frames: int) -> Path:
    """Write frames with two motors, of which one is scanned.

    The header holds no text but what EDF requires: silx 3.1 stops at any other ("No conversion
    path for dtype", with h5py 3.16).
    """
    from nxscan.simulate import realistic_counts

    raw = folder / f"raw{frames}"
    raw.mkdir()
    scan = realistic_counts(frames, (2048, 2048))
    for k in range(frames):
        header = HEADER.format(frame=k, mu=float(scan.motors["mu"][k])).encode()
        block = header.ljust(1022) + b"}\n"
        (raw / f"scan_{k:04d}.edf").write_bytes(block + scan.frame(k).astype("<u2").tobytes())
    return raw


def _made_apart(folder: Path, frames: int) -> Path:
    """Write the frames in a process of its own: a child's peak memory starts at its parent's."""
    code = "import sys; from translate import make_raw; from pathlib import Path; "
    run(python(f"{code}make_raw(Path(sys.argv[1]), {frames})", str(folder)))
    return folder / f"raw{frames}"


def nxscan_job(raw: Path, out: Path) -> Run:
    """Translate with nxscan, validation and sync included."""
    shutil.rmtree(out, ignore_errors=True)
    read_once(raw)
    return run(python(TRANSLATE, str(raw), str(out / "scan.nxs")))


def silx_job(raw: Path, out: Path) -> Run:
    """Convert with silx, gzip at its default level."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    read_once(raw)
    main = "import sys; from silx.app.convert import main; sys.exit(main(sys.argv))"
    files = [str(path) for path in sorted(raw.iterdir())]
    options = ["-o", str(out / "scan.h5"), "--compression", "gzip"]
    return _then_sync(run(python(main, *files, *options)))


def copy_job(raw: Path, out: Path) -> Run:
    """Copy the files."""
    shutil.rmtree(out, ignore_errors=True)
    read_once(raw)
    return _then_sync(run(["cp", "-r", str(raw), str(out)]))


def _then_sync(done: Run) -> Run:
    return Run(done.seconds + run(["sync"]).seconds, done.peak_mb)


def measure(folder: Path, frames: int, more: int, times: int) -> list[Row]:
    """Run everything and return the rows of the table."""
    raw = _made_apart(folder, frames)
    ours, copies = alternate(
        times, lambda: nxscan_job(raw, folder / "nx"), lambda: copy_job(raw, folder / "cp")
    )
    theirs = [silx_job(raw, folder / "silx")]
    size = frames * 2048 * 2048 * 2 / 1e6
    stored = sum(p.stat().st_size for p in (folder / "nx").iterdir()) / 1e6
    print(f"nxscan {spread(ours)}, cp and sync {spread(copies)}, silx convert {spread(theirs)}")
    print(
        f"{frames} frames, {size:.0f} MB, stored in {stored:.0f} MB; {size / median(ours):.0f} MB/s"
    )
    for name in ("nx", "cp", "silx"):
        shutil.rmtree(folder / name)
    shutil.rmtree(raw)
    rows = [
        _ratio(f"{frames} frames, throughput / silx convert gzip", theirs, ours, 8.0),
        _ratio(f"{frames} frames, throughput / cp and sync", copies, ours, 0.6),
    ]
    peak = max(one.peak_mb for one in ours)
    rows.append(Row(f"peak memory, {frames} frames", f"{peak:.0f} MB", "< 500 MB", peak < 500))
    if more:
        many = _made_apart(folder, more)
        high = nxscan_job(many, folder / "nx").peak_mb
        rows.append(Row(f"peak memory, {more} frames", f"{high:.0f} MB", "the same", high < 500))
        shutil.rmtree(many)
        shutil.rmtree(folder / "nx")
    return rows


def _ratio(what: str, slow: list[Run], fast: list[Run], wanted: float) -> Row:
    found = median(slow) / median(fast)
    return Row(what, f"{found:.2f} ×", f"≥ {wanted:g} ×", found >= wanted)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--more", type=int, default=800)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        print_table(measure(Path(folder), given.frames, given.more, given.times))


if __name__ == "__main__":
    main()
