"""One scan of a SPEC file: its columns as silx reads them, each row checked against the file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.translators.spec.index import decoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.spec.index import Entry, Line

_NUMBER = re.compile(
    r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|nan|inf)\Z", re.IGNORECASE
)
_WORD = re.compile(r"[^ \t]+")
_GAP = re.compile(r"\s{2,}|\t")


@dataclass(frozen=True, eq=False)
class SpecScan:
    """What one scan says.

    Attributes
    ----------
    labels : list of str
        Its columns.
    data : ndarray of float64, shape (columns, points)
        Their numbers.
    positions : dict of str to float
        Where motors stood when it was begun.
    said : dict of str to str
        Every line of its header and the file's.
    spectra : list of ndarray
        Its spectra, in the order of the file.
    channels : ndarray or None
        Numbers of their channels.
    doubts : list of str
        What does not fit and is left out.
    bad : str
        What is wrong with the first row that cannot be used, where one cannot; ``data`` ends
        before it.

    """

    labels: list[str]
    data: NDArray[np.float64]
    positions: dict[str, float]
    said: dict[str, str]
    spectra: list[NDArray[Any]] = field(default_factory=list)
    channels: NDArray[np.float64] | None = None
    doubts: list[str] = field(default_factory=list)
    bad: str = ""


def read_scan(path: Path, entry: Entry) -> SpecScan:
    """Read one scan through silx, and check every row that it gives against the file.

    silx leaves out lines that it cannot read without a word; they are found here first.

    Raises
    ------
    SourceError
        If the scan has no columns, or silx reads something else than what is in the file.

    """
    labels, lines = entry.labels(), list(entry.rows())
    where = f"{path}, scan {entry.key}"
    if not labels:
        raise SourceError(
            f"{where}: it has no line #L with the names of its columns",
            "nothing else says what its numbers are",
        )
    rows, bad = _rows(where, labels, lines)
    kept = _without_bad(entry, lines[len(rows) :])
    doubts: list[str] = []
    with tempfile.TemporaryDirectory(prefix="nxscan-spec-") as folder:
        copy = Path(folder) / "scan.spec"
        copy.write_bytes(kept)
        data, said, spectra, channels = _through_silx(copy, where, len(labels), len(rows), doubts)
    expected = np.array(rows, np.float64).reshape(len(rows), len(labels)).T
    if not np.array_equal(data, expected, equal_nan=True):
        raise SourceError(
            f"{where}: silx reads {data.shape[1]} rows, the file has {len(rows)}, or they differ",
            "a line between them is damaged: correct it in a copy of the file",
        )
    positions = _positions(said, doubts)
    return SpecScan(labels, expected, positions, said, spectra, channels, doubts, bad)


def _rows(
    where: str, labels: Sequence[str], lines: Sequence[Line]
) -> tuple[list[list[float]], str]:
    """Return the numbers of all rows up to the first bad one, and what is wrong with that."""
    rows: list[list[float]] = []
    for line in lines:
        words = _WORD.findall(line.text)
        if len(words) != len(labels):
            return rows, (
                f"{where}, line {line.number}: {len(words)} numbers, but #L names {len(labels)} "
                "columns"
            )
        wrong = next((word for word in words if not _NUMBER.match(word)), None)
        if wrong is not None:
            label = labels[words.index(wrong)]
            return rows, f"{where}, line {line.number}: {label} is {wrong!r}, which is no number"
        rows.append([float(word) for word in words])
    return rows, ""


def _without_bad(entry: Entry, lines: Sequence[Line]) -> bytes:
    """Return header and scan in UTF-8, without what follows from the first bad line on."""
    own = entry.scan
    if lines:
        own = b"\n".join(own.split(b"\n")[: lines[0].number - entry.line])
    parts = [part.rstrip() for part in (entry.header, own)]
    text = "\n\n".join(
        "\n".join(decoded(line.rstrip(b"\r")) for line in part.split(b"\n"))
        for part in parts
        if part
    )
    return f"{text}\n\n".encode()


def _through_silx(
    copy: Path, where: str, columns: int, rows: int, doubts: list[str]
) -> tuple[NDArray[np.float64], dict[str, str], list[NDArray[Any]], NDArray[np.float64] | None]:
    from silx.io.specfile import SpecFile

    try:
        file = SpecFile(str(copy))
        try:
            scan = file[0]
            said = {f"file #{key}": str(text) for key, text in scan.file_header_dict.items()}
            said |= {f"#{key}": str(text) for key, text in scan.scan_header_dict.items()}
            said |= {f"#@{key}": str(text) for key, text in scan.mca_header_dict.items()}
            data = np.array(scan.data, np.float64) if rows else np.empty((columns, 0))
            spectra, channels = _spectra(scan, doubts)
        finally:
            file.close()
    except Exception as error:  # silx raises errors of its own, and what numpy raises
        raise SourceError(
            f"{where}: silx cannot read it: {type(error).__name__}: {error}",
            "correct the scan in a copy of the file",
        ) from error
    return data, said, spectra, channels


def _spectra(
    scan: Any, doubts: list[str]
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64] | None]:
    try:
        spectra = [np.array(scan.mca[k], np.float64) for k in range(len(scan.mca))]
        channels = scan.mca.channels if spectra else None
        return spectra, np.array(channels[0], np.float64) if channels else None
    except Exception as error:  # as many kinds as lines that describe spectra can be wrong
        doubts.append(f"its spectra cannot be read, and are left out: {error}")
        return [], None


def _positions(said: dict[str, str], doubts: list[str]) -> dict[str, float]:
    """Return where each motor stood: the names of #O and the positions of #P, line by line."""
    found: dict[str, float] = {}
    for k in range(1000):
        names = said.get(f"#O{k}") or said.get(f"file #O{k}")
        places = said.get(f"#P{k}")
        if names is None and places is None:
            break
        motors = [name for name in _GAP.split((names or "").strip()) if name]
        words = (places or "").split()
        if len(motors) != len(words):
            doubts.append(
                f"#O{k} names {len(motors)} motors, #P{k} has {len(words)} positions: these are "
                "left out"
            )
            continue
        for name, word in zip(motors, words, strict=True):
            if _NUMBER.match(word):
                found.setdefault(name, float(word))
    return found
