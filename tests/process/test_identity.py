"""What makes two runs the same, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.scans import make_scan

from nxscan.errors import ProcessError
from nxscan.process import Output, Process, ProcessParameters
from nxscan.process.identity import describe, identity, scan_fingerprint


class Level(Process):
    """Frames above a level."""

    per = "pixel"

    class Parameters(ProcessParameters):
        level: float = 1.0
        table: Path | None = None
        limits: tuple[float, ...] = (1.0, 2.0)

    def outputs(self, scan):
        return [Output("count")]

    def compute(self, block):
        return {"count": (block.data > self.parameters.level).sum(axis=0)}


class Other(Level):
    """Another class of the same parameters."""


def of(process, scan=None, corrections=(), uuid="1"):
    scan = scan or make_scan()[0]
    described = [describe(correction) for correction in corrections]
    return identity(describe(process), scan, described, [scan_fingerprint(scan, uuid)])


def test_the_same_run_has_the_same_identity():
    assert of(Level(level=2)) == of(Level(level=2.0)) != of(Level())


def test_a_value_that_is_nearly_the_same_is_another():
    assert of(Level(level=10.0)) != of(Level(level=10.00005))


def test_a_default_that_is_given_is_the_same_as_one_that_is_not():
    assert of(Level()) == of(Level(level=1.0, limits=[1, 2]))


def test_another_class_or_version_is_another_run(monkeypatch):
    before = of(Level())
    assert of(Other()) != before
    monkeypatch.setattr(Level, "version", "2")
    assert of(Level()) != before


def test_a_file_counts_by_its_content(tmp_path):
    table = tmp_path / "table.txt"
    table.write_text("1 2 3")
    before = of(Level(table=table))
    copy = tmp_path / "copy.txt"
    copy.write_text("1 2 3")
    table.write_text("1 2 4")
    assert of(Level(table=table)) != before


def test_a_file_that_is_missing_is_named():
    with pytest.raises(ProcessError, match=r"parameter 'table': .*none\.txt cannot be read"):
        of(Level(table=Path("none.txt")))


def test_another_scan_is_another_run():
    scan = make_scan()[0]
    assert of(Level(), scan, uuid="1") != of(Level(), scan, uuid="2")


@pytest.mark.parametrize("part", ["axes", "mask", "counters", "readings", "frame_checksums"])
def test_whatever_results_depend_on_makes_another_run(part):
    scan = make_scan()[0]
    scan.frame_checksums = np.arange(12, dtype=np.uint32).reshape(3, 4)
    before = of(Level(), scan)
    if part == "axes":
        mu = scan.axes["mu"]
        changed = {"axes": scan.axes | {"mu": replace(mu, values=mu.values + 1e-12)}}
    elif part in ("counters", "readings"):
        fields = getattr(scan, part)
        name = next(iter(fields))
        changed = {
            part: fields | {name: replace(fields[name], value=np.zeros_like(fields[name].value))}
        }
    elif part == "mask":
        changed = {"mask": np.eye(6, 5, dtype=np.uint32)}
    else:
        changed = {"frame_checksums": scan.frame_checksums + np.uint32(1)}
    assert of(Level(), replace(scan, **changed)) != before


def test_titles_and_metadata_do_not_matter():
    scan = make_scan()[0]
    assert of(Level(), scan) == of(Level(), replace(scan, title="another name"))
