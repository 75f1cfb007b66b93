"""Natural pictures of the 16 categories, chosen from ImageNet's training set as the released code does it.

``make_256_16_class_imagenet`` (``analysis_scripts/input_helpers.py`` of jenellefeather/model_metamers_pytorch) permutes
the pictures of a category and takes those at places 10 to 25: 16 of each, 256 in all. The paper (section 3.5) says 36
of each. The code assigns a seed and does not use it, so which pictures were chosen cannot be repeated; here the seed is
used. The code chooses from lists of names that it does not contain; here, all pictures of the classes are in the draw.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfmetamers.errors import StimulusError, checked_whole_number
from tfmetamers.networks.categories import imagenet_indices
from tfmetamers.networks.slim import imagenet_classes
from tfmetamers.stimuli.collection import StimulusFile
from tfmetamers.stimuli.images import SUFFIXES
from tfmetamers.utilities.words import counted

#: Places of a permutation that the released code leaves out, "so they do not overlap with a previous set".
SKIPPED = 10

#: Pictures of each category in the released code.
RELEASED = 16


def choose_pictures(folder: Path, per_category: int = RELEASED, seed: int = 0) -> list[StimulusFile]:
    """Choose pictures of each of the 16 categories from ImageNet's training set.

    The pictures of a category are sorted by their names and permuted; the first `SKIPPED` are left out. The choice in
    one category does not depend on the others.

    Args:
        folder: a folder with a folder for each class, named by its WordNet number, such as ``n02690373``. Some classes
            of a category may be missing.
        per_category: how many pictures of each category.
        seed: of the permutations, from 0.

    Returns:
        The pictures by category, with their classes as labels; ids are ``category/name``.

    Raises:
        StimulusError: there are no folders of classes, or too few pictures of a category.
        ArgumentError: a number cannot be used.
    """
    checked_whole_number("number of pictures of a category", per_category, minimum=1)
    checked_whole_number("seed", seed, minimum=0)
    classes = list(imagenet_classes().items())
    if not any((folder / number).is_dir() for number, _ in classes):
        raise StimulusError(
            f"{folder} has no folders of ImageNet's classes, which are named like {classes[404][0]}; give the folder "
            "of ImageNet's training set."
        )
    return [
        chosen
        for category, indices in imagenet_indices().items()
        for chosen in _choose(folder, category, [classes[index] for index in indices], per_category, seed)
    ]


def _choose(
    folder: Path, category: str, classes: Sequence[tuple[str, str]], count: int, seed: int
) -> list[StimulusFile]:
    files = [
        StimulusFile(f"{category}/{path.stem}", path, label, category)
        for number, label in classes
        for path in _pictures(folder / number)
    ]
    if len(files) < SKIPPED + count:
        raise StimulusError(
            f"The classes of {category} have {counted(len(files), 'picture')} in {folder}, and {SKIPPED + count} are "
            f"needed: {count} after {SKIPPED} that are left out. Ask for fewer, or give another folder."
        )
    files.sort(key=lambda file: file.path.name)
    places = np.random.default_rng([seed, *category.encode()]).permutation(len(files))
    return [files[place] for place in places[SKIPPED : SKIPPED + count]]


def _pictures(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES] if folder.is_dir() else []
