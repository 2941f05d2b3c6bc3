"""``nxscan translate``: choices, outputs, refusals."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import h5py
import pytest

import nxscan
from nxscan import targets
from nxscan.validate import Finding, Report

CHECK = targets._check


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare these tests the validators, which take most of the time of a small scan."""
    monkeypatch.setattr(targets, "_check", lambda path: None)


def test_one_scan_goes_to_the_named_file_and_its_name_to_stdout(nxscan_, source, elsewhere):
    ended = nxscan_("translate", source("rocking 3"), "-o", "scan.nxs")
    assert (ended.status, ended.out, ended.err) == (0, "scan.nxs\n", "")
    assert [path.name for path in elsewhere.iterdir()] == ["scan.nxs"]


def test_folders_on_the_way_to_the_output_are_made(nxscan_, source, elsewhere):
    assert nxscan_("translate", source("rocking 3"), "-o", "new/deep/scan.nxs").status == 0
    assert (elsewhere / "new/deep/scan.nxs").is_file()


def test_a_folder_as_output_gets_a_file_named_after_the_scan(nxscan_, source, elsewhere):
    ended = nxscan_("translate", source("rocking 3"), "-o", "out/")
    assert ended.status == 0
    assert (elsewhere / "out" / "rocking.nxs").is_file()


def test_several_scans_without_a_choice_are_refused_with_the_list(nxscan_, source, elsewhere):
    ended = nxscan_("translate", source("first 3", "second 5"), "-o", "scan.nxs")
    assert ended.status == 1
    assert ended.err.startswith("error: ")
    for part in ("first", "second", "5 frames of 4 × 5 uint16", "--scan N", "--scans all"):
        assert part in ended.err
    assert list(elsewhere.iterdir()) == []


def test_scan_chooses_one(nxscan_, source):
    path = source("first 3", "second 5")
    assert nxscan_("translate", path, "-o", "scan.nxs", "--scan", "2").status == 0
    assert "second" in nxscan_("info", "scan.nxs").out


@pytest.mark.parametrize(
    ("wanted", "made"),
    [("all", {"a", "b", "c"}), ("2-3", {"b", "c"}), ("1,3", {"a", "c"}), ("2", {"b"})],
)
def test_scans_chooses_several_one_master_each(nxscan_, source, elsewhere, wanted, made):
    path = source("a 2", "b 3", "c 4")
    ended = nxscan_("translate", path, "-o", "out", "--scans", wanted)
    assert ended.status == 0, ended.err
    assert {path.stem for path in (elsewhere / "out").iterdir()} == made
    assert len(ended.out.splitlines()) == len(made)


def test_several_scans_do_not_go_to_a_file_name(nxscan_, source, elsewhere):
    ended = nxscan_("translate", source("a 2", "b 3"), "-o", "out.nxs", "--scans", "all")
    assert ended.status == 1
    assert "such as out/" in ended.err
    assert list(elsewhere.iterdir()) == []


def test_scans_of_the_same_title_get_their_numbers(nxscan_, source, elsewhere):
    nxscan_("translate", source("same 2", "same 3", "other 2"), "-o", "out", "--scans", "all")
    names = sorted(path.name for path in (elsewhere / "out").iterdir())
    assert names == ["other.nxs", "same_1.nxs", "same_2.nxs"]


def test_identical_masters_are_kept_and_only_new_scans_written(nxscan_, source, elsewhere):
    path = source("a 2", "b 3")
    nxscan_("translate", path, "-o", "out", "--scans", "1")
    before = (elsewhere / "out/a.nxs").stat().st_mtime_ns
    ended = nxscan_("translate", path, "-o", "out", "--scans", "all")
    assert ended.status == 0, ended.err
    assert "a.nxs is there already" in ended.err
    assert (elsewhere / "out/a.nxs").stat().st_mtime_ns == before
    assert (elsewhere / "out/b.nxs").is_file()


def test_masters_made_with_other_options_are_refused_before_anything_is_written(
    nxscan_, source, elsewhere
):
    path = source("a 2", "b 3")
    nxscan_("translate", path, "-o", "out", "--scans", "1")
    ended = nxscan_("translate", path, "-o", "out", "--scans", "all", "--partial")
    assert ended.status == 1
    assert "a.nxs exists already" in ended.err
    assert not (elsewhere / "out/b.nxs").exists()


def test_masters_of_changed_sources_are_refused(nxscan_, source):
    path = source("a 2", "b 3")
    nxscan_("translate", path, "-o", "out", "--scans", "all")
    path.write_text("a 2\nb 4", encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    ended = nxscan_("translate", path, "-o", "out", "--scans", "all")
    assert ended.status == 1
    assert "--overwrite" in ended.err


def test_a_scan_that_fails_does_not_stop_the_others(nxscan_, source, elsewhere):
    path = source("a 2", "b 3 error", "c 4")
    ended = nxscan_("translate", path, "-o", "out", "--scans", "all")
    assert ended.status == 1
    assert "1 of 3 scans" in ended.err
    assert "scan 2 (b)" in ended.err
    assert {path.name for path in (elsewhere / "out").iterdir()} == {"a.nxs", "c.nxs"}


def test_an_existing_output_is_refused_and_left_alone(nxscan_, source, elsewhere):
    (elsewhere / "scan.nxs").write_bytes(b"mine")
    ended = nxscan_("translate", source("rocking 3"), "-o", "scan.nxs")
    assert ended.status == 1
    assert "scan.nxs exists already; pass --overwrite" in ended.err
    assert (elsewhere / "scan.nxs").read_bytes() == b"mine"


def test_overwrite_replaces_it(nxscan_, source, elsewhere):
    (elsewhere / "scan.nxs").write_bytes(b"mine")
    assert nxscan_("translate", source("rocking 3"), "-o", "scan.nxs", "--overwrite").status == 0
    assert h5py.is_hdf5(elsewhere / "scan.nxs")


@pytest.mark.parametrize("output", ["scan.nxs", "below/scan.nxs", "", "../raw/x.nxs"])
def test_nothing_is_written_into_the_source_folder(nxscan_, source, output):
    path = source("rocking 3")
    for given in (path, path.parent):
        ended = nxscan_("translate", given, "-o", path.parent / output, "--overwrite")
        assert ended.status == 1
        assert "source's folder" in ended.err
    assert list(path.parent.iterdir()) == [path]


def test_a_link_into_the_source_folder_is_seen_through(nxscan_, source, elsewhere):
    path = source("rocking 3")
    try:
        (elsewhere / "link").symlink_to(path.parent, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets no links be made")
    assert nxscan_("translate", path, "-o", "link/scan.nxs").status == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_name_that_viewers_do_not_take_for_hdf5_is_refused(nxscan_, source, elsewhere):
    ended = nxscan_("translate", source("rocking 3"), "-o", "scan.edf")
    assert ended.status == 1
    assert "scan.nxs" in ended.err
    assert list(elsewhere.iterdir()) == []


def test_errors_of_the_plan_are_all_told_and_nothing_is_written(nxscan_, source, elsewhere):
    ended = nxscan_("translate", source("bad 3 error error"), "-o", "scan.nxs")
    assert ended.status == 1
    assert ended.err.count("this error is in the file") == 2
    assert list(elsewhere.iterdir()) == []


def test_warnings_of_the_plan_are_told_and_notes_are_not(nxscan_, source):
    ended = nxscan_("translate", source("fair 3 warning note"), "-o", "scan.nxs")
    assert ended.status == 0
    assert ended.err == "warning: a.scan: this warning is in the file; change it\n"


def test_the_options_are_recorded_in_the_file(nxscan_, source, elsewhere):
    words = ("-o", "scan.nxs", "--axes", "mu=3", "--partial")
    assert nxscan_("translate", source("rocking 3"), *words).status == 0
    assert nxscan.open("scan.nxs").provenance.parameters.items() >= {
        ("axes", "mu=3"),
        ("partial", "yes"),
    }


def test_only_a_file_that_passes_validation_gets_its_name(nxscan_, source, elsewhere, monkeypatch):
    checked = []

    def refuse(path: Path, *, data: bool = False, external: bool = True) -> Report:
        checked.append(path)
        return Report(path, (Finding("error", "/entry/data", "made up", "the plot is empty"),))

    monkeypatch.setattr(targets, "_check", CHECK)
    monkeypatch.setattr(import_module("nxscan.validate.gate"), "validate", refuse)
    ended = nxscan_("translate", source("rocking 3"), "-o", "scan.nxs")
    assert ended.status == 1
    assert "/entry/data: the plot is empty" in ended.err
    assert checked[0] != elsewhere / "scan.nxs"
    assert list(elsewhere.iterdir()) == []
