"""Whole validations: verdicts, refusals, crashes, reports."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscan.validate import Finding, Report, Suppressed, run, validate, with_punx
from nxscan.validate.contract import Check
from nxscan.validate.processes import run_script

needs_punx = pytest.mark.skipif(find_spec("punx") is None, reason="punx is not installed")
OWN = tuple(check for check in run.CHECKS if not check.apart)


class TestVerdicts:
    @needs_punx
    def test_right_file_passes_every_validator(self, make_scan):
        report = validate(make_scan(), data=True)
        assert report.findings == ()
        assert report.ok
        assert [check.name for check in report.checks if not check.ran] == []

    @pytest.mark.parametrize(
        ("name", "ok"),
        [
            ("punx_1998spheres.h5", False),
            ("punx_draft_1D_NXcanSAS.h5", False),
            ("punx_writer_1_3.hdf5", True),
            ("punx_writer_2_1.hdf5", True),
        ],
    )
    def test_published_verdict(self, shared_data, name, ok):
        report = validate(shared_data(f"validation/{name}"))
        assert report.ok is ok, report.text()
        assert not [f for f in report.findings if "crash" in f.rule]

    @needs_punx
    def test_published_count_of_punx_errors(self, shared_data, only):
        only("punx")
        report = validate(shared_data("validation/punx_1998spheres.h5"))
        assert [f.path for f in report.findings] == ["/sasentry_0", "/sasentry_1"]

    def test_files_are_left_as_they_are(self, make_scan):
        path = make_scan()
        files = sorted(path.parent.iterdir())
        for file in files:
            os.utime(file, ns=(10**18, 10**18))
            file.chmod(0o444)
        before = [file.read_bytes() for file in files]
        assert validate(path).ok
        assert sorted(path.parent.iterdir()) == files
        assert [file.stat().st_mtime_ns for file in files] == [10**18] * len(files)
        assert [file.read_bytes() for file in files] == before

    @pytest.mark.parametrize("locking", [False, True])
    def test_file_that_is_open_in_this_process(self, make_scan, locking, only):
        only("nxscan", "silx", "nexusformat")
        path = make_scan()
        with h5py.File(path, "r", locking=locking):
            assert validate(path).ok

    def test_findings_lost_by_nexusformat_are_found(self, foreign, only):
        only("nexusformat")
        path = foreign()
        with h5py.File(path, "r+") as file:
            outer = file.create_group("entry/outer")
            inner = outer.create_group("inner")
            for group in (outer, inner):
                group.attrs["NX_class"] = "NXparameters"
            outer["mu chi"] = 1
            inner["9mu"] = 1
        found = [f.path for f in validate(path).findings if f.source == "nexusformat"]
        assert found == ["/entry/outer/inner/9mu", "/entry/outer/mu chi"]

    def test_nexusformat_crash_is_a_finding(self, foreign, only):
        only("nexusformat")
        path = foreign()
        with h5py.File(path, "r+") as file:
            file["entry/data/mu"].attrs["target"] = "/entry/gone"
        found = [f for f in validate(path).findings if f.source == "nexusformat"]
        assert [(f.severity, f.rule) for f in found] == [("error", "validator crash")]
        assert "/entry/gone" in found[0].message

    def test_unknown_application_definition(self, foreign, only):
        only("nexusformat")
        path = foreign()
        with h5py.File(path, "r+") as file:
            file["entry/definition"] = "NXnothing"
        (found,) = validate(path).findings
        assert (found.path, found.rule) == ("/entry", "application definition")
        assert "NXnothing" in found.message

    def test_undefined_names_and_missing_units(self, foreign, only):
        only("nexusformat")
        path = foreign()
        with h5py.File(path, "r+") as file:
            detector = file.create_group("entry/instrument/pco")
            detector.attrs["NX_class"] = "NXdetector"
            file["entry/instrument"].attrs["NX_class"] = "NXinstrument"
            file["entry"].attrs["colour"] = "blue"
            detector["exposure"] = 1.0
        found = {f.path: f.message for f in validate(path).findings}
        assert found["/entry@colour"] == "this attribute is not defined in NXentry"
        assert found["/entry/instrument/pco/exposure"].startswith("This field is not defined")


class TestPunx:
    @needs_punx
    def test_configuration_of_the_user_is_not_touched(self, foreign, monkeypatch, tmp_path, only):
        only("punx")
        config = tmp_path / "config"
        config.mkdir()
        monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
        monkeypatch.setenv("HOME", str(config))
        assert validate(foreign()).ok
        assert list(config.iterdir()) == []

    def test_missing_punx_is_said_and_does_not_fail(self, foreign, monkeypatch, only):
        only("punx", "nxscan")
        monkeypatch.setattr(with_punx, "find_spec", lambda name: None)
        report = validate(foreign())
        (punx,) = [check for check in report.checks if check.source == "punx"]
        assert report.ok
        assert not punx.ran
        assert "pip install 'nxscan[punx]'" in report.text()

    @needs_punx
    def test_crash_is_a_finding(self, make_scan, only):
        only("punx")
        path = make_scan()
        path.with_name("scan_frames.h5").unlink()
        found = [f for f in validate(path).findings if f.source == "punx"]
        assert [f.rule for f in found] == ["validator crash"]


class TestRefusals:
    def refused(self, path: Path) -> str:
        report = validate(path)
        assert not report.ok
        (found,) = report.findings
        assert (found.severity, found.rule) == ("error", "readable HDF5 file")
        assert found.hint
        return found.message

    def test_missing(self, tmp_path):
        assert "there is no file" in self.refused(tmp_path / "none.nxs")

    def test_folder(self, tmp_path):
        assert "folder" in self.refused(tmp_path)

    def test_empty(self, tmp_path):
        (tmp_path / "empty.nxs").touch()
        assert "0 bytes" in self.refused(tmp_path / "empty.nxs")

    def test_not_hdf5(self, tmp_path):
        (tmp_path / "frame.edf").write_bytes(b"{\nHeaderID = EH:000001:000000:000000 ;")
        assert "not an HDF5 file" in self.refused(tmp_path / "frame.edf")

    def test_truncated(self, make_scan):
        path = make_scan(beside=False)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        assert "cut off" in self.refused(path)

    def test_no_permission(self, foreign, monkeypatch):
        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        path = foreign()
        monkeypatch.setattr(Path, "open", refuse)
        assert "may not be read" in self.refused(path)


class TestCrashes:
    def test_crash_of_a_check_is_a_finding_and_what_it_found_is_kept(self, foreign, monkeypatch):
        def crashing(target):
            yield Finding("note", "/entry", "first", "found before")
            raise KeyError("gone")

        checks = (Check("fragile", "silx", crashing), *OWN)
        monkeypatch.setattr(run, "CHECKS", checks)
        report = validate(foreign())
        crash, note = report.findings
        assert note.message == "found before"
        assert (crash.severity, crash.source) == ("error", "silx")
        assert "'fragile' stopped with KeyError" in crash.message
        assert len(report.checks) == len(checks)

    def test_process_that_ends_with_an_error(self, tmp_path):
        with pytest.raises(RuntimeError, match="ended with status"):
            run_script("no_such_script.py", tmp_path)

    def test_plot_that_silx_cannot_draw(self, foreign, only):
        only("silx")
        path = foreign(signal="nothing")
        found = [f for f in validate(path).findings if f.source == "silx"]
        assert {f.path for f in found} == {"/", "/entry/data"}


class TestReport:
    def test_text_groups_alike_findings(self):
        alike = tuple(Finding("warning", f"/entry/f{k}", "units", "no", "do") for k in range(9))
        report = Report(Path("scan.nxs"), (Finding("error", "/", "r", "broken"), *alike))
        text = report.text()
        assert "scan.nxs: NOT VALID (1 error, 9 warnings, 0 notes)" in text
        assert text.count("→ do") == 1
        assert "… and 4 more" in text
        assert "/entry/f8" in report.text(all=True)

    def test_known_false_positives_are_shown_when_asked_for(self):
        aside = Suppressed(Finding("note", "/Raw", "name", "upper"), "USID asks for it")
        report = Report(Path("scan.nxs"), (), (aside,))
        assert report.ok
        assert "1 known false positive set aside, --all" in report.text()
        assert "USID asks for it" not in report.text()
        assert "USID asks for it" in report.text(all=True)

    def test_notes_do_not_fail(self):
        assert Report(Path("f"), (Finding("note", "/", "r", "m"),)).ok
        assert not Report(Path("f"), (Finding("warning", "/", "r", "m"),)).ok

    def test_json_says_the_same(self, foreign, only):
        only("nxscan")
        path = foreign()
        with h5py.File(path, "r+") as file:
            file["entry/data/mu"].attrs["units"] = "degrie"
            file["entry/data/wrong"] = np.zeros(3)
            file["entry/data"].attrs["wrong_indices"] = [0]
        report = validate(path)
        read = json.loads(json.dumps(report.to_dict()))
        assert read["ok"] is False
        assert [f["severity"] for f in read["findings"]] == ["error", "warning"]
        assert read["findings"][0]["path"] == "/entry/data/wrong"
        assert {check["name"] for check in read["checks"]} == {check.name for check in run.CHECKS}
