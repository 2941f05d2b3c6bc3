"""SACLA runs: units, metadata, pulses, tables of positions, shots chosen, files written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.sacla import FIRST, LASER, energy_of, image_of, laser_of, write_run
from helpers.silx_window import silx_shows
from helpers.vendor import errors, linked_and_moved, open_scan, snapshot, translated, warnings_of

import nxscan
from nxscan.errors import PlanError, SourceError
from nxscan.hdf5.datasets import DatasetFrames
from nxscan.simulate.mpccd import Mpccd
from nxscan.simulate.sacla import sacla_run
from nxscan.simulate.sacla_cheetah import write_cheetah
from nxscan.simulate.sacla_file import write_sacla
from nxscan.translate.mapping import parse_mapping
from nxscan.translate.table import Table
from nxscan.translate.where import parse_where
from nxscan.translators.sacla import SaclaTranslator

HC = 12.398419843320026
"""h c in keV Å, from the SI's exact constants."""
DELAY = "bl_3/eh_4/laser/delay_line_motor_29"
PULSES = (
    'name = "mine"\n[motors]\ndelay_line_motor_29 = { units = "fs", factor = 6.5, offset = -13 }'
)
TAGS = [FIRST + 2 * k for k in range(12)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "raw" / "simulated.h5"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> tuple[Any, Path]:
    """A run of two panels that miss different tags, with its truth."""
    detector = Mpccd(panels=2, shape=(24, 32))
    missing = {"detector_2d_1": [FIRST + 6], "detector_2d_2": [FIRST + 10, FIRST + 12]}
    truth = sacla_run(tags=16, detector=detector, missing=missing, cameras=False, seed=3)
    return truth, write_sacla(truth, tmp_path_factory.mktemp("simulated") / "raw" / "run.h5")


def opened(path: Path, **options: Any) -> tuple[Any, Any]:
    return open_scan(SaclaTranslator(), path, **options)


def table(tags: list[int], **columns: Any) -> Table:
    numbers = {name: np.asarray(values, np.float64) for name, values in columns.items()}
    keys = {"tag_number": np.array(tags, np.int64)}
    exact = {"tag_number": keys["tag_number"].astype(np.float64)}
    return Table(name="scan.csv", columns=exact | numbers, keys=keys, motors=tuple(numbers))


def at(scan: Any, place: str) -> Any:
    return scan.metadata.get(place)


@pytest.mark.parametrize(
    ("column", "name", "units"),
    [
        ("bm_1_signal_in_coulomb", "bm_1_signal", "C"),
        ("bl_3/lh_1/electrical_delay_in_psec", "bl_3_lh_1_electrical_delay", "ps"),
        ("bl_3/eh_1/photodiode/photodiode_user_1_in_volt", None, "V"),
        ("bl_3/oh_2/bm_1_pulse_energy_in_joule", "bl_3_oh_2_bm_1_pulse_energy", "J"),
        ("bl_3/eh_2/attenuator_Al_thickness_in_meter", None, "m"),
        ("stage_in_micro_meter", "stage", "um"),
        ("mirror_in_degree", "mirror", "degree"),
        ("exposure_in_sec", "exposure", "s"),
        ("bl_3/oh_2/bm_1_horizontal", "bl_3_oh_2_bm_1_horizontal", None),
    ],
)
def test_units_at_the_end_of_names_become_units_and_the_name_is_kept(run, column, name, units):
    scan, _ = opened(write_run(run, TAGS, columns={column: np.linspace(0, 1, 12)}))
    (found,) = [one for one in scan.counters.values() if one.attributes["long_name"] == column]
    assert found.units == units
    if name is not None:
        assert scan.counters[name] is found


def test_a_missing_energy_stays_missing_and_the_mean_is_of_the_others(run):
    write_run(run, TAGS)
    with h5py.File(run, "r+") as file:
        file["run_206178/event_info/bl_3/oh_2/photon_energy_in_eV"][3] = np.nan
    scan, _ = opened(run)
    energy = scan.counters["bl_3_oh_2_photon_energy"].value
    assert np.flatnonzero(np.isnan(energy)).tolist() == [3]
    mean = np.mean([energy_of(tag) for k, tag in enumerate(TAGS) if k != 3]) / 1e3
    beam = "instrument/beam"
    np.testing.assert_allclose(at(scan, f"{beam}/incident_energy").value, mean, rtol=1e-12)
    np.testing.assert_allclose(at(scan, f"{beam}/incident_wavelength").value, HC / mean, rtol=1e-12)
    assert at(scan, f"{beam}/incident_wavelength").units == "angstrom"


def test_each_panel_is_described_in_its_units_and_where_it_stands(run):
    images = {"detector_2d_1": TAGS, "detector_2d_2": TAGS}
    scan, _ = opened(write_run(run, TAGS, images))
    for name in images:
        place = f"instrument/{name}"
        size = at(scan, f"{place}/x_pixel_size")
        assert (size.value, size.units) == (50.0, "um")
        assert at(scan, f"{place}/local_name").value == f"MPCCD-8-2-001-{name[-1]}"
        assert at(scan, f"{place}/parameters/absolute_gain").value == pytest.approx(16.912)
        rotation = at(scan, f"{place}/transformations/rotation")
        assert (rotation.value, rotation.units) == (-90.0, "degree")
        assert at(scan, f"{place}/depends_on").value == "transformations/rotation"
        assert at(scan, f"{place}/transformations/x").value == 100.0


def test_what_the_file_does_not_say_is_reported_and_a_mapping_says_it(run):
    _, report = opened(write_run(run, TAGS))
    assert "instrument/detector_2d_1/distance" in [one.target for one in report.missing]
    mine = parse_mapping(
        'name = "mine"\n[[field]]\ntarget = "instrument/detector/distance"\ndefault = 0.1\n'
        'units = "m"',
        "mine",
    )
    scan, _ = opened(run, mapping=mine)
    assert at(scan, "instrument/detector_2d_1/distance").value == 0.1


def test_pulses_become_what_the_mapping_says_and_may_be_the_axis(run):
    delay = np.repeat([0, 4, 8], 4)
    write_run(run, TAGS, columns={DELAY: delay})
    scan, _ = opened(run)
    assert scan.counters["bl_3_eh_4_laser_delay_line_motor_29"].units is None
    scan, report = opened(run, mapping=parse_mapping(PULSES, "mine"))
    assert errors(report) == []
    axis = scan.main_axes()[0]
    assert (scan.scan_shape, axis.units) == ((3, 4), "fs")
    np.testing.assert_array_equal(axis.values, [-13.0, 13.0, 39.0])
    expected = np.array([image_of(tag) for tag in TAGS]).reshape(3, 4, 4, 6)
    np.testing.assert_array_equal(scan.signal[...], expected)
    np.testing.assert_array_equal(scan.counters["tag_number"].value, np.reshape(TAGS, (3, 4)))
    laser = scan.counters["bl_3_lh_1_laser_pulse_selector_status"].value
    np.testing.assert_array_equal(laser.ravel(), [laser_of(tag) for tag in TAGS])


def test_a_factor_without_units_is_refused():
    with pytest.raises(nxscan.NxscanError, match="no units are given"):
        parse_mapping('name = "mine"\n[motors]\nm = { factor = 2.0 }', "mine")


def test_a_table_gives_the_grid_whatever_the_order_of_its_rows(run):
    write_run(run, TAGS)
    theta, delay = np.repeat([1.0, 2.0, 3.0], 4), np.tile([10.0, 20.0, 30.0, 40.0], 3)
    order = np.random.default_rng(1).permutation(12)
    rows = table([TAGS[k] for k in order], delay=delay[order], theta=theta[order])
    scan, report = opened(run, table=rows)
    assert errors(report) == warnings_of(report) == []
    assert [axis.name for axis in scan.main_axes()[:2]] == ["theta", "delay"]
    assert scan.scan_shape == (3, 4)
    np.testing.assert_array_equal(scan.counters["tag_number"].value, np.reshape(TAGS, (3, 4)))
    np.testing.assert_array_equal(scan.signal[1, 2], image_of(TAGS[6]))


def test_positions_that_are_no_grid_keep_tags_and_statuses_beside_them(run):
    write_run(run, TAGS)
    delay = np.random.default_rng(2).normal(size=12)
    scan, _ = opened(run, table=table(TAGS, delay=delay))
    assert scan.scan_shape == (12,)
    by_tag = dict(zip(TAGS, delay, strict=True))
    tags = scan.axes["tag_number"].values.astype(int).tolist()
    np.testing.assert_array_equal(scan.axes["delay"].values, [by_tag[tag] for tag in tags])
    np.testing.assert_array_equal(scan.signal[...], [image_of(tag) for tag in tags])
    laser = scan.axes["bl_3_lh_1_laser_pulse_selector_status"].values
    np.testing.assert_array_equal(laser, [laser_of(tag) for tag in tags])


def test_unknown_tags_of_a_table_and_shots_without_a_row_are_named_and_kept_apart(run):
    write_run(run, TAGS)
    rows = table([*TAGS[2:], 5], delay=np.append(np.arange(10.0) ** 2, 7.0))
    scan, report = opened(run, table=rows)
    assert scan.axes["tag_number"].values.astype(int).tolist() == TAGS[2:]
    np.testing.assert_array_equal(scan.axes["delay"].values, np.arange(10.0) ** 2)
    said = "\n".join(warnings_of(report))
    assert "1 tag is not in the scan: 5" in said
    assert f"2 shots have no row in it: {TAGS[0]}–{TAGS[1]} (2 tags)" in said
    assert scan.provenance.parameters["tags of the table without shot"] == "5"


def test_a_table_of_another_run_or_without_tags_is_refused(run):
    write_run(run, TAGS)
    with pytest.raises(SourceError, match="none of its 2 rows is of a shot of run_206178"):
        opened(run, table=table([1, 2], delay=[0, 1]))
    texts = {"tag_number": np.array(["a", "b"])}
    wrong = Table(name="scan.csv", columns={"delay": np.arange(2.0)}, texts=texts)
    with pytest.raises(SourceError, match="'tag_number' holds no tag numbers"):
        opened(run, table=wrong)


def test_rows_of_a_table_that_contradict_each_other_are_an_error(run):
    write_run(run, TAGS)
    rows = table([*TAGS, TAGS[0], TAGS[1]], delay=[*np.arange(12.0), 99.0, 1.0])
    _, report = opened(run, table=rows)
    assert any(f"1 tag has several rows that differ: {TAGS[0]}" in text for text in errors(report))


@pytest.mark.parametrize("name", [LASER, "laser_pulse_selector_status"])
def test_shots_are_chosen_by_their_status(run, name):
    scan, _ = opened(write_run(run, TAGS), where=parse_where(f"{name} == 0"))
    tags = scan.axes["tag_number"].values.astype(int).tolist()
    assert tags == [tag for tag in TAGS if laser_of(tag) == 0]
    np.testing.assert_array_equal(scan.signal[...], [image_of(tag) for tag in tags])
    energy = scan.counters["bl_3_oh_2_photon_energy"].value
    np.testing.assert_array_equal(energy, [energy_of(tag) for tag in tags])


@pytest.mark.parametrize("name", ["photon_energy_in_eV", "photon_energy"])
def test_shots_are_chosen_by_a_reading_with_or_without_its_unit(run, name):
    scan, _ = opened(write_run(run, TAGS), where=parse_where(f"{name} >= {energy_of(TAGS[7])}"))
    assert scan.axes["tag_number"].values.astype(int).tolist() == TAGS[7:]


def test_a_file_of_chosen_shots_with_a_table_is_valid(run, tmp_path):
    write_run(run, TAGS)
    rows = "\n".join(f"{tag},{k // 4},{k % 2}" for k, tag in enumerate(TAGS))
    csv = tmp_path / "tables" / "scan.csv"
    csv.parent.mkdir()
    csv.write_text(f"tag_number,theta,even\n{rows}\n")
    scan = translated(run, tmp_path, table=csv, where="even == 1", axes="theta=3,repeat=2")
    assert scan.scan_shape == (3, 2)
    np.testing.assert_array_equal(scan.axes["theta"].values, [0, 1, 2])
    np.testing.assert_array_equal(scan.counters["tag_number"].value.ravel(), TAGS[1::2])
    expected = np.array([image_of(tag) for tag in TAGS[1::2]]).reshape(3, 2, 4, 6)
    np.testing.assert_array_equal(scan.signal[...], expected)


def test_a_choice_of_no_shot_is_refused(run):
    with pytest.raises(PlanError, match="none of 12 shots has"):
        opened(write_run(run, TAGS), where=parse_where("photon_energy < 1"))


def test_several_detectors_are_named_by_pattern_and_an_unknown_one_is_refused(run):
    write_run(run, TAGS, {f"detector_2d_{k}": TAGS for k in (1, 2, 3)})
    scan, _ = opened(run, detector="detector_2d_3,MPCCD-8-2-001-1")
    assert list(scan.signals) == ["detector_2d_3", "detector_2d_1"]
    _, report = opened(run, detector="detector_2d_9")
    assert any("there is no 'detector_2d_9'" in text for text in errors(report))


def test_the_assembled_image_is_the_default(tmp_path):
    detector = Mpccd(panels=2, shape=(8, 8))
    truth = sacla_run(tags=4, detector=detector, written="both", cameras=False)
    path = write_sacla(truth, tmp_path / "raw" / "both.h5")
    scan, report = opened(path)
    assert list(scan.signals) == ["detector_2d_assembled_1"]
    assert any("left out beside the assembled one" in str(one) for one in report.problems)
    expected = truth.frame("detector_2d_assembled_1", FIRST)
    np.testing.assert_array_equal(scan.signal[0], expected)


def test_a_simulated_run_has_every_image_and_energy_at_its_tag(simulated):
    truth, path = simulated
    scan, _ = opened(path)
    tags = scan.axes["tag_number"].values.astype(int).tolist()
    assert tags == truth.run.complete.tolist()
    for name in truth.names:
        frames = [truth.frame(name, tag) for tag in tags]
        np.testing.assert_array_equal(scan.signals[name][...], frames)
    for column, units in (("photon_energy_in_eV", "eV"), ("bm_2_pulse_energy_in_joule", "J")):
        field = scan.counters[f"bl_3_oh_2_{column.partition('_in_')[0]}"]
        expected = [truth.run.value(f"bl_3/oh_2/{column}", tag) for tag in tags]
        np.testing.assert_array_equal(field.value, expected)
        assert field.units == units


def test_a_file_of_cheetahs_is_a_scan_with_its_mask(tmp_path):
    detector = Mpccd(panels=2, shape=(8, 8), distance=80.0)
    truth = sacla_run(tags=8, detector=detector, cameras=False, seed=5)
    path = write_cheetah(truth, tmp_path / "raw" / "hits.h5")
    scan, report = opened(path)
    assert errors(report) == []
    assert (scan.detector, scan.signal.dtype) == ("mpccd", np.int16)
    with h5py.File(path) as file:
        names = sorted(name for name in file if name.startswith("tag-"))
        for k, name in enumerate(names):
            np.testing.assert_array_equal(scan.signal[k], file[name]["data"])
        energies = [file[name]["photon_energy_ev"][()] for name in names]
        np.testing.assert_array_equal(scan.mask != 0, file["metadata/pixelmask"][...] != 0)
    np.testing.assert_array_equal(scan.counters["photon_energy"].value, energies)
    assert scan.counters["photon_energy"].units == "eV"
    distance = at(scan, "instrument/mpccd/distance")
    assert (distance.value, distance.units) == (pytest.approx(0.08), "m")


def test_a_copy_is_valid_and_holds_every_value_at_its_tag(simulated, tmp_path):
    truth, path = simulated
    before = snapshot([path.parent])
    scan = translated(path, tmp_path)
    tags = scan.axes["tag_number"].values
    assert tags.dtype == np.float64
    np.testing.assert_array_equal(tags, truth.run.complete)
    expected = [truth.frame("detector_2d_2", int(tag)) for tag in tags]
    np.testing.assert_array_equal(scan.signals["detector_2d_2"][...], expected)
    assert snapshot([path.parent]) == before


def test_by_default_images_are_linked_and_may_be_moved_with_the_master(run, tmp_path):
    write_run(run, TAGS)
    for values in linked_and_moved(run.parent, tmp_path):
        np.testing.assert_array_equal(values, [image_of(tag) for tag in TAGS])
    found = nxscan.open(tmp_path / "moved" / "scan.nxs").signal
    assert [type(source) for source in found.sources] == [DatasetFrames]


def test_usid_has_neighboring_tags_apart(run, tmp_path):
    write_run(run, TAGS)
    nxscan.translate(run, tmp_path / "scan.nxs")
    usid = pytest.importorskip("pyUSID", reason="pip install 'nxscan[usid]'")
    with h5py.File(tmp_path / "scan.nxs") as file:
        main = usid.USIDataset(file["Measurement_000/Channel_000/Raw_Data"])
        values = main.h5_pos_vals[...]
        assert main.pos_dim_labels == ["tag number"]
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values[:, 0], TAGS)


def test_the_silx_window_shows_the_images(run, tmp_path):
    write_run(run, TAGS)
    nxscan.translate(run, tmp_path / "scan.nxs")
    assert silx_shows(tmp_path / "scan.nxs", tmp_path / "shown.png") == "Image"
