"""Where translated scans go: names of files, refusals, and the writing itself."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from nxscan.errors import NxscanError, OutputError
from nxscan.plan import open_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nxscan.model import Provenance, Scan
    from nxscan.nexus import Progress
    from nxscan.plan import PathLike, Survey
    from nxscan.translate.contract import Options, ScanRef

    OnProgress = Callable[[Progress], None]

SUFFIXES = (".nxs", ".h5", ".hdf5", ".hdf", ".nx5", ".nexus")
"""What an output file may be called, so that every viewer takes it for HDF5."""

_LONGEST_NAME = 100

logger = logging.getLogger(__name__)


def output_path(output: PathLike, ref: ScanRef, refs: Sequence[ScanRef]) -> Path:
    """Return the file one scan of ``refs`` goes to; a folder gets one named after the scan.

    Raises
    ------
    OutputError
        If ``output`` is neither a folder nor a name that viewers take for HDF5.

    """
    if _is_folder(output):
        return output_paths(output, refs)[ref.number]
    if not _is_file_name(output):
        raise OutputError(
            f"output {str(output)!r} does not end in .nxs",
            f"{_stem(output)}.nxs is a file, {_stem(output)}/ is a folder",
        )
    return Path(output)


def output_paths(folder: PathLike, refs: Sequence[ScanRef]) -> dict[str, Path]:
    """Return a file in ``folder`` for each scan's number, named after the scan's title.

    Scans of the same title get their numbers, too.

    Raises
    ------
    OutputError
        If ``folder`` is a file.

    """
    if not _is_folder(folder) and (Path(folder).exists() or _is_file_name(folder)):
        raise OutputError(
            f"output {str(folder)!r} is a file",
            f"scans that are named after their titles go to a folder, such as {_stem(folder)}/",
        )
    count = Counter(_clean(ref.title).casefold() for ref in refs)
    taken: set[str] = set()
    paths = {}
    for ref in refs:
        name = _clean(ref.title)
        if not name or count[name.casefold()] > 1:
            name = f"{name or 'scan'}_{_clean(ref.number)}"
        while name.casefold() in taken:
            name += f"_{_clean(ref.number)}"
        taken.add(name.casefold())
        paths[ref.number] = Path(folder) / f"{name}.nxs"
    return paths


def _is_folder(output: PathLike) -> bool:
    text = os.fspath(output)
    return text.endswith(("/", os.sep)) or Path(text).is_dir()


def _is_file_name(output: PathLike) -> bool:
    return Path(output).suffix.lower() in SUFFIXES


def _stem(output: PathLike) -> str:
    return Path(output).with_suffix("").as_posix()


def _clean(text: str) -> str:
    """Return ``text`` as a file may be called on every system."""
    return re.sub(r"[^\w.+-]+", "_", text).strip("._")[:_LONGEST_NAME]


def refuse_source_folder(target: Path, found: Survey, options: Options) -> None:
    """Raise OutputError if ``target`` would lie in a folder that raw files lie in."""
    where = target.parent.resolve()
    files = [*found.files, *options.dark, *options.flat]
    folders = {path.parent.resolve() for path in files}
    whole = {path.resolve() for path in found.given if path.is_dir()}
    inside = where in folders or any(where.is_relative_to(folder) for folder in whole)
    if inside or _nearest_existing(where) in folders:
        raise OutputError(
            f"{target} lies in the source's folder, where nothing is ever written",
            "give an output in another folder",
        )


def _nearest_existing(folder: Path) -> Path:
    return next((one for one in (folder, *folder.parents) if one.exists()), folder)


def refuse_existing(paths: Sequence[Path]) -> None:
    """Raise one OutputError that names every output that exists already."""
    there = [str(path) for path in paths if path.exists()]
    if there:
        raise OutputError(
            f"{', '.join(there)} exists already", "pass --overwrite to replace it, or another name"
        )


def still_to_do(
    found: Survey,
    outputs: Mapping[ScanRef, Path],
    options: Options,
    mapping: PathLike | None,
) -> list[ScanRef]:
    """Return the scans whose output is not there yet.

    Raises
    ------
    OutputError
        If outputs are there that were made from other sources or with other options.

    """
    there = {ref: path for ref, path in outputs.items() if path.exists()}
    same = {ref for ref in there if _same(there[ref], open_scan(found, ref, options, mapping))}
    for ref in same:
        logger.info("%s is there already, made from the same source: kept", there[ref])
    refuse_existing([path for ref, path in there.items() if ref not in same])
    return [ref for ref in outputs if ref not in there]


def _same(path: Path, scan: Scan) -> bool:
    from nxscan.nexus import read_scan

    try:
        before = read_scan(path).provenance
    except (NxscanError, OSError):
        return False
    return _identity(before) == _identity(scan.provenance)


def _identity(provenance: Provenance) -> tuple[object, ...]:
    sources = sorted(
        (source.path, source.size, round(source.modified, 3), source.frames, source.role)
        for source in provenance.sources
    )
    parameters = sorted(provenance.parameters.items())
    return provenance.translator, provenance.mapping, parameters, sources


def write(scan: Scan, target: Path, *, overwrite: bool, progress: OnProgress | None) -> Path:
    """Write a scan; the file gets its name only when it has passed the checks."""
    from nxscan.nexus import write_scan

    write_scan(scan, target, overwrite=overwrite, progress=progress, check=_check)
    return target


def _check(path: Path) -> None:
    from nxscan.validate import validate

    report = validate(path, external=False)
    if not report.ok:
        lines = "".join(
            f"\n  {finding.severity}: {finding.path}: {finding.message} [{finding.source}]"
            for finding in report.findings
            if finding.severity != "note"
        )
        raise OutputError(
            f"the translated file does not pass validation and was not kept:{lines}",
            "please report this with the source's header",
        )
