"""Pictures of the 16 categories, chosen from a folder of ImageNet's classes."""

import pytest

from tfmetamers.cli import main as command_line
from tfmetamers.errors import ArgumentError, StimulusError
from tfmetamers.networks.categories import CATEGORIES, imagenet_indices
from tfmetamers.networks.slim import imagenet_classes
from tfmetamers.recognition.imagenet_pictures import SKIPPED, choose_pictures
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.stimuli.images import SUFFIXES

#: Pictures of each class, and how many classes of a category there are at most.
PICTURES, CLASSES = 8, 2


@pytest.fixture
def imagenet(tmp_path):
    """A folder of at most two classes of each category, of one that is in none, and of files that are no pictures."""
    numbers = list(imagenet_classes())
    for indices in [*imagenet_indices().values(), [0]]:
        for index in indices[:CLASSES]:
            folder = tmp_path / "train" / numbers[index]
            folder.mkdir(parents=True)
            for picture in range(PICTURES * (CLASSES if len(indices) == 1 else 1)):
                (folder / f"{numbers[index]}_{picture}.JPEG").touch()
            (folder / "notes.txt").touch()
    return tmp_path / "train"


def test_categories_have_the_classes_that_were_published():
    """As MSCOCO_to_ImageNet_category_mapping.txt of rgeirhos/generalisation-humans-DNNs has five of them."""
    numbers = list(imagenet_classes())
    published = {
        "airplane": ["n02690373"],
        "bicycle": ["n02835271", "n03792782"],
        "elephant": ["n02504013", "n02504458"],
        "knife": ["n03041632"],
        "oven": ["n04111531"],
    }
    assert {name: [numbers[index] for index in imagenet_indices()[name]] for name in published} == published


def test_the_choice_is_a_permutation_without_its_first_places(imagenet):
    chosen, more = (choose_pictures(imagenet, count) for count in (3, 6))
    assert [each.category for each in chosen] == [category for category in CATEGORIES for _ in range(3)]
    for category in CATEGORIES:
        few, many = ([each.id for each in found if each.category == category] for found in (chosen, more))
        assert few == many[:3] and len(set(many)) == 6
    classes = imagenet_classes()
    assert all(each.label == classes[each.path.parent.name] and each.path.suffix == ".JPEG" for each in more)
    assert choose_pictures(imagenet, 3) == chosen != choose_pictures(imagenet, 3, seed=1)


def test_the_manifest_is_read_as_stimuli(imagenet, tmp_path, capsys):
    manifest = tmp_path / "pictures.csv"
    options = ["--imagenet", str(imagenet), "--per-category", "2", "--output", str(manifest)]
    assert command_line.run(["corpus", "pictures", *options]) == 0
    assert collect_stimuli([manifest], SUFFIXES) == choose_pictures(imagenet, 2)
    assert "airplane" in capsys.readouterr().out


def test_what_is_no_imagenet_or_too_small_is_refused(imagenet, tmp_path):
    with pytest.raises(StimulusError, match="n02690373"):
        choose_pictures(tmp_path)
    with pytest.raises(StimulusError, match=f"airplane.*{SKIPPED + 7}"):
        choose_pictures(imagenet, 7)
    with pytest.raises(ArgumentError, match="pictures of a category"):
        choose_pictures(imagenet, 0)
