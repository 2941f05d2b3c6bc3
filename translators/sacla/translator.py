"""The SACLA translator: files of runs in, one scan of each run out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nxscan.errors import NxscanError, SourceError
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5source import is_hdf5, open_source, said_no
from nxscan.translators.sacla.groups import find_runs, flavor_of
from nxscan.translators.sacla.listing import scan_ref
from nxscan.translators.sacla.opening import open_runs

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report

_log = logging.getLogger(__name__)


class SaclaTranslator(Translator):
    """Reads SACLA's runs: DataConvert's "tagged" HDF5, and what Cheetah keeps of it.

    **Joined by tag.** A shot of the machine has a number, its tag. Images, statuses, energies and
    motors are joined by it and by nothing else: never by their order. The scan holds the tags
    with a row of ``event_info`` and an image on every detector, ascending. Others are reported,
    and listed with the translation (``entry/translation/parameters``): tags without image, images
    without row, images that were never written or have another shape.

    **Detectors.** The image that DataConvert assembled, where there is one; else all panels.
    ``--detector detector_2d_3``, ``--detector 'detector_2d_1,detector_2d_2'`` or
    ``--detector 'MPCCD-8*'`` chooses others; the first is the main one.

    **The scan.** No application definition of NeXus is for the shots of a free-electron laser:
    the layout is this. One dimension, the shots, with ``tag_number`` as its axis (float64, in
    which tags are exact; float32 merges neighbors), and every ``…_status`` of ``event_info`` as
    a further axis of that dimension, so that dark shots or those without laser can be chosen.
    All other columns are counters in ``entry/counters``, NaN where SACLA has NaN. A table with a
    column ``tag_number`` (``--table scan.csv``) gives the motors that the run lacks; where they
    nest, the scan is their grid, and ``tag_number`` and the statuses are counters in its shape.
    ``--where "laser_pulse_selector_status == 0"`` takes some of the shots. ``nxscan validate``
    checks the tags: whole numbers, each once, one for each frame.

    **Units** are what the names end with (``_in_eV``, ``_in_micro_meter``). Motors in pulses get
    theirs by a mapping: ``[motors] delay_line_motor_29 = { units = "fs", factor = 6.66713134 }``.
    A column of ``event_info`` that a mapping has under ``[motors]`` may be an axis of the scan.
    """

    name: ClassVar[str] = "sacla"
    description: ClassVar[str] = "SACLA: tagged HDF5 of DataConvert (run_206178), Cheetah's tag-N"
    links: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset({"table", "where"})

    def can_open(self, path: Path) -> bool:
        """Tell whether a file holds runs of SACLA, or shots as Cheetah writes them."""
        try:
            return _has_runs(path)
        except NxscanError:
            return False

    def refusal(self, path: Path) -> str:
        """Say in a few words why `can_open` said no to ``path``."""
        return said_no(path, "it has no groups named like run_206178 or tag-219817020")

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002  no key tells runs apart
        """List the runs in files; other files among several are left out.

        Raises
        ------
        SourceError
            If a file is damaged, or none has runs.

        """
        chosen = [path for path in paths if _is_wanted(path)] if len(paths) > 1 else paths
        refs = [scan_ref(run) for run in find_runs(chosen or paths)]
        seen: Counter[str] = Counter()
        unique = []
        for ref in refs:
            seen[ref.number] += 1
            again = seen[ref.number] > 1
            unique.append(replace(ref, number=f"{ref.number}.{seen[ref.number]}") if again else ref)
        return unique

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one run, or several that are joined, lazily."""
        return open_runs(ref.payload, options, report, self.name)

    def join(self, refs: Sequence[ScanRef]) -> ScanRef:
        """Return several runs as one scan of all their shots; ``open`` says if they do not fit."""
        first = refs[0]
        return replace(
            first,
            number=f"{first.number}+{len(refs) - 1}",
            title=f"{first.title} and {len(refs) - 1} more",
            frames=sum(ref.frames for ref in refs),
            declared=sum(ref.declared or ref.frames for ref in refs),
            payload=tuple(run for ref in refs for run in ref.payload),
        )


def _has_runs(path: Path) -> bool:
    if not is_hdf5(path):
        return False
    with open_source(path) as file:
        return flavor_of(file) is not None


def _is_wanted(path: Path) -> bool:
    """Tell whether a file among others has runs; that one is damaged is logged."""
    try:
        return _has_runs(path)
    except SourceError as error:
        _log.warning("%s is left out: %s", path.name, error)
        return False
