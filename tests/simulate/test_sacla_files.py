"""SACLA's files as h5py reads them: everything under the tag that it belongs to."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscan.errors import NxscanError, OutputError
from nxscan.simulate import (
    Mpccd,
    SaclaTruth,
    ShotPlan,
    Speckle,
    sacla_run,
    write_cheetah,
    write_sacla,
    write_scan_table,
)

SMALL = Mpccd(panels=2, shape=(24, 16), gap=2)
FIRST = 219_817_020

TYPES = {
    "acc/accelerator_status": "int32",
    "bl_3/eh_1/photodiode/photodiode_user_4_in_volt": "float32",
    "bl_3/eh_1/xfel_pulse_selector_status": "int32",
    "bl_3/eh_2/attenuator_Al_thickness_in_meter": "float32",
    "bl_3/eh_4/laser/delay_line_motor_29": "int32",
    "bl_3/eh_4/laser/mirror_tilt_motor_28_in_degree": "float32",
    "bl_3/eh_5/camera/camera_5_roi_coordinate_x0": "int32",
    "bl_3/eh_5/camera/camera_5_roi_data_average": "float32",
    "bl_3/eh_5/photodiode/direct_bm_1_pulse_energy_in_joule": "float32",
    "bl_3/lh_1/electrical_delay_in_psec": "float64",
    "bl_3/lh_1/laser_pulse_selector_status": "int32",
    "bl_3/oh_2/bm_1_horizontal": "float32",
    "bl_3/oh_2/bm_2_pulse_energy_in_joule": "float32",
    "bl_3/oh_2/photon_energy_in_eV": "float32",
    "bl_3/shutter_1_open_valid_status": "int32",
    "bl_3/tc/mono_1_position_theta": "int32",
    "bm_1_signal_in_coulomb": "float32",
    "tag_number_list": "int32",
    "time_stamp": "float64",
}
"""Part of the listings of runs 206178 and 257948, with the types that the second gives."""


def small_run(**keywords: object) -> SaclaTruth:
    return sacla_run(detector=SMALL, **({"tags": 20, "cameras": False} | keywords))  # type: ignore[arg-type]


def tags_in(group: h5py.Group) -> list[int]:
    return sorted(int(name[4:]) for name in group if name.startswith("tag_"))


def test_groups_names_and_types_are_those_of_the_listings(tmp_path: Path) -> None:
    truth = small_run(tags=3, cameras=True, written="both")
    attributes: list[str] = []
    with h5py.File(write_sacla(truth, tmp_path / "raw/run.h5")) as file:
        file.visititems(lambda name, node: attributes.extend(f"{name}@{key}" for key in node.attrs))
        assert not attributes
        assert set(file) == {"file_info", "run_206178"}
        assert file["file_info/format_type"][()] == b"run_data_format"
        assert file["file_info/version"][()] == b"3.20"
        assert file["file_info/run_number_list"].dtype == np.int64
        run = file["run_206178"]
        assert set(run) == {
            "detector_2d_1",
            "detector_2d_2",
            "detector_2d_assembled_1",
            "event_info",
            "exp_info",
            "run_info",
        }
        assert b"simulated" in run["exp_info/comment"][()]
        for path, kind in TYPES.items():
            assert (run["event_info"][path].shape, run["event_info"][path].dtype) == ((3,), kind)
        assert run["run_info/detector_config/detector_2d_list"][()].tolist() == [1, 2]
        assert run["run_info/sacla_config/photon_energy_in_eV"][()] == 15000.0
        info, shot = run["detector_2d_2/detector_info"], run[f"detector_2d_2/tag_{FIRST}"]
        assert next(iter(run["detector_2d_2"])) == "detector_info"
        assert info["detector_name"][()] == b"MPCCD-2-2-001-2"
        assert info["detector_name"].dtype == "S16"
        assert info["absolute_gain"][()] == np.float32(16.912)
        assert info["pixel_size_in_micro_meter"][()].tolist() == [50, 50]
        assert set(shot) == {"detector_data", "detector_status", "temperature"}
        assert (shot["detector_data"].shape, shot["detector_data"].dtype) == ((24, 16), "float32")
        assert (shot["detector_status"].shape, shot["detector_status"].dtype) == ((), "int32")
        assert shot["temperature"][()] == np.float32(-21.27)
        assert run[f"detector_2d_assembled_1/tag_{FIRST}/detector_data"].shape == (24, 34)


def test_tags_are_exact_and_the_end_is_one_step_past_the_last(tmp_path: Path) -> None:
    with h5py.File(write_sacla(small_run(tags=600), tmp_path / "run.h5")) as file:
        run = file["run_206178"]
        listed = run["event_info/tag_number_list"][()]
        assert listed.dtype == np.int32
        assert (listed[0], listed[-1], len(listed)) == (219817020, 219818218, 600)
        assert set(np.diff(listed)) == {2}
        assert run["run_info/start_tag_number"][()] == 219817020
        assert run["run_info/end_tag_number"][()] == 219818220
        assert tags_in(run["detector_2d_1"]) == listed.tolist()


def test_missing_tags_have_no_group_and_the_truth_says_so(tmp_path: Path) -> None:
    missing = {"detector_2d_1": [FIRST + 4], "detector_2d_2": [FIRST + 4, FIRST + 10]}
    listed = [tag for tag in range(FIRST, FIRST + 40, 2) if tag != FIRST + 6]
    truth = small_run(missing=missing, listed=listed)
    with h5py.File(write_sacla(truth, tmp_path / "run.h5")) as file:
        run = file["run_206178"]
        shots = list(range(FIRST, FIRST + 40, 2))
        for name, without in missing.items():
            assert tags_in(run[name]) == [tag for tag in shots if tag not in without]
        assert run["event_info/tag_number_list"][()].tolist() == listed
    assert truth.run.without_event.tolist() == [FIRST + 6]
    assert truth.run.without_image.tolist() == [FIRST + 4, FIRST + 10]
    assert truth.run.complete.tolist() == sorted(set(listed) - {FIRST + 4, FIRST + 10})


def test_rows_follow_their_tags_when_shuffled_and_repeated(tmp_path: Path) -> None:
    plain = small_run(tags=12)
    order = np.random.default_rng(1).permutation(plain.run.shots.tags)
    listed = [*order.tolist(), int(order[3])]
    mixed = small_run(tags=12, listed=listed)
    with (
        h5py.File(write_sacla(plain, tmp_path / "plain.h5")) as one,
        h5py.File(write_sacla(mixed, tmp_path / "mixed.h5")) as other,
    ):
        rows = (np.array(listed) - FIRST) // 2
        for path in plain.run.events:
            straight = one["run_206178/event_info"][path][()]
            np.testing.assert_array_equal(straight[rows], other["run_206178/event_info"][path][()])
        for tag in listed:
            place = f"run_206178/detector_2d_2/tag_{tag}/detector_data"
            np.testing.assert_array_equal(one[place][()], other[place][()])


def test_values_of_a_tag_are_those_of_its_shot() -> None:
    plan = ShotPlan(laser_every=2, dark_every=5, delay=(-10, 20), rocking=(7, 8, 9), nshots=2)
    truth = small_run(tags=14, plan=plan)
    run, tag = truth.run, FIRST + 2 * 4
    assert run.value("bl_3/lh_1/laser_pulse_selector_status", tag) == 1
    assert run.value("bl_3/eh_1/xfel_pulse_selector_status", tag) == 0
    assert run.value("bl_3/shutter_1_open_valid_status", tag) == 0
    assert run.value("bl_3/eh_1/photodiode/photodiode_user_1_in_volt", tag) == 0
    assert run.value("time_stamp", tag + 2) - run.value("time_stamp", tag) == pytest.approx(1 / 30)
    delay = run.events["bl_3/eh_4/laser/delay_line_motor_29"]
    assert delay.tolist() == [-10] * 6 + [20] * 6 + [-10] * 2
    assert run.events["bl_3/tc/mono_1_position_theta"][:8].tolist() == [7, 7, 8, 8, 9, 9, 7, 7]
    psec = run.events["bl_3/lh_1/electrical_delay_in_psec"]
    assert psec[0] == pytest.approx(-0.0666713134, rel=1e-12)
    with pytest.raises(NxscanError, match="no row for tag 5"):
        run.value("time_stamp", 5)


def test_monitors_that_read_nothing_are_nan_and_the_others_are_the_pulses_energy() -> None:
    run = small_run(tags=400, plan=ShotPlan(lost=0.1, dark_every=0)).run
    for path in (
        "bl_3/oh_2/photon_energy_in_eV",
        "bl_3/oh_2/bm_1_pulse_energy_in_joule",
        "bl_3/oh_2/bm_2_pulse_energy_in_joule",
    ):
        assert 10 < np.isnan(run.events[path]).sum() < 80
    energy = run.events["bl_3/oh_2/bm_2_pulse_energy_in_joule"]
    read = np.isfinite(energy)
    np.testing.assert_allclose(energy[read], 1e-4 * run.shots.pulse[read], rtol=1e-6)
    assert run.shots.pulse.std() == pytest.approx(0.1, rel=0.15)


def test_a_cancelled_run_ends_with_images_on_the_first_panels_alone(tmp_path: Path) -> None:
    truth = small_run(tags=10, cancelled=6)
    with h5py.File(write_sacla(truth, tmp_path / "run.h5")) as file:
        run = file["run_206178"]
        assert len(tags_in(run["detector_2d_1"])) == 6
        assert len(tags_in(run["detector_2d_2"])) == 5
        assert len(run["event_info/tag_number_list"]) == 10
    assert truth.run.complete.tolist() == [FIRST + 2 * k for k in range(5)]


def test_several_runs_and_tags_of_eight_and_nine_digits(tmp_path: Path) -> None:
    truth = small_run(tags=4, runs=(42, 43), padded=True, first=99_999_996)
    one, other = (run.events["time_stamp"] for run in truth.runs)
    assert other[0] > one[-1]
    with h5py.File(write_sacla(truth, tmp_path / "run.h5")) as file:
        assert file["file_info/run_number_list"][()].tolist() == [42, 43]
        assert tags_in(file["run_000042/detector_2d_1"]) == [
            99_999_996,
            99_999_998,
            100_000_000,
            100_000_002,
        ]
        assert min(tags_in(file["run_000043/detector_2d_1"])) > 100_000_002
    assert small_run(tags=1, runs=(42,)).run.group == "run_42"


def test_an_image_depends_on_seed_and_tag_alone() -> None:
    whole, later = small_run(tags=9, seed=4), small_run(tags=[FIRST + 16], seed=4)
    np.testing.assert_array_equal(
        whole.frame("detector_2d_1", FIRST + 16), later.frame("detector_2d_1", FIRST + 16)
    )
    other = small_run(tags=9, seed=5).frame("detector_2d_1", FIRST + 16)
    assert not np.array_equal(whole.frame("detector_2d_1", FIRST + 16), other)


def test_images_of_a_pool_are_those_of_a_mean_pulse_times_the_shots_energy() -> None:
    truth = small_run(tags=40, pool=2, plan=ShotPlan(dark_every=0), speckle=Speckle(pump=0.0))
    shots = truth.run.shots
    first, again, other = (truth.frame("detector_2d_1", tag) for tag in shots.tags[[0, 4, 2]])
    np.testing.assert_allclose(again, first * (shots.pulse[4] / shots.pulse[0]), rtol=1e-5)
    assert shots.laser[1] != shots.laser[0]
    np.testing.assert_allclose(other, first * (shots.pulse[2] / shots.pulse[0]), rtol=1e-5)
    assert len({truth.frame("detector_2d_1", tag).tobytes() for tag in shots.tags}) == 40


def test_cheetah_stacks_panels_in_tenths_of_photons_for_complete_tags_with_beam(
    tmp_path: Path,
) -> None:
    truth = small_run(missing={"detector_2d_2": [FIRST + 6]}, seed=3)
    with h5py.File(write_cheetah(truth, tmp_path / "cheetah.h5")) as file:
        tags = sorted(int(name[4:]) for name in file if name.startswith("tag-"))
        dark = [FIRST + 18, FIRST + 38]
        assert tags == [t for t in range(FIRST, FIRST + 40, 2) if t not in (FIRST + 6, *dark)]
        shot = file[f"tag-{FIRST}"]
        data = shot["data"]
        assert (data.shape, data.dtype) == ((48, 16), np.int16)
        below = truth.frame("detector_2d_2", FIRST) / truth.detector.adu_per_photon * 10
        np.testing.assert_allclose(data[24:], below.clip(0), atol=0.501)
        energy = shot["photon_energy_ev"][()]
        assert energy == pytest.approx(15000, rel=2e-3)
        assert shot["photon_wavelength_A"][()] * energy == pytest.approx(12398.42, rel=1e-6)
        metadata = file["metadata"]
        assert metadata["pixelmask"].shape == (48, 16)
        assert metadata["pixelmask"][24, 8] == 1
        assert metadata["pixelmask"][36, 8] == 0
        assert metadata["posx_in_um"][1] - metadata["posx_in_um"][0] == (16 + 2) * 50
        assert metadata["distance_in_mm"][()] == pytest.approx(truth.detector.sample_distance)


def test_scan_table_has_the_motors_of_every_tag(tmp_path: Path) -> None:
    plan = ShotPlan(delay=(-10, 20), rocking=(7,), nshots=2)
    truth = small_run(tags=4, plan=plan, missing={"detector_2d_1": [FIRST]})
    with write_scan_table(truth.run, tmp_path / "scan.csv").open(newline="") as stream:
        header, *rows = list(csv.reader(stream))
    assert header == ["tag_number", "delay", "rocking"]
    assert rows == [
        [str(FIRST + 2 * k), str(delay), "7"] for k, delay in enumerate([-10, -10, 20, 20])
    ]


@pytest.mark.parametrize("write", [write_sacla, write_cheetah])
def test_nothing_is_overwritten(write: object, tmp_path: Path) -> None:
    (tmp_path / "there.h5").touch()
    with pytest.raises(OutputError, match="exists already"):
        write(small_run(tags=1), tmp_path / "there.h5")  # type: ignore[operator]


def test_tags_that_cannot_be_are_refused() -> None:
    with pytest.raises(NxscanError, match="no detector detector_2d_7"):
        small_run(missing={"detector_2d_7": [FIRST]})
    with pytest.raises(NxscanError, match="listed tag 5 is no shot"):
        small_run(listed=[5])
    with pytest.raises(NxscanError, match="ascending"):
        small_run(tags=[4, 4])
    with pytest.raises(NxscanError, match="one run"):
        small_run(tags=[4, 6], runs=(1, 2))
