"""The public functions: what lies in a source, how it would be translated, translate, open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nxscan import plan, targets
from nxscan.errors import NxscanError, PlanError
from nxscan.inspection import Inspection
from nxscan.translate.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nxscan.model import Scan
    from nxscan.plan import PathLike, Sources
    from nxscan.process import Result
    from nxscan.targets import OnProgress
    from nxscan.translate.contract import ScanRef
    from nxscan.validate import Report as ValidationReport


def scans(source: Sources, *, translator: str | None = None) -> list[ScanRef]:
    """List the scans that lie in a source.

    Parameters
    ----------
    source : path or sequence of paths
        A file, a folder, a glob, or several of these.
    translator : str, optional
        Name of the translator to use, where the files do not tell.

    Returns
    -------
    list of ScanRef
        Number, title, frames, shape, size of each.

    Raises
    ------
    SourceError
        If there is nothing to open, or a file is damaged.

    Examples
    --------
    >>> for ref in nxscan.scans("raw/"):  # doctest: +SKIP
    ...     print(ref.number, ref.title, ref.frames)

    """
    return list(plan.survey(source, translator).refs)


def inspect(
    source: Sources,
    *,
    scan: str | int | None = None,
    translator: str | None = None,
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
    join: str | None = None,
) -> Inspection:
    """Show what a translation would do, without writing anything.

    Parameters
    ----------
    source, scan, translator, mapping, axes, dark, flat, partial, detector, link, live, join, table,
    where
        As for `translate`; with several scans and none chosen, they are only listed.

    Returns
    -------
    Inspection
        The scans, and for one of them its axes, metadata and problems.

    Raises
    ------
    NxscanError
        If the source or the mapping cannot be read. Problems of the plan are in the report.

    """
    options = plan.make_options(
        mapping=mapping, axes=axes, dark=dark, flat=flat, partial=partial,
        detector=detector, link=link, live=live, table=table, where=where,
    )  # fmt: skip
    found = plan.survey(source, translator, options.mapping)
    chosen = scan is not None or found.within is not None or join is not None
    if not chosen and len(found.refs) > 1:
        return Inspection(None, found.refs, None, translator=found.translator.name)
    ref = plan.choose(found, scan, join)
    report = Report()
    plan.refuse_unheeded(found, options)
    opened = found.translator.open(ref, options, report)
    return Inspection(ref, found.refs, opened, report, found.translator.name)


def translate(
    source: Sources,
    output: PathLike,
    *,
    scan: str | int | None = None,
    translator: str | None = None,
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
    join: str | None = None,
    overwrite: bool = False,
    progress: OnProgress | None = None,
) -> Path:
    """Translate one scan into a NeXus file that every tool of the field opens.

    The file appears under its name only when it is complete and has passed nxscan's
    own checks, silx's and USID's; `validate` asks every validator.

    Parameters
    ----------
    source : path or sequence of paths
        A file, a folder, a glob, or several of these. Nothing is written there.
    output : path
        The master file (``scan.nxs``), or a folder, in which it is named after the scan.
    scan : str or int, optional
        Number of the scan, where the source holds several.
    translator : str, optional
        Name of the translator, where the files do not tell.
    mapping : path, optional
        A mapping file that extends or replaces the translator's own.
    axes : str or mapping of str to int, optional
        The scan's axes and their lengths, slow to fast (``"chi=4,mu=5"``), where they
        are not to be found in the motors.
    dark, flat : path or sequence of paths, optional
        Frames to keep as the scan's dark and flat.
    partial : bool
        Take a scan although frames are missing; it then is a list of positions.
    detector : str, optional
        The detector, or the counter, that is the scan's main signal.
    link : bool, optional
        True leaves the frames where they are, and the file leads to them; False copies them.
        By default HDF5 sources are linked, image files copied.
    live : bool
        Take what is there of a scan that is still being written. Translating it again to the
        same output later, live or not, adds what has come since: the master is replaced as a
        whole, with a new identifier, if its files only grew or became more and it has no
        results. It is kept as it is if nothing has come.
    join : str, optional
        Scans to take as one, with what moved between them as the slow axis: ``all``, or
        numbers and ranges (``3,5-30``).
    table : path, optional
        A table that says where each frame was taken: CSV, or a scan of SPEC or MDA
        (``scan.spec::/12``). Its rows are joined to the frames by their keys: numbers of shots
        or images, or names of files.
    where : str, optional
        What must hold for each frame that is taken (``"laser_pulse_selector_status == 0"``).
    overwrite : bool
        Replace an output that exists.
    progress : callable, optional
        Called with a `nxscan.nexus.Progress` as frames are written.

    Returns
    -------
    Path
        The master file.

    Raises
    ------
    SourceError, MappingError
        If the source or the mapping cannot be used.
    PlanError
        If there are several scans and none was chosen, or the plan has errors; it lists all.
    OutputError
        If the output exists, lies in the source's folder, cannot be written, or is not valid.

    Examples
    --------
    >>> nxscan.translate("raw/", "scan.nxs")  # doctest: +SKIP
    PosixPath('scan.nxs')

    """
    options = plan.make_options(
        mapping=mapping, axes=axes, dark=dark, flat=flat, partial=partial,
        detector=detector, link=link, live=live, table=table, where=where,
    )  # fmt: skip
    found = plan.survey(source, translator, options.mapping)
    ref = plan.choose(found, scan, join)
    target = targets.output_path(output, ref, found.refs if join is None else [ref])
    targets.refuse_source_folder(target, found, options)
    grown = not overwrite and targets.may_replace(target, options)
    opened = plan.open_scan(found, ref, options, mapping)
    linked = plan.stays_linked(found, options, opened)
    if grown and not targets.replaces(target, opened):
        return target
    return targets.write(
        opened, target, overwrite=overwrite, progress=progress, link=linked, grown=grown
    )


def translate_all(
    source: Sources,
    output: PathLike,
    *,
    scans: str = "all",
    translator: str | None = None,
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
    overwrite: bool = False,
    progress: OnProgress | None = None,
) -> list[Path]:
    """Translate several scans into a folder, one master each.

    A master that is there already, made from the same sources with the same options, is
    kept and its scan skipped; one of a scan that was being written (``live``) and has grown
    is replaced, as by `translate`; a different one of that name is refused before anything is
    written, unless ``overwrite`` says otherwise. A scan that cannot be translated does not
    stop the others; the error at the end names each of them.

    Parameters
    ----------
    output : path
        The folder; it is made if it is not there. Files are named after the scans' titles.
    scans : str
        Which ones: ``all``, or numbers and ranges (``3,5-30``).
    source, translator, mapping, axes, dark, flat, partial, detector, link, live, table, where
        As for `translate`.
    overwrite, progress
        As for `translate`; ``progress`` starts anew with every scan.

    Returns
    -------
    list of Path
        The master of each scan, the skipped ones included.

    Raises
    ------
    NxscanError
        As `translate` does.

    """
    options = plan.make_options(
        mapping=mapping, axes=axes, dark=dark, flat=flat, partial=partial,
        detector=detector, link=link, live=live, table=table, where=where,
    )  # fmt: skip
    found = plan.survey(source, translator, options.mapping)
    refs = plan.select(found.refs, scans)
    names = targets.output_paths(output, found.refs)
    outputs = {ref: names[ref.number] for ref in refs}
    targets.refuse_source_folder(Path(output) / "any", found, options)
    todo = dict.fromkeys(refs, False)
    if not overwrite:
        todo = targets.still_to_do(found, outputs, options, mapping)
    failed = []
    for ref, grown in todo.items():
        try:
            opened = plan.open_scan(found, ref, options, mapping)
            linked = plan.stays_linked(found, options, opened)
            targets.write(
                opened, outputs[ref], overwrite=overwrite, progress=progress, link=linked,
                grown=grown,
            )  # fmt: skip
        except NxscanError as error:
            failed.append((ref, error))
    _raise_failed(failed, len(refs))
    return list(outputs.values())


def _raise_failed(failed: Sequence[tuple[ScanRef, NxscanError]], total: int) -> None:
    if len(failed) == 1 and total == 1:
        raise failed[0][1]
    if failed:
        lines = "".join(f"\nscan {ref.number} ({ref.title}): {error}" for ref, error in failed)
        raise PlanError(
            f"{len(failed)} of {total} scans were not translated:" + lines.replace("\n", "\n  ")
        )


def open(path: PathLike, *, verify: bool = True) -> Scan:  # noqa: A001  nxscan.open reads as h5py and xarray users expect
    """Open a translated scan; nothing is read of its frames until they are asked for.

    Parameters
    ----------
    path : path
        The master file.
    verify : bool
        Compare what is read with the checksums of when it was written; False opens a file
        whose metadata were edited on purpose.

    Raises
    ------
    LayoutError
        If the file or its frames are missing, it is not an nxscan master, a newer nxscan
        wrote it, or something in it is damaged or has changed.

    Examples
    --------
    >>> scan = nxscan.open("scan.nxs")  # doctest: +SKIP
    >>> scan.signal.shape, scan.axes["mu"].values  # doctest: +SKIP

    """
    from nxscan.nexus import read_scan

    return read_scan(Path(path), verify=verify)


def results(path: PathLike) -> list[Result]:
    """Return the results of processes in a file, in the order in which they came.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    list of Result
        Each with its arrays by name; they are read when they are asked for.

    Raises
    ------
    LayoutError
        If the file cannot be read.

    Examples
    --------
    >>> for result in nxscan.results("scan.nxs"):  # doctest: +SKIP
    ...     print(result.group, result.parameters)

    """
    from nxscan.process.result import results as stored

    return stored(path)


def validate(path: PathLike, *, data: bool = False) -> ValidationReport:
    """Check a NeXus file with every validator there is, and with checks of our own.

    Parameters
    ----------
    path : path
        The file.
    data : bool
        Read every frame, too, and compare its checksum.

    Returns
    -------
    Report
        ``report.ok`` is true if nothing is wrong; ``report.findings`` says what is.

    """
    from nxscan.validate import validate as run

    return run(Path(path), data=data)
