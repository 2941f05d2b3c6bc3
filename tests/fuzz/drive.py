"""nxscan over one damaged input, and the verdict on what came out."""

from __future__ import annotations

import re
import shutil
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import nxscan
from fuzz import oracle
from fuzz.drive_hdf5 import drive_hdf5, drive_linked
from fuzz.drive_tables import drive_table
from fuzz.seeds import KINDS, damage
from fuzz.tools import WrongError, cli, expect_none
from nxscan import plan
from nxscan.errors import NxscanError
from nxscan.nexus import write_scan
from nxscan.validate import run as validation

Verdict = Literal["refused", "right", "unjudged", "wrong", "traceback", "hang", "crash"]
BAD = ("wrong", "traceback", "hang", "crash")


@dataclass(frozen=True)
class Outcome:
    """What came of one input.

    Attributes
    ----------
    kind, number : str, int
        The recipe: `fuzz.seeds.damage` makes the same input of it.
    verdict : str
        ``refused`` with one clear error, ``right``, ``unjudged`` where fabio does not read what
        nxscan does; all others are faults.
    done : str
        How the input was damaged.
    detail : str
        The message, or what was wrong.

    """

    kind: str
    number: int
    verdict: Verdict
    done: str = ""
    detail: str = ""

    @property
    def bad(self) -> bool:
        """Tell whether this is a fault."""
        return self.verdict in BAD

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def drive(seeds: Path, kind: str, number: int, *, full: bool = False) -> Outcome:
    """Damage a file and run nxscan over it.

    Parameters
    ----------
    seeds : Path
        What `fuzz.seeds.make_seeds` wrote.
    kind, number : str, int
        The recipe.
    full : bool
        Also with the validators that others wrote, plots and every verb of the command line,
        which take seconds.

    """
    done = ""
    # not tempfile.TemporaryDirectory, which fails on Windows where a crash left a file open
    folder = Path(tempfile.mkdtemp(prefix="nxscan-fuzz-"))
    try:
        (folder / "in").mkdir()
        damaged, done = damage(seeds, kind, number, folder / "in")
        driver = _DRIVERS[KINDS[kind].what]
        with patch.object(validation, "CHECKS", _checks(full)):
            refused = driver(damaged, seeds / kind, folder / "out", full)
        verdict: Verdict = "refused" if refused else "right"
        return Outcome(kind, number, verdict, done, refused)
    except WrongError as error:
        return Outcome(kind, number, "wrong", done, str(error))
    except oracle.UnjudgedError as error:
        return Outcome(kind, number, "unjudged", done, str(error))
    except Exception:
        return Outcome(kind, number, "traceback", done, traceback.format_exc())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _checks(full: bool) -> tuple[Any, ...]:
    return tuple(check for check in validation.CHECKS if full or not check.apart)


def drive_edf(damaged: Path, whole: Path, out: Path, full: bool) -> str:
    """Inspect and translate a folder with a damaged EDF file."""
    mapping = damaged if damaged.suffix == ".toml" else None
    options = [] if mapping is None else ["--mapping", str(mapping)]
    status = cli("inspect", damaged.parent, *options, "--json")
    try:
        if mapping is not None:
            mapping.rename(mapping := out.with_suffix(".toml"))
        refused = _translate(damaged.parent, mapping, out.with_suffix(".nxs"), full)
    except NxscanError as error:
        refused = str(error)
    if refused and "does not pass validation" in refused:
        raise WrongError(refused)
    if refused and out.with_suffix(".nxs").exists():
        raise WrongError(f"refused, but there is an output: {refused}")
    if status and not refused:
        raise WrongError("inspect refuses it, translate does not")
    return refused


def _translate(raw: Path, mapping: Path | None, target: Path, full: bool) -> str:
    options = plan.make_options(mapping=mapping)
    found = plan.survey(raw)
    frames = []
    refused = ""
    for ref in found.refs:
        frames += _places_in(ref.payload)
        try:
            opened = plan.open_scan(found, ref, options, mapping)
        except NxscanError as error:
            refused = str(error)
            continue
        _write_and_compare(opened, raw, ref.number, mapping, target, full)
        target.unlink()
    if not refused:
        expect_none(oracle.frame_counts(frames))
    return refused


def _places_in(series: Any) -> list[Any]:
    return [f.place for f in (*series.frames, *series.darks, *series.flats, *series.odd)]


def _write_and_compare(
    opened: Any, raw: Path, number: str, mapping: Path | None, target: Path, full: bool
) -> None:
    if full:
        nxscan.translate(raw, target, scan=number, mapping=mapping)
    else:
        write_scan(opened, target)
    expect_none(oracle.edf_differences(nxscan.open(target), list(opened.signal.places)))
    report = nxscan.validate(target, data=True)
    if not report.ok:
        raise WrongError(f"translated, but not valid: {report.text()}")
    if full:
        for verb in (["info", target], ["plot", target, "-o", target.with_suffix(".png")]):
            if cli(*verb):
                raise WrongError(f"translated, but {verb[0]} refuses it")


def drive_master(damaged: Path, whole: Path, out: Path, full: bool) -> str:
    """Open, validate, describe and plot a master of which one byte or more is not what it was."""
    master = damaged.parent / "scan.nxs"
    refused = ""
    try:
        same = oracle.contents(nxscan.open(master)) == whole_contents(whole / "scan.nxs")
    except NxscanError as error:
        refused, same = str(error), False
    if not same and not refused:
        raise WrongError("open gives other data than the untouched file has, and no error")
    report = nxscan.validate(master, data=True)
    if refused and report.ok:
        raise WrongError(f"open refuses it, validate finds nothing: {refused}")
    _look_at(master, out, full)
    if not refused and not described_alike(master, whole / "scan.nxs"):
        raise WrongError("info says other things than of the untouched file")
    return refused or ("" if report.ok else str(report.findings[0]))


@lru_cache
def whole_contents(path: Path) -> dict[str, Any]:
    """Read the untouched file once."""
    return oracle.contents(nxscan.open(path))


def described_alike(path: Path, whole: Path) -> bool:
    """Tell whether info says of a file what it says of the untouched one, or what is damaged."""
    from nxscan.view import info

    try:
        lines = info(path).splitlines()[1:]
    except NxscanError:
        return True
    expected = info(whole).splitlines()[1:]
    same = _without_folders(lines) == _without_folders(expected)
    return same or any(line.startswith("  to check") for line in lines)


def _without_folders(lines: list[str]) -> str:
    """Return a description without the sources' folders, which are told from the file's own."""
    text = " ".join(" ".join(lines).split()).replace(" (from the folder of this file)", "")
    return re.sub(r"\S*/(?=\S)", "", re.sub(r" in \S+", "", text))


def drive_foreign(damaged: Path, whole: Path, out: Path, full: bool) -> str:
    """Validate, describe and plot a file that nxscan did not write."""
    report = nxscan.validate(damaged, data=True)
    _look_at(damaged, out, full)
    return "" if report.ok else str(report.findings[0])


def _look_at(path: Path, out: Path, full: bool) -> None:
    cli("info", path)
    if full:
        cli("plot", path, "-o", out.with_suffix(".png"))
        cli("plot", path, "-o", out.with_suffix(".png"), "--pixel", "1,1")
        cli("validate", path, "--data", "--json")


_DRIVERS: dict[str, Callable[[Path, Path, Path, bool], str]] = {
    "edf": drive_edf,
    "mapping": drive_edf,
    "master": drive_master,
    "foreign": drive_foreign,
    "hdf5": drive_hdf5,
    "linked": drive_linked,
    "table": drive_table,
}
