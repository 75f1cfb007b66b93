"""All figures, tables and sections that can be reproduced, by name."""

from collections.abc import Mapping

from tfmetamers.errors import unknown_name
from tfmetamers.reproduce import paper_2019, paper_2023
from tfmetamers.reproduce.differences import Published
from tfmetamers.reproduce.reproduction import Reproduction


def reproductions() -> tuple[Reproduction, ...]:
    """Return all of them, in the order of their papers."""
    return (*paper_2019.REPRODUCTIONS, *paper_2023.REPRODUCTIONS)


def published_experiments(paper: str) -> Mapping[str, Published]:
    """Return what a paper did in each of the experiments that its figures share."""
    return {"2019": paper_2019.EXPERIMENTS, "2023": paper_2023.EXPERIMENTS}[paper]


def find_reproduction(name: str) -> Reproduction:
    """Return a reproduction by its name, with the paper (``2023/figure-6``) or without.

    Without, it is that of the 2019 paper where both papers have one.

    Raises:
        ArgumentError: there is none of that name.
    """
    for each in reproductions():
        if name in (each.full_name, each.name):
            return each
    known = [known for each in reproductions() for known in (each.full_name, each.name)]
    raise unknown_name("figure", name, known, "'tfmetamers reproduce' lists them.")
