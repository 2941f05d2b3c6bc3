"""EDF headers: every byte kept, every key read, nothing invented."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.translators.edf.file import is_edf, read_frames
from nxscan.translators.edf.header import parse_header
from nxscan.translators.edf.layout import find_layout

IMAGE = np.arange(12, dtype=np.uint16).reshape(3, 4)


def only_frame(path: Path):
    (frame,) = read_frames(str(path))
    return frame


def test_the_header_is_kept_byte_for_byte(block, write, tmp_path):
    data = block(IMAGE, {"title": "a  b "})
    frame = only_frame(write(tmp_path / "a.edf", data))
    assert frame.header.raw == data[: -IMAGE.nbytes]
    assert len(frame.header.raw) % 512 == 0


@pytest.mark.parametrize(
    "start",
    [
        "{HeaderID = x ;\n",
        "{\nHeaderID = x ;\n",
        "{\r\nHeaderID=x;\r\n",
        " \n{ EDF_DataBlockID = 0.Image.Psd ;\n",
    ],
)
@pytest.mark.parametrize("end", ["}\n", "}\r\n"])
def test_ways_to_begin_and_end_a_header(start, end, tmp_path):
    text = f"{start}ByteOrder = LowByteFirst ; DataType = UnsignedShort; Dim_1=4;Dim_2 = 3;\n{end}"
    path = tmp_path / "odd"
    path.write_bytes(text.encode() + IMAGE.tobytes())
    assert is_edf(path)
    frame = only_frame(path)
    assert frame.header.raw == text.encode()
    assert frame.place.offset == len(text)
    assert frame.place.layout.shape == (3, 4)


def test_a_header_end_that_straddles_two_reads_is_found(tmp_path):
    for length in range(8186, 8196):
        head = (
            b"{\nByteOrder = LowByteFirst ;\nDataType = UnsignedShort ;\nDim_1 = 4 ;\nDim_2 = 3 ;\n"
        )
        raw = head.ljust(length) + b"}\r\n"
        path = tmp_path / f"{length}.edf"
        path.write_bytes(raw + IMAGE.tobytes())
        assert only_frame(path).header.raw == raw


def test_repeated_keys_are_all_kept():
    header = parse_header(b"{\nmono = 1 ;\nmono_2 = x ;\nmono = 2 ;\nmono = 3 ;\n}\n")
    assert header.values == {"mono": "1", "mono_2": "x", "mono_3": "2", "mono_4": "3"}
    assert header.repeated == ("mono", "mono")


def test_bytes_that_are_not_ascii_are_read():
    header = parse_header("{\ntemp = 20 °C ;\nwer = Jérôme ;\n}\n".encode())
    assert header.values == {"temp": "20 °C", "wer": "Jérôme"}
    latin = parse_header("{\ntemp = 20 °C ;\n}\n".encode("latin-1"))
    assert latin.values == {"temp": "20 °C"}


def test_semicolons_and_equal_signs_in_values_are_read_as_fabio_does(block, write, tmp_path):
    import fabio

    path = write(tmp_path / "a.edf", block(IMAGE, {"cmd": "a = 1; b=2; lost ; c = d = e"}))
    with fabio.open(str(path)) as image:
        theirs = dict(image.header)
    assert only_frame(path).header.values == theirs
    assert theirs["c"] == "d = e"


_TEXT = st.text(st.sampled_from(string.ascii_letters + string.digits + " _-./:()"), max_size=20)
_KEYS = st.dictionaries(_TEXT.map(str.strip).filter(bool), _TEXT.map(str.strip), max_size=12)


@given(keys=_KEYS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_keys_come_back_as_they_were_written(keys, block, tmp_path_factory):
    import fabio

    known = {"headerid", "image", "byteorder", "datatype", "dim_1", "dim_2", "size", "compression"}
    keys = {k: v for k, v in keys.items() if k.lower() not in known and k[:4].lower() != "dim_"}
    path = tmp_path_factory.mktemp("any") / "a.edf"
    path.write_bytes(block(IMAGE, keys))
    values = only_frame(path).header.values
    assert {key: values[key] for key in keys} == keys
    with fabio.open(str(path)) as image:
        assert dict(image.header) == values


_PIECES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"{\n", b"}\n", b"Dim_1 = 4 ;", b"Dim_2 = -1;", b"DataType = Double;",
                         b"ByteOrder = High ;", b"Size = 1e99 ;", b"EDF_HeaderSize = 512 ;",
                         b"EDF_DataFormatVersion = 2 ;", b"EDF_BinarySize = 99999999999999999999;",
                         b"Dim_1 = nan;", b"Compression = GZIP ;", b"\x1f\x8b", b"BZh9"]),
    ),
    max_size=20,
)  # fmt: skip


@given(pieces=_PIECES)
@settings(max_examples=300, deadline=2000, suppress_health_check=list(HealthCheck))
def test_any_bytes_end_in_frames_or_a_source_error(pieces, tmp_path):
    path = tmp_path / "any.edf"
    path.write_bytes(b"".join(pieces))
    frames, message = frames_or_message(path)
    assert str(path) in message or frames
    assert all(frame.header.raw in path.read_bytes() for frame in frames)


def frames_or_message(path: Path):
    try:
        return read_frames(str(path)), ""
    except SourceError as error:
        return [], str(error)


@given(raw=st.binary(max_size=200))
def test_any_block_is_parsed_or_refused(raw):
    try:
        header = parse_header(raw)
        find_layout(header, "any")
    except SourceError:
        return
    assert header.structure["DIM_1"]


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"DataType": "Complex"}, "DataType 'Complex'"),
        ({"ByteOrder": "Middle"}, "ByteOrder 'Middle'"),
        ({"Dim_1": 0}, "DIM_1"),
        ({"Dim_2": "many"}, "DIM_2"),
        ({"Dim_3": 5}, "(5, 3, 4)"),
        ({"Size": 20}, "says 20 bytes, the frame needs 24"),
        ({"dim_1": 5}, "DIM_1 twice"),
        ({"Compression": "BYTE_OFFSET"}, "BYTE_OFFSET"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_by_name(keys, what, block, write, tmp_path):
    path = write(tmp_path / "a.edf", block(IMAGE, keys))
    with pytest.raises(SourceError) as error:
        read_frames(str(path))
    assert str(path) in str(error.value)
    assert what in str(error.value)


def test_a_general_block_gives_defaults_to_the_frames(tmp_path):
    general = (
        b"{\nEDF_DataFormatVersion = 2.40 ;\nEDF_BinarySize = 0 ;\nexposure = 5 ;\nDim_2 = 3 ;\n"
    )
    general = general.ljust(510) + b"}\n"
    keys = b"EDF_DataBlockID = 1.Image.Psd ;\nEDF_BinarySize = 512 ;\nByteOrder = LowByteFirst ;\n"
    frame = (b"{\n" + keys + b"DataType = UnsignedShort ;\nDim_1 = 4 ;\n").ljust(510) + b"}\n"
    path = tmp_path / "a.edf"
    path.write_bytes(general + (frame + IMAGE.tobytes().ljust(512, b"\0")) * 2)
    frames = read_frames(str(path))
    assert [f.place.offset for f in frames] == [1024, 2048]
    assert frames[1].header.values["exposure"] == "5"
    assert frames[1].place.layout.shape == (3, 4)
    assert frames[1].header.raw == general + frame


@pytest.mark.parametrize("suffix", ["", ".txt"])
def test_files_of_other_formats_are_not_edf(suffix, tmp_path):
    for start in (
        b'{"a": 1}',
        b"{\nHEADER_BYTES=  512;\nDIM=2;\n",
        b"\x89HDF\r\n\x1a\n",
        b"",
        b"{ x = 1; }",
    ):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(start)
        assert not is_edf(path)
        assert read_frames(str(path)) is None
