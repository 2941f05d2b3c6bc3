"""A translator of text files, so that the command line is tested without any real format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner

from nxscan.cli import app
from nxscan.errors import SourceError
from nxscan.model import ArraySignal, Axis, Field, Provenance, Scan, Source
from nxscan.translate import registry
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.report import MappedField, MissingField, Report

SHAPE = (4, 5)


class TextTranslator(Translator):
    """Each line of a ``.scan`` file is a scan: title, number of frames, what goes wrong."""

    name: ClassVar[str] = "text"
    description: ClassVar[str] = "scans written down as text"

    def can_open(self, path: Path) -> bool:
        return path.suffix == ".scan"

    def scans(self, paths: Sequence[Path], mapping: object = None) -> list[ScanRef]:
        return [ref for path in paths for ref in self._refs(path)]

    def _refs(self, path: Path) -> list[ScanRef]:
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines == ["damaged"]:
            raise SourceError(f"{path}: byte 0 of the header is damaged", "copy the file again")
        if lines == ["bug"]:
            raise ZeroDivisionError("a fault of the translator")
        stat = path.stat()
        return [
            ScanRef(
                str(number), line.split()[0], int(line.split()[1]), SHAPE, "uint16",
                size=stat.st_size, modified=stat.st_mtime, source=str(path),
                payload=(path, line.split()[2:]),
            )
            for number, line in enumerate(lines, 1)
        ]  # fmt: skip

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        path, words = ref.payload
        report.mapped.append(MappedField("title", "title", ref.title, ref.title))
        report.missing.append(MissingField("sample/name", ("sample",), ("sampel",)))
        for word in words:
            getattr(report, word)(path.name, f"this {word} is in the file", "change it")
        if report.errors:
            return None
        mu = np.linspace(0, 1, ref.frames)
        frames = np.arange(ref.frames * 20, dtype=np.uint16).reshape(ref.frames, *SHAPE)
        axes = [
            Axis("mu", mu, "degree", "mu, base tilt"),
            Axis("y", np.arange(4.0), "", role="detector", dimension=1),
            Axis("x", np.arange(5.0), "", role="detector", dimension=2),
        ]
        stat = path.stat()
        return Scan(
            ref.title,
            {"camera": ArraySignal(frames, "counts")},
            {axis.name: axis for axis in axes},
            counters={"monitor": Field(np.full(ref.frames, 7.0), "counts")},
            provenance=Provenance(
                "text", sources=[Source(str(path), stat.st_size, stat.st_mtime, ref.frames)]
            ),
        )


class Typed:
    """What a command line ended with."""

    def __init__(self, result: Any) -> None:
        self.status: int = result.exit_code
        self.out: str = result.stdout
        self.err: str = result.stderr


@pytest.fixture(autouse=True)
def text_translator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the text translator installed, and no other."""
    monkeypatch.setattr(registry, "translators", lambda: {"text": TextTranslator()})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("NXSCAN_DEBUG", raising=False)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a source with the given scans."""

    def write(*lines: str, name: str = "a.scan") -> Path:
        folder = tmp_path / "raw"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return write


@pytest.fixture
def nxscan_() -> Callable[..., Typed]:
    """Return a function that runs a command line in this process."""

    def run(*words: object) -> Typed:
        return Typed(CliRunner().invoke(app, [str(word) for word in words]))

    return run
