"""Masters that lead to frames in other files: what they hold, and who can read them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import linking
from helpers.linking import Case
from helpers.scans import make_scan

from nxscan.errors import LayoutError, OutputError
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.nexus import HDF5Signal, layout, rawblocks, read_scan, write_scan
from nxscan.nexus.layout import USID_MAIN
from nxscan.nexus.linked import write_linked
from nxscan.validate import validate
from nxscan.view.summary import info

Make = Callable[[Path], Case]
UUID = "8d7f1a6e-0000-4000-8000-000000000000"
PLACE = "entry/instrument/pco/data"


@pytest.fixture(autouse=True)
def few_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have blocks of external storage that twelve frames do not fit into."""
    monkeypatch.setattr(rawblocks, "MOST_SLOTS", 5)


def link(tmp_path: Path, case: Case) -> Path:
    return write_linked(case.scan(), tmp_path / "out" / "linked.nxs", UUID)


@pytest.mark.parametrize("make", [*linking.HDF5, *linking.PLAIN])
def test_everyone_reads_the_values_of_the_sources(tmp_path: Path, make: Make) -> None:
    case = make(tmp_path / "raw")
    path = link(tmp_path, case)
    found = read_scan(path).signal
    assert isinstance(found, VirtualSignal)
    np.testing.assert_array_equal(found[...], case.values)
    assert (found.units, found.long_name) == ("counts", "intensity")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], case.values)
        main = file[USID_MAIN]
        np.testing.assert_array_equal(main[()], case.values.reshape(main.shape))


@pytest.mark.parametrize("make", [*linking.HDF5, *linking.PLAIN])
def test_nothing_is_wrong_with_it(tmp_path: Path, make: Make) -> None:
    path = link(tmp_path, make(tmp_path / "raw"))
    assert validate(path, data=True, external=False).findings == ()


@pytest.mark.parametrize(
    "make", [linking.zigzag, linking.modules, linking.numbers, linking.single_frame_files]
)
def test_validators_of_others_need_no_exception_for_it(tmp_path: Path, make: Make) -> None:
    report = validate(link(tmp_path, make(tmp_path / "raw")))
    assert report.findings == ()
    assert not [one for one in report.suppressed if "mappings" in one.reason]


def test_a_linked_scan_is_the_same_as_its_copy(tmp_path: Path) -> None:
    case = linking.modules(tmp_path / "raw")
    linked = read_scan(link(tmp_path, case))
    copied = read_scan(write_scan(case.scan(), tmp_path / "copy.nxs"))
    np.testing.assert_array_equal(linked.signal[...], copied.signal[...])
    assert linked.signal.dtype == copied.signal.dtype
    assert list(linked.axes) == list(copied.axes)
    for name, axis in linked.axes.items():
        np.testing.assert_array_equal(axis.values, copied.axes[name].values)
    assert linked.raw_metadata.headers[3] == copied.raw_metadata.headers[3]
    assert linked.provenance.sources == copied.provenance.sources
    assert set(linked.counters) == set(copied.counters)


def test_no_byte_of_a_frame_is_in_it(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2**16, (40, 200, 100), "u2")
    frames = linking.stored(tmp_path / "raw" / "large.h5", values)
    path = link(tmp_path, Case(VirtualSignal.of([frames]), values))
    assert path.stat().st_size < values.nbytes / 16


def test_dark_and_flat_frames_and_a_second_detector_are_linked_too(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    case = linking.zigzag(raw)
    scan = case.scan()
    scan.signals["eiger"] = linking.zigzag_of_single_frame_files(raw).signal
    scan.dark = VirtualSignal.of([linking.stored(raw / "dark.h5", linking.DATA[:2])])
    scan.flat = VirtualSignal.of([linking.plain(raw / "flat.edf", linking.DATA[2:5])])
    path = write_linked(scan, tmp_path / "linked.nxs", UUID)
    found = read_scan(path)
    assert list(found.signals) == ["pco", "eiger"]
    np.testing.assert_array_equal(found.signals["eiger"][...], case.values)
    assert found.dark is not None
    assert found.flat is not None
    np.testing.assert_array_equal(found.dark[...], linking.DATA[:2])
    np.testing.assert_array_equal(found.flat[...], linking.DATA[2:5])
    assert validate(path, external=False).findings == ()


def test_values_of_plain_bytes_keep_the_byte_order_of_the_file(tmp_path: Path) -> None:
    values = linking.DATA[:4]
    frames = linking.plain(tmp_path / "raw" / "big.edf", values, ">u2")
    path = link(tmp_path, Case(VirtualSignal.of([frames]), values))
    with h5py.File(path) as file:
        assert file[PLACE].dtype == np.dtype(">u2")
        assert not file[PLACE].is_virtual
    found = read_scan(path).signal
    assert found.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(found[2], values[2])


def test_frames_that_follow_each_other_take_one_mapping(tmp_path: Path) -> None:
    with h5py.File(link(tmp_path, linking.one_file(tmp_path / "raw"))) as file:
        (source,) = file["linked_frames/instrument/pco/frames"].virtual_sources()
        assert source.file_name == "../raw/50%% é.h5"


def test_sources_may_lie_above_as_processed_data_have_raw_data(tmp_path: Path) -> None:
    case = linking.grid(tmp_path / "RAW_DATA")
    path = write_linked(case.scan(), tmp_path / "PROCESSED_DATA" / "s" / "linked.nxs", UUID)
    with h5py.File(path) as file:
        assert {source.file_name for source in file[PLACE].virtual_sources()} == {"."}
        beside = file["linked_frames/instrument/pco/frames"]
        names = {source.file_name for source in beside.virtual_sources()}
        assert names == {f"../../RAW_DATA/part_{k}.h5" for k in range(4)}
        np.testing.assert_array_equal(file[PLACE][()], case.values)


def test_a_virtual_dataset_of_others_leads_on_to_the_originals(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    case = linking.four_files(raw)
    joined = h5py.VirtualLayout((12, 6, 5), "u2")
    for k in range(4):
        source = h5py.VirtualSource(f"part_{k}.h5", "/data", (3, 6, 5))
        joined[3 * k : 3 * k + 3] = source
    with h5py.File(raw / "joined.h5", "w") as file:
        file.create_virtual_dataset("all", joined)
    scan = case.scan()
    scan.signals = {"pco": HDF5Signal(raw / "joined.h5", "/all", 1)}
    path = write_linked(scan, tmp_path / "linked.nxs", UUID)
    (raw / "joined.h5").unlink()
    np.testing.assert_array_equal(read_scan(path).signal[...], linking.DATA)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file[PLACE][()], linking.DATA)


def test_pyusid_opens_the_linked_frames(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyusid = pytest.importorskip("pyUSID")
        case = linking.zigzag_of_single_frame_files(tmp_path / "raw")
        with h5py.File(link(tmp_path, case)) as file:
            dataset = pyusid.USIDataset(file[USID_MAIN])
            dataset.toggle_sorting()
            found = np.asarray(dataset.get_n_dim_form())
    np.testing.assert_array_equal(found.reshape(case.values.shape), case.values)


def test_signals_in_memory_cannot_be_linked_to(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"ArraySignal.*cannot be linked.*--copy"):
        write_linked(make_scan()[0], tmp_path / "linked.nxs", UUID)
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_pass_the_check_is_not_kept(tmp_path: Path) -> None:
    seen = []

    def refuse(path: Path) -> None:
        seen.append(path.parent)
        np.testing.assert_array_equal(read_scan(path).signal[...], linking.DATA)
        raise OutputError("not valid")

    case = linking.one_file(tmp_path / "raw")
    with pytest.raises(OutputError, match="not valid"):
        write_linked(case.scan(), tmp_path / "out" / "linked.nxs", UUID, check=refuse)
    assert seen == [tmp_path / "out"]
    assert list((tmp_path / "out").iterdir()) == []


def test_a_master_that_is_there_is_replaced_only_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "INLINE_LIMIT", 0)
    case, path = linking.grid(tmp_path / "raw"), tmp_path / "out" / "scan.nxs"
    write_scan(case.scan(), path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_linked(case.scan(), path, UUID)
    assert path.read_bytes() == before
    assert (path.parent / "scan_frames.h5").exists()
    write_linked(case.scan(), path, UUID, overwrite=True)
    assert [file.name for file in path.parent.iterdir()] == ["scan.nxs"]
    np.testing.assert_array_equal(read_scan(path).signal[...], case.values)


@pytest.mark.parametrize(("make", "count"), [(linking.modules, 5), (linking.zigzag, 4)])
def test_info_says_how_many_files_it_reads_from(tmp_path: Path, make: Make, count: int) -> None:
    assert f"virtual, from {count} files" in info(link(tmp_path, make(tmp_path / "raw")))


def test_the_raw_folder_stays_as_it_is(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    case = linking.modules(raw)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in raw.iterdir()}
    path = link(tmp_path, case)
    read_scan(path).signal[...]
    validate(path)
    assert {one: (one.stat().st_mtime_ns, one.read_bytes()) for one in raw.iterdir()} == before
