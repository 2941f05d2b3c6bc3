"""nxscan's own checks, each with a file that is broken in one way."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscan.validate import own_default
from nxscan.validate.contract import Skip
from nxscan.validate.own_axes import axis_lengths
from nxscan.validate.own_default import default_plot
from nxscan.validate.own_layout import layout
from nxscan.validate.own_links import links
from nxscan.validate.own_sources import sources
from nxscan.validate.own_structure import structure
from nxscan.validate.own_units import units

OWN = [structure, links, sources, default_plot, axis_lengths, units, layout]
PARAMETERS = "entry/translation/parameters"


@pytest.mark.parametrize("check", OWN)
@pytest.mark.parametrize("beside", [True, False])
def test_right_file_has_no_findings(make_scan, findings_of, check, beside):
    assert findings_of(check, make_scan(beside=beside)) == []


@pytest.mark.parametrize("check", OWN)
@pytest.mark.parametrize(("shape", "rank"), [((), 0), ((6, 5), 0), ((4,), 1), ((4, 7), 1)])
def test_scans_of_few_dimensions_have_no_findings(make_scan, findings_of, check, shape, rank):
    frames = np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    assert findings_of(check, make_scan(frames, rank)) == []


class TestLinks:
    def test_missing_frames_file_is_named(self, make_scan, findings_of):
        path = make_scan()
        path.with_name("scan_frames.h5").unlink()
        (found,) = findings_of(links, path)
        assert (found.severity, found.path) == ("error", "/entry/instrument/pco/data")
        assert "scan_frames.h5" in found.message

    def test_namesake_in_the_working_directory_is_not_taken(
        self, make_scan, findings_of, monkeypatch, tmp_path
    ):
        path = make_scan()
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        path.with_name("scan_frames.h5").rename(elsewhere / "scan_frames.h5")
        monkeypatch.chdir(elsewhere)
        assert len(findings_of(links, path)) == 1

    def test_damaged_frames_file_is_named(self, make_scan, findings_of):
        path = make_scan()
        path.with_name("scan_frames.h5").write_bytes(b"no HDF5")
        (found,) = findings_of(links, path)
        assert "cannot be read" in found.message

    def test_object_missing_in_the_frames_file(self, make_scan, findings_of):
        path = make_scan()
        with h5py.File(path.with_name("scan_frames.h5"), "r+") as file:
            del file["entry/instrument/pco/data"]
        (found,) = findings_of(links, path)
        assert "no such object" in found.message

    @pytest.mark.parametrize("target", ["/entry/nowhere", "nowhere", "/entry/loop"])
    def test_soft_link_to_nowhere(self, make_scan, findings_of, target):
        path = make_scan()
        with h5py.File(path, "r+") as file:
            file["entry/loop"] = h5py.SoftLink(target)
        (found,) = findings_of(links, path)
        assert found.path == "/entry/loop"

    def test_relative_soft_link_that_leads_somewhere(self, make_scan, findings_of):
        path = make_scan()
        with h5py.File(path, "r+") as file:
            file["entry/again"] = h5py.SoftLink("data/mu")
        assert findings_of(links, path) == []


class TestSources:
    def test_missing_file_of_a_virtual_dataset(self, make_scan, findings_of):
        path = make_scan()
        path.with_name("scan_frames.h5").unlink()
        (found,) = findings_of(sources, path)
        assert found.path == "/Measurement_000/Channel_000/Raw_Data"
        assert "scan_frames.h5" in found.message

    def test_missing_dataset_and_one_that_became_shorter(self, tmp_path, findings_of):
        with h5py.File(tmp_path / "raw.h5", "w") as file:
            file["short"] = np.zeros(3)
        joined = h5py.VirtualLayout((10,), float)
        joined[:5] = h5py.VirtualSource(tmp_path / "raw.h5", "short", (5,), float)
        joined[5:] = h5py.VirtualSource("raw.h5", "gone", (5,), float)
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file.create_virtual_dataset("all", joined)
        messages = " ".join(f.message for f in findings_of(sources, tmp_path / "master.h5"))
        assert "short" in messages
        assert "(3,)" in messages
        assert "gone in raw.h5, which is not there" in messages

    def test_percent_in_a_name_is_doubled_in_hdf5(self, tmp_path, findings_of):
        with h5py.File(tmp_path / "5%.h5", "w") as file:
            file["data"] = np.zeros(5)
        virtual = h5py.VirtualLayout((5,), float)
        virtual[:] = h5py.VirtualSource("5%%.h5", "data", (5,), float)
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file.create_virtual_dataset("all", virtual)
        assert findings_of(sources, tmp_path / "master.h5") == []

    @pytest.mark.parametrize(("size", "count"), [(48, 0), (40, 1), (None, 1)])
    def test_bytes_of_an_external_file(self, tmp_path, findings_of, size, count):
        raw = tmp_path / "raw.bin"
        if size is not None:
            raw.write_bytes(bytes(size))
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file.create_dataset("data", (5,), "f8", external=[(str(raw), 8, 40)])
        found = findings_of(sources, tmp_path / "master.h5")
        assert len(found) == count
        assert all("raw.bin" in finding.message for finding in found)

    def test_relative_external_name_is_warned_of(self, tmp_path, findings_of):
        (tmp_path / "raw.bin").write_bytes(bytes(40))
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file.create_dataset("data", (5,), "f8", external=[("raw.bin", 0, 40)])
        (found,) = findings_of(sources, tmp_path / "master.h5")
        assert found.severity == "warning"


class TestDefaultPlot:
    @pytest.mark.parametrize(
        ("where", "name"), [("/", "nowhere"), ("entry", "nowhere"), ("entry", "instrument")]
    )
    def test_chain_to_nowhere(self, make_scan, findings_of, where, name):
        path = make_scan()
        with h5py.File(path, "r+") as file:
            file[where].attrs["default"] = name
        (found,) = findings_of(default_plot, path)
        assert found.severity == "error"

    def test_chain_in_a_circle(self, make_scan, findings_of):
        path = make_scan()
        with h5py.File(path, "r+") as file:
            file["entry"].attrs["default"] = "/entry"
        (found,) = findings_of(default_plot, path)
        assert "circle" in found.message

    def test_chain_through_a_process(self, make_scan, findings_of):
        path = make_scan()
        with h5py.File(path, "r+") as file:
            process = file.create_group("entry/moments_000")
            process.attrs.update({"NX_class": "NXprocess", "default": "maps"})
            process["maps"] = file["entry/data"]
            file["entry"].attrs["default"] = "moments_000"
        assert findings_of(default_plot, path) == []

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            (np.full((4, 3, 6, 5), np.nan), "finite"),
            (np.zeros((0, 3, 6, 5)), "shape"),
            (np.full((4, 3), b"text"), "not numbers"),
        ],
    )
    def test_plot_without_data(self, make_scan, findings_of, values, reason):
        path = make_scan(beside=False)
        with h5py.File(path, "r+") as file:
            del file["entry/instrument/pco/data"]
            file["entry/instrument/pco/data"] = values
        (found,) = findings_of(default_plot, path)
        assert found.severity == "error"
        assert reason in found.message

    def test_data_never_written(self, make_scan, findings_of):
        path = make_scan(beside=False)
        with h5py.File(path, "r+") as file:
            del file["entry/instrument/pco/data"]
            file.create_dataset("entry/instrument/pco/data", (4, 3, 6, 5), "u2", chunks=True)
        (found,) = findings_of(default_plot, path)
        assert "ever written" in found.message

    def test_one_finite_value_is_a_plot(self, make_scan, findings_of):
        frames = np.full((4, 3, 6, 5), np.nan)
        frames[2, 1, 3, 4] = 1.0
        assert findings_of(default_plot, make_scan(frames)) == []

    def test_frames_that_are_not_there(self, make_scan, findings_of):
        path = make_scan()
        path.with_name("scan_frames.h5").unlink()
        (found,) = findings_of(default_plot, path)
        assert "leads nowhere" in found.message

    def test_only_part_of_a_large_signal_is_read(self, make_scan, findings_of, monkeypatch):
        monkeypatch.setattr(own_default, "_MOST_VALUES", 50)
        frames = np.full((4, 3, 6, 5), np.nan)
        frames[3, 2] = 1.0
        assert findings_of(default_plot, make_scan(frames)) == []
        frames[3, 2] = np.nan
        assert len(findings_of(default_plot, make_scan(frames))) == 1

    def test_foreign_file_without_default_is_noted(self, foreign, findings_of):
        path = foreign()
        with h5py.File(path, "r+") as file:
            del file.attrs["default"]
        (found,) = findings_of(default_plot, path)
        assert found.severity == "note"
        assert "/entry/data" in found.message

    def test_own_file_without_default_is_wrong(self, make_scan, findings_of):
        path = make_scan()
        with h5py.File(path, "r+") as file:
            del file.attrs["default"]
        (found,) = findings_of(default_plot, path)
        assert found.severity == "error"


class TestAxisLengths:
    @pytest.mark.parametrize(("length", "count"), [(3, 1), (4, 1), (5, 0), (6, 0), (7, 1)])
    def test_n_values_or_n_plus_one_edges(self, foreign, findings_of, length, count):
        path = foreign()
        with h5py.File(path, "r+") as file:
            del file["entry/data/mu"]
            file["entry/data/mu"] = np.arange(float(length))
        found = findings_of(axis_lengths, path)
        assert len(found) == count
        assert all(f"({length},)" in finding.message for finding in found)

    def test_indices_say_which_dimension(self, make_scan, findings_of):
        path = make_scan()
        with h5py.File(path, "r+") as file:
            file["entry/data/mu_readings"] = np.zeros((4, 3))
            file["entry/data"].attrs["mu_readings_indices"] = [0, 1]
            file["entry/data/energy"] = np.zeros(3)
            file["entry/data"].attrs["energy_indices"] = [0]
        (found,) = findings_of(axis_lengths, path)
        assert found.path == "/entry/data/energy"

    def test_dimension_that_is_not_there(self, foreign, findings_of):
        (found,) = findings_of(axis_lengths, foreign(mu_indices=[1]))
        assert "signal has 1" in found.message

    @pytest.mark.parametrize("name", ["counts", "mu"])
    def test_null_dataspace_is_no_crash(self, foreign, findings_of, name):
        path = foreign()
        with h5py.File(path, "r+") as file:
            del file[f"entry/data/{name}"]
            file[f"entry/data/{name}"] = h5py.Empty("f8")
        found = findings_of(axis_lengths, path) + findings_of(default_plot, path)
        assert [finding.path for finding in found] == [f"/entry/data/{name}"]

    def test_scatter_has_several_axes_of_the_one_dimension(self, foreign, findings_of):
        path = foreign(axes=["mu", "chi"])
        with h5py.File(path, "r+") as file:
            file["entry/data/chi"] = np.arange(5.0)
        assert findings_of(axis_lengths, path) == []


class TestUnits:
    @pytest.mark.parametrize("unit", ["degree", "1/angstrom", "counts", "", b"mm"])
    def test_known(self, foreign, findings_of, unit):
        path = foreign()
        with h5py.File(path, "r+") as file:
            file["entry/data/mu"].attrs["units"] = unit
        assert findings_of(units, path) == []

    @pytest.mark.parametrize("unit", ["furlongs per fortnigt", "NX_ANY", 3])
    def test_unknown(self, foreign, findings_of, unit):
        path = foreign()
        with h5py.File(path, "r+") as file:
            file["entry/data/mu"].attrs["units"] = unit
        (found,) = findings_of(units, path)
        assert (found.severity, found.path) == ("warning", "/entry/data/mu@units")

    def test_each_unit_of_a_list(self, make_scan, findings_of):
        path = make_scan()
        with h5py.File(path, "r+") as file:
            channel = file["Measurement_000/Channel_000"]
            channel["Position_Values"].attrs["units"] = ["degree", "degrie"]
        (found,) = findings_of(units, path)
        assert "degrie" in found.message


class TestLayout:
    def change(self, path: Path, name: str, value: object) -> Path:
        with h5py.File(path, "r+") as file:
            del file[name]
            if value is not None:
                file[name] = value
        return path

    def test_newer_layout_is_refused_by_name(self, make_scan, findings_of):
        path = self.change(make_scan(), f"{PARAMETERS}/layout_version", 99)
        (found,) = findings_of(layout, path)
        assert "99" in found.message
        assert "upgrade" in found.hint

    def test_layout_version_that_is_no_number(self, make_scan, findings_of):
        path = self.change(make_scan(), f"{PARAMETERS}/layout_version", "new")
        assert len(findings_of(layout, path)) == 1

    def test_wrong_frame_count(self, make_scan, findings_of):
        path = self.change(make_scan(), f"{PARAMETERS}/raw_frames", 13)
        messages = [finding.message for finding in findings_of(layout, path)]
        assert messages == ["the translation recorded 13 raw frames, but the signal has 12"]

    def test_sources_that_hold_other_than_the_frames(self, make_scan, findings_of):
        path = self.change(make_scan(), "entry/translation/sources/frames", np.array([12, 1, 5]))
        (found,) = findings_of(layout, path)
        assert "13" in found.message

    def test_scan_rank_unknown(self, make_scan, findings_of):
        path = self.change(make_scan(), f"{PARAMETERS}/scan_rank", None)
        assert findings_of(layout, path) == []  # the checksums' shape says it
        path = self.change(path, f"{PARAMETERS}/frame_checksum", None)
        assert len(findings_of(layout, path)) == 1

    def test_frames_of_another_scan(self, make_scan, findings_of):
        path = make_scan()
        self.change(path.with_name("scan_frames.h5"), "entry/entry_identifier_uuid", "other")
        (found,) = findings_of(layout, path)
        assert "another scan" in found.message

    def test_frames_that_are_not_there(self, make_scan, findings_of):
        path = make_scan()
        path.with_name("scan_frames.h5").unlink()
        (found,) = findings_of(layout, path)
        assert found.path == "/entry/data"

    def test_foreign_file_is_skipped(self, foreign, findings_of):
        with pytest.raises(Skip):
            findings_of(layout, foreign())


class TestStructure:
    def test_file_without_entry_is_not_nexus(self, tmp_path, findings_of):
        path = tmp_path / "plain.h5"
        with h5py.File(path, "w") as file:
            file["data"] = 1
        (found,) = findings_of(structure, path)
        assert "not NeXus" in found.message

    def test_object_that_cannot_be_opened_is_named(self, make_scan, findings_of):
        path = make_scan(beside=False)
        with h5py.File(path, "r") as file:
            address = h5py.h5o.get_info(file["entry/data/mu"].id).addr
        damaged = bytearray(path.read_bytes())
        damaged[address : address + 8] = b"\xff" * 8
        path.write_bytes(damaged)
        assert "/entry/data/mu" in [finding.path for finding in findings_of(structure, path)]
