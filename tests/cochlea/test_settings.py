"""Presets are those of the release and of the paper, and settings that cannot be used are refused."""

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
    "downsampling": "same",
    "floor": 0.0,
    "offset": 0.0,
    "relu_gradient": "normal",
    "max_slope": 1.0,
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

    def test_that_of_2023_is_chcochleagram_as_its_code_configures_it(self):
        expected = {"low_limit": 50.0, "high_limit": 10000.0, "scale": 1.0, "downsampling": "valid", "floor": 1e-8}
        expected |= {"offset": 1e-8, "relu_gradient": "straight-through", "max_slope": 5.0}
        settings = find_cochleagram_settings("feather2023")
        assert dataclasses.asdict(settings) == RELEASED | expected
        assert (settings.channels, settings.envelope_samples) == (211, 390)
        assert settings.times == pytest.approx((0.022525, 1.972525))  # From sample 450.5, for 390 times 100 samples.

    def test_a_misspelt_name_gets_near_ones(self):
        with pytest.raises(ArgumentError, match=r"'paper-text'.*paper_text"):
            find_cochleagram_settings("paper-text")


class TestReplace:
    def test_changes_what_is_given(self):
        changed = CochleagramSettings().replace(samples=20000, low_pass=False)
        assert dataclasses.asdict(changed) == RELEASED | {"samples": 20000, "low_pass": False}
        assert (changed.channels, changed.envelope_samples) == (207, 200)

    def test_a_misspelt_field_gets_near_ones(self):
        with pytest.raises(ArgumentError, match=r"'filter'.*filters"):
            CochleagramSettings().replace(filter=40)

    def test_numbers_of_numpy_are_numbers(self):
        assert CochleagramSettings(samples=np.int64(40000), low_limit=np.float32(20)).channels == 211


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"envelope_rate": 300}, "envelope rate is 300"),
        ({"samples": 39998}, "number of samples is 39998"),
        ({"padding": 50}, "padding is 50"),
        ({"scale": float("nan")}, "scale is nan"),
        ({"exponent": 1}, "exponent is 1"),
        ({"window": 1000}, "window has 1000"),
        ({"window_beta": 1e6}, "window_beta is 1000000.0"),
        ({"downsampling": "full"}, "downsampling is 'full'"),
        ({"floor": -1e-8}, "floor is -1e-08"),
    ],
)
def test_bad_input(changed, message):
    with pytest.raises(ArgumentError, match=message):
        CochleagramSettings(**changed)
