"""Natural stimuli that come with the package, or with packages beside it, by the name of the set."""

from collections.abc import Callable
from pathlib import Path

from tfmetamers.errors import StimulusError
from tfmetamers.stimuli.collection import StimulusFile, collect_stimuli
from tfmetamers.stimuli.images import sample_photograph
from tfmetamers.stimuli.sounds import SUFFIXES, sample_mixtures, sample_word, sample_words

#: Photographs that ship with scikit-image, and what they show where that is one of the 16 categories.
_PHOTOGRAPHS = {"astronaut.png": None, "chelsea.png": "cat", "coffee.png": None, "motorcycle_left.png": None,
                "rocket.jpg": None}  # fmt: skip


def find_data_set(name: str) -> list[StimulusFile]:
    """Return the stimuli of a set.

    Args:
        name: ``sample_word`` (the spoken word "human"), ``sample_words`` (sixty spoken words), ``sample_photograph``
            (the portrait of matplotlib), ``sample_photographs`` (that and five of scikit-image), or
            ``sample_mixtures`` (forty words over backgrounds).

    Raises:
        StimulusError: the package that a set comes with is not installed.
    """
    return _DATA_SETS[name]()


def data_set_manifest(name: str) -> Path:
    """Return the manifest of a set that has one: ``sample_words`` or ``sample_mixtures``."""
    return _MANIFESTS[name]()


def _word() -> list[StimulusFile]:
    return [StimulusFile("human", sample_word(), label="human", category="human")]


def _photograph() -> list[StimulusFile]:
    return [StimulusFile("grace_hopper", sample_photograph())]


def _photographs() -> list[StimulusFile]:
    try:
        import skimage
    except ImportError as error:
        raise StimulusError(
            "The sample photographs ship with scikit-image, which is not installed; run: pip install "
            "'tfmetamers[pictures]'"
        ) from error
    folder = Path(skimage.__file__).parent / "data"
    files = [StimulusFile(Path(name).stem, folder / name, category=category) for name, category in _PHOTOGRAPHS.items()]
    for file in files:
        if not file.path.is_file():
            raise StimulusError(
                f"This version of scikit-image has no {file.path.name}; install the one that requirements.txt names."
            )
    return files + _photograph()


_MANIFESTS: dict[str, Callable[[], Path]] = {"sample_words": sample_words, "sample_mixtures": sample_mixtures}

_DATA_SETS: dict[str, Callable[[], list[StimulusFile]]] = {
    "sample_word": _word,
    "sample_words": lambda: collect_stimuli([sample_words()], SUFFIXES),
    "sample_mixtures": lambda: collect_stimuli([sample_mixtures()], SUFFIXES),
    "sample_photograph": _photograph,
    "sample_photographs": _photographs,
}
