"""Processes that work on an earlier result in place of the frames."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.blocks import scan_of

import nxscan
from nxscan import Output, Process, ProcessParameters
from nxscan.errors import ProcessError
from nxscan.nexus import write_scan
from nxscan.process.describe import facts_of
from nxscan.process.registry import find_process

DATA = np.random.default_rng(0).integers(1, 100, (4, 3, 5, 6)).astype("u2")
SEEN = []


class Peak(Process):
    """Largest value of every pixel, with an error."""

    per = "pixel"

    class Parameters(ProcessParameters):
        scale: float = 1.0

    def outputs(self, scan):
        return [Output("height", "counts", errors=True), Output("where", "", dtype=np.int64)]

    def compute(self, block):
        height = self.parameters.scale * np.nanmax(block.curves, axis=0)
        height = height.reshape(block.frame_shape)
        where = np.nanargmax(block.curves, axis=0).reshape(block.frame_shape)
        return {"height": height, "height_errors": np.sqrt(height), "where": where}


class Ratio(Process):
    """Height by its error."""

    per = "scan"
    works_on = "result"
    requires = (Peak(),)

    def outputs(self, scan):
        return [Output("ratio", "", dims=scan.main_axes()[-2:])]

    def compute(self, block):
        found = block.required["peak"]
        assert block.data.shape == (5, 6)
        return {"ratio": found["height"] / found["height_errors"] + 0.0 * found["where"]}


class Watching(Ratio):
    """The same, and remembers what it was shown."""

    def outputs(self, scan):
        SEEN.append(scan)
        return super().outputs(scan)


@pytest.fixture
def path(tmp_path):
    scan = scan_of(DATA, {"chi": np.array([0.0, 2, 4, 6]), "mu": np.array([-1.0, 0, 1])})
    return write_scan(scan, tmp_path / "a.nxs")


def test_what_it_requires_is_made_and_all_its_arrays_come_with_their_errors(path):
    found = Watching().run(path)
    np.testing.assert_allclose(found["ratio"], np.sqrt(DATA.max(axis=(0, 1))))
    assert [result.process for result in nxscan.results(path)] == ["peak", "watching"]
    assert found.stored.signal_path == "/entry/peak_000/height/data"
    scan = SEEN[-1]
    assert set(scan.signals) == {"height", "height_errors", "where"}
    assert scan.signals["height"].units == "counts"
    # what the result has not is what it was made over
    assert [(a.name, a.values[0], a.width[0]) for a in scan.integrated.values()] == [
        ("chi", 3, 6),
        ("mu", 0, 2),
    ]


def test_corrections_are_of_the_frames_that_the_result_is_made_from(path):
    plain = Ratio().run(path)
    found = Ratio().run(path, corrections=["threshold:high=70"])
    made = nxscan.Result.load(path, "peak_001")
    assert [one["name"] for one in made.stored.corrections] == ["threshold"]
    assert found.identity != plain.identity
    expected = np.where(DATA > 70, 0, DATA).max(axis=(0, 1))
    np.testing.assert_allclose(found["ratio"], np.sqrt(expected), rtol=1e-6)


def test_a_result_that_is_named_is_taken_as_it_is(path):
    Peak(scale=4).run(path)
    found = Ratio().run(path, on="peak")
    np.testing.assert_allclose(found["ratio"], 2 * np.sqrt(DATA.max(axis=(0, 1))))
    assert len(nxscan.results(path)) == 2
    again = Ratio().run(nxscan.Result.load(path, "peak_000"))
    assert again.group == found.group
    with pytest.raises(ProcessError, match="corrections are of frames"):
        Ratio().run(path, on="peak", corrections=["mask"])
    with pytest.raises(ProcessError, match="has no result 'moments'"):
        Ratio().run(path, on="moments")


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("kam", {"kam", "count", "status"}),
        ("strain", {"strain", "reference", "status"}),
        ("mosaicity", {"color", "key", "distribution", "status"}),
    ],
)
def test_what_it_gives_is_told_by_an_example_of_maps(name, outputs):
    facts = facts_of(find_process(name))
    assert {one.name for one in facts.outputs} == outputs
