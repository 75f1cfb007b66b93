"""Pictures of any height and width, RGB and grey, as a domain."""

import numpy as np
import pytest
from PIL import Image

from tfmetamers.errors import ArgumentError
from tfmetamers.recipes import find_recipe
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


def test_a_recipe_of_2023_has_pictures_resized_by_pillows_default_and_may_round_down(tmp_path):
    recipe = find_recipe("feather2023-image").replace(rounding="floor")
    with Image.open(sample_photograph()) as photograph:  # 512 x 600 pixels
        square = photograph.crop((0, 44, 512, 556))
        expected = np.asarray(square.resize((64, 64))) / np.float32(255)
    domain = Images(64)
    picture = domain.load(sample_photograph(), recipe=recipe)
    np.testing.assert_array_equal(picture, expected)
    assert not np.array_equal(picture, domain.load(sample_photograph()))
    between = np.full((64, 64, 3), 100.9 / 255, np.float32)
    for given, level in ((recipe, 100), (None, 101)):
        domain.save(between, tmp_path / "metamer", given)
        with Image.open(tmp_path / "metamer.png") as saved:
            assert set(np.unique(saved)) == {level}
    with pytest.raises(ArgumentError, match="'cubic'"):
        load_image(sample_photograph(), 8, resampling="cubic")


def test_a_judge_of_another_duration_is_suggested_for_sounds_of_its_rate_alone():
    sounds = Sounds(16000, 32000)
    assert sounds.differs_only_in_duration(Sounds(16000, 48000))
    assert not sounds.differs_only_in_duration(Sounds(8000, 32000))
    assert not Images(16).differs_only_in_duration(sounds)
