"""What an inspection shows, before anything is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from nxscan.translate.report import Report

if TYPE_CHECKING:
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
    return {one.name: getattr(ref, one.name) for one in fields(ref) if one.name != "payload"}


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
        }
        for axis in (scan.axes.values() if scan else ())
    ]
