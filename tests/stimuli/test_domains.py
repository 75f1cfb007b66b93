"""Pictures of any height and width, RGB and grey, as a domain."""

import numpy as np
import pytest
from PIL import Image

from tfmetamers.stimuli.domains import Images, Sounds
from tfmetamers.stimuli.images import load_image, sample_photograph


@pytest.mark.parametrize(
    ("domain", "size", "description"),
    [
        (Images(16), 16, "16 x 16 x 3, RGB in [0, 1]"),
        (Images(16, 24), (16, 24), "16 x 24 x 3, RGB in [0, 1]"),
        (Images(16, 24, 1), (16, 24), "16 x 24 x 1, grey in [0, 1]"),
    ],
)
def test_pictures_are_loaded_saved_and_read_in_the_domains_shape(tmp_path, domain, size, description):
    picture = domain.load(sample_photograph())
    np.testing.assert_array_equal(picture, load_image(sample_photograph(), size, domain.channels))
    domain.save(picture, tmp_path / "original")
    np.testing.assert_array_equal(domain.read(tmp_path / "original"), picture)
    assert (domain.size, domain.shape, domain.describe()) == (size, picture.shape, description)
    with Image.open(tmp_path / "original.png") as saved:
        assert saved.size == (domain.width, domain.height)


def test_a_judge_of_another_duration_is_suggested_for_sounds_of_its_rate_alone():
    sounds = Sounds(16000, 32000)
    assert sounds.differs_only_in_duration(Sounds(16000, 48000))
    assert not sounds.differs_only_in_duration(Sounds(8000, 32000))
    assert not Images(16).differs_only_in_duration(sounds)
