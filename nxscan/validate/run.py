"""Runs all checks over a file; sets known false positives and consequences aside."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nxscan.validate.consequences import REASON, consequences
from nxscan.validate.contract import Check, Skip, Target
from nxscan.validate.false_positives import reason_against
from nxscan.validate.finding import Finding
from nxscan.validate.own_axes import axis_lengths
from nxscan.validate.own_data import frame_checksums
from nxscan.validate.own_default import default_plot
from nxscan.validate.own_layout import layout
from nxscan.validate.own_links import links
from nxscan.validate.own_seal import seal
from nxscan.validate.own_sources import sources
from nxscan.validate.own_structure import open_file, structure
from nxscan.validate.own_tags import tags
from nxscan.validate.own_units import units
from nxscan.validate.report import CheckRun, Report, Suppressed
from nxscan.validate.with_nexusformat import nexus_classes
from nxscan.validate.with_punx import punx_rules
from nxscan.validate.with_silx import plots
from nxscan.validate.with_usid import usid

CHECKS: tuple[Check, ...] = (
    Check("structure", "nxscan", structure),
    Check("links", "nxscan", links),
    Check("sources of data", "nxscan", sources),
    Check("default plot", "nxscan", default_plot),
    Check("axis lengths", "nxscan", axis_lengths),
    Check("units", "nxscan", units),
    Check("nxscan layout", "nxscan", layout),
    Check("tag numbers", "nxscan", tags),
    Check("checksums of metadata", "nxscan", seal),
    Check("frame checksums", "nxscan", frame_checksums),
    Check("USID", "usid", usid),
    Check("plots", "silx", plots),
    Check("NeXus classes", "nexusformat", nexus_classes, apart=True),
    Check("punx", "punx", punx_rules, apart=True),
)
"""Every check, in the order in which they run."""

_SEVERITIES = ("error", "warning", "note")


def validate(path: str | os.PathLike[str], *, data: bool = False, external: bool = True) -> Report:
    """Check a NeXus file with every validator there is, and with nxscan's own checks.

    Validators that others wrote can crash on a damaged file; that is a finding here, as is a
    file that cannot be opened: this function raises nothing for a bad file.

    Parameters
    ----------
    path : path-like
        The file: one that nxscan wrote, or any NeXus file.
    data : bool
        Also read every frame again and compare it with the checksum taken when it was
        written. It takes as long as reading the frames.
    external : bool
        Run the validators that need a process of their own, too: nexusformat and punx.

    Returns
    -------
    Report
        ``report.ok`` says whether nothing is wrong; ``report.text()`` is for people,
        ``report.to_dict()`` for programs.

    Examples
    --------
    >>> report = validate("no_such_file.nxs")
    >>> report.ok, report.findings[0].rule
    (False, 'readable HDF5 file')

    """
    absolute = Path(path).absolute()
    file = open_file(absolute)
    if isinstance(file, Finding):
        return Report(Path(path), (file,))
    with file, ThreadPoolExecutor() as pool:
        target = Target(absolute, file, data)
        apart = [check for check in CHECKS if check.apart and external]
        started = [pool.submit(_run, check, target) for check in apart]
        results = [_run(check, target) for check in CHECKS if not check.apart]
        results += [future.result() for future in started]
        found = [finding for _, findings in results for finding in findings]
        follow = consequences(found, target)
        judged = [
            (finding, REASON if finding in follow else reason_against(finding, target))
            for finding in found
        ]
    counting = [finding for finding, reason in judged if reason is None]
    counting.sort(key=lambda finding: _SEVERITIES.index(finding.severity))
    aside = [Suppressed(finding, reason) for finding, reason in judged if reason is not None]
    runs = tuple(run for run, _ in results)
    return Report(Path(path), tuple(counting), tuple(aside), runs)


def _run(check: Check, target: Target) -> tuple[CheckRun, list[Finding]]:
    """Run one check; what it yields before it crashes is kept."""
    start = time.perf_counter()
    found: list[Finding] = []
    try:
        for finding in check.run(target):
            found.append(finding)
    except Skip as skip:
        return CheckRun(check.name, check.source, False, skip.reason, skip.hint), found
    except Exception as error:  # a crash on a bad file is a finding
        message = f"the check {check.name!r} stopped with {type(error).__name__}: {error}"
        hint = "see the other findings; a damaged or unusual file does this"
        found.append(Finding("error", "/", "validator crash", message, hint, check.source))
    return CheckRun(check.name, check.source, True, seconds=time.perf_counter() - start), found
