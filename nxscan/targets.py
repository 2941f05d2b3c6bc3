"""Where translated scans go: names of files, refusals, and the writing itself."""

from __future__ import annotations

import logging
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from nxscan import growing
from nxscan.errors import NxscanError, OutputError
from nxscan.plan import open_scan
from nxscan.translate.outputs import SUFFIXES, file_stems, refuse_beside_raw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nxscan.model import Provenance, Scan
    from nxscan.nexus import Progress
    from nxscan.plan import PathLike, Survey
    from nxscan.translate.contract import Options, ScanRef

    OnProgress = Callable[[Progress], None]

logger = logging.getLogger(__name__)


def output_path(output: PathLike, ref: ScanRef, refs: Sequence[ScanRef]) -> Path:
    """Return the file one scan of ``refs`` goes to; a folder gets one named after the scan.

    Raises
    ------
    OutputError
        If ``output`` is neither a folder nor a name that viewers take for HDF5.

    """
    if _is_folder(output):
        listed = refs if any(one.number == ref.number for one in refs) else (*refs, ref)
        return output_paths(output, listed)[ref.number]
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
    stems = file_stems(refs)
    return {number: Path(folder) / f"{stem}.nxs" for number, stem in stems.items()}


def _is_folder(output: PathLike) -> bool:
    text = os.fspath(output)
    return text.endswith(("/", os.sep)) or Path(text).is_dir()


def _is_file_name(output: PathLike) -> bool:
    return Path(output).suffix.lower() in SUFFIXES


def _stem(output: PathLike) -> str:
    return Path(output).with_suffix("").as_posix()


def refuse_source_folder(target: Path, found: Survey, options: Options) -> None:
    """Raise OutputError if ``target`` would lie in a folder that raw files lie in.

    Beside a master of nxscan's own there may be others, but none takes its place.
    """
    files = [*found.files, *options.dark, *options.flat]
    if found.translator.raw:
        refuse_beside_raw(target, found.given, files)
    elif target.resolve() in {path.resolve() for path in files}:
        raise OutputError(f"{target} is the source itself", "give another name")


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
) -> dict[ScanRef, bool]:
    """Return the scans whose output is not there yet, and whether it replaces a shorter one.

    Raises
    ------
    OutputError
        If outputs are there that were made from other sources or with other options.

    """
    todo = {ref: False for ref, path in outputs.items() if not path.exists()}
    refused = []
    for ref, path in outputs.items():
        if ref in todo:
            continue
        scan = open_scan(found, ref, options, mapping)
        if _same(path, scan):
            logger.info("%s is there already, made from the same source: kept", path)
        elif not growing.may_give_way(path, options):
            refused.append(path)
        elif replaces(path, scan):
            todo[ref] = True
    refuse_existing(refused)
    return {ref: todo[ref] for ref in outputs if ref in todo}


def may_replace(target: Path, options: Options) -> bool:
    """Tell whether an earlier state of a growing scan may be there.

    Raises
    ------
    OutputError
        If anything else is there.

    """
    if not target.exists():
        return False
    if not growing.may_give_way(target, options):
        refuse_existing([target])
    return True


def replaces(path: Path, scan: Scan) -> bool:
    """Tell whether a scan that grew takes the place of its master; if not, that is of the same.

    The new master has an identifier of its own, since its frames are others.

    Raises
    ------
    OutputError
        If the master may not be replaced; it says why.

    """
    if growing.has_grown(path, scan):
        logger.info("%s is replaced: its scan has grown", path)
        return True
    logger.info("%s is there already, made from the same source: kept", path)
    return False


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


def write(
    scan: Scan,
    target: Path,
    *,
    overwrite: bool,
    progress: OnProgress | None,
    link: bool = False,
    grown: bool = False,
) -> Path:
    """Write a scan; the file gets its name only when it has passed the checks.

    With ``link``, its frames stay where they are. With ``grown``, it takes the place of a
    master of the same scan, unless that has got results meanwhile.
    """

    def check(staged: Path) -> None:
        if link:
            growing.refuse_changed(scan)
        _check(staged)
        if grown:
            growing.refuse_results(target)

    if link:
        from nxscan.nexus.linked import write_linked

        growing.refuse_changed(scan)
        identifier = str(uuid.uuid4())
        write_linked(scan, target, identifier, overwrite=overwrite or grown, check=check)
        return target
    from nxscan.nexus import write_scan

    with ThreadPoolExecutor(1, thread_name_prefix="nxscan-checks") as pool:
        pool.submit(_load_checks)
        write_scan(scan, target, overwrite=overwrite or grown, progress=progress, check=check)
    return target


def _load_checks() -> None:
    """Load what the checks need while frames are compressed: they run when nothing else does."""
    import silx.io.nxdata  # noqa: F401

    import nxscan.validate.gate  # noqa: F401


def _check(path: Path) -> None:
    from nxscan.validate.gate import refuse_invalid

    refuse_invalid(
        path,
        "the translated file does not pass validation and was not kept",
        "please report this with the source's header",
    )
