"""Masks are pink noise."""

import numpy as np

from tfmetamers.people.masks import make_mask


def test_the_power_of_a_mask_falls_as_one_over_the_frequency():
    masks = np.stack([make_mask(128, np.random.default_rng(number)) for number in range(8)]) / 255 - 0.5
    power = (np.abs(np.fft.fft2(masks)) ** 2).mean(axis=0)
    frequencies = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None, :])
    middle = (frequencies > 0.03) & (frequencies < 0.3)
    slope = np.polyfit(np.log(frequencies[middle]), np.log(power[middle]), 1)[0]
    assert -1.15 < slope < -0.85


def test_the_same_generator_gives_the_same_mask_and_another_one_another():
    first, again, other = (make_mask(16, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first.dtype == np.uint8 and (first == again).all() and (first != other).any()
