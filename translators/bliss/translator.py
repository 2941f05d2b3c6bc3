"""The BLISS translator: masters in, scans out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nxscan.errors import NxscanError, SourceError
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5source import is_hdf5, open_source, said_no
from nxscan.translators.bliss.groups import find_groups, is_master
from nxscan.translators.bliss.listing import scan_refs
from nxscan.translators.bliss.opening import open_groups

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report


class BlissTranslator(Translator):
    """Reads HDF5 masters of the ESRF's acquisition program BLISS."""

    name: ClassVar[str] = "bliss"
    description: ClassVar[str] = "ESRF BLISS masters: .h5 with one group for each scan (20.1)"
    links: ClassVar[bool] = True

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is a BLISS master: HDF5 whose groups are scans."""
        if not is_hdf5(path):
            return False
        try:
            with open_source(path) as file:
                return is_master(file)
        except NxscanError:
            return False

    def refusal(self, path: Path) -> str:
        """Say in a few words why `can_open` said no to ``path``."""
        return said_no(path, "it has no groups named like 20.1 with a title")

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:
        """List the scans in masters; other files are left out.

        A mapping with ``[scans] join`` takes scans of one command, one after the other, as one.

        Raises
        ------
        SourceError
            If a file is damaged, or none has scans.

        """
        masters = [path for path in paths if self.can_open(path)] if len(paths) > 1 else paths
        refs = scan_refs(find_groups([path.absolute() for path in masters]))
        if not refs:
            names = ", ".join(str(path) for path in paths[:3])
            raise SourceError(f"{names}: no scan", "BLISS names scans 1.1, 2.1 and so on")
        if mapping is None or mapping.scans.join is None:
            return refs
        return [self.join(some) if len(some) > 1 else some[0] for some in _series(refs)]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one scan, or several that are joined, lazily."""
        return open_groups(ref, options, report, self.name)

    def join(self, refs: Sequence[ScanRef]) -> ScanRef:
        """Return scans of one command and length as one.

        Raises
        ------
        SourceError
            If their commands, lengths or frames differ; it names both.

        """
        first = refs[0]
        for other in refs[1:]:
            for what, mine, found in (
                ("is", first.command, other.command),
                ("has points", first.frames, other.frames),
                ("has frames of shape", first.shape, other.shape),
            ):
                if mine != found:
                    raise SourceError(
                        f"scans {first.number} and {other.number} cannot be joined: {first.number} "
                        f"{what} {mine}, {other.number} {what} {found}",
                        "choose scans of one command and length with --scans",
                    )
        return replace(
            first,
            number=f"{first.number}+{len(refs) - 1}",
            title=f"{first.title} and {len(refs) - 1} more",
            frames=sum(ref.frames for ref in refs),
            declared=None if first.declared is None else first.declared * len(refs),
            parts=(),
            payload=tuple(group for ref in refs for group in ref.payload),
        )


def _series(refs: Sequence[ScanRef]) -> list[list[ScanRef]]:
    """Return runs of scans with one command, length and shape."""
    runs: list[list[ScanRef]] = []
    for ref in refs:
        last = runs[-1][-1] if runs else None
        alike = last is not None and (ref.command, ref.frames, ref.shape) == (
            last.command,
            last.frames,
            last.shape,
        )
        if alike:
            runs[-1].append(ref)
        else:
            runs.append([ref])
    return runs
