"""What a translation would do: which scans of a source are meant, and where they would go."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nxscan.errors import PlanError, SourceError
from nxscan.translate.contract import Options
from nxscan.translate.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nxscan.model import Provenance, Scan
    from nxscan.translate.contract import ScanRef, Translator
    from nxscan.translate.mapping import Mapping as KeyMapping
    from nxscan.translate.table import Table

    PathLike = str | os.PathLike[str]
    Sources = PathLike | Sequence[PathLike]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Survey:
    """A source that was looked through.

    Attributes
    ----------
    given : tuple of Path
        The files, folders and globs that the user named.
    files : tuple of Path
        Every file in them.
    translator : Translator
        The one that opens them.
    refs : tuple of ScanRef
        The scans in them, at least one.
    within : str or None
        The scan that the source itself names (``master.h5::/5.1``).

    """

    given: tuple[Path, ...]
    files: tuple[Path, ...]
    translator: Translator
    refs: tuple[ScanRef, ...]
    within: str | None = None


def survey(
    source: Sources, translator: str | None = None, mapping: KeyMapping | None = None
) -> Survey:
    """Look through a source: its files, who opens them, which scans they hold.

    Raises
    ------
    SourceError
        If there is nothing to open, a file is damaged, or no translator knows it.

    """
    from nxscan.translate.registry import translator_for
    from nxscan.translate.sources import expand

    given, within = _split(listed(source))
    files = expand(given)
    described = mapping is not None and bool(mapping.signals)  # frames of HDF5 that it names
    opener = translator_for(files, translator or ("generic" if described else None))
    refs = tuple(opener.scans(files, mapping))
    if not refs:
        names = ", ".join(str(path) for path in given)
        raise SourceError(f"{names}: no scan in {len(files)} files", "nxscan inspect shows more")
    return Survey(given, tuple(files), opener, refs, within)


def _split(given: tuple[Path, ...]) -> tuple[tuple[Path, ...], str | None]:
    """Take the scan from a source such as ``master.h5::/5.1``."""
    if len(given) != 1 or "::" not in str(given[0]) or given[0].exists():
        return given, None
    name, _, within = str(given[0]).rpartition("::")
    return (Path(name),), within.strip("/") or None


def listed(source: Sources) -> tuple[Path, ...]:
    """Return one path or several as a tuple of paths."""
    if isinstance(source, str | os.PathLike):
        return (Path(source),)
    return tuple(Path(one) for one in source)


def make_options(
    *,
    mapping: PathLike | None = None,
    axes: str | Mapping[str, int] | None = None,
    dark: Sources | None = None,
    flat: Sources | None = None,
    partial: bool = False,
    detector: str | None = None,
    link: bool | None = None,
    live: bool = False,
    table: PathLike | None = None,
    where: str | None = None,
) -> Options:
    """Turn what a user asks for into a translator's options.

    Raises
    ------
    MappingError
        If the mapping file cannot be used.
    PlanError
        If ``axes`` or ``where`` cannot be read.
    SourceError
        If there is no dark, flat or table where one was named.

    """
    from nxscan.translate.mapping import load_mapping
    from nxscan.translate.sources import expand
    from nxscan.translate.where import parse_where

    loaded = None if mapping is None else load_mapping(Path(mapping))
    return Options(
        mapping=loaded,
        axes=parse_axes(axes) if isinstance(axes, str) else dict(axes) if axes else None,
        dark=() if dark is None else tuple(expand(listed(dark))),
        flat=() if flat is None else tuple(expand(listed(flat))),
        partial=partial,
        detector=detector,
        link=link,
        live=live,
        table=None if table is None else read_table(table, loaded),
        where=() if where is None else parse_where(where),
    )


def read_table(source: PathLike, mapping: KeyMapping | None = None) -> Table:
    """Read a table of positions: CSV, or one scan of SPEC or MDA (``scan.spec::/12``).

    A user's mapping says which of its columns are motors; frames that it describes are others'.

    Raises
    ------
    SourceError
        If it cannot be read, or is of a format that has none.
    PlanError
        If it holds several scans and none is named.

    """
    own = None if mapping is None else mapping.model_copy(update={"signals": ()})
    found = survey(source, mapping=own)
    return found.translator.table(choose(found, None))


def parse_axes(text: str) -> dict[str, int]:
    """Read scan axes as a user writes them, slow to fast.

    >>> parse_axes("chi=4, mu=5")
    {'chi': 4, 'mu': 5}
    """
    axes: dict[str, int] = {}
    for part in text.split(","):
        name, _, length = (piece.strip() for piece in part.partition("="))
        if not name or not length.isdecimal() or int(length) == 0 or name in axes:
            raise PlanError(
                f"axes {text!r}: {part.strip()!r} is not NAME=LENGTH with a name of its own",
                "write the axes slow to fast, such as chi=4,mu=5",
            )
        axes[name] = int(length)
    return axes


def choose(found: Survey, scan: str | int | None, join: str | None = None) -> ScanRef:
    """Return the scan that is meant: the one by that number, the only one, or several as one.

    Raises
    ------
    PlanError
        If there is no such scan, or there are several and none was chosen; it lists them.
    SourceError
        If the scans to be joined do not go together.

    """
    refs = found.refs
    if join is not None:
        return found.translator.join(select(refs, join))
    if scan is not None or found.within is not None:
        return _by_number(refs, str(found.within if scan is None else scan))
    if len(refs) == 1:
        return refs[0]
    names = ", ".join(str(path) for path in found.given)
    lines = "".join(f"\n  {ref.number}  {ref.title}  {describe(ref)}" for ref in refs)
    raise PlanError(
        f"{names} holds {len(refs)} scans, and none was chosen:{lines}",
        "choose one with --scan N, or give a folder as the output with --scans all; scans that "
        "belong together become one with --join all",
    )


def describe(ref: ScanRef) -> str:
    """Say in a few words how much a scan holds (``41 frames of 256 × 512 uint16``)."""
    frames = "1 frame" if ref.frames == 1 else f"{ref.frames} frames"
    if ref.declared is not None and ref.declared != ref.frames:
        frames = f"{ref.frames} of {ref.declared} frames"
    shape = " × ".join(str(length) for length in ref.shape)
    return f"{frames} of {shape} {ref.dtype}" if shape else f"{frames} {ref.dtype}"


def select(refs: Sequence[ScanRef], wanted: str) -> list[ScanRef]:
    """Return the scans that ``wanted`` names: ``all``, or numbers and ranges (``3,5-30``).

    A range takes every scan whose whole number lies in it (5-30 takes 30.1).

    Raises
    ------
    PlanError
        If a part of ``wanted`` cannot be read or names no scan.

    """
    if wanted.strip() == "all":
        return list(refs)
    chosen = {ref.number for part in wanted.split(",") for ref in _part(refs, part.strip())}
    return [ref for ref in refs if ref.number in chosen]


def _part(refs: Sequence[ScanRef], part: str) -> list[ScanRef]:
    span = re.fullmatch(r"(\d+)\s*-\s*(\d+)", part)
    if span is None:
        return [_by_number(refs, part)]
    first, last = int(span[1]), int(span[2])
    found = [ref for ref in refs if first <= _whole(ref.number) <= last]
    if not found:
        raise PlanError(f"no scan from {first} to {last}", f"there are: {_numbers(refs)}")
    return found


def _whole(number: str) -> int:
    digits = re.match(r"\d+", number)
    return int(digits[0]) if digits else -1


def _by_number(refs: Sequence[ScanRef], number: str) -> ScanRef:
    for ref in (*refs, *(part for whole in refs for part in whole.parts)):
        if ref.number == number:
            return ref
    raise PlanError(f"no scan {number!r}", f"there are: {_numbers(refs)}")


def _numbers(refs: Sequence[ScanRef]) -> str:
    return ", ".join(ref.number for ref in refs)


def open_scan(found: Survey, ref: ScanRef, options: Options, mapping: PathLike | None) -> Scan:
    """Open one scan lazily, with the options that shaped it in its provenance.

    Raises
    ------
    PlanError
        If the plan has errors; it lists all of them. Warnings are logged.

    """
    report = Report()
    refuse_unheeded(found, options)
    scan = found.translator.open(ref, options, report)
    report.raise_errors()
    if scan is None:
        raise PlanError(
            f"scan {ref.number} ({ref.title}): translator {found.translator.name!r} gave no scan",
            "this is a fault of the translator: please report it",
        )
    for problem in report.problems:
        logger.log(logging.WARNING if problem.severity == "warning" else logging.DEBUG, problem)
    _record_options(scan.provenance, options, mapping)
    if stays_linked(found, options, scan):
        scan.provenance.parameters["link"] = "yes"
    return scan


def refuse_unheeded(found: Survey, options: Options) -> None:
    """Raise PlanError if the user asks for what this translator does not do."""
    given = {"table": options.table is not None, "where": bool(options.where)}
    for name, said in given.items():
        if said and name not in found.translator.takes:
            raise PlanError(
                f"the translator {found.translator.name!r} takes no --{name}",
                "leave the option out",
            )


def stays_linked(found: Survey, options: Options, scan: Scan) -> bool:
    """Tell whether the frames of a scan stay where they are.

    Raises
    ------
    LayoutError
        If the user asks for it, and they cannot; it says why.

    """
    from nxscan.nexus.linked import is_linkable, require_linkable

    if options.link:
        require_linkable(scan)
    wanted = found.translator.links if options.link is None else options.link
    return wanted and is_linkable(scan)


def _record_options(provenance: Provenance, options: Options, mapping: PathLike | None) -> None:
    chosen = {
        "axes": ",".join(f"{name}={n}" for name, n in (options.axes or {}).items()),
        "dark": ", ".join(str(path) for path in options.dark),
        "flat": ", ".join(str(path) for path in options.flat),
        "partial": "yes" if options.partial else "",
        "detector": options.detector or "",
        "live": "yes" if options.live else "",
        "table": _signed_table(options.table) if options.table is not None else "",
        "where": " and ".join(str(one) for one in options.where),
        "mapping_file": _signed(mapping) if mapping is not None else "",
    }
    provenance.parameters.update({name: value for name, value in chosen.items() if value})


def _signed_table(table: Table) -> str:
    return ", ".join(_signed(source.path) for source in table.sources) or table.name


def _signed(mapping: PathLike) -> str:
    digest = hashlib.sha256(Path(mapping).read_bytes()).hexdigest()
    return f"{Path(mapping).resolve()} (sha256 {digest[:16]})"
