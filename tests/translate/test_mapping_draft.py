"""The first draft of a mapping is made from what is in the file, and translates simple ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import nxscan
from nxscan.cli import app
from nxscan.errors import OutputError, SourceError
from nxscan.inspection import write_new_mapping
from nxscan.translate.mapping import load_mapping

FRAMES = np.arange(5 * 20 * 30, dtype=np.uint16).reshape(5, 20, 30)


def _raw(path: Path, **content: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            file[name.replace("__", "/")] = value
    return path


def _simple(tmp_path: Path) -> Path:
    path = _raw(
        tmp_path / "raw" / "raw.h5",
        scan__camera__data=FRAMES,
        scan__mu__value=np.linspace(0, 1, 5),
        scan__epoch=np.array([3.0, 4.1, 5.5, 6.0, 9.0]),
        scan__mono__energy=8.979,
        scan__camera__distance=0.3,
    )
    with h5py.File(path, "a") as file:
        file["scan/mono/energy"].attrs["units"] = "keV"
        file["scan/mu/value"].attrs["units"] = "deg"
    return path


def test_a_draft_of_a_simple_file_translates_it(tmp_path: Path) -> None:
    raw = _simple(tmp_path)
    draft = write_new_mapping([raw], tmp_path / "mine.toml")
    out = nxscan.translate(raw, tmp_path / "scan.nxs", mapping=draft, link=False)
    scan = nxscan.open(out)
    assert scan.detector == "camera"
    assert [axis.name for axis in scan.main_axes()] == ["mu", "y", "x"]
    assert scan.axes["mu"].units == "degree"
    np.testing.assert_array_equal(scan.signal[...], FRAMES)
    energy = scan.metadata["instrument/beam/incident_energy"]
    assert (float(np.asarray(energy.value)), energy.units) == (8.979, "keV")


def test_what_is_not_sure_is_a_comment(tmp_path: Path) -> None:
    text = write_new_mapping([_simple(tmp_path)], tmp_path / "mine.toml").read_text()
    assert '# from = "camera/distance"  # 0.3' in text
    assert '# from = "epoch"  # 5 values, 3 … 9' in text


def test_frames_in_a_dataset_each_get_a_pattern_and_roles(tmp_path: Path) -> None:
    names = {f"g__img_{k:04d}.tif": FRAMES[0] for k in range(12)}
    names |= {f"g__dark_{k:04d}.tif": FRAMES[0] for k in range(2)}
    raw = _raw(tmp_path / "raw" / "raw.h5", **names)
    found = load_mapping(write_new_mapping([raw], tmp_path / "mine.toml"))
    assert [(s.role, s.sources[0].key) for s in found.signals] == [
        ("scan", "img_*.tif"),
        ("dark", "dark_*.tif"),
    ]
    assert nxscan.inspect(raw, mapping=tmp_path / "mine.toml").refs[0].frames == 12


def test_many_scans_get_one_pattern(tmp_path: Path) -> None:
    names = {f"{k}.1__data": FRAMES + k for k in range(1, 12)}
    raw = _raw(tmp_path / "raw" / "raw.h5", **names)
    found = load_mapping(write_new_mapping([raw], tmp_path / "mine.toml"))
    assert found.scans.groups == ("*.*",)
    refs = nxscan.inspect(raw, mapping=tmp_path / "mine.toml").refs
    assert [ref.number for ref in refs] == [f"{k}.1" for k in range(1, 12)]


def test_readings_named_as_axes_and_the_channel_axis(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    raw = shared_data("dls/savu_testfluo2.nxs")
    draft = write_new_mapping([raw], tmp_path / "mine.toml")
    found = nxscan.inspect(raw, mapping=draft)
    assert found.scan is not None
    assert [axis.name for axis in found.scan.main_axes()] == ["y", "x", "energy"]
    assert found.scan.signal.shape == (18, 18, 512)


@pytest.mark.parametrize(
    "name",
    [
        "bliss/darling_id03_energy_scan_110_5pct_layer_0.h5",
        "bliss/hc2103/PTO_STO_SL_0001.h5",
        "dls/hdfmap_1040323.nxs",
        "dls/hdfmap_i06-353130.nxs",
        "frames_per_dataset/dxchange_read_stack.h5",
        "mda/2xfm_0011_2xfm3__0.h5",
        "usid/SingFreqPFM_0003_7dede48.h5",
        "validation/punx_writer_1_3.hdf5",
        "validation/punx_1998spheres.h5",
    ],
)
def test_drafts_of_real_files_can_be_read(
    name: str, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    found = load_mapping(write_new_mapping([shared_data(name)], tmp_path / "mine.toml"))
    assert found.signals


def test_odd_names_and_texts_do_not_break_the_draft(tmp_path: Path) -> None:
    raw = _raw(
        tmp_path / "raw" / 'a "b" #c.h5',
        **{'we"ird \\ name\n#x__data': FRAMES, "q__sample__name": 'x"""\n[[signal]]\n'},
    )
    found = load_mapping(write_new_mapping([raw], tmp_path / "mine.toml"))
    assert found.signals[0].sources[0].key.endswith("data")


def test_a_file_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "mine.toml"
    target.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        write_new_mapping([_simple(tmp_path)], target)
    assert target.read_text() == "precious"


@pytest.mark.parametrize("content", [{"a": 1.0, "b": "text"}, {"t": np.arange(5.0)}])
def test_a_file_without_frames_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    raw = _raw(tmp_path / "raw" / "raw.h5", **content)
    with pytest.raises(SourceError, match="no numeric dataset that may be frames"):
        write_new_mapping([raw], tmp_path / "mine.toml")
    assert not (tmp_path / "mine.toml").exists()


def test_what_is_no_hdf5_is_refused(tmp_path: Path) -> None:
    (tmp_path / "some.edf").write_bytes(b"{\n}\n")
    with pytest.raises(SourceError, match="is no HDF5 file"):
        write_new_mapping([tmp_path / "some.edf"], tmp_path / "mine.toml")


def test_inspect_writes_the_draft_and_says_where(tmp_path: Path) -> None:
    target = tmp_path / "mine.toml"
    command = ["inspect", str(_simple(tmp_path)), "--new-mapping", str(target)]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 0, found.output
    assert found.output.strip() == str(target)
    assert CliRunner().invoke(app, command).exit_code == 1
