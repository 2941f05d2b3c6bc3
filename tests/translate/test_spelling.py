"""Which keys are suggested for one that is not there: few, and only what may have been meant."""

import pytest

from nxscan.translate.spelling import nearest_keys


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("acq_expo_time", "acq_expotime"),
        ("count_time", "acq_count_time"),
        ("ExposureTime", "exposure time"),
        ("detector_distance", "detector_dist"),
        ("SampleDistance", "SampleDistence"),
    ],
)
def test_a_key_that_may_have_been_meant_is_suggested(wanted, there):
    assert nearest_keys(wanted, [there, "mu", "title"]) == [there]


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("sample_name", "sample_mne"),
        ("sample_name", "sample_pos"),
        ("PSize_1", "PSize_2"),
        ("motor_mne", "motor_pos"),
        ("start_time", "star_name"),
    ],
)
def test_a_key_with_another_word_or_number_is_not(wanted, there):
    assert nearest_keys(wanted, [there]) == []


def test_the_closest_comes_first():
    keys = ["acq_count_time", "count_tim", "counttime", "mu"]
    assert nearest_keys("count_time", keys) == ["counttime", "count_tim"]
