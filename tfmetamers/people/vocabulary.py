"""The words that participants choose from."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tfmetamers.errors import ArgumentError, first_line
from tfmetamers.networks.auditory.word_cnn import word_labels
from tfmetamers.stimuli.word_lists import word_list
from tfmetamers.utilities.regular_files import read_text
from tfmetamers.utilities.words import counted, first_few

#: The largest file of words that is read, in bytes.
MAX_BYTES = 2**20


@dataclass(frozen=True)
class Vocabulary:
    """The words that participants choose from.

    Attributes:
        words: in alphabetical order.
        source: where they come from, in words.
        is_published: whether they are the protocol's list.
    """

    words: tuple[str, ...]
    source: str
    is_published: bool = False

    def require(self, needed: Iterable[str]) -> None:
        """Refuse a vocabulary that lacks a word which a sound has.

        Raises:
            ArgumentError: it lacks one.
        """
        missing = sorted(set(needed) - set(self.words))
        if missing:
            raise ArgumentError(
                f"{self.source} lacks {counted(len(missing), 'word')} of the sounds: {first_few(missing)}; add them "
                "with --words FILE, or leave these sounds out."
            )


def choose_vocabulary(
    name: str, file: str | os.PathLike | None, known: Sequence[Sequence[str]], needed: Iterable[str]
) -> Vocabulary:
    """Return the words of a file, else of the networks where they know fewer than the protocol has, else its own.

    Args:
        name: the protocol's list: ``"kell2018"`` (587 words) or ``"feather2023"`` (793).
        file: a text with one word per line; None for the default.
        known: the labels of each network that made metamers.
        needed: the words of the sounds.

    Raises:
        ArgumentError: the file cannot be read, is empty, or has a word twice; or a word of a sound is missing.
    """
    needed = set(needed)
    if file is not None:
        chosen = Vocabulary(_read(file), str(file))
    else:
        own = word_list(name) if name == "kell2018" else word_labels()[1:]
        labels = {
            label for each in known if needed & set(each) for label in each if not label.startswith("_")
        }  # The class of no word is not an answer.
        if labels and len(labels) < len(own):
            chosen = Vocabulary(tuple(sorted(labels)), f"the {len(labels)} words that the networks know")
        else:
            chosen = Vocabulary(tuple(sorted(own)), f"the list {name} of {len(own)} words", True)
    chosen.require(needed)
    return chosen


def _read(file: str | os.PathLike) -> tuple[str, ...]:
    try:
        lines = [line.strip() for line in read_text(file, MAX_BYTES).splitlines()]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise ArgumentError(f"{file} cannot be read ({reason}); give a text with one word per line.") from error
    words = [line for line in lines if line]
    twice = sorted({word for word in words if words.count(word) > 1})
    if not words or twice:
        found = f"{first_few(list(map(repr, twice)))} more than once" if twice else "no word"
        raise ArgumentError(f"{file} has {found}; each word once, one per line, was expected.")
    return tuple(sorted(words))
