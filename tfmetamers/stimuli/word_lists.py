"""Lists of words that experiments have used.

Source: ``demo_stim/logits_to_word_key.npy`` of github mcdermottLab/kelletal2018 at 63995e3bb547, which has 589 classes;
two of them stand for no word and for music.
"""

from importlib import resources

from tfmetamers.errors import unknown_name

#: The lists by name: the 295 words of the 2019 experiment, which are those of Kell et al. (2018) that are also among
#: the 793 of the released networks; and the 587 words that its listeners chose from.
WORD_LISTS = ("feather2019", "kell2018")


def word_list(name: str) -> list[str]:
    """Return a list of words, in lower case, in alphabetical order.

    Args:
        name: one of `WORD_LISTS`.

    Raises:
        ArgumentError: there is no list of that name.

    >>> len(word_list("feather2019")), len(word_list("kell2018"))
    (295, 587)
    """
    if name not in WORD_LISTS:
        raise unknown_name("list of words", name, WORD_LISTS)
    return resources.files(__package__).joinpath("word_lists", f"{name}.txt").read_text("utf-8").split()
