"""What an inspection shows, before anything is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscan.errors import OutputError, SourceError
from nxscan.translate.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nxscan.model import Scan
    from nxscan.translate.contract import ScanRef


@dataclass(frozen=True)
class Inspection:
    """What lies in a source, and how one of its scans would be translated.

    Attributes
    ----------
    ref : ScanRef or None
        The scan that was looked at closely; None where there are several and none was chosen.
    refs : tuple of ScanRef
        Every scan in the source.
    scan : Scan or None
        The one that was looked at, lazily opened; None without ``ref`` or with errors.
    report : Report
        Its axes with their evidence, mapped and missing metadata, problems.
    translator : str
        Name of the translator that opened it.

    """

    ref: ScanRef | None
    refs: tuple[ScanRef, ...]
    scan: Scan | None
    report: Report = field(default_factory=Report)
    translator: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values, as ``nxscan inspect --json`` prints them."""
        return {
            "translator": self.translator,
            "scans": [_plain_ref(ref) for ref in self.refs],
            "scan": None if self.ref is None else self.ref.number,
            "signals": _plain_signals(self.scan),
            "axes": _plain_axes(self.scan),
            "evidence": list(self.report.axes.evidence) if self.report.axes else [],
            "mapped": [asdict(one) for one in self.report.mapped],
            "missing": [asdict(one) for one in self.report.missing],
            "problems": [asdict(one) for one in self.report.problems],
        }


def _plain_ref(ref: ScanRef) -> dict[str, Any]:
    plain = [one.name for one in fields(ref) if one.name not in ("payload", "parts")]
    return {name: getattr(ref, name) for name in plain}


def _plain_signals(scan: Scan | None) -> list[dict[str, Any]]:
    return [
        {"detector": name, "shape": signal.shape, "dtype": str(signal.dtype), "units": signal.units}
        for name, signal in (scan.signals.items() if scan else ())
    ]


def _plain_axes(scan: Scan | None) -> list[dict[str, Any]]:
    return [
        {
            "name": axis.name,
            "role": axis.role,
            "dimension": axis.dimension,
            "units": axis.units,
            "long_name": axis.long_name,
            "values": axis.values.tolist(),
            "width": None if axis.width is None else axis.width.tolist(),
        }
        for axis in ((*scan.axes.values(), *scan.integrated.values()) if scan else ())
    ]


def write_new_mapping(source: Sequence[str | Path], target: Path) -> Path:
    """Write a first draft of a mapping for the first HDF5 file of a source.

    Parameters
    ----------
    source : sequence of path
        Files, folders or globs.
    target : Path
        The mapping file; it must not exist.

    Returns
    -------
    Path
        The mapping file.

    Raises
    ------
    SourceError
        If there is no HDF5 file, or nothing in it may be frames.
    OutputError
        If ``target`` exists or cannot be written.

    """
    from nxscan.translate.h5source import is_hdf5
    from nxscan.translate.mapping_draft import draft_mapping
    from nxscan.translate.sources import expand

    files = expand(source)
    file = next((path for path in files if is_hdf5(path)), None)
    if file is None:
        raise SourceError(
            f"{files[0]} is no HDF5 file", "mappings of other formats extend the built-in ones"
        )
    text = draft_mapping(file)
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise OutputError(f"{target} exists already", "give another name") from error
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from error
    return target
