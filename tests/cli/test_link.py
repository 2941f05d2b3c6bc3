"""``nxscan translate --link`` and ``--copy``: where the frames stay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
import pytest
from helpers import linking

from nxscan.model import ArraySignal, Scan
from nxscan.nexus import read_scan
from nxscan.translate import registry
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.report import Report

PLACE = "entry/instrument/pco/data"


class Frames(Translator):
    """A file ``two.frames`` stands for two scans, of frames that lie in its folder."""

    name: ClassVar[str] = "frames"
    in_memory: ClassVar[bool] = False

    def can_open(self, path: Path) -> bool:
        return path.suffix == ".frames"

    def scans(self, paths: Sequence[Path], mapping: object = None) -> list[ScanRef]:
        count = {"one": 1, "two": 2}[paths[0].stem]
        names = ["grid", "zigzag"][:count]
        return [
            ScanRef(str(k), name, 12, (6, 5), "uint16", payload=paths[0].parent / name)
            for k, name in enumerate(names, 1)
        ]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        make = linking.grid if ref.title == "grid" else linking.zigzag
        case = make(ref.payload)
        scan = case.scan()
        if self.in_memory:
            scan.signals = {"pco": ArraySignal(case.values, "counts", "intensity")}
        return scan


class Linking(Frames):
    links = True


class LinkingInMemory(Linking):
    in_memory = True


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "raw" / "one.frames"
    path.parent.mkdir()
    path.write_text("frames")
    return path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(translator: Translator) -> None:
        monkeypatch.setattr(registry, "translators", lambda: {"frames": translator})

    return install


def is_linked(path: Path) -> bool:
    with h5py.File(path) as file:
        return bool(file[PLACE].is_virtual)


@pytest.mark.parametrize(
    ("translator", "words", "linked"),
    [
        (Frames(), [], False),
        (Frames(), ["--link"], True),
        (Linking(), [], True),
        (Linking(), ["--link"], True),
        (Linking(), ["--copy"], False),
        (LinkingInMemory(), [], False),
    ],
)
def test_the_user_decides_else_the_translator(
    nxscan_, source, elsewhere, installed, translator, words, linked
):
    installed(translator)
    ended = nxscan_("translate", source, "-o", "scan.nxs", *words)
    assert (ended.status, ended.out) == (0, "scan.nxs\n")
    path = elsewhere / "scan.nxs"
    assert is_linked(path) == linked
    scan = read_scan(path)
    np.testing.assert_array_equal(scan.signal[...], linking.DATA.reshape(3, 4, 6, 5))
    assert scan.provenance.parameters.get("link") == ("yes" if linked else None)


def test_what_cannot_be_linked_is_refused_with_the_reason(nxscan_, source, elsewhere, installed):
    installed(LinkingInMemory())
    ended = nxscan_("translate", source, "-o", "scan.nxs", "--link")
    assert ended.status == 1
    assert "cannot be linked to: its frames do not lie in files" in ended.err
    assert "--copy" in ended.err
    assert list(elsewhere.iterdir()) == []


def test_several_scans_are_linked_and_those_that_are_there_kept(
    nxscan_, source, elsewhere, installed
):
    installed(Linking())
    several = source.rename(source.with_name("two.frames"))
    words = "translate", several, "-o", "out/", "--scans", "all"
    assert nxscan_(*words).status == 0
    paths = [elsewhere / "out" / f"{name}.nxs" for name in ("grid", "zigzag")]
    assert [is_linked(path) for path in paths] == [True, True]
    before = [path.stat().st_mtime_ns for path in paths]
    assert nxscan_(*words).status == 0
    assert [path.stat().st_mtime_ns for path in paths] == before
    ended = nxscan_(*words, "--copy")
    assert ended.status == 1
    assert "exists already" in ended.err
