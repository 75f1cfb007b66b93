"""The filter bank is pycochleagram's, and settings for which there is none are refused."""

import numpy as np
import pytest

from tfmetamers.cochlea import erb_filter_bank
from tfmetamers.cochlea.filters import erb_number_to_hertz, hertz_to_erb_number
from tfmetamers.errors import ArgumentError

RELEASED = {"low_limit": 20, "high_limit": 8000, "filters": 50}


@pytest.fixture(scope="module")
def bank():
    return erb_filter_bank(20000, 40000, **RELEASED)


class TestReleasedBank:
    def test_has_211_channels_of_every_frequency_up_to_nyquist(self, bank):
        assert bank.transfer_functions.shape == (211, 20001)
        assert bank.transfer_functions.dtype == np.float64

    def test_center_frequencies_go_from_below_the_low_limit_to_above_the_high_one(self, bank):
        lowest = [7.5208, 11.6094, 15.7687, 20, 24.3045, 28.6834, 33.1381, 37.6698, 42.2799, 46.9698]
        highest = [7722.5387, 7860.0798, 8000, 8142.3405, 8287.1432, 8434.4506]
        np.testing.assert_allclose(bank.center_frequencies[:10], lowest, atol=5e-5)
        np.testing.assert_allclose(bank.center_frequencies[-6:], highest, atol=5e-5)

    def test_squares_add_up_to_one_at_every_frequency(self, bank):
        np.testing.assert_allclose((bank.transfer_functions**2).sum(axis=0), 1.0, atol=1e-13)

    def test_sum_and_peak(self, bank):
        assert bank.transfer_functions.sum() == pytest.approx(48966.01341967424, abs=1e-8)
        assert bank.transfer_functions.max() == pytest.approx(0.5, abs=1e-12)

    def test_number_of_frequencies_that_pass(self, bank):
        counts = np.count_nonzero(bank.transfer_functions, axis=1)
        assert counts[:10].tolist() == [49, 58, 67, 76, 69, 70, 72, 73, 75, 76]
        assert counts[-8:].tolist() == [2109, 2146, 2184, 2221, 5092, 4826, 4555, 4280]

    def test_ranges_that_pass(self, bank):
        passed = {
            channel: np.flatnonzero(bank.transfer_functions[channel]) / 2.0 for channel in (0, 3, 4, 100, 206, 207)
        }
        assert {channel: (hertz[0], hertz[-1]) for channel, hertz in passed.items()} == {
            0: (0, 24),
            3: (0, 37.5),
            4: (8, 42),
            100: (997.5, 1177.5),
            206: (7324, 8434),
            207: (7454.5, 10000),
        }


class TestOtherBanks:
    def test_the_papers_text_has_171_channels(self):
        assert len(erb_filter_bank(20000, 40000, **RELEASED | {"filters": 40}).transfer_functions) == 171

    @pytest.mark.parametrize(
        ("low_pass", "high_pass", "kept"), [(False, True, slice(4, 211)), (True, False, slice(207))]
    )
    def test_end_filters_can_be_left_out(self, bank, low_pass, high_pass, kept):
        without = erb_filter_bank(20000, 40000, **RELEASED, low_pass=low_pass, high_pass=high_pass)
        np.testing.assert_array_equal(without.transfer_functions, bank.transfer_functions[kept])
        np.testing.assert_array_equal(without.center_frequencies, bank.center_frequencies[kept])

    def test_a_center_below_zero_is_given_as_one_hertz(self):
        bank = erb_filter_bank(20000, 40000, **RELEASED | {"filters": 5})
        assert bank.center_frequencies[0] == 1.0

    def test_covering_the_range_once(self):
        bank = erb_filter_bank(16000, 16000, low_limit=50, high_limit=8000, filters=30, sample_factor=1)
        assert bank.transfer_functions.shape == (32, 8001)
        np.testing.assert_allclose((bank.transfer_functions**2).sum(axis=0), 1.0, atol=1e-13)

    def test_the_erb_scale_is_inverted(self):
        frequencies = np.array([0.0, 20.0, 1000.0, 20000.0])
        np.testing.assert_allclose(erb_number_to_hertz(hertz_to_erb_number(frequencies)), frequencies, atol=1e-9)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sampling_rate": 20000.5}, "sampling rate is 20000.5"),
        ({"samples": 39999}, "39999"),
        ({"samples": 216_000_000}, "GiB"),
        ({"samples": 400}, "50 Hz"),
        ({"low_limit": float("nan")}, "low limit is nan"),
        ({"high_limit": 10001}, "high limit is 10001"),
        ({"low_limit": 8000}, "low limit is 8000"),
        ({"sample_factor": 3}, "sample factor is 3"),
        ({"low_pass": "yes"}, "low_pass is 'yes'"),
    ],
)
def test_bad_input(changed, message):
    arguments = {"sampling_rate": 20000, "samples": 40000} | RELEASED | changed
    with pytest.raises(ArgumentError, match=message):
        erb_filter_bank(arguments.pop("sampling_rate"), arguments.pop("samples"), **arguments)
