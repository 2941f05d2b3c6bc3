"""The translator of whatever SciFiReaders reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nxscan.errors import MissingExtraError, NxscanError, SourceError
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5frames import file_sources
from nxscan.translate.h5source import is_hdf5
from nxscan.translators.scifireaders.convert import scan_of
from nxscan.translators.scifireaders.reading import (
    EXTRA,
    READERS,
    Loaded,
    has_nsid,
    is_installed,
    read,
)

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report


_BEGINS = {".dat": b"Experiment"}
"""How files of a suffix that many programs use begin, where a reader knows them."""


@dataclass(frozen=True)
class Place:
    """A dataset of a file.

    Attributes
    ----------
    path : Path
        The file.
    key : str
        What the reader calls the dataset.

    """

    path: Path
    key: str


class SciFiReadersTranslator(Translator):
    """Reads microscopes' own formats (DM3, IBW, GWY, MRC, SXM, …) through SciFiReaders.

    Other translators go first. A file is taken by its suffix; one of another name where the user
    names this translator.
    """

    name: ClassVar[str] = "scifireaders"
    description: ClassVar[str] = "microscopes' formats, through SciFiReaders (an extra)"
    general: ClassVar[bool] = True

    def __init__(self) -> None:
        self._last: tuple[Path, float, dict[str, Loaded]] | None = None

    def can_open(self, path: Path) -> bool:
        """Tell whether a file's suffix is one that a reader knows, and the readers are there."""
        suffix = path.suffix.lower()
        if not is_installed():
            return False
        if suffix not in READERS:
            return is_hdf5(path) and has_nsid(path)
        begin = _BEGINS.get(suffix, b"")
        with path.open("rb", buffering=0) as file:
            return file.read(len(begin)) == begin

    def refusal(self, path: Path) -> str:
        """Say why it was not taken."""
        if not is_installed():
            missing = MissingExtraError(f"reading {path.name} through SciFiReaders", EXTRA)
            return str(missing)
        return f"{path.name} has no suffix of a microscope's format; --translator {self.name} tries"

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002  no key tells scans apart
        """List the datasets of files that a reader knows by suffix or NSID, or else of the first.

        Raises
        ------
        MissingExtraError
            If SciFiReaders is not installed.
        SourceError
            If no reader reads a file.

        """
        known = [path for path in paths if self.can_open(path) or path.suffix.lower() in READERS]
        taken = [path.absolute() for path in (known or paths[:1])]
        places = [
            (path, key, one.dataset) for path in taken for key, one in self._read(path).items()
        ]
        if not places:
            raise SourceError("there are no files", "name one")
        return [_ref(str(k), *place) for k, place in enumerate(places, 1)]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one dataset, and put what was found into ``report``."""
        place: Place = ref.payload
        for name in ("axes", "dark", "flat", "detector"):
            if getattr(options, name):
                report.error(f"--{name}", "what SciFiReaders reads takes none", "leave it out")
        try:
            loaded = self._read(place.path).get(place.key)
            if loaded is None:
                report.error(ref.title, "it is not in the file any more", "was the file replaced?")
                return None
            frames = file_sources({place.path: ref.frames})
            return scan_of(
                loaded.dataset, options, report, title=ref.title, sources=frames,
                values=loaded.values,
            )  # fmt: skip
        except NxscanError as error:
            report.error(ref.title, error.message, error.hint)
            return None

    def _read(self, path: Path) -> dict[str, Loaded]:
        """Read a file; listing and opening it reads it once."""
        changed = path.stat().st_mtime if path.exists() else 0.0
        if self._last is None or self._last[:2] != (path, changed):
            self._last = (path, changed, read(path))
        return self._last[2]


def _ref(number: str, path: Path, key: str, dataset: Any) -> ScanRef:
    from nxscan.translators.scifireaders.dimensions import sides_of

    status = path.stat()
    sides = sides_of(dataset)
    frames = 1
    for side in sides:
        frames *= len(side.values) if side.is_scanned else 1
    said = str(dataset.title).strip()
    said = key if said in ("", "generic") else said
    title = path.stem if said in (path.stem, path.name, "") else f"{path.stem} {said}"
    return ScanRef(
        number=number,
        title=title,
        frames=frames,
        shape=tuple(len(side.values) for side in sides if not side.is_scanned),
        dtype=str(dataset.dtype),
        detectors=(str(dataset.quantity).strip(),),
        size=status.st_size,
        modified=status.st_mtime,
        source=str(path),
        payload=Place(path, key),
    )
