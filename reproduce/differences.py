"""How an experiment differs from the paper's, read from what the experiment resolved to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tfmetamers.networks.notation import without_extent
from tfmetamers.reproduce.results import Results
from tfmetamers.utilities.words import counted


@dataclass(frozen=True)
class Published:
    """What a paper did in one of its experiments.

    Attributes:
        networks: the networks whose metamers were made.
        stimuli: how many natural stimuli there were.
        described: what they were.
        pairs: pairs of the null distributions.
    """

    networks: tuple[str, ...]
    stimuli: int
    described: str
    pairs: int


def find_differences(results: Results, published: Published) -> Iterator[str]:
    """Give a sentence for each way in which an experiment differs from the paper's.

    Args:
        results: what the experiment has made, or is about to make.
        published: what the paper did.
    """
    definition = results.experiment.definition
    yield from _networks(definition, published)
    if len(definition.stimuli) != published.stimuli:
        yield (
            f"{counted(len(definition.stimuli), 'natural stimulus', 'natural stimuli')}; the paper has "
            f"{published.stimuli} ({published.described})."
        )
    yield from _recipes(definition)
    yield from _nulls(results, published)
    yield from _truths(definition)
    if definition.recognition and definition.recognition["include_failed"]:
        yield "Judges are also shown metamers that failed the inclusion test; figures leave them out."
    made, planned = len(results.metamers), len(definition.stimuli) * len(results.experiment.conditions)
    if made < planned:
        yield f"{made:,} of {planned:,} metamers are made so far."


def _networks(definition: Any, published: Published) -> Iterator[str]:
    titles = {each.spec.title: each for each in definition.networks}
    names = list(dict.fromkeys(map(without_extent, titles)))
    others = [name for name in names if name not in published.networks]
    if others:
        yield f"Metamers of {_listed(others)}; the paper has {_listed(published.networks)}."
    for title, each in titles.items():
        if each.spec.size:
            yield f"{title} takes {each.outline.domain.describe()}, which is not its own size."
    kinds: dict[tuple[str, int | None], list[str]] = {}
    for title, each in titles.items():
        if without_extent(title) in others:
            kinds.setdefault((each.outline.domain.describe(), each.outline.classes), []).append(title)
    for (stimulus, classes), alike in kinds.items():
        known = "" if classes is None else f", with {counted(classes, 'class', 'classes')}"
        yield f"{_listed(alike)} {'takes' if len(alike) == 1 else 'take'} {stimulus}{known}."
    missing = [name for name in published.networks if name not in names]
    if missing and not others:
        yield f"No metamers of {_listed(missing)}."


def _truths(definition: Any) -> Iterator[str]:
    unknown = sum(stimulus.label is None and stimulus.category is None for stimulus in definition.stimuli)
    if definition.judges and unknown:
        yield (
            f"What {unknown} of {counted(len(definition.stimuli), 'natural stimulus', 'natural stimuli')} are is not "
            "known. There, a judge is right about a metamer if its answer is its answer to the natural stimulus: it is "
            "right about all natural stimuli, and a judge that gives one answer to everything is always right."
        )


def _recipes(definition: Any) -> Iterator[str]:
    seen = {}
    for each in definition.networks:
        for field, (paper, used) in each.recipe.deviations().items():
            seen.setdefault((field, paper, used), []).append(each.spec.title)
    networks = {each.spec.title for each in definition.networks}
    for (field, paper, used), names in seen.items():
        names = list(dict.fromkeys(names))
        where = "" if set(names) == networks else f" ({', '.join(names)})"
        yield f"{field.replace('_', ' ').capitalize()} {_plain(used)}{where}; the paper has {_plain(paper)}."


def _nulls(results: Results, published: Published) -> Iterator[str]:
    if published.pairs == 0:
        return
    pairs: dict[int | None, list[str]] = {}
    for network in results.layers:
        null = results.null(network)
        pairs.setdefault(null.pairs_count if null else None, []).append(network)
    for count, networks in pairs.items():
        who = "" if len(pairs) == 1 else f" of {', '.join(networks)}"
        if count is None:
            yield (
                f"No null distribution{who}: whether a metamer passes is not known, and metamers are shown whatever "
                "their correlation."
            )
        elif count != published.pairs:
            yield f"Null distributions{who} of {count:,} pairs; the paper has {published.pairs:,} of its training set."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def _plain(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
