"""A linked master becomes a copy: everything in it stays, compressed chunks are moved."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from helpers import linking
from helpers.linking import Case
from helpers.results import add

import nxscan
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.masters import MasterTranslator
from nxscan.nexus import moved, read_scan, write_scan
from nxscan.nexus.codec import fletcher32
from nxscan.nexus.linked import write_linked
from nxscan.translate import registry
from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.validate import validate

UUID = "8d7f1a6e-0000-4000-8000-000000000000"
PLACE = "entry/instrument/pco/data"
DATA = np.random.default_rng(1).poisson(5, (12, 160, 150)).astype("u2")
LZ4 = dict(hdf5plugin.Bitshuffle(cname="lz4"))
WAYS: dict[str, dict[str, Any]] = {
    "bitshuffle-lz4": {"chunks": (1, 160, 150), **LZ4},
    "tiles, fletcher32": {"chunks": (1, 128, 130), "fletcher32": True, **LZ4},
    "gzip, shuffle": {"chunks": (1, 160, 150), "compression": 4, "shuffle": True},
    "gzip": {"chunks": (1, 160, 150), "compression": 9},
}


@pytest.fixture(autouse=True)
def own_translator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "translators", lambda: {"nxscan": MasterTranslator()})


def link(folder: Path, **how: Any) -> Path:
    """Link to a zigzag scan whose frames lie in four files."""
    parts = [
        linking.stored(folder / "raw" / f"{k}.h5", DATA[3 * k : 3 * k + 3], **how) for k in range(4)
    ]
    signal = VirtualSignal.of(parts).arranged((3, 4), linking.ZIGZAG.ravel())
    return write_linked(Case(signal, DATA).scan(), folder / "linked.nxs", UUID)


def chunks_of(dataset: Any) -> dict[tuple[int, ...], bytes]:
    found: dict[tuple[int, ...], Any] = {}
    dataset.id.chunk_iter(lambda one: found.__setitem__(one.chunk_offset, None))
    return {at: dataset.id.read_direct_chunk(at)[1] for at in found}


@pytest.mark.parametrize("name", WAYS)
def test_compressed_chunks_are_moved_untouched(tmp_path: Path, name: str) -> None:
    path = link(tmp_path, **WAYS[name])
    copy = nxscan.translate(path, tmp_path / "copy.nxs", link=False)
    sources = {}
    for k in range(4):
        with h5py.File(tmp_path / "raw" / f"{k}.h5") as file:
            for (frame, *rest), data in chunks_of(file["data"]).items():
                sources[(3 * k + frame, *rest)] = data
    with h5py.File(copy) as file:
        np.testing.assert_array_equal(file[PLACE][()], DATA[linking.ZIGZAG])
        for (row, column, *rest), data in chunks_of(file[PLACE]).items():
            source = sources[(int(linking.ZIGZAG[row, column]), *rest)]
            if "fletcher32" not in name:
                source += fletcher32(source).to_bytes(4, "little")
            assert data == source
    np.testing.assert_array_equal(read_scan(copy).signal[...], DATA[linking.ZIGZAG])
    assert validate(copy, data=True, external=False).findings == ()


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"chunks": (1, 160, 150)},
        {"chunks": (3, 160, 150), **LZ4},
        {"chunks": (1, 8, 150), **LZ4},
        {"chunks": (1, 160, 150), **hdf5plugin.Zstd()},
        {"chunks": (1, 160, 150), **hdf5plugin.Bitshuffle(cname="zstd")},
    ],
    ids=["contiguous", "plain", "several frames", "a few rows", "zstd", "bitshuffle-zstd"],
)
def test_other_chunks_are_made_anew(tmp_path: Path, how: dict[str, Any]) -> None:
    scan = read_scan(link(tmp_path, **how))
    assert moved.movable(scan.signal) is None
    copy = write_scan(scan, tmp_path / "copy.nxs")
    np.testing.assert_array_equal(read_scan(copy).signal[...], DATA[linking.ZIGZAG])


def test_chunks_that_span_a_large_detector_become_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link(tmp_path, **WAYS["gzip"])
    assert moved.movable(read_scan(path).signal) is not None
    monkeypatch.setattr(moved, "_LARGEST", 160 * 150 * 2 - 1)
    assert moved.movable(read_scan(path).signal) is None


def test_a_damaged_chunk_is_not_moved(tmp_path: Path) -> None:
    path = link(tmp_path, **WAYS["gzip"])
    raw = tmp_path / "raw" / "2.h5"
    scan = read_scan(path)
    with h5py.File(raw) as file:
        place = file["data"].id.get_chunk_info(1)
    with raw.open("r+b") as damaged:
        damaged.seek(place.byte_offset + 50)
        damaged.write(bytes(200))
    with pytest.raises(nxscan.NxscanError, match=r"2\.h5"):
        write_scan(scan, tmp_path / "copy.nxs")
    assert not (tmp_path / "copy.nxs").exists()


def test_all_that_was_known_of_the_scan_comes_along(tmp_path: Path) -> None:
    case = linking.zigzag_of_single_frame_files(tmp_path / "raw")
    path = write_linked(case.scan(), tmp_path / "linked.nxs", UUID)
    before = read_scan(path)
    copy = nxscan.translate(path, tmp_path / "copy.nxs", link=False)
    sources, headers = before.provenance.sources, list(before.raw_metadata.headers)
    shutil.rmtree(tmp_path / "raw")
    path.unlink()
    after = read_scan(copy)
    np.testing.assert_array_equal(after.signal[...], case.values)
    assert after.title == before.title
    assert after.provenance.sources == sources
    assert after.provenance.translator == "edf"
    assert after.provenance.parameters["copied_from"] == str(path)
    assert list(after.raw_metadata.headers) == headers
    assert after.metadata.groups["sample"].fields["temperature"].value == 293.5
    assert list(after.readings) == ["mu", "chi"]
    for name, axis in after.axes.items():
        np.testing.assert_array_equal(axis.values, before.axes[name].values)
    assert validate(copy, data=True, external=False).findings == ()


def test_results_stay_behind_with_a_word_about_it(tmp_path: Path) -> None:
    path = link(tmp_path)
    add(path)
    translator, report = MasterTranslator(), Report()
    (ref,) = translator.scans([path])
    assert (ref.frames, ref.shape, ref.detectors) == (12, (160, 150), ("pco",))
    translator.open(ref, Options(), report)
    (problem,) = report.problems
    assert problem.severity == "warning"
    assert "its results do not come along: moments_000" in problem.message


def test_what_is_translated_already_takes_no_other_axes(tmp_path: Path) -> None:
    path = link(tmp_path)
    with pytest.raises(nxscan.NxscanError, match="is translated already"):
        nxscan.translate(path, tmp_path / "copy.nxs", axes="mu=12")


def test_a_copy_does_not_take_the_place_of_what_it_is_made_from(tmp_path: Path) -> None:
    path = link(tmp_path)
    before = path.read_bytes()
    with pytest.raises(nxscan.NxscanError, match="is the source itself"):
        nxscan.translate(path, path, link=False, overwrite=True)
    assert path.read_bytes() == before


def test_only_masters_are_taken_for_masters(tmp_path: Path) -> None:
    path = link(tmp_path)
    (tmp_path / "text.nxs").write_text("text")
    found = [MasterTranslator().can_open(one) for one in (path, tmp_path / "text.nxs")]
    assert found == [True, False]
    assert not MasterTranslator().can_open(tmp_path / "raw" / "0.h5")


def test_a_master_can_be_linked_to_like_any_other_file(tmp_path: Path) -> None:
    case = linking.grid(tmp_path / "raw")
    source = write_scan(case.scan(), tmp_path / "copy.nxs")
    path = nxscan.translate(source, tmp_path / "out" / "linked.nxs", link=True)
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)
    with h5py.File(path) as file:
        assert file["entry/translation/linked/path"][0] == b"../copy.nxs"
