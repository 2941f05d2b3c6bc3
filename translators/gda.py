"""NeXus files of GDA, the acquisition software of Diamond Light Source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import h5py
import numpy as np

from nxscan.translate.h5values import read_text
from nxscan.translators.nexus.translator import NexusTranslator

if TYPE_CHECKING:
    from nxscan.translate.contract import ScanRef
    from nxscan.translators.nexus.entry import Entry

_SCAN = "diamond_scan"
_LONGEST = 80


class GdaTranslator(NexusTranslator):
    """Reads GDA's NeXus files: a scan of any rank, with scannables in its shape.

    An image detector whose file is not there is refused only if it is chosen; the scan then
    can be translated with a counter as its signal.
    """

    name: ClassVar[str] = "gda"
    description: ClassVar[str] = "Diamond Light Source GDA NeXus"
    general: ClassVar[bool] = False
    mapping: ClassVar[str] = "gda"

    def recognizes(self, file: Any, entries: list[Any]) -> bool:
        """Tell whether an entry says that GDA wrote it."""
        return super().recognizes(file, entries) and any(_is_gda(entry) for entry in entries)

    def reference(self, path: Path, group: Any) -> ScanRef:
        """Return what is seen of an entry; its title is the scan's number and command."""
        ref = super().reference(path, group)
        command = ref.command or read_text(group, f"{_SCAN}/scan_command")
        short = f" {command}" if 0 < len(command) <= _LONGEST else ""
        title = read_text(group, "title") or f"{path.stem}{short}"
        shape = self.stated_shape(group)
        declared = None if shape is None else int(np.prod(shape))
        return replace(ref, title=title, command=command, declared=declared)

    def stated_shape(self, group: Any) -> tuple[int, ...] | None:
        """Return the scan's shape as GDA states it."""
        for path in (f"{_SCAN}/scan_shape", "scan_shape"):
            node = group.get(path)
            if isinstance(node, h5py.Dataset) and node.dtype.kind in "iu" and node.size:
                return tuple(int(length) for length in np.ravel(node[()]))
        return None

    def prepare(self, entry: Entry) -> None:
        """Take the shape that GDA states, and allow a counter in place of lost images."""
        entry.scan_shape = self.stated_shape(entry.group)
        entry.fallback = True


def _is_gda(entry: Any) -> bool:
    if _SCAN in entry:
        return True
    return read_text(entry, "program_name").startswith("GDA")
