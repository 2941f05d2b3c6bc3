"""Virtual datasets are traced to the files that hold their values."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.virtuals import ENDLESS, U2, check, counts, endless, virtual, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nxscan.errors import LayoutError, SourceError
from nxscan.hdf5.frames import StoredFrames
from nxscan.hdf5.resolve import needed_files, resolve
from nxscan.hdf5.unwritten import unwritten


@pytest.mark.parametrize("storage", [{}, {"chunks": (1, 2, 5)}, {"compression": "gzip"}])
def test_a_dataset_that_holds_its_values(tmp_path, storage):
    values = write(tmp_path / "a.h5", values=counts((3, 4, 5)), **storage)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["data"].attrs.update(units="counts", long_name="Intensity")
    signal = check(tmp_path / "a.h5", values, 1)
    assert (signal.units, signal.long_name) == ("counts", "Intensity")
    assert needed_files(signal) == [tmp_path / "a.h5"]
    for rank in (0, 2, 3):
        check(tmp_path / "a.h5", values, rank)


def test_files_one_after_the_other(tmp_path):
    values = counts((9, 4, 5))
    for k, (a, b) in enumerate([(0, 4), (4, 5), (5, 9)]):
        write(tmp_path / f"{k}.h5", "entry/data", values[a:b])
    virtual(
        tmp_path / "m.h5",
        values.shape,
        [
            (slice(0, 4), "0.h5", "entry/data", (4, 4, 5)),
            (slice(4, 5), "1.h5", "/entry/data", (1, 4, 5)),
            (slice(5, 9), "2.h5", "entry/data", (4, 4, 5)),
        ],
    )
    signal = check(tmp_path / "m.h5", values, 1)
    assert needed_files(signal) == [tmp_path / f"{k}.h5" for k in range(3)]
    assert [type(source) for source in signal.sources] == [StoredFrames] * 3


def test_files_that_are_not_there_may_leave_frames_out(tmp_path):
    values = counts((6, 4, 5))
    parts = [(slice(k, k + 2), f"{k}.h5", "data", (2, 4, 5)) for k in (0, 2, 4)]
    virtual(tmp_path / "m.h5", values.shape, parts)
    for k in (0, 4):
        write(tmp_path / f"{k}.h5", values=values[k : k + 2])
    with pytest.raises(LayoutError, match=r"2\.h5, which is not there"):
        resolve(tmp_path / "m.h5", "data", 1)
    absent: set[str] = set()
    signal = resolve(tmp_path / "m.h5", "data", 1, absent=absent)
    assert absent == {"2.h5"}
    assert signal.nowhere.tolist() == unwritten(signal).tolist() == [2, 3]
    np.testing.assert_array_equal(signal.part(np.array([0, 1, 4, 5]))[...], values[[0, 1, 4, 5]])
    for k in (0, 4):
        (tmp_path / f"{k}.h5").unlink()
    with pytest.raises(LayoutError, match="3 files that are not there"):
        resolve(tmp_path / "m.h5", "data", 1, absent=set())


def test_a_module_whose_file_is_not_there_leaves_its_frames_out(tmp_path):
    values = counts((3, 4, 10))
    write(tmp_path / "0.h5", values=values[:, :, :5])
    parts = [
        ((slice(None), slice(None), slice(5 * k, 5 * k + 5)), f"{k}.h5", "data", (3, 4, 5))
        for k in range(2)
    ]
    virtual(tmp_path / "m.h5", values.shape, parts)
    signal = resolve(tmp_path / "m.h5", "data", 1, absent=set())
    assert signal.nowhere.tolist() == unwritten(signal).tolist() == [0, 1, 2]


def test_interleaved_frames(tmp_path):
    values = counts((12, 4, 5))
    for k in range(4):
        write(tmp_path / f"{k}.h5", values=values[k::4])
    parts = [(slice(k, None, 4), f"{k}.h5", "data", (3, 4, 5)) for k in range(4)]
    virtual(tmp_path / "m.h5", values.shape, parts)
    check(tmp_path / "m.h5", values, 1)
    pairs = values.reshape(3, 4, 4, 5)[:, :2].reshape(6, 4, 5)
    blocks = [(slice(k, None, 2), f"{k}.h5", "data", (3, 4, 5)) for k in range(2)]
    virtual(tmp_path / "m.h5", pairs.shape, blocks, name="pairs")
    check(tmp_path / "m.h5", pairs, 1, "pairs")
    picked = [(slice(None), "1.h5", "data", (3, 4, 5), slice(0, 3, 2))]
    virtual(tmp_path / "m.h5", (2, 4, 5), picked, name="picked")
    check(tmp_path / "m.h5", values[[1, 9]], 1, "picked")


def test_modules_with_gaps(tmp_path):
    values = np.full((6, 9, 11), 4095, U2)
    parts = []
    for k, (y, x) in enumerate([(0, 0), (0, 6), (5, 0), (5, 6)]):
        values[:, y : y + 4, x : x + 5] = counts((6, 4, 5), k)
        write(tmp_path / f"{k}.h5", values=values[:, y : y + 4, x : x + 5])
        where = (slice(None), slice(y, y + 4), slice(x, x + 5))
        parts.append((where, f"{k}.h5", "data", (6, 4, 5)))
    virtual(tmp_path / "m.h5", values.shape, parts, fillvalue=4095)
    signal = check(tmp_path / "m.h5", values, 1)
    assert len(signal.tiles) == 4
    np.testing.assert_array_equal(signal[2:5, 3:6, 4:8], values[2:5, 3:6, 4:8])


def test_virtual_datasets_of_virtual_datasets(tmp_path):
    values = np.full((6, 4, 12), 9, U2)
    (tmp_path / "raw" / "parts").mkdir(parents=True)
    for k in range(2):
        module = values[:, :, 6 * k : 6 * k + 5] = counts((6, 4, 5), k)
        write(tmp_path / f"raw/parts/{k}.h5", values=module)
    parts = [
        ((slice(None), slice(None), slice(6 * k, 6 * k + 5)), f"parts/{k}.h5", "data", (6, 4, 5))
        for k in range(2)
    ]
    virtual(tmp_path / "raw/all.h5", values.shape, parts, fillvalue=9)
    order = [3, 0, 5]
    chosen = [(k, "raw/all.h5", "data", values.shape, one) for k, one in enumerate(order)]
    virtual(tmp_path / "m.h5", (3, 4, 12), chosen, fillvalue=9)
    signal = check(tmp_path / "m.h5", values[order], 1)
    assert needed_files(signal) == [tmp_path / f"raw/parts/{k}.h5" for k in range(2)]


def test_a_dataset_that_reads_from_itself_is_refused(tmp_path):
    virtual(tmp_path / "m.h5", (2, 3, 3), [(slice(None), ".", "data", (2, 3, 3))])
    with pytest.raises(LayoutError, match=r"m\.h5: /data reads from itself"):
        resolve(tmp_path / "m.h5", "data", 1)


def test_a_dataset_of_the_same_file(tmp_path):
    values = write(tmp_path / "m.h5", "raw", counts((4, 3, 3)))
    zigzag = [0, 1, 3, 2]
    parts = [((k // 2, k % 2), ".", "raw", (4, 3, 3), one) for k, one in enumerate(zigzag)]
    virtual(tmp_path / "m.h5", (2, 2, 3, 3), parts)
    signal = check(tmp_path / "m.h5", values[zigzag].reshape(2, 2, 3, 3), 2)
    assert len(signal.sources) == 1


def test_percent_signs_in_names(tmp_path):
    values = write(tmp_path / "50%_%b %% a.h5", "50% b", counts((2, 3, 3)))
    parts = [(slice(None), "50%%_%%b %%%% a.h5", "50%% b", (2, 3, 3))]
    virtual(tmp_path / "m.h5", (2, 3, 3), parts)
    check(tmp_path / "m.h5", values, 1)


def test_as_many_files_as_there_are(tmp_path):
    values = counts((10, 3, 3))
    for k in range(5):
        write(tmp_path / f"100%_{k}.h5", values=values[2 * k : 2 * k + 2])
    target = (0, 0, 0), (1, 1, 1), (ENDLESS, 1, 1), (2, 3, 3)
    target = target[0], target[2], (2, 1, 1), target[3]
    endless(tmp_path / "m.h5", "100%%_%b.h5", "data", target, ((2, 3, 3), (2, 3, 3)), frame=(3, 3))
    check(tmp_path / "m.h5", values, 1)
    (tmp_path / "100%_3.h5").unlink()  # the numbers end where one is missing
    check(tmp_path / "m.h5", values[:6], 1)
    for k in range(5):
        (tmp_path / f"100%_{k}.h5").unlink(missing_ok=True)
    with pytest.raises(LayoutError, match="reads from nothing that is there"):
        resolve(tmp_path / "m.h5", "data", 1)


def test_as_many_datasets_as_there_are(tmp_path):
    values = counts((4, 3, 3))
    for k in range(4):
        write(tmp_path / "a.h5", f"frame_{k}/data", values[k])
    target = (0, 0, 0), (ENDLESS, 1, 1), (1, 1, 1), (1, 3, 3)
    endless(tmp_path / "m.h5", "a.h5", "frame_%b/data", target, ((3, 3), (3, 3)), frame=(3, 3))
    check(tmp_path / "m.h5", values, 1)


def test_as_many_frames_as_there_are(tmp_path):
    values = write(tmp_path / "a.h5", values=counts((7, 3, 3)), maxshape=(None, 3, 3))
    slab = (0, 0, 0), (1, 1, 1), (1, 1, 1), (ENDLESS, 3, 3)
    endless(
        tmp_path / "m.h5", "a.h5", "data", slab, ((1, 3, 3), (ENDLESS, 3, 3), slab), frame=(3, 3)
    )
    check(tmp_path / "m.h5", values, 1)
    virtual(tmp_path / "outer.h5", (7, 3, 3), [(slice(None), "m.h5", "data", (7, 3, 3))])
    check(tmp_path / "outer.h5", values, 1)


def test_names_are_relative_to_the_file_that_has_them(tmp_path, monkeypatch):
    values = counts((2, 3, 3))
    (tmp_path / "PROCESSED").mkdir()
    (tmp_path / "RAW").mkdir()
    (tmp_path / "elsewhere" / "RAW").mkdir(parents=True)
    write(tmp_path / "RAW/a.h5", values=values)
    virtual(
        tmp_path / "PROCESSED/m.h5", (2, 3, 3), [(slice(0, 2), "../RAW/a.h5", "data", (2, 3, 3))]
    )
    # a namesake in the working directory is not taken for it
    write(tmp_path / "elsewhere/RAW/a.h5", values=np.zeros((2, 3, 3), U2))
    (tmp_path / "elsewhere/sub").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere/sub")
    check(Path("../../PROCESSED/m.h5"), values, 1)
    shutil.move(tmp_path / "RAW", tmp_path / "elsewhere/RAW2")
    shutil.move(tmp_path / "PROCESSED", tmp_path / "elsewhere/P")
    shutil.rmtree(tmp_path / "elsewhere/RAW")
    shutil.move(tmp_path / "elsewhere/RAW2", tmp_path / "elsewhere/RAW")
    check(tmp_path / "elsewhere/P/m.h5", values, 1)  # both moved together
    (tmp_path / "far").mkdir()
    (tmp_path / "far/link.h5").symlink_to(tmp_path / "elsewhere/P/m.h5")
    check(tmp_path / "far/link.h5", values, 1)
    shutil.rmtree(tmp_path / "elsewhere/RAW")
    (tmp_path / "elsewhere/sub/a.h5").write_bytes(b"a namesake")
    with pytest.raises(LayoutError, match=r"RAW/a\.h5, which is not there"):
        resolve(tmp_path / "elsewhere/P/m.h5", "data", 1)


def test_sources_with_absolute_names_that_lie_beside_the_file_now(tmp_path):
    values = write(tmp_path / "a.h5", values=counts((2, 3, 3)))
    virtual(tmp_path / "m.h5", (2, 3, 3), [(slice(0, 2), "/gone/a.h5", "data", (2, 3, 3))])
    check(tmp_path / "m.h5", values, 1)


def test_missing_files_are_counted_and_named(tmp_path):
    write(tmp_path / "0.h5", values=counts((1, 3, 3)))
    parts = [(k, f"{k}.h5", "data", (1, 3, 3), 0) for k in range(6)]
    virtual(tmp_path / "m.h5", (6, 3, 3), parts)
    with pytest.raises(LayoutError) as caught:
        resolve(tmp_path / "m.h5", "data", 1)
    assert (
        "m.h5: /data reads from 5 files that are not there: 1.h5, 2.h5, 3.h5 and others"
        in caught.value.message
    )
    assert "put them back" in caught.value.hint


def test_missing_datasets_and_damaged_files_are_named(tmp_path):
    write(tmp_path / "a.h5", "other", counts((2, 3, 3)))
    virtual(tmp_path / "m.h5", (2, 3, 3), [(slice(0, 2), "a.h5", "data", (2, 3, 3))])
    with pytest.raises(LayoutError, match=r"the dataset .*a\.h5::data, which is not there"):
        resolve(tmp_path / "m.h5", "data", 1)
    (tmp_path / "a.h5").write_bytes(b"no HDF5 at all")
    with pytest.raises(LayoutError, match=r"a\.h5 cannot be read"):
        resolve(tmp_path / "m.h5", "data", 1)


@pytest.mark.parametrize(
    ("source", "selection", "words"),
    [
        ((2, 3, 3), (slice(0, 4),), r"up to index \(3, 2, 2\)"),
        ((2, 3, 3), (), "36 values"),
        ((4, 9), (slice(0, 4),), "3 dimensions"),
    ],
)
def test_sources_that_are_too_short_are_refused(tmp_path, source, selection, words):
    write(tmp_path / "a.h5", values=counts(source))
    shape = (5, 3, 3) if selection else (4, 3, 3)
    virtual(tmp_path / "m.h5", (4, 3, 3), [(slice(None), "a.h5", "data", shape, *selection)])
    with pytest.raises(LayoutError, match=rf"reads {words} of .*a\.h5::/data, but its shape is"):
        resolve(tmp_path / "m.h5", "data", 1)


def test_types_that_do_not_fit_are_refused_and_wider_ones_kept(tmp_path):
    values = write(tmp_path / "a.h5", values=counts((2, 3, 3)).astype(">u2"))
    for dtype in ("f4", "u1"):
        parts = [(slice(None), "a.h5", "data", (2, 3, 3))]
        virtual(tmp_path / "m.h5", (2, 3, 3), parts, dtype=np.dtype(dtype), name=dtype)
    check(tmp_path / "m.h5", values.astype("f4"), 1, "f4")
    with pytest.raises(SourceError, match=r"a\.h5: values of uint16, but .* uint8"):
        resolve(tmp_path / "m.h5", "u1", 1)


def test_what_is_no_frames_is_left_to_hdf5(tmp_path):
    write(tmp_path / "a.h5", values=counts((4, 6, 6)))
    parts = {
        "columns": [((slice(None), slice(None), slice(0, 6, 2)), "a.h5", "data", (4, 6, 3))],
        "cropped": [(slice(None), "a.h5", "data", (4, 6, 6), np.s_[:, 1:5, :])],
        "flat": [(slice(None), "a.h5", "data", (4, 6, 6))],
        "twice": [(slice(None), "a.h5", "data", (4, 6, 6)), (0, "a.h5", "data", (4, 6, 6), 3)],
        "overlap": [
            (np.s_[:, :6], "a.h5", "data", (4, 6, 6)),
            (np.s_[:, 2:], "a.h5", "data", (4, 6, 6)),
        ],
    }
    shapes = {"cropped": (4, 4, 6), "flat": (4, 36), "overlap": (4, 8, 6)}
    for name, mappings in parts.items():
        virtual(tmp_path / "m.h5", shapes.get(name, (4, 6, 6)), mappings, name=name)
        assert resolve(tmp_path / "m.h5", name, 1) is None, name
    with h5py.File(tmp_path / "m.h5", "a") as file:
        file["words"] = ["a", "b"]
    assert resolve(tmp_path / "m.h5", "words", 1) is None


def test_links_are_followed_and_those_that_lead_nowhere_named(tmp_path):
    (tmp_path / "deep").mkdir()
    values = write(tmp_path / "deep/a.h5", "entry/data", counts((2, 3, 3)))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["soft"] = h5py.SoftLink("/out/data")
        file["out"] = h5py.ExternalLink("deep/a.h5", "/entry")
        file["lost"] = h5py.ExternalLink("deep/gone.h5", "/entry")
        file["nowhere"] = h5py.SoftLink("/neither")
        file.create_group("group")
    signal = check(tmp_path / "m.h5", values, 1, "soft")
    assert needed_files(signal) == [tmp_path / "deep/a.h5"]
    virtual(tmp_path / "v.h5", (2, 3, 3), [(slice(0, 2), "m.h5", "soft", (2, 3, 3))])
    assert needed_files(check(tmp_path / "v.h5", values, 1)) == [tmp_path / "deep/a.h5"]
    for name, words in (
        ("lost/data", r"/lost is a link to deep/gone\.h5::/entry, which is not there"),
        ("nowhere", "/nowhere is a link to /neither, which is not there"),
        ("group", "group is a group, expected a dataset"),
        ("group/data", "there is no /group/data"),
    ):
        with pytest.raises(LayoutError, match=rf"m\.h5: {words}"):
            resolve(tmp_path / "m.h5", name, 1)
    with pytest.raises(LayoutError, match=r"gone\.h5 cannot be read"):
        resolve(tmp_path / "gone.h5", "data", 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_blocks_of_frames_from_anywhere(tmp_path_factory, data):
    """What numpy makes of the same assignments, in the order of the mappings."""
    folder = tmp_path_factory.mktemp("any")
    frame = (3, 4)
    sources = [
        write(
            folder / f"{k}.h5", values=counts((*lead, *frame), k), chunks=(1,) * len(lead) + frame
        )
        for k, lead in enumerate([(6,), (2, 3), (4, 1)])
    ]
    shape = data.draw(st.sampled_from([(8,), (3, 4)]))
    places = list(np.ndindex(*shape))
    expected = np.zeros((*shape, *frame), U2)
    parts: list[Any] = []
    for place in places:
        k = data.draw(st.integers(0, 2))
        lead = sources[k].shape[:-2]
        taken = tuple(data.draw(st.integers(0, n - 1)) for n in lead)
        expected[place] = sources[k][taken]
        parts.append(
            (place if len(place) > 1 else place[0], f"{k}.h5", "data", sources[k].shape, taken)
        )
    virtual(folder / "m.h5", expected.shape, parts)
    check(folder / "m.h5", expected, len(shape))


@given(data=st.data())
def test_any_regular_block_of_a_source(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("block")
    source = write(folder / "a.h5", values=counts((4, 5, 2, 3)))
    boxes = []
    for length in source.shape[:2]:
        start = data.draw(st.integers(0, length - 1))
        step = data.draw(st.integers(1, 3))
        boxes.append(slice(start, data.draw(st.integers(start + 1, length)), step))
    taken = source[tuple(boxes)]
    n = taken.shape[0] * taken.shape[1]
    at = data.draw(st.integers(0, 3))
    expected = np.zeros((n + 3, 2, 3), U2)
    expected[at : at + n] = taken.reshape(n, 2, 3)
    where = slice(at, at + n)
    virtual(folder / "m.h5", expected.shape, [(where, "a.h5", "data", source.shape, tuple(boxes))])
    signal = resolve(folder / "m.h5", "data", 1)
    assert signal is not None
    np.testing.assert_array_equal(signal[where], expected[where])
    missing = sorted({*range(n + 3)} - {*range(at, at + n)})
    assert unwritten(signal).tolist() == missing
    for k in missing:
        with pytest.raises(SourceError, match=f"frame {k} of"):
            signal.read(k)


def test_hundreds_of_sources_are_looked_up_and_checked_when_read(tmp_path):
    values = counts((600, 2, 3))
    with h5py.File(tmp_path / "tags.h5", "w") as file:
        for k in range(600):
            file[f"run/tag_{k}/data"] = values[k]
    parts = [(k, "tags.h5", f"run/tag_{k}/data", (2, 3)) for k in range(600)]
    virtual(tmp_path / "m.h5", values.shape, parts)
    check(tmp_path / "m.h5", values, 1)
    with h5py.File(tmp_path / "tags.h5", "a") as file:
        del file["run/tag_81/data"]
        file["run/tag_81/data"] = np.zeros((2, 2), U2)
    signal = resolve(tmp_path / "m.h5", "data", 1)
    assert signal is not None
    np.testing.assert_array_equal(signal[:70], values[:70])
    with pytest.raises(SourceError, match=r"tag_81/data has shape \(2, 2\), expected \(2, 3\)"):
        signal.read(81)
    with pytest.raises(LayoutError, match=r"6 values of .*tag_81/data, but its shape is \(2, 2\)"):
        resolve(tmp_path / "m.h5", "data", 1, thorough=True)
    with h5py.File(tmp_path / "tags.h5", "a") as file:
        del file["run/tag_81/data"]
    with pytest.raises(LayoutError, match=r"tags\.h5::run/tag_81/data, which is not there"):
        resolve(tmp_path / "m.h5", "data", 1)


def test_a_link_among_hundreds_of_sources_is_followed_when_read(tmp_path):
    values = counts((600, 2, 3))
    write(tmp_path / "other.h5", values=values[300])
    with h5py.File(tmp_path / "tags.h5", "w") as file:
        for k in range(600):
            if k != 300:
                file[f"tag_{k}"] = values[k]
        file["tag_300"] = h5py.ExternalLink("other.h5", "data")
    parts = [(k, "tags.h5", f"tag_{k}", (2, 3)) for k in range(600)]
    virtual(tmp_path / "m.h5", values.shape, parts)
    signal = resolve(tmp_path / "m.h5", "data", 1)
    assert signal is not None
    for _ in range(2):
        signal.will_read(2**30)
        np.testing.assert_array_equal(signal[300], values[300])
    check(tmp_path / "m.h5", values, 1)


_FEW_FILES = """
import resource, sys
import h5py, numpy as np
from pathlib import Path
from nxscan.hdf5.resolve import resolve
folder = Path(sys.argv[1])
layout = h5py.VirtualLayout((1500, 4, 5), "u2")
for k in range(1500):
    with h5py.File(folder / f"{k}.h5", "w") as file:
        file["data"] = np.full((1, 4, 5), k, "u2")
    (folder / f"{k}.raw").write_bytes(np.full((4, 5), k, ">u2").tobytes())
    layout[k] = h5py.VirtualSource(f"{k}.h5", "data", (1, 4, 5))[0]
with h5py.File(folder / "m.h5", "w") as file:
    file.create_virtual_dataset("data", layout)
    slots = [(str(folder / f"{k}.raw"), 0, 40) for k in range(1500)]
    file.create_dataset("raw", (1500, 4, 5), ">u2", external=slots)
limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit))
for name in ("data", "raw"):
    signal = resolve(folder / "m.h5", name, 1)
    for _ in range(2):
        assert (signal[...] == np.arange(1500)[:, None, None]).all()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit on Windows")
def test_more_sources_than_files_may_be_open(tmp_path):
    subprocess.run([sys.executable, "-c", _FEW_FILES, str(tmp_path)], check=True, env=os.environ)
