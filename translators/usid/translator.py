"""The translator of USID files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nxscan.errors import NxscanError, SourceError
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5source import is_hdf5, open_source, said_no
from nxscan.translate.h5values import attribute
from nxscan.translators.usid.build import build, detector_names
from nxscan.translators.usid.mains import Place, find_mains, group_of, has_main, numbers

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report


class UsidTranslator(Translator):
    """Reads every Main dataset of a USID file, those of results groups as well.

    Positions become the scan's dimensions and spectroscopic dimensions those of a frame, each
    slow to fast as the indices say. Points that are no whole grid (incomplete, sparse, spiral)
    are a list. Each field of a compound dataset becomes a signal.
    """

    name: ClassVar[str] = "usid"
    description: ClassVar[str] = "USID: HDF5 files of pyUSID, pycroscopy and sidpy"
    links: ClassVar[bool] = True

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is HDF5 with a USID Main dataset, and no master of nxscan."""
        if not is_hdf5(path):
            return False
        try:
            with open_source(path) as file:
                return has_main(file)
        except NxscanError:
            return False

    def refusal(self, path: Path) -> str:
        """Say why it was not taken."""
        return said_no(path, "it has no USID Main dataset")

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002  no key tells scans apart
        """List the Main datasets of USID files; other files are left out.

        Raises
        ------
        SourceError
            If a file cannot be read, or none is USID.

        """
        files = [path.absolute() for path in paths if self.can_open(path)]
        if not files:
            names = ", ".join(str(path) for path in paths[:3])
            raise SourceError(
                f"{names}: there is no USID Main dataset", "nxscan inspect says what reads it"
            )
        found = [_in_file(path) for path in files]
        if len(found) == 1:
            return found[0]
        return [
            replace(ref, number=f"{k}/{ref.number}")
            for k, refs in enumerate(found, 1)
            for ref in refs
        ]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one Main dataset lazily, and put what was found into ``report``."""
        place: Place = ref.payload
        for role, given in (("dark", options.dark), ("flat", options.flat)):
            if given:
                report.error(f"--{role}", "a USID dataset has none", "leave the option out")
        try:
            with open_source(Path(place.file)) as file:
                return build(file[place.name], ref.title, options, report)
        except NxscanError as error:
            report.error(ref.title, error.message, error.hint)
            return None


def _in_file(path: Path) -> list[ScanRef]:
    with open_source(path) as file:
        mains, _ = find_mains(file)
        return [_ref(path, *pair) for pair in zip(mains, numbers(mains), strict=True)]


def _ref(path: Path, main: Any, number: str) -> ScanRef:
    status = path.stat()
    rows, points = main.shape
    quantity = attribute(main, "quantity")
    names = main.dtype.names or (quantity or "quantity",)
    result = f"{group_of(main)} {main.name.rpartition('/')[2]}" if group_of(main) else quantity
    return ScanRef(
        number=number,
        title=f"{path.stem} {result}".strip(),
        frames=rows,
        shape=(points,) if points > 1 else (),
        dtype=str(main.dtype) if main.dtype.names is None else "compound",
        detectors=tuple(detector_names(names).values()),
        size=status.st_size,
        modified=status.st_mtime,
        source=str(path),
        started=attribute(main.file, "experiment_date"),
        payload=Place(str(path), str(main.name)),
    )
