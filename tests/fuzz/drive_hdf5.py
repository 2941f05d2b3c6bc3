"""nxscan over HDF5 of detectors and beamlines with a damaged file, and masters that link to it."""

from __future__ import annotations

import contextlib
import logging
import math
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import h5py
import numpy as np

import nxscan
from fuzz import oracle
from fuzz.dump import Dump, compare, dump
from fuzz.seeds import KINDS
from fuzz.tools import WrongError, cli, expect_none
from nxscan import plan
from nxscan.errors import NxscanError
from nxscan.hdf5 import readers
from nxscan.hdf5.datasets import DatasetFrames
from nxscan.hdf5.frames import RawFrames
from nxscan.nexus import write_scan
from nxscan.nexus.linked import write_linked

_MOST = 50_000_000
_UNJUDGED = ("provenance", "checksums")


def drive_hdf5(damaged: Path, whole: Path, out: Path, full: bool) -> str:
    """Inspect a source and translate its scans, with frames left where they are and copied."""
    root, kind = out.parent / "in", KINDS[whole.name]
    with _strictly() as said:
        status = cli("inspect", root / kind.source, *_mapping_option(root), "--json")
        refused = ""
        for link in (True, False):
            made, refused = _translate(root, kind.source, out.with_suffix(".nxs"), link, full)
            _judge(root, whole, made, refused, said, link)
        if status and not refused and len(made) == 1:
            raise WrongError("inspect refuses it, translate does not")
    return refused


def _mapping_option(root: Path) -> list[str]:
    return [word for path in root.glob("*.toml") for word in ("--mapping", str(path))]


@contextlib.contextmanager
def _strictly() -> Iterator[list[logging.LogRecord]]:
    """Take warnings of Python for errors; collect what nxscan logs, a plan's notes as well."""
    said: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = said.append  # type: ignore[method-assign]
    logging.getLogger("nxscan").addHandler(handler)
    logging.getLogger("nxscan.plan").setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield said
    finally:
        logging.getLogger("nxscan").removeHandler(handler)


def _translate(
    root: Path, source: str, target: Path, link: bool, full: bool
) -> tuple[dict[str, Any], str]:
    """Return what every scan holds when it is read back, and why others were refused."""
    made: dict[str, Any] = {}
    refused = ""
    mapping = next(root.glob("*.toml"), None)
    try:
        options = plan.make_options(mapping=mapping, link=link)
        found = plan.survey(root / source, mapping=options.mapping)
    except NxscanError as error:
        return made, str(error)
    for ref in found.refs:
        try:
            opened = plan.open_scan(found, ref, options, mapping)
            # the copy reads past HDF5, the link by it
            with patch.object(readers, "WORTHWHILE", 1 << 40 if link else 0):
                made[ref.number] = _written(opened, target, link, full)
        except NxscanError as error:
            refused = str(error)
        _remove(target)
    return made, refused


def _written(opened: Any, target: Path, link: bool, full: bool) -> dict[str, Any]:
    """Write a scan and read it back; its contents, with frames that are not the source's."""
    for signal in opened.signals.values():
        if math.prod(signal.shape) > _MOST:
            raise oracle.UnjudgedError(f"it is said to have {signal.shape} values")
    if link:
        write_linked(opened, target, "12345678-1234-4234-8234-123456789abc")
    else:
        write_scan(opened, target)
    try:
        scan = nxscan.open(target)
        contents = oracle.contents(scan)
    except NxscanError as error:
        if nxscan.validate(target, data=True).ok:
            raise WrongError(f"open refuses it, validate finds nothing: {error}") from error
        raise
    report = nxscan.validate(target, data=True)
    if not report.ok:
        raise WrongError(f"translated, but not valid: {report.text()}")
    if full:
        for verb in (["info", target], ["plot", target, "-o", target.with_suffix(".png")]):
            if cli(*verb):
                raise WrongError(f"translated, but {verb[0]} refuses it")
    pairs = {name: (scan.signals[name][...], signal) for name, signal in opened.signals.items()}
    return {**contents, "pairs": pairs, "linked": link}


def _remove(target: Path) -> None:
    for path in target.parent.glob(f"{target.stem}*"):
        if path.is_file():
            path.unlink()


@lru_cache
def _whole(whole: Path, link: bool) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="nxscan-fuzz-whole-"))
    try:
        made, refused = _translate(whole, KINDS[whole.name].source, folder / "o.nxs", link, False)
    finally:
        shutil.rmtree(folder)
    if refused:
        raise WrongError(f"the untouched source is refused: {refused}")
    return made


@lru_cache
def _whole_dump(whole: Path) -> Dump:
    return dump(whole)


def _judge(
    root: Path,
    whole: Path,
    made: dict[str, Any],
    refused: str,
    said: list[logging.LogRecord],
    link: bool,
) -> None:
    expected = _whole(whole, link)
    for number, contents in made.items():
        frames = {}
        if number in expected:
            frames = {name: values for name, (values, _) in expected[number]["pairs"].items()}
        expect_none(_frame_differences(contents["pairs"], frames))
    if not made:
        return
    changed, lost = compare(_whole_dump(whole), dump(root))
    if changed:
        return  # nothing says that it was not so from the beginning
    warned = any(record.levelno >= logging.WARNING for record in said)
    all_there = refused or (lost and warned) or set(made) == set(expected)
    if not set(made) <= set(expected) or not all_there:
        raise WrongError(f"scans {sorted(made)}, expected {sorted(expected)}")
    for number, contents in made.items():
        told = warned or [record.getMessage() for record in said]
        expect_none(_differences(expected[number], contents, bool(lost), told))


def _differences(
    expected: dict[str, Any], found: dict[str, Any], lost: bool, told: bool | list[str]
) -> Iterator[str]:
    """Yield what a scan holds otherwise.

    Where something is lost, a warning has to say so (``told`` is true), or a note that names it.
    """
    for key, value in expected.items():
        if key in _UNJUDGED or key in ("pairs", "linked", "signals") or found[key] == value:
            continue
        if lost and (told is True or key in ("metadata", "raw", "mask")):
            continue
        if lost and told and _are_named(found[key], value, told):
            continue
        yield f"{key}: {_first_difference(found[key], value)}, and no warning"
    for name, values in expected["signals"].items():
        if name not in found["signals"]:
            if not (lost and told is True):
                yield f"signal {name} is gone without a warning"
        elif found["signals"][name][:-1] != values[:-1] and not lost:
            yield f"signal {name}: {found['signals'][name][:-1]}, expected {values[:-1]}"


def _are_named(found: Any, expected: Any, notes: list[str]) -> bool:
    """Tell whether all that is gone is in the notes, and the rest as it was."""
    same = all(expected[name] == value for name, value in found.items() if name in expected)
    return same and all(
        any(name in note for note in notes) for name in expected if name not in found
    )


def _first_difference(found: Any, expected: Any) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in expected:
            if name not in found:
                return f"{name} is not there"
            if found[name] != expected[name]:
                return f"{name}: {_first_difference(found[name], expected[name])}"
    return f"{str(found)[:300]}, expected {str(expected)[:300]}"


def _frame_differences(
    pairs: dict[str, tuple[np.ndarray, Any]], expected: dict[str, np.ndarray]
) -> Iterator[str]:
    """Yield frames that are neither what they were nor what h5py reads where they lie."""
    for name, (values, signal) in pairs.items():
        rank = len(signal.scan_shape)
        frames = values.reshape(-1, *values.shape[rank:])
        before = expected.get(name)
        same = before is not None and before.shape == values.shape
        old = before.reshape(frames.shape) if same else None
        for k, frame in enumerate(frames):
            if old is not None and frame.tobytes() == old[k].tobytes():
                continue
            yield from _as_stored(f"{name}, frame {k}", frame, signal, k)


def _as_stored(name: str, frame: np.ndarray, signal: Any, k: int) -> Iterator[str]:
    """Compare one frame with what plain h5py reads of the sources."""
    for tile in signal.tiles:
        number, index = int(tile.source[k]), int(tile.index[k])
        part = frame[tuple(slice(a, a + n) for a, n in zip(tile.corner, tile.shape, strict=True))]
        if number < 0:
            if not (part == signal.gap).all():
                yield f"{name} is missing, and has values"
            continue
        source = signal.sources[number]
        if isinstance(source, DatasetFrames):
            source, index = source.one(index), 0
        if isinstance(source, RawFrames):
            raw = source.path.read_bytes()[source.offsets[index] :]
            count = math.prod(tile.shape)
            stored = np.frombuffer(raw, source.stored, count).reshape(tile.shape)
        else:
            try:
                stored = _by_h5py(source, index)
            except Exception as error:  # over a damaged file h5py raises any kind
                yield f"{name} has values that h5py cannot read: {error}"
                continue
        if stored is None:
            yield f"{name} was never written, and has values"
        elif not np.array_equal(part, stored, equal_nan=part.dtype.kind == "f"):
            yield f"{name} is neither what it was nor what {source.path} holds"


def _by_h5py(source: Any, index: int) -> np.ndarray | None:
    with h5py.File(source.path, "r", locking=False) as file:
        dataset = file[source.dataset]
        place = np.unravel_index(index, dataset.shape[: source.rank]) if source.rank else ()
        corner = (*map(int, place), *(0,) * len(source.shape))
        if dataset.chunks and not _is_written(dataset, corner):
            return None
        return np.asarray(dataset[tuple(map(int, place))])


def _is_written(dataset: Any, corner: tuple[int, ...]) -> bool:
    at = tuple(k // n * n for k, n in zip(corner, dataset.chunks, strict=True))
    return dataset.id.get_chunk_info_by_coord(at).byte_offset is not None


def drive_linked(damaged: Path, whole: Path, out: Path, full: bool) -> str:
    """Open and validate a master that links to files, one of which, or itself, is damaged."""
    master = out.parent / "in" / "scan.nxs"
    refused = ""
    with _strictly():
        try:
            scan = nxscan.open(master)
            contents = oracle.contents(scan)
            expected = _whole_linked(whole / "scan.nxs")
            for key, value in expected.items():
                if key not in ("pairs", "signals", "provenance") and contents[key] != value:
                    raise WrongError(f"{key} is other than that of the untouched master")
            pairs = {name: (signal[...], signal) for name, signal in scan.signals.items()}
            if pairs.keys() != expected["pairs"].keys():
                raise WrongError(f"detectors {sorted(pairs)}")
            expect_none(_frame_differences(pairs, expected["pairs"]))
        except NxscanError as error:
            refused = str(error)
        report = nxscan.validate(master, data=True)
        if refused and report.ok:
            raise WrongError(f"open refuses it, validate finds nothing: {refused}")
        cli("info", master)
        if full:
            cli("plot", master, "-o", out.with_suffix(".png"))
    return refused


@lru_cache
def _whole_linked(path: Path) -> dict[str, Any]:
    scan = nxscan.open(path)
    values = {name: signal[...] for name, signal in scan.signals.items()}
    return {**oracle.contents(scan), "pairs": values}
