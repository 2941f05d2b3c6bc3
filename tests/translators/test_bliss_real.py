"""Files that BLISS wrote at the ESRF, against the values of their index and h5py."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.errors import PlanError
from nxscan.translate.mapping import parse_mapping

MASTER = "bliss/hc2103/PTO_STO_SL_0001.h5"
SERIES = "bliss/darling_id03_energy_scan_110_5pct_layer_0.h5"
MAPPING = 'name = "series"\n[scans]\njoin = "instrument/positioners/ccmth"\n'


def test_a_real_master_is_listed_with_its_command_and_points(shared_data) -> None:
    (ref,) = nxscan.scans(shared_data(MASTER))
    assert (ref.number, ref.command) == ("20.1", "ascan eta 15.24 19.24 50 1")
    assert (ref.frames, ref.declared) == (51, 51)
    assert ref.started.startswith("2023-03-08T03:11:00")
    assert ref.detectors[0] == "mpx1x4"
    assert {"mon1", "mpx1x4_roi1", "eta_enc"} <= set(ref.detectors)
    assert len(ref.detectors) == 46  # 47 entries under measurement, one of them the motor


def test_a_real_detector_whose_frames_are_not_there_is_refused_by_name(
    shared_data, tmp_path: Path
) -> None:
    with pytest.raises(PlanError) as caught:
        nxscan.translate(shared_data(MASTER), tmp_path / "o.nxs")
    assert "'mpx1x4'" in str(caught.value)
    assert "scan0020/mpx1x4_0000.h5" in str(caught.value)
    assert not (tmp_path / "o.nxs").exists()


@pytest.mark.parametrize("link", [True, False])
def test_real_counters_are_scans_of_their_own(shared_data, tmp_path: Path, link: bool) -> None:
    source = shared_data(MASTER)
    output = nxscan.translate(source, tmp_path / "o.nxs", detector="mpx1x4_roi1", link=link)
    scan = nxscan.open(output)
    values = scan.signal[...]
    assert values.sum() == 1635130
    assert values.argmax() == 43
    eta = scan.axes["eta"]
    np.testing.assert_allclose(eta.values[[0, -1]], [15.2422, 19.2422], atol=5e-5)
    assert eta.units == "deg"
    with h5py.File(source) as file:
        np.testing.assert_array_equal(scan.counters["mon1"].value, file["20.1/measurement/mon1"])
        positions = file["20.1/instrument/positioners"]
        still = [name for name in positions if positions[name].shape == ()]
        instrument = scan.metadata.groups["instrument"]
        kept = {
            str(group["name"].value): group["value"].value
            for group in instrument.groups.values()
            if group.nx_class == "NXpositioner"
        }
        assert len(still) == 143
        assert kept == {name: float(positions[name][()]) for name in still}
        np.testing.assert_array_equal(scan.readings["eta"].value, positions["eta"])
    assert len(kept) + len(scan.readings) == 144
    assert round(scan.metadata["instrument/beam/incident_energy"].value, 6) == 9.999998
    assert scan.metadata["instrument/beam/incident_wavelength"].value == pytest.approx(1.2398422)
    assert scan.metadata["instrument/source/current"].value == 72.814947
    assert scan.metadata["sample/name"].value == "m21027a"


def test_a_real_monitor_is_a_scan_too(shared_data) -> None:
    found = nxscan.inspect(shared_data(MASTER), detector="mon1")
    with h5py.File(shared_data(MASTER)) as file:
        np.testing.assert_array_equal(found.scan.signal[...], file["20.1/measurement/mon1"])
    assert found.scan.signal.units == "pC"


@pytest.mark.parametrize("link", [True, False])
def test_a_real_energy_series_is_one_scan_through_a_mapping(
    shared_data, tmp_path: Path, link: bool
) -> None:
    source, mapping = shared_data(SERIES), tmp_path / "series.toml"
    mapping.write_text(MAPPING)
    output = nxscan.translate(source, tmp_path / "o.nxs", mapping=mapping, link=link)
    scan = nxscan.open(output)
    assert [axis.name for axis in scan.main_axes()] == ["ccmth", "chi", "y", "x"]
    assert scan.signal.shape == (9, 62, 50, 70)
    assert int(scan.signal[...].sum(dtype=np.int64)) == 207943496
    chi, ccmth = scan.axes["chi"], scan.axes["ccmth"]
    assert (chi.units, ccmth.units) == ("degree", "degree")
    np.testing.assert_allclose(chi.values[[0, -1]], [-1, 3.88001285], rtol=1e-8)
    np.testing.assert_allclose(ccmth.values[[0, -1]], [5.922446354955158, 5.96244669025993])
    swept = scan.integrated["diffrz"]
    half = 0.5 * swept.width[0]
    assert (swept.values[0] - half, swept.values[0] + half) == (-1.5, 2.0)
    assert swept.units == "degree"
    with h5py.File(source) as file:
        one = file["110_5pct_layer_0_111_strain_energy_4_1.1/instrument/pco_ff/data"]
        np.testing.assert_array_equal(scan.signal[4, 17], one[17])


def test_the_mapping_of_a_real_series_asks_for_one_scan(shared_data) -> None:
    from nxscan.translators.bliss import BlissTranslator

    translator = BlissTranslator()
    assert len(translator.scans([shared_data(SERIES)])) == 9
    mapping = parse_mapping(MAPPING, "series.toml")
    (ref,) = translator.scans([shared_data(SERIES)], mapping)
    assert ref.frames == ref.declared == 558


def test_no_other_real_file_is_taken_for_a_master(shared_data) -> None:
    from nxscan.translators.bliss import BlissTranslator

    folder = shared_data("bliss").parent
    others = [path for path in folder.rglob("*") if path.is_file() and "bliss" not in path.parts]
    assert len(others) > 20
    assert [path.name for path in others if BlissTranslator().can_open(path)] == []
