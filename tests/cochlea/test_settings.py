"""Settings are the released networks', and none that cannot be used come to be."""

import dataclasses

import numpy as np
import pytest

from tfmetamers.cochlea import CochleagramSettings, find_cochleagram_settings
from tfmetamers.errors import ArgumentError

RELEASED = {
    "sampling_rate": 20000,
    "samples": 40000,
    "low_limit": 20.0,
    "high_limit": 8000.0,
    "filters": 50,
    "sample_factor": 4,
    "low_pass": True,
    "high_pass": True,
    "envelope_rate": 200,
    "window": 1001,
    "window_beta": 5.0,
    "scale": 796.87416837456942,
    "exponent": 0.3,
    "padding": 0,
}


class TestPresets:
    def test_released(self):
        settings = find_cochleagram_settings("released")
        assert dataclasses.asdict(settings) == RELEASED
        assert (settings.channels, settings.envelope_samples, settings.step) == (211, 400, 100)

    def test_the_papers_text_has_fewer_filters(self):
        settings = find_cochleagram_settings("paper_text")
        assert dataclasses.asdict(settings) == RELEASED | {"filters": 40}
        assert settings.channels == 171

    def test_a_misspelt_name_gets_near_ones(self):
        with pytest.raises(ArgumentError, match=r"'paper-text'; the nearest are paper_text"):
            find_cochleagram_settings("paper-text")

    def test_settings_cannot_be_changed_in_place(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            find_cochleagram_settings("released").filters = 3


class TestReplace:
    def test_changes_what_is_given(self):
        changed = CochleagramSettings().replace(samples=20000, low_pass=False)
        assert dataclasses.asdict(changed) == RELEASED | {"samples": 20000, "low_pass": False}
        assert (changed.channels, changed.envelope_samples) == (207, 200)

    def test_a_misspelt_field_gets_near_ones(self):
        with pytest.raises(ArgumentError, match="'filter'; the nearest are filters"):
            CochleagramSettings().replace(filter=40)

    def test_numbers_of_numpy_are_numbers(self):
        assert CochleagramSettings(samples=np.int64(40000), low_limit=np.float32(20)).channels == 211


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"envelope_rate": 300}, "envelope rate is 300 Hz; a divisor of the sampling rate, 20000 Hz"),
        ({"envelope_rate": 20000}, "and less than it"),
        ({"envelope_rate": 0}, "envelope rate is 0"),
        ({"envelope_rate": 200.0}, "envelope rate is 200.0; a whole number"),
        ({"samples": 39998}, "number of samples is 39998; a multiple of 100"),
        ({"samples": 39999}, "odd; add or remove one"),
        ({"samples": -2}, "number of samples is -2"),
        ({"padding": 50}, "padding is 50; a multiple of 100"),
        ({"padding": -100}, "padding is -100; a whole number from 0"),
        ({"scale": 0}, "scale is 0"),
        ({"scale": float("nan")}, "scale is nan"),
        ({"exponent": 1}, "exponent is 1; less than 1"),
        ({"exponent": -0.3}, "exponent is -0.3"),
        ({"window": 1000}, "window is 1000 samples; an odd number from 100"),
        ({"window": 99}, "window is 99 samples"),
        ({"window": 40001}, "to 40000"),
        ({"window_beta": -1}, "window_beta is -1; a number from 0 to 100"),
        ({"window_beta": float("nan")}, "window_beta is nan"),
        ({"window_beta": 1e6}, "window_beta is 1000000.0"),
        ({"high_limit": 10001}, "carries frequencies up to 10000 Hz"),
        ({"sampling_rate": 0}, "sampling rate is 0"),
        ({"sampling_rate": 10**12}, "at most 1000000 Hz"),
        ({"filters": -1}, "number of filters is -1"),
        ({"sample_factor": 5}, "sample factor is 5"),
    ],
)
def test_bad_input(changed, message):
    with pytest.raises(ArgumentError, match=message):
        CochleagramSettings(**changed)
