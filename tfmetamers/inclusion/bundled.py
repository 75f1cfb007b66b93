"""The null distributions that come with the bundled networks."""

from pathlib import Path

from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.networks.auditory.trained_folder import NULL_FILE, bundled_networks


def bundled_nulls() -> dict[Path, NullDistribution]:
    """Return the null distribution of each bundled network that has one, by its file.

    ``reproduce/scripts/bundled_networks.py`` builds them from words of the test split and, for the
    network that knows backgrounds alone, from words over backgrounds.

    Raises:
        ResultError: one is damaged.

    >>> nulls = bundled_nulls()
    >>> "small_word_aliased" in {null.network["name"] for null in nulls.values()}
    True
    """
    files = [folder / NULL_FILE for folder in bundled_networks().values()]
    return {file: NullDistribution.load(file) for file in files if file.is_file()}
