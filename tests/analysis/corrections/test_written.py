"""Corrections as a user writes them, read through the view that processes have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.chains import bind, scan_of, through, whole

from nxscan.analysis.corrections.dark import Dark
from nxscan.analysis.corrections.flat import Flat
from nxscan.analysis.corrections.mask import Mask
from nxscan.analysis.corrections.monitor import Monitor
from nxscan.analysis.corrections.threshold import Threshold
from nxscan.process.identity import describe
from nxscan.process.noise import Noise
from nxscan.process.registry import find_correction
from nxscan.process.view import make_view


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dark", {"statistic": "mean", "scale": 1.0}),
        ("dark:statistic=median,scale=0.5", {"statistic": "median", "scale": 0.5}),
        ("flat:subtract_dark=false", {"subtract_dark": False}),
        ("background:every=10,statistic=median", {"every": 10, "source": "frames"}),
        ("threshold:low=3,high=100", {"low": 3.0, "high": 100.0, "fill": "nan"}),
        ("mask:saturation=none", {"saturation": None}),
        ("mask:saturation=60000", {"saturation": 60000.0}),
        ("mask:saturation=auto", {"saturation": "auto"}),
        ("monitor:counter=mon", {"counter": "mon"}),
        ("transmission:value=0.1", {"value": 0.1}),
        ("roi:region=10:50,20:80", {"region": ((10, 50), (20, 80))}),
        ("roi:region=:50,20:", {"region": ((None, 50), (20, None))}),
        ("roi:region=5:9", {"region": ((5, 9),)}),
        ("binning:factor=2", {"factor": (2,)}),
        ("binning:factor=2,4,method=mean", {"factor": (2, 4), "method": "mean"}),
    ],
)
def test_text_gives_the_parameters(text: str, expected: dict[str, object]) -> None:
    found = find_correction(text).parameters.model_dump()
    assert {name: found[name] for name in expected} == expected


def test_a_masks_polarity_has_an_equals_sign_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mask.npy"
    np.save(path, np.zeros(3))
    found = find_correction(f"mask:path={path},polarity=good=1").parameters
    assert (found.path, found.polarity) == (path, "good=1")


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "background.npy"
    texts = []
    for value in (1.0, 2.0, 1.0):
        np.save(path, np.full(3, value))
        texts.append(describe(find_correction(f"background:source=file,path={path}")))
    assert texts[0] == texts[2] != texts[1]


def test_a_view_reads_through_the_chain_and_knows_what_is_valid() -> None:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 100, (6, 4, 5)).astype(np.uint16)
    data[2, 1, 1] = 65535
    scan = scan_of(data, 1, rng.integers(0, 9, (3, 4, 5)), rng.integers(9, 50, (3, 4, 5)),
                   mon=rng.random(6) + 1)  # fmt: skip
    scan.mask = (rng.random((4, 5)) < 0.2).astype(int)
    chain = [Mask(), Dark(), Flat(), Threshold(low=-3), Monitor(counter="mon")]
    view = make_view(scan, chain)
    found = view.read(whole(data.shape), variance=Noise(), valid=True)
    expected = through(scan, bind(scan, *chain), variance=data.astype(float))
    np.testing.assert_array_equal(found.data, expected.data)
    np.testing.assert_array_equal(found.variance, expected.variance)
    np.testing.assert_array_equal(found.valid, ~np.isnan(expected.data))
