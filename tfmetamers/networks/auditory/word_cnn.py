"""The paper's word networks, aliased and with reduced aliasing, as far as they are known.

The names, order, ReLUs and pooling of their layers are those of the released code (``build_word_network_*.py``). The
sizes are in tables S2 and S3 of the paper, which the code does not have; ``release.py`` reads them from the authors'
own files where these are available.
"""

from importlib import resources

from tfmetamers.errors import unknown_name
from tfmetamers.networks.auditory.architecture import Architecture, read_architecture

#: Names of the paper's architectures.
ARCHITECTURES = ("word_aliased", "word_reduced_aliasing")

#: Names of small architectures with the same layers, which can be trained and inverted in minutes.
SMALL_ARCHITECTURES = ("small_word_aliased", "small_word_reduced_aliasing")


def find_architecture(name: str) -> Architecture:
    """Return the architecture of a word network; its note says how much of it is known.

    Args:
        name: one of `ARCHITECTURES` or `SMALL_ARCHITECTURES`.

    Raises:
        ArgumentError: there is no architecture with that name.
    """
    known = (*ARCHITECTURES, *SMALL_ARCHITECTURES)
    if name not in known:
        raise unknown_name("architecture", name, known, "Give one of these, or read one from a file.")
    with resources.as_file(resources.files(__package__).joinpath("architectures", f"{name}.json")) as file:
        return read_architecture(file)


def word_labels() -> list[str]:
    """Return the labels of the 794 classes of the word task; the first, ``__nullSignal__``, stands for no word.

    They are ``word_idx_to_word`` of the release's ``metamer_word_encodings.pckl``.
    """
    listed = resources.files(__package__).joinpath("word_labels.txt").read_text("utf-8")
    return listed.splitlines()
