"""Masters of scans that were still being written: whether a later translation takes their place.

A scan that grew is translated again as a whole, and the new master gets an identifier of its
own: whatever was computed of fewer frames is then known to be of something else. A master that
has results stays.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nxscan.errors import NxscanError, OutputError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nxscan.model import Provenance, Scan, Source
    from nxscan.translate.contract import Options

_SHOWN = 3
_AS_LISTED = 1e-3
_LIVE = "live"


def may_give_way(path: Path, options: Options) -> bool:
    """Tell whether what is at ``path`` may be an earlier state of a scan that grows.

    It is if this translation is of a scan that is being written, or that one was.
    """
    before = _provenance(path)
    return before is not None and (options.live or before.parameters.get(_LIVE) == "yes")


def has_grown(path: Path, scan: Scan) -> bool:
    """Tell whether a scan has more than the master of it that is there; False if it is the same.

    Parameters
    ----------
    path : Path
        The master.
    scan : Scan
        The scan as its source is now.

    Raises
    ------
    OutputError
        If it may not take the master's place: that was made with other options, from files that
        are not there any more or are others now, or it has results.

    """
    before, now = _provenance(path), scan.provenance
    if before is None:
        raise OutputError(f"{path} is no nxscan master", "give another name")
    _refuse_options(path, before, now)
    changed = list(_changed(before, now))
    if changed:
        more = f"; and {len(changed) - _SHOWN} more files" if len(changed) > _SHOWN else ""
        raise OutputError(
            f"{path} exists already, and its scan did not only grow: "
            f"{'; '.join(changed[:_SHOWN])}{more}",
            "pass --overwrite to replace it, or another name",
        )
    if len(before.sources) == len(now.sources) and all(
        _is_same(*pair) for pair in _pairs(before, now)
    ):
        return False
    refuse_results(path)
    return True


def refuse_results(path: Path) -> None:
    """Raise OutputError if a master has results: they are of the frames that it has now."""
    from nxscan.nexus.results import results

    found = [result.group for result in results(path)] if path.exists() else []
    if found:
        shown = ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")
        raise OutputError(
            f"{path} has results ({shown}) of the frames that it has now, and is not replaced",
            "give another name for the scan with all its frames, or --overwrite to lose them",
        )


def refuse_changed(scan: Scan) -> None:
    """Raise SourceError if a file with linked frames is not as it was when it was listed.

    HDF5 files may grow: what a link recorded of them is as they were then.
    """
    from nxscan.nexus.linked import source_files

    listed = {source.path: source for source in scan.provenance.sources}
    for path in source_files(scan):
        source = listed.get(str(path))
        if source is None:
            continue
        try:
            found = path.stat()
        except OSError as error:
            raise SourceError(f"{path}: cannot be read any more: {error.strerror}") from error
        same = found.st_size == source.size and abs(found.st_mtime - source.modified) < _AS_LISTED
        if not same and not _is_hdf5(path):
            raise SourceError(
                f"{path}: has changed since it was listed: {source.size} bytes then, "
                f"{found.st_size} bytes now",
                "wait until it is written, then translate again",
            )


def _provenance(path: Path) -> Provenance | None:
    from nxscan.nexus.reader import read_provenance

    try:
        return read_provenance(path)
    except (NxscanError, OSError):
        return None


def _refuse_options(path: Path, before: Provenance, now: Provenance) -> None:
    said = [
        {
            "translator": one.translator,
            "mapping": one.mapping,
            **{name: value for name, value in one.parameters.items() if name != _LIVE},
        }
        for one in (before, now)
    ]
    for name in dict.fromkeys((*said[0], *said[1])):
        first, second = (one.get(name, "") for one in said)
        if first != second:
            raise OutputError(
                f"{path} exists already, made with {name} {first or 'left open'!r}, not "
                f"{second or 'left open'!r}",
                "translate as before, pass --overwrite to replace it, or another name",
            )


def _pairs(before: Provenance, now: Provenance) -> Iterator[tuple[Source, Source | None]]:
    found = {(source.path, source.role): source for source in now.sources}
    yield from ((source, found.get((source.path, source.role))) for source in before.sources)


def _changed(before: Provenance, now: Provenance) -> Iterator[str]:
    """Yield what has happened to the earlier files besides growing."""
    last = {source.role: source for source in before.sources}
    for source, found in _pairs(before, now):
        if found is None:
            yield f"{source.path} is not among its files any more"
        elif not _is_same(source, found) and not _is_longer(
            source, found, last=source is last[source.role]
        ):
            yield f"{source.path} has changed: {_difference(source, found)}"


def _difference(before: Source, now: Source) -> str:
    if before.size != now.size:
        return f"it has {now.size} bytes, and had {before.size}"
    if before.frames != now.frames:
        return f"{now.frames} frames of it are used, and {before.frames} were"
    return "its time of last change is another one"


def _is_same(before: Source, now: Source | None) -> bool:
    from nxscan.nexus.linktable import TOLERANCE

    return (
        now is not None
        and (before.size, before.frames) == (now.size, now.frames)
        and abs(before.modified - now.modified) <= TOLERANCE
    )


def _is_longer(before: Source, now: Source, *, last: bool) -> bool:
    """Tell whether a file was written on; of images, that is the last one, or it has more."""
    if now.modified < before.modified or now.size < before.size or now.frames < before.frames:
        return False
    if now.frames > before.frames:
        return True
    return now.size > before.size and (last or _is_hdf5(Path(now.path)))


def _is_hdf5(path: Path) -> bool:
    import h5py

    return bool(h5py.is_hdf5(path))
