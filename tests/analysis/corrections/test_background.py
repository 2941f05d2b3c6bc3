"""A background frame of the scan, of its dark, or of a file is subtracted."""

from __future__ import annotations

from pathlib import Path

import fabio
import h5py
import numpy as np
import pytest
from helpers.chains import bind, corrected, scan_of

from nxscan.analysis.corrections.background import Background
from nxscan.analysis.corrections.dark import Dark
from nxscan.analysis.corrections.mask import Mask
from nxscan.errors import ProcessError


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (50, 50)])
def test_a_map_of_any_shape_gives_its_first_and_last_three(shape: tuple[int, int]) -> None:
    chosen = Background().chosen(shape[0] * shape[1])
    assert len(chosen) == 6  # sxdm: 3 + 0, 3 + 3, 3 + 2
    data = np.arange(shape[0] * shape[1], dtype=np.uint16).reshape(*shape, 1)
    found = corrected(scan_of(data, 2), Background())
    middle = (data.size - 1) / 2  # the mean of 0, 1, 2 and the three last
    np.testing.assert_array_equal(found.data, data - middle)


def test_a_short_scan_gives_no_frame_twice() -> None:
    assert Background(first=3, last=3).chosen(4) == [0, 1, 2, 3]
    assert Background(first=9, last=9).chosen(2) == [0, 1]
    assert Background(first=1, last=2).chosen(10) == [0, 8, 9]


def test_the_median_of_every_second_frame() -> None:
    data = np.array([[1.0], [100.0], [3.0], [100.0], [8.0]])
    found = corrected(scan_of(data, 1), Background(every=2, statistic="median", scale=2.0))
    np.testing.assert_array_equal(found.data, data - 2 * 3)


def test_one_frame_is_its_own_background() -> None:
    found = corrected(scan_of(np.array([4.0, 5.0]), 0), Background())
    assert found.data.tolist() == [0, 0]


def test_the_variance_grows_by_that_of_the_mean() -> None:
    data = np.array([[1.0], [50.0], [3.0]])
    found = corrected(scan_of(data, 1), Background(first=1, last=1), variance=np.full((3, 1), 4.0))
    np.testing.assert_allclose(found.variance, 4 + (3 - 1) ** 2 / 2 / 2)


def test_the_dark_can_be_the_background() -> None:
    scan = scan_of(np.array([[7, 9]], np.uint16), 1, dark=np.array([[1, 2], [3, 2], [90, 2]]))
    found = corrected(scan, Background(source="dark", statistic="median"))
    assert found.data.tolist() == [[4, 7]]


@pytest.mark.parametrize("kind", ["edf", "npy", "h5"])
def test_a_file_can_be_the_background(tmp_path: Path, kind: str) -> None:
    frame = np.array([[1, 2], [3, 4]], np.uint16)
    path = tmp_path / f"background.{kind}"
    dataset = None
    if kind == "edf":
        fabio.edfimage.EdfImage(data=frame).write(path)
    elif kind == "npy":
        np.save(path, frame)
    else:
        dataset = "/entry/data"
        with h5py.File(path, "w") as file:
            file[dataset] = np.stack([frame, frame])
    correction = Background(source="file", path=path, dataset=dataset)
    found = corrected(scan_of(np.full((3, 2, 2), 10, np.uint16), 1), correction)
    np.testing.assert_array_equal(found.data, np.broadcast_to(10.0 - frame, (3, 2, 2)))


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    scan = scan_of(np.ones((3, 2, 2)), 1)
    with pytest.raises(ProcessError, match=r"there is no file .*gone\.edf"):
        corrected(scan, Background(source="file", path=tmp_path / "gone.edf"))
    with pytest.raises(ProcessError, match="needs path=FILE"):
        corrected(scan, Background(source="file"))
    np.save(tmp_path / "other.npy", np.ones((3, 3)))
    with pytest.raises(ProcessError, match=r"other\.npy has shape \(3, 3\)"):
        corrected(scan, Background(source="file", path=tmp_path / "other.npy"))
    np.save(tmp_path / "deep.npy", np.ones((3, 2, 2, 2)))
    with pytest.raises(ProcessError, match=r"\(3, 2, 2, 2\), but a frame of \(2, 2\)"):
        corrected(scan, Background(source="file", path=tmp_path / "deep.npy"))
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(ProcessError, match=r"text\.npy cannot be read"):
        corrected(scan, Background(source="file", path=tmp_path / "text.npy"))
    with h5py.File(tmp_path / "some.h5", "w") as file:
        file["there"] = 1
    with pytest.raises(ProcessError, match=r"which dataset of .*some\.h5"):
        corrected(scan, Background(source="file", path=tmp_path / "some.h5"))
    with pytest.raises(ProcessError, match="has no dataset 'here'"):
        corrected(scan, Background(source="file", path=tmp_path / "some.h5", dataset="here"))


def test_frames_that_were_corrected_have_another_background_than_the_stored_ones() -> None:
    scan = scan_of(np.ones((4, 3), np.uint16), 1, dark=np.ones((1, 3)))
    for before in (Dark(), Mask()):
        with pytest.raises(ProcessError, match="give it first"):
            bind(scan, before, Background())


def test_no_frame_at_all_is_refused() -> None:
    with pytest.raises(ProcessError, match="leave no frame"):
        bind(scan_of(np.ones((4, 3)), 1), Background(first=0, last=0))
