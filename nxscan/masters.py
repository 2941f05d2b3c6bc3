"""nxscan's own masters as a source: a linked one becomes a copy that needs no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.hdf5.opening import comes_from_hdf5, open_reading
from nxscan.nexus import layout, read_scan
from nxscan.nexus.results import results
from nxscan.translate.contract import Options, ScanRef, Translator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report

_VERSION = f"{layout.PARAMETERS}/layout_version"


class MasterTranslator(Translator):
    """Opens what nxscan wrote.

    Everything that was known of the scan stays; results do not come along, since they can be
    computed again of the copy.
    """

    name = "nxscan"
    description = "nxscan's own masters, linked ones above all, to be copied"
    raw: ClassVar[bool] = False

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is a master."""
        if not h5py.is_hdf5(path):
            return False
        try:
            with open_reading(path) as file:
                return _VERSION in file
        except Exception as error:  # over a damaged file h5py raises any kind
            if not comes_from_hdf5(error) and not isinstance(error, OSError):
                raise
            return False

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:
        """List the masters; each holds one scan."""
        del mapping
        found = [path for path in paths if self.can_open(path)]
        return [self._ref(str(k), path) for k, path in enumerate(found, 1)]

    def _ref(self, number: str, path: Path) -> ScanRef:
        scan = read_scan(path)
        there = path.stat()
        return ScanRef(
            number=number,
            title=scan.title,
            frames=int(np.prod(scan.scan_shape, dtype=np.int64)),
            shape=scan.frame_shape,
            dtype=str(scan.signal.dtype),
            detectors=tuple(scan.signals),
            size=there.st_size,
            modified=there.st_mtime,
            source=str(path),
            payload=path,
        )

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open a master; its provenance says of what file the copy is."""
        path: Path = ref.payload
        if options.mapping is not None or options.axes or options.dark or options.flat:
            raise SourceError(
                f"{path} is translated already: a mapping, axes, dark and flat cannot change it",
                "translate the raw files with them",
            )
        scan = read_scan(path)
        scan.provenance.parameters["copied_from"] = str(path.resolve())
        left = [result.group for result in results(path)]
        if left:
            report.warning(
                str(path),
                f"its results do not come along: {', '.join(left)}",
                "run the processes on the copy",
            )
        return scan
