"""The generic translator: HDF5 files that nothing but a mapping describes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nxscan.errors import NxscanError, SourceError
from nxscan.translate.build import build_scan
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5keys import Codes
from nxscan.translate.h5source import is_hdf5
from nxscan.translators.generic.assemble import assemble
from nxscan.translators.generic.part import read_part
from nxscan.translators.generic.places import find_places, make_refs

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report

_NEEDED = "give one with --mapping; nxscan inspect FILE --new-mapping mine.toml writes a draft"


class GenericTranslator(Translator):
    """Reads any HDF5 file whose frames a mapping names in [[signal]]."""

    name: ClassVar[str] = "generic"
    description: ClassVar[str] = "any HDF5 file, described by a mapping with [[signal]]"
    links: ClassVar[bool] = True

    def can_open(self, path: Path) -> bool:  # noqa: ARG002
        """Say no: it is taken where the user's mapping has signals, or where it is named."""
        return False

    def refusal(self, path: Path) -> str:
        """Say why it was not taken."""
        if is_hdf5(path):
            return f"{path.name} is HDF5; a mapping with [[signal]] would describe it"
        return f"{path.name} is no HDF5 file"

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:
        """List the scans that the mapping finds in HDF5 files; others are left out.

        Raises
        ------
        SourceError
            If there is no mapping with signals, no HDF5 file, or one that cannot be read.

        """
        if mapping is None or not mapping.signals:
            raise SourceError("the translator 'generic' needs a mapping with [[signal]]", _NEEDED)
        files = [path for path in paths if is_hdf5(path)]
        if not files:
            names = ", ".join(str(path) for path in paths[:3])
            raise SourceError(f"no HDF5 file among {len(paths)} files: {names}")
        return make_refs(find_places(files, mapping), mapping)

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one scan lazily, and put what was found into ``report``."""
        mapping = options.mapping
        if mapping is None or not mapping.signals:
            report.error("mapping", "there is none with [[signal]]", _NEEDED)
            return None
        for role, given in (("dark", options.dark), ("flat", options.flat)):
            if given:
                hint = f"name them in the mapping: [[signal]] with role = {role!r}"
                report.error(f"--{role}", "frames of HDF5 files are not given one by one", hint)
        codes = Codes()
        try:
            parts = [read_part(seen.place, mapping, options, report, codes) for seen in ref.payload]
        except NxscanError as error:
            report.error(ref.title, error.message, error.hint)
            return None
        if report.errors:
            return None
        whole = [part for part in parts if part is not None]
        made = assemble(ref, whole, mapping, options, report)
        if made is None:
            return None
        found, axes = made
        report.axes = axes
        report.problems.extend(axes.problems)
        return build_scan(found, axes, mapping, report, self.name)

    def join(self, refs: Sequence[ScanRef]) -> ScanRef:
        """Refuse: what the mapping says of joining is done already."""
        raise SourceError(
            f"{len(refs)} scans cannot be joined without a value that tells them apart",
            "name it as `join` in [scans] of the mapping",
        )
