"""Which files make a scan, in which order, in which role."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.translate.series.names import find_role, split_name
from nxscan.translate.sources import expand
from nxscan.translators.edf import EdfTranslator
from nxscan.translators.edf.header import parse_header


def refs_of(source):
    return EdfTranslator().scans(expand(source))


def frame_values(scan):
    """Return the number that each stored frame holds."""
    return scan.signal.read((..., 0, 0)).ravel().tolist()


def messages(report, severity):
    return [str(problem) for problem in report.problems if problem.severity == severity]


def image(value=0, shape=(3, 4), dtype=np.uint16):
    return np.full(shape, value, dtype)


def test_files_with_one_stem_are_one_scan(block, write, tmp_path):
    for name in ("a_2.edf", "a_10.edf", "b_0.edf", "b.edf", "c0001.edf.gz", "c0002.edf.bz2"):
        write(tmp_path / name, block(image()))
    found = [(ref.number, ref.title, ref.frames) for ref in refs_of(tmp_path)]
    assert found == [("1", "a", 2), ("2", "b", 1), ("3", "b_0", 1), ("4", "c", 2)]


def test_a_listed_scan_says_what_it_holds(block, write, tmp_path):
    path = write(tmp_path / "a.edf", block(image(shape=(5, 6), dtype=np.float32)))
    (ref,) = refs_of(path)
    assert (ref.frames, ref.shape, ref.dtype, ref.detectors) == (
        1,
        (5, 6),
        "float32",
        ("detector",),
    )
    assert ref.size == path.stat().st_size
    assert ref.modified == pytest.approx(path.stat().st_mtime)
    assert ref.source == str(path)


def test_frames_follow_the_numbers_in_their_names(series, open_scan):
    scan, report = open_scan(series([{}] * 12, name="scan_{}.edf"))
    assert frame_values(scan) == list(range(12))
    assert list(scan.axes) == ["frame", "y", "x"]
    assert "ordered by file name" in " ".join(messages(report, "note"))


def test_an_image_number_that_repeats_or_jumps_orders_nothing(series, open_scan):
    headers = [{"Image": 5 - k, "run": (k * 7) % 3} for k in range(6)]
    scan, _ = open_scan(series(headers))
    assert frame_values(scan) == list(range(6))


@pytest.mark.parametrize("key", ["time_of_day", "time"])
def test_frames_follow_their_times_and_a_warning_says_so(key, series, open_scan):
    taken = [3, 0, 1, 2]
    headers = [
        {key: f"{1335447606 + t}.5" if key == "time_of_day" else f"Thu Apr 26 15:40:0{t} 2012"}
        for t in taken
    ]
    scan, report = open_scan(series(headers))
    assert frame_values(scan) == [1, 2, 3, 0]
    assert f"ordered by the time in {key}" in " ".join(messages(report, "note"))
    assert "4 frames lie elsewhere" in " ".join(messages(report, "warning"))


def test_equal_times_keep_the_order_of_the_names(series, open_scan):
    headers = [{"time": f"Thu Apr 26 15:40:0{k // 4} 2012"} for k in range(12)]
    scan, report = open_scan(series(headers))
    assert frame_values(scan) == list(range(12))
    assert not messages(report, "warning")


def test_a_time_that_some_frames_lack_is_not_used(series, open_scan):
    headers = [{"time_of_day": 100 - k} for k in range(4)] + [{}]
    scan, _ = open_scan(series(headers))
    assert frame_values(scan) == list(range(5))


def test_frames_of_many_files_of_many_frames_stay_in_order(block, write, tmp_path, open_scan):
    for k in range(3):
        write(tmp_path / f"m_{k}.edf.gz", *(block(image(4 * k + i)) for i in range(4)))
    scan, _ = open_scan(tmp_path)
    assert frame_values(scan) == list(range(12))
    assert [source.frames for source in scan.provenance.sources] == [4, 4, 4]


def test_scans_of_one_name_are_told_apart_by_their_scan_number(series, open_scan):
    folder = series([{"scan_no": 7 + k // 3} for k in range(6)])
    assert [(r.title, r.frames) for r in refs_of(folder)] == [
        ("scan scan_no 7", 3),
        ("scan scan_no 8", 3),
    ]
    scan, report = open_scan(folder, number=2)
    assert frame_values(scan) == [3, 4, 5]
    assert "told apart from others by scan_no = 8" in " ".join(messages(report, "note"))


def test_a_run_number_that_counts_files_tells_nothing_apart(series):
    assert len(refs_of(series([{"run": 900 + k} for k in range(6)]))) == 1


def test_scans_of_one_name_are_told_apart_by_a_lasting_change_of_shape(block, write, tmp_path):
    for k in range(6):
        write(tmp_path / f"a_{k}.edf", block(image(shape=(3, 4) if k < 4 else (2, 2))))
    assert [(r.frames, r.shape) for r in refs_of(tmp_path)] == [(4, (3, 4)), (2, (2, 2))]


@pytest.mark.parametrize("odd", [{"shape": (3, 5)}, {"dtype": np.int32}])
def test_one_frame_of_another_shape_or_type_is_an_error_that_names_it(
    odd, block, write, tmp_path, open_scan
):
    for k in range(6):
        write(tmp_path / f"a_{k}.edf", block(image(k, **(odd if k == 2 else {}))))
    _, report = open_scan(tmp_path)
    (error,) = messages(report, "error")
    assert "a_2.edf" in error
    assert "3 × 4 uint16" in error
    assert ("3 × 5 uint16" in error) or ("3 × 4 int32" in error)


def test_a_missing_file_number_is_an_error_unless_partial(series, open_scan):
    folder = series([{}] * 9)
    for k in (3, 6, 7):
        (folder / f"scan_{k:04d}.edf").unlink()
    _, report = open_scan(folder)
    (error,) = messages(report, "error")
    assert "3 file numbers are missing: 3, 6, 7" in error
    assert "--partial" in error
    scan, report = open_scan(folder, partial=True)
    assert frame_values(scan) == [0, 1, 2, 4, 5, 8]
    assert not report.errors
    assert "3 file numbers are missing" in " ".join(messages(report, "warning"))


def test_numbers_that_go_in_steps_or_at_will_are_no_gaps(series, block, write, tmp_path, open_scan):
    for name, numbers in (("even", range(0, 20, 2)), ("free", (1, 4, 9, 30, 77))):
        for k in numbers:
            write(tmp_path / name / f"a_{k}.edf", block(image()))
        assert not open_scan(tmp_path / name)[1].errors
    (tmp_path / "even" / "a_6.edf").unlink()
    assert "missing: 6" in str(open_scan(tmp_path / "even")[1].errors[0])


def test_a_frame_that_is_there_plain_and_packed_is_an_error(block, write, tmp_path, open_scan):
    for name in ("a_0.edf", "a_1.edf", "a_1.edf.gz"):
        write(tmp_path / name, block(image()))
    (error,) = open_scan(tmp_path)[1].errors
    assert "a_1.edf" in error.message
    assert "a_1.edf.gz" in error.where


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("dark.edf", "dark"), ("dark_0001.edf", "dark"), ("darkend0000.edf", "dark"),
        ("mySample_Dark_3.edf.gz", "dark"), ("darks.edf", "dark"),
        ("flat.edf", "flat"), ("ref0000_0720.edf", "flat"), ("refHST0000.edf", "flat"),
        ("FLAT_1.edf", "flat"), ("flatfield_2.edf", "flat"),
        ("reflection_1.edf", "scan"), ("darkling.edf", "scan"), ("inflate.edf", "scan"),
        ("dark_field_mosa_0001.edf", "scan"), ("darkfield_1.edf", "scan"), ("prefix.edf", "scan"),
    ],
)  # fmt: skip
def test_dark_and_flat_are_words_of_a_name(name, role):
    assert find_role(name, {}) == role


def test_a_header_can_say_the_role():
    header = parse_header(b"{ image_type = Dark ; }\n")
    assert find_role("scan_0001.edf", header.values) == "dark"
    assert find_role("dark.edf", parse_header(b"{ image_type = data ; }\n").values) == "scan"


@given(st.text(max_size=30))
def test_any_name_is_split(name):
    stem, number = split_name("folder/x" + name.replace("/", "_"))
    assert stem
    assert number is None or number >= 0


def test_dark_and_flat_frames_stay_beside_the_scan(block, write, tmp_path, open_scan):
    for k in range(4):
        write(tmp_path / f"scan_{k}.edf", block(image(k)))
    for k in range(2):
        write(tmp_path / f"dark_{k}.edf", block(image(90 + k)))
    write(tmp_path / "ref0000.edf", block(image(80)), block(image(81)), block(image(82)))
    assert len(refs_of(tmp_path)) == 1
    scan, report = open_scan(tmp_path)
    assert frame_values(scan) == [0, 1, 2, 3]
    assert scan.dark.shape == (2, 3, 4)
    assert scan.dark.read((slice(None), 0, 0)).tolist() == [90, 91]
    assert scan.flat.read((slice(None), 0, 0)).tolist() == [80, 81, 82]
    assert [scan.provenance.frames(role) for role in ("scan", "dark", "flat")] == [4, 2, 3]
    assert len(scan.raw_metadata.headers) == 9
    assert "2 dark frame(s) from dark_0.edf, dark_1.edf" in " ".join(messages(report, "note"))


def test_darks_of_another_shape_are_not_used_and_said_so(block, write, tmp_path, open_scan):
    write(tmp_path / "scan.edf", block(image()))
    write(tmp_path / "dark.edf", block(image(shape=(2, 2))))
    scan, report = open_scan(tmp_path)
    assert scan.dark is None
    (warning,) = messages(report, "warning")
    assert "dark.edf" in warning
    assert "2 × 2 uint16" in warning


def test_darks_alone_are_the_scan(block, write, tmp_path, open_scan):
    for k in range(3):
        write(tmp_path / f"dark_{k}.edf", block(image(k)))
    scan, report = open_scan(tmp_path)
    assert frame_values(scan) == [0, 1, 2]
    assert scan.dark is None
    assert "only dark frames" in " ".join(messages(report, "note"))


def test_dark_and_flat_given_by_hand_replace_those_found(block, write, tmp_path, open_scan):
    for k in range(5):
        write(tmp_path / "raw" / f"scan_{k}.edf", block(image(k)))
    write(tmp_path / "raw" / "dark.edf", block(image(90)))
    mine = write(tmp_path / "mine.edf", block(image(70)))
    last = tmp_path / "raw" / "scan_4.edf"
    scan, report = open_scan(tmp_path / "raw", dark=[mine], flat=[last])
    assert frame_values(scan) == [0, 1, 2, 3]
    assert scan.dark.read((0, 0, 0)) == 70
    assert scan.flat.read((0, 0, 0)) == 4
    assert not report.errors


def test_dark_given_by_hand_must_fit(block, write, tmp_path, open_scan):
    write(tmp_path / "scan.edf", block(image()))
    odd = write(tmp_path / "odd" / "d.edf", block(image(shape=(2, 2))))
    other = tmp_path / "odd" / "notes.txt"
    other.write_text("none")
    _, report = open_scan(tmp_path / "scan.edf", dark=[odd, other])
    errors = " ".join(messages(report, "error"))
    assert "d.edf is 2 × 2 uint16, expected 3 × 4" in errors
    assert "notes.txt is no EDF file" in errors


def test_other_files_in_the_folder_are_left_out_with_a_note(block, write, tmp_path, open_scan):
    write(tmp_path / "scan_0.edf", block(image()))
    (tmp_path / "scan.log").write_text("hello")
    scan, report = open_scan(tmp_path)
    assert scan.provenance.frames() == 1
    assert "left out: scan.log" in " ".join(messages(report, "note"))


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "scan.log").write_text("hello")
    with pytest.raises(SourceError, match=r"no EDF file among 1 files: .*scan\.log"):
        refs_of(tmp_path)


def test_every_damaged_file_is_named_once(block, write, tmp_path):
    for k in range(7):
        write(tmp_path / f"a_{k}.edf", block(image())[: 100 if k < 6 else None])
    with pytest.raises(SourceError) as error:
        refs_of(tmp_path)
    text = str(error.value)
    assert "6 files cannot be used" in text
    assert all(text.count(f"a_{k}.edf") == 1 for k in range(5))
    assert "and 1 more" in text


def test_truncated_frames_are_plan_errors(block, write, tmp_path, open_scan):
    for k in range(8):
        write(tmp_path / f"a_{k}.edf", block(image())[: None if k == 3 else -5])
    errors = messages(open_scan(tmp_path)[1], "error")
    assert "a_0.edf: frame 0 is truncated: expected 24 bytes of pixels, found 19" in errors[0]
    assert len(errors) == 6
    assert "and 2 more" in errors[-1]


def test_an_unreadable_file_is_refused_by_name(block, write, tmp_path, monkeypatch):
    from pathlib import Path

    path = write(tmp_path / "a.edf", block(image()))
    real = Path.open

    def refuse(self, *args, **kwargs):
        if self.name == "a.edf":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match=r"a\.edf: cannot be read: Permission denied"):
        refs_of(path)
