"""The translator of plain NeXus files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nxscan.errors import NxscanError, SourceError
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5source import is_hdf5, open_source, said_no
from nxscan.translate.h5values import read_text
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translators.nexus.entry import Entry, entry_title
from nxscan.translators.nexus.opening import open_entry
from nxscan.translators.nexus.plots import children, find_entries, find_plots

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report

_OWN = "translation/parameters/layout_version"
_LOOKED_AT = 3


@dataclass(frozen=True)
class EntryPlace:
    """An entry of a file."""

    path: str
    group: str


class NexusTranslator(Translator):
    """Reads any NeXus file with an NXentry and an NXdata, of new style or old."""

    name: ClassVar[str] = "nexus"
    description: ClassVar[str] = "plain NeXus: NXentry with NXdata"
    links: ClassVar[bool] = True
    general: ClassVar[bool] = True
    mapping: ClassVar[str] = "nexus"

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is NeXus with an entry, and no master of nxscan."""
        if not is_hdf5(path):
            return False
        try:
            with open_source(path) as file:
                entries = list(islice(children(file, "NXentry"), _LOOKED_AT))
                return bool(entries) and self.recognizes(file, entries)
        except NxscanError:
            return False

    def recognizes(self, file: Any, entries: list[Any]) -> bool:  # noqa: ARG002
        """Tell whether a NeXus file is of this translator's kind."""
        return not any(_OWN in entry for entry in entries)

    def refusal(self, path: Path) -> str:
        """Say why it was not taken."""
        return said_no(path, "it has no NXentry that this translator knows")

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002
        """List the entries of NeXus files; other files are left out.

        Raises
        ------
        SourceError
            If a file cannot be read, or none is NeXus.

        """
        files = [path.absolute() for path in paths if is_hdf5(path)]
        found = [ref for path in files for ref in self._in_file(path)]
        if not found:
            names = ", ".join(str(path) for path in paths[:3])
            raise SourceError(f"{names}: there is no NXentry", "nxscan info shows what it has")
        return [replace(ref, number=str(number)) for number, ref in enumerate(found, 1)]

    def _in_file(self, path: Path) -> list[ScanRef]:
        with open_source(path) as file:
            return [self.reference(path, group) for group in find_entries(file)]

    def reference(self, path: Path, group: Any) -> ScanRef:
        """Return what is seen of an entry without opening it."""
        plots = find_plots(group)
        there = [plot for plot in plots if plot.problem is None]
        main = there[0] if there else None
        shape = self.stated_shape(group)
        frame: tuple[int, ...] = ()
        frames = math.prod(shape) if shape is not None else 0
        if main is not None:
            scan = main.signal.ndim - main.frame_rank()
            if shape is not None and main.signal.shape[: len(shape)] == shape:
                scan = len(shape)
            frame, frames = main.signal.shape[scan:], math.prod(main.signal.shape[:scan])
        status = path.stat()
        return ScanRef(
            number="1",
            title=entry_title(group, path),
            frames=frames,
            shape=frame,
            dtype="" if main is None else str(main.signal.dtype),
            detectors=tuple(plot.name for plot in plots),
            command=read_text(group, "scan_command"),
            size=status.st_size,
            modified=status.st_mtime,
            source=str(path),
            started=read_text(group, "start_time"),
            payload=EntryPlace(str(Path(group.file.filename).absolute()), group.name),
        )

    def stated_shape(self, group: Any) -> tuple[int, ...] | None:  # noqa: ARG002
        """Return the scan's shape where the file states it."""
        return None

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one entry lazily, and put what was found into ``report``."""
        place: EntryPlace = ref.payload
        for role, given in (("dark", options.dark), ("flat", options.flat)):
            if given:
                hint = f"name them in a mapping: [[signal]] with role = {role!r}"
                report.error(f"--{role}", "frames of HDF5 files are not given one by one", hint)
        try:
            mapping = merge(builtin_mapping(self.mapping), options.mapping)
            with open_source(Path(place.path)) as file:
                entry = Entry(file[place.group], options, mapping, report)
                self.prepare(entry)
                return open_entry(entry, ref, self.name)
        except NxscanError as error:
            report.error(ref.title, error.message, error.hint)
            return None

    def prepare(self, entry: Entry) -> None:
        """Say what this kind of file states beyond NeXus."""
