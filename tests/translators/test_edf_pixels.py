"""EDF pixels: the same as fabio's, or refused."""

from __future__ import annotations

import gzip
import os
import pickle
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.translators.edf import file as edf_file
from nxscan.translators.edf import stream as edf_stream
from nxscan.translators.edf.file import read_frames
from nxscan.translators.edf.layout import DATA_TYPES
from nxscan.translators.edf.signal import EdfSignal

DTYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
SUFFIXES = [".edf", ".edf.gz", ".edf.bz2"]


def images(dtype: str, count: int, shape: tuple[int, ...] = (5, 7)) -> np.ndarray:
    rng = np.random.default_rng(count)
    raw = rng.integers(0, 256, (count, *shape, np.dtype(dtype).itemsize), np.uint8)
    if dtype[0] == "f":
        return rng.normal(size=(count, *shape)).astype(dtype)
    return raw.view(dtype)[..., 0]


def signal_of(*paths, shape=None) -> EdfSignal:
    places = [frame.place for path in paths for frame in read_frames(str(path))]
    return EdfSignal(places, (len(places),) if shape is None else shape)


def with_fabio(path) -> np.ndarray:
    import fabio

    with fabio.open(str(path)) as image:
        return np.array([image.get_frame(k).data for k in range(image.nframes)])


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("high", [False, True], ids=["low", "high"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_and_byte_order_reads_as_fabio_reads_it(
    dtype, high, suffix, frames, block, write, tmp_path
):
    stack = images(dtype, frames)
    path = write(tmp_path / f"a{suffix}", *(block(image, high=high) for image in stack))
    found = signal_of(path).read(...)
    assert found.dtype == np.dtype(dtype)
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, stack)
    np.testing.assert_array_equal(found, with_fabio(path))


@pytest.mark.parametrize("name", sorted(set(DATA_TYPES) - {"real"}))
def test_every_name_of_a_type_that_fabio_knows_means_the_same(name, block, write, tmp_path):
    from fabio.edfimage import DATA_TYPES as THEIRS

    spelled = {key.lower(): key for key in THEIRS}
    image = images("u1", 1, (4, 32))[0]
    size = 4 * 32 // np.dtype(DATA_TYPES[name]).itemsize
    keys = {"DataType": spelled[name], "Dim_1": size // 4, "Dim_2": 4}
    path = write(tmp_path / "a.edf", block(image, keys))
    theirs = with_fabio(path)
    found = signal_of(path).read(...)
    assert found.dtype == theirs.dtype
    assert found.tobytes() == theirs.tobytes()


def test_no_type_that_fabio_knows_is_missing():
    from fabio.edfimage import DATA_TYPES as THEIRS

    assert {key.lower() for key in THEIRS} <= set(DATA_TYPES)


def test_a_frame_is_a_new_writable_native_array_in_c_order(block, write, tmp_path):
    for suffix in SUFFIXES:
        path = write(tmp_path / f"a{suffix}", block(images("u2", 1)[0], high=True))
        signal = signal_of(path, shape=(1, 1))
        first, second = signal.read((0, 0)), signal.read((0, 0))
        assert first.flags.c_contiguous
        assert first.flags.writeable
        first[:] = 0
        np.testing.assert_array_equal(second, images("u2", 1)[0])


_INDEX = st.one_of(
    st.integers(-2, 1),
    st.builds(slice, st.none() | st.integers(-3, 3), st.none() | st.integers(-3, 3),
              st.none() | st.integers(1, 3)),
)  # fmt: skip


@pytest.fixture(scope="module")
def grid(block, write, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    stack = images("i2", 6, (3, 4))
    paths = [write(folder / f"{k}.edf", block(stack[k], high=k % 2 == 1)) for k in range(6)]
    return signal_of(*paths, shape=(2, 3)), stack.reshape(2, 3, 3, 4)


@given(parts=st.lists(_INDEX, max_size=4), dots=st.none() | st.integers(0, 4))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_basic_selection_is_what_numpy_selects(parts, dots, grid):
    signal, expected = grid
    selection = tuple(parts)
    if dots is not None and dots <= len(parts):
        selection = (*parts[:dots], ..., *parts[dots:])
    found = signal.read(selection)
    np.testing.assert_array_equal(found, expected[selection])
    assert found.shape == expected[selection].shape


@pytest.mark.parametrize(
    "selection", [2, (0, 3), (0, 0, 0, 4), (0,) * 5, (..., 0, ...), slice(None, None, -1)]
)
def test_a_selection_outside_is_an_index_error(selection, grid):
    with pytest.raises(IndexError):
        grid[0].read(selection)


def test_one_dimensional_frames_are_read(block, write, tmp_path):
    spectrum = np.arange(9, dtype=np.float32)
    signal = signal_of(write(tmp_path / "a.edf", block(spectrum)))
    assert signal.shape == (1, 9)
    np.testing.assert_array_equal(signal.read((0, slice(2, 5))), spectrum[2:5])


def test_a_pickled_signal_reads_the_same(block, write, tmp_path):
    path = write(tmp_path / "a.edf.gz", *(block(image) for image in images("f4", 3)))
    signal = signal_of(path)
    first = signal.read(0)
    copy = pickle.loads(pickle.dumps(signal))
    np.testing.assert_array_equal(copy.read(0), first)
    np.testing.assert_array_equal(copy.read(2), images("f4", 3)[2])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_threads_in_nearly_the_right_order_unpack_a_file_once(
    suffix, block, write, tmp_path, monkeypatch
):
    stack = images("u2", 40, (16, 16))
    signal = signal_of(write(tmp_path / f"a{suffix}", *(block(image) for image in stack)))
    opened = []
    unpack = edf_stream.unpacked
    monkeypatch.setattr(edf_stream, "unpacked", lambda *a: opened.append(a) or unpack(*a))
    order = [k ^ 3 for k in range(40)]  # 3 2 1 0 7 6 5 4 …
    with ThreadPoolExecutor(6) as pool:
        frames = list(pool.map(signal.read, order))
    np.testing.assert_array_equal(frames, stack[order])
    # once, and perhaps once more for a frame asked for after the file was finished
    assert len(opened) <= (0 if suffix == ".edf" else 2)


def test_frames_of_a_packed_file_can_be_read_backwards(block, write, tmp_path):
    stack = images("u2", 30, (4, 4))
    signal = signal_of(write(tmp_path / "a.edf.gz", *(block(image) for image in stack)))
    np.testing.assert_array_equal([signal.read(k) for k in range(29, -1, -1)], stack[::-1])


def test_many_packed_files_leave_few_open(block, write, tmp_path, monkeypatch):
    stack = images("u2", 12, (4, 4))
    paths = [write(tmp_path / f"{k}.edf.gz", block(stack[k]), block(stack[k])) for k in range(12)]
    signal = signal_of(*paths)
    open_now = set()

    def watched(path):
        file = open_raw(path)
        open_now.add(file)
        return file

    open_raw = edf_file.open_raw
    monkeypatch.setattr("nxscan.translators.edf.pixels.open_raw", watched)
    for k in range(0, 24, 2):
        signal.read(k)
    assert sum(not file.closed for file in open_now) <= 4
    del signal
    assert all(file.closed for file in open_now)


def test_gzip_members_one_after_the_other_are_one_file(block, tmp_path):
    stack = images("u2", 3)
    path = tmp_path / "lima.edf.gz"
    path.write_bytes(b"".join(gzip.compress(block(image)) for image in stack))
    np.testing.assert_array_equal(signal_of(path).read(...), stack)


@pytest.mark.parametrize(("name", "pack"), [("GZIP", gzip.compress), ("ZLIB", zlib.compress)])
def test_pixels_packed_inside_the_block_are_read_or_refused(name, pack, block, tmp_path):
    image = images("i4", 1, (20, 30))[0]
    head, pixels = block(image)[:512], pack(image.tobytes())

    def write(payload: bytes):
        keys = f"Compression = {name} ;\nEDF_BinarySize = {len(payload)} ;\n".encode()
        text = head.replace(b"Size = 2400 ;\n", keys)
        path = tmp_path / "a.edf"
        path.write_bytes(text + payload)
        return path

    np.testing.assert_array_equal(signal_of(write(pixels)).read(0), image)
    np.testing.assert_array_equal(with_fabio(write(pixels))[0], image)
    for damaged in (pixels[:-20], pack(image.tobytes()[:-4])):
        signal = signal_of(write(damaged))
        with pytest.raises(SourceError, match=r"a\.edf: frame 0"):
            signal.read(0)


def test_pixels_in_another_file_are_read_with_fabio_and_never_filled_with_zeros(block, tmp_path):
    image = images("u2", 1)[0]
    keys = {"EDF_BinaryFileName": "a.bin", "EDF_BinaryFilePosition": 10, "EDF_BinarySize": 0}
    path = tmp_path / "a.edf"
    path.write_bytes(block(image, keys | {"Size": 0})[:-70])
    (tmp_path / "a.bin").write_bytes(b"0123456789" + image.tobytes())
    signal = signal_of(path)
    np.testing.assert_array_equal(signal.read(0), image)
    (tmp_path / "a.bin").write_bytes(b"0123456789" + image.tobytes()[:-1])
    with pytest.raises(SourceError, match="expected 80 bytes or more, found 79"):
        signal.read(0)
    (tmp_path / "a.bin").unlink()
    with pytest.raises(SourceError, match=r"a\.bin"):
        signal.read(0)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_frame_that_is_cut_is_known_and_refused(suffix, block, write, tmp_path):
    image = images("u2", 1)[0]
    path = write(tmp_path / f"a{suffix}", block(image), block(image)[:-7])
    frames = read_frames(str(path))
    assert [frame.missing for frame in frames] == [0, 7]
    signal = EdfSignal([frame.place for frame in frames], (2,))
    np.testing.assert_array_equal(signal.read(0), image)
    with pytest.raises(SourceError, match="frame 1 is truncated: expected 70 bytes") as error:
        signal.read(1)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_header_that_is_cut_is_refused(suffix, block, write, tmp_path):
    path = write(
        tmp_path / f"a{suffix}", block(images("u2", 1)[0]), block(images("u2", 1)[0])[:200]
    )
    with pytest.raises(SourceError, match="frame 1: the header does not end"):
        read_frames(str(path))


def test_bytes_after_the_last_frame_that_are_no_header_are_refused(block, write, tmp_path):
    data = block(images("u2", 1)[0])
    assert len(read_frames(str(write(tmp_path / "a.edf", data, b"\0" * 9000 + b"\n")))) == 1
    with pytest.raises(SourceError, match="expected another header after frame 0"):
        read_frames(str(write(tmp_path / "b.edf", data, b"garbage")))


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.edf").touch()
    with pytest.raises(SourceError, match=r"a\.edf: the file is empty"):
        read_frames(str(tmp_path / "a.edf"))


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_a_corrupt_archive_is_refused_before_anything_is_read(suffix, block, write, tmp_path):
    path = write(tmp_path / f"a{suffix}", block(images("u2", 1, (64, 64))[0]))
    data = path.read_bytes()
    middle = len(data) // 2
    wrong_checksum = bytearray(data)
    wrong_checksum[-6 if suffix == ".edf.gz" else -4] ^= 0xFF
    flipped = data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :]
    for damaged in (data[:middle], data[:-4], bytes(wrong_checksum), flipped, data[:20]):
        path.write_bytes(damaged)
        with pytest.raises(SourceError) as error:
            read_frames(str(path))
        assert str(path) in str(error.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_changed_after_it_was_listed_is_refused(suffix, block, write, tmp_path):
    image = images("u2", 1)[0]
    path = write(tmp_path / f"a{suffix}", block(image))
    signal = signal_of(path)
    status = path.stat()
    write(path, block(image + 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    with pytest.raises(SourceError, match="has changed since it was listed"):
        signal.read(0)
    path.unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        signal.read(0)


def test_a_plain_frame_is_read_at_the_rows_that_are_asked_for(block, write, tmp_path, monkeypatch):
    image = images("u2", 1, (100, 50))[0]
    signal = signal_of(write(tmp_path / "a.edf", block(image)))
    asked = []
    read_into = __import__("nxscan.translators.edf.pixels", fromlist=["x"]).read_into
    monkeypatch.setattr(
        "nxscan.translators.edf.pixels.read_into",
        lambda file, offset, target, place: (
            asked.append(len(target)) or read_into(file, offset, target, place)
        ),
    )
    np.testing.assert_array_equal(signal.read((..., slice(10, 14), 7)), image[None, 10:14, 7])
    assert asked == [4 * 50 * 2]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("high", [False, True])
def test_rows_are_read_into_an_array_as_they_are_read(block, write, tmp_path, suffix, high):
    stack = images("u2", 3, (100, 50))
    blocks = [block(image, high=high) for image in stack]
    signal = signal_of(write(tmp_path / f"a{suffix}", *blocks))
    for rows in (slice(0, 100), slice(10, 64), slice(99, 100), slice(5, 5)):
        out = np.zeros((2, rows.stop - rows.start, 50), "<u2")
        signal.read_into((slice(1, 3), rows, ...), out)
        np.testing.assert_array_equal(out, stack[1:3, rows])
    assert signal.reads_rows == (suffix == ".edf" and not high)
