"""Raw files that a process is to work on: opened as the scan that a master can lead to."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from nxscan import plan
from nxscan.errors import NxscanError, SourceError
from nxscan.translate.outputs import SUFFIXES, file_stems, refuse_beside_raw

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.contract import ScanRef

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """Which scan of a raw source is meant, and how it is read; see `nxscan.translate`.

    Attributes
    ----------
    scan, detector, translator : str or None
        The scan, the detector or counter, and who opens it.
    join : str or None
        Scans to take as one.
    mapping : path or None
        A mapping file that extends or replaces the translator's own.
    table : str or None
        Where the frames were taken, where that is written down elsewhere.
    where : str or None
        What must hold for each frame that is taken.

    """

    scan: str | int | None = None
    detector: str | None = None
    mapping: str | Path | None = None
    translator: str | None = None
    join: str | None = None
    table: str | Path | None = None
    where: str | None = None

    @property
    def given(self) -> str:
        """What was chosen, as options of the command line; empty if nothing was."""
        return ", ".join(f"--{name}" for name, value in vars(self).items() if value is not None)

    def refuse(self, source: Path, what: str) -> None:
        """Raise SourceError if anything was chosen of what holds one scan only."""
        if self.given:
            raise SourceError(
                f"{source} is {what}: {self.given} has no meaning for it",
                "these are for raw files",
            )


@dataclass(frozen=True)
class RawSource:
    """Raw files that a translator opens.

    Attributes
    ----------
    found : Survey
        What is in them.
    choice : Choice
        Which scan is meant.

    """

    found: plan.Survey
    choice: Choice

    @property
    def name(self) -> str:
        """What the scan is called, as a file may be."""
        refs = self.found.refs if self.choice.join is None else [self._ref]
        return file_stems(refs)[self._ref.number]

    @cached_property
    def _ref(self) -> ScanRef:
        return plan.choose(self.found, self.choice.scan, self.choice.join)

    def scan(self) -> Scan:
        """Open the scan, its frames where they lie.

        Raises
        ------
        SourceError
            If no master can lead to the frames; it says that they have to be translated.
        PlanError
            If the scan cannot be translated either; it says why.

        """
        try:
            return self._opened(link=True)
        except NxscanError as error:
            try:
                self._opened(link=False)
            except NxscanError:
                raise error from None
            raise SourceError(
                f"{self}: no file can lead to these frames: {error.message}",
                f"translate them first: nxscan translate {shlex.quote(str(self))} -o OUT.nxs "
                "--copy",
            ) from error

    def _opened(self, *, link: bool) -> Scan:
        choice = self.choice
        options = plan.make_options(
            mapping=choice.mapping,
            detector=choice.detector,
            link=link,
            table=choice.table,
            where=choice.where,
        )
        return plan.open_scan(self.found, self._ref, options, choice.mapping)

    def refuse_folder(self, target: Path) -> None:
        """Raise OutputError if a file would lie in a folder that raw files lie in."""
        refuse_beside_raw(target, self.found.given, self.found.files)

    def __str__(self) -> str:
        return ", ".join(str(path) for path in self.found.given)


def raw_source(source: str, choice: Choice) -> RawSource | None:
    """Look through a source that is no nxscan master.

    Parameters
    ----------
    source : str
        A file, folder, glob, or ``FILE::/5.1``.
    choice : Choice
        Which scan is meant.

    Returns
    -------
    RawSource or None
        None for an HDF5 file that no translator opens, or only one that opens any NeXus, and for
        one of which a dataset or group is named that is no scan: its default plot is meant, or
        that.

    Raises
    ------
    SourceError
        If nothing can open it.

    """
    path = Path(source.partition("::")[0])
    is_hdf5 = is_hdf5_file(path)
    loaded = plan.make_options(mapping=choice.mapping).mapping
    try:
        found = plan.survey(source, choice.translator, loaded)
    except SourceError as error:
        if path.is_file() and not is_hdf5 and path.suffix.lower() in SUFFIXES:
            raise SourceError(f"{path} is no HDF5 file", "is it damaged, or cut short?") from error
        if not is_hdf5 or choice.given:
            raise
        _log.debug("the default plot is taken: %s", error)
        return None
    if is_hdf5 and found.within not in {None, *(ref.number for ref in found.refs)}:
        return None
    if is_hdf5 and found.translator.general and not choice.given:
        return None
    return RawSource(found, choice)


def is_hdf5_file(path: Path) -> bool:
    """Tell whether a path leads to an HDF5 file."""
    return path.is_file() and bool(h5py.is_hdf5(path))
