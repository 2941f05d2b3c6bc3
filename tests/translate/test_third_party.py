"""A translator in another package, as a user would install it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.errors import SourceError

MODULE = '''
    """Frames as text, one file each: the example of the docs."""

    from pathlib import Path

    import numpy as np

    from nxscan.model import ArraySignal, Axis, Scan
    from nxscan.translate.contract import ScanRef, Translator


    class Tiny(Translator):
        name = "tiny"
        description = "numbers as text that begin with TINY"

        def can_open(self, path):
            with Path(path).open("rb") as file:
                return file.read(4) == b"TINY"

        def scans(self, paths, mapping=None):
            return [
                ScanRef(str(k), path.stem, 1, (2, 2), "float64", payload=path)
                for k, path in enumerate(paths, 1)
            ]

        def open(self, ref, options, report):
            rows = ref.payload.read_text().splitlines()[1:]
            values = np.array([[float(n) for n in row.split()] for row in rows])
            signal = ArraySignal(values[None], "counts", "intensity")
            axes = {
                "frame": Axis("frame", np.zeros(1), "", "frame", "scan", 0),
                "y": Axis("y", np.arange(2.0), "pixel", "row", "detector", 1),
                "x": Axis("x", np.arange(2.0), "pixel", "column", "detector", 2),
            }
            return Scan(ref.title, {"camera": signal}, axes)


    class Failing(Tiny):
        name = "failing"

        def can_open(self, path):
            raise RuntimeError("no license found")
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package of one module, as pip would lay it out."""
    site = tmp_path / "site"
    info = site / "nxscan_tiny-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "nxscan_tiny.py").write_text(textwrap.dedent(MODULE))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nxscan-tiny\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(site))

    def announce(**points):
        lines = [f"{name} = nxscan_tiny:{cls}" for name, cls in points.items()]
        (info / "entry_points.txt").write_text("[nxscan.translators]\n" + "\n".join(lines) + "\n")
        return site

    yield announce
    sys.modules.pop("nxscan_tiny", None)


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw" / "image.tiny"
    path.parent.mkdir()
    path.write_text("TINY\n1 2\n3 4\n")
    return path


def test_it_translates_without_being_named(package, raw, tmp_path):
    package(tiny="Tiny")
    out = nxscan.translate(raw, tmp_path / "out.nxs")
    with h5py.File(out) as file:
        values = file["entry/data/data"][()]
    np.testing.assert_array_equal(values, [[[1, 2], [3, 4]]])
    assert nxscan.open(out).provenance.parameters.get("partial") is None


def test_it_is_listed_on_the_command_line(package, tmp_path):
    site = package(tiny="Tiny")
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from nxscan.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "translators"], capture_output=True, text=True, check=True
    )
    line = next(line for line in done.stdout.splitlines() if line.strip().startswith("tiny"))
    assert "numbers as text" in line
    assert "nxscan_tiny" in line


def test_one_that_fails_over_a_file_does_not_stop_the_others(package, raw):
    package(tiny="Tiny", failing="Failing")
    with pytest.warns(RuntimeWarning, match="'failing' failed over .*no license found"):
        assert nxscan.scans(raw)[0].title == "image"


def test_nothing_can_open_it_says_what_was_tried_and_why_each_said_no(package, tmp_path):
    package(tiny="Tiny")
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(SourceError) as error:
        nxscan.scans(path)
    text = str(error.value)
    assert "begins with b'hello'" in text
    assert "tiny: notes.txt does not look like numbers as text that begin with TINY" in text
    assert "edf: notes.txt does not look like" in text
