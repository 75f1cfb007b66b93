"""The page, the table and the card of a model test."""

import base64
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError
from tfmetamers.metamers.tables import write_csv
from tfmetamers.model_test.curves import ITSELF, JUDGES, Departure, find_departure, published_curves, recognition_curves
from tfmetamers.model_test.figure import CAPTION, draw_curves
from tfmetamers.plotting.style import save_figure
from tfmetamers.published import find_published
from tfmetamers.reproduce.page import render, table_cells
from tfmetamers.reproduce.results import Results
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.words import counted, duration
from tfmetamers.version import __version__

if TYPE_CHECKING:
    import pandas

    from tfmetamers.experiments.definition import PlannedNetwork
    from tfmetamers.model_test.test import ModelTest

#: How many significant digits numbers are shown with.
DIGITS = 3

#: The panels of the published correlation of recognition by other networks with that by people.
_CORRELATIONS = {"pictures": "8e", "sounds": "8f"}


@dataclass(frozen=True)
class Outcome:
    """What a model test found.

    Attributes:
        page: the HTML page; ``page.md``, ``curves.csv``, ``card.json`` and ``figure.png`` lie beside it.
        curves: how often metamers are recognised (`tfmetamers.model_test.curves.recognition_curves`).
        departures: where the model itself and, if there are any, the judges together leave the natural level.
        answers: the same in sentences.
    """

    page: Path
    curves: "pandas.DataFrame"
    departures: Sequence[Departure]
    answers: Sequence[str]


def write_outcome(test: "ModelTest", results: Results) -> Outcome:
    """Write the page, the figure, the table and the card of a model test.

    Args:
        test: the test.
        results: what its experiment has made.

    Raises:
        ResultError: nothing was recognised yet, or a file cannot be written.
    """
    [model] = results.experiment.definition.networks
    curves = recognition_curves(results, test.panel.chances)
    if not len(curves):
        raise ResultError(
            f"There is nothing to show of {model.spec.title} yet: 'tfmetamers experiment status "
            f"{results.experiment.file}' says what is to be made, and what failed."
        )
    [layers] = results.layers.values()
    observers = [results.judges[0], *([JUDGES] if len(results.judges) > 1 else [])]
    departures = [find_departure(curves, observer, layers) for observer in observers]
    answers = [_answer(departure, layers, is_model=place == 0) for place, departure in enumerate(departures)]
    domain = model.outline.domain.of_natural_stimuli.name
    folder = test.folder
    write_csv(curves, folder / "curves.csv")
    save_figure(draw_curves(curves, layers, domain), folder / "figure")
    content = {
        "model": model.spec.title,
        "heading": f"Metamer test, made by tfmetamers {__version__}",
        "answers": answers,
        "picture": base64.b64encode((folder / "figure.png").read_bytes()).decode(),
        "caption": CAPTION,
        "statement": _statement(test, results, domain),
        "judges": _judges(test, results),
        "metamers": table_cells(_metamers(results, layers), DIGITS),
        "table": table_cells(curves, DIGITS),
        "making": _making(test, results, model),
    }
    for name in ("page.md", "page.html"):
        with atomic_write(folder / name) as partial:
            partial.write_text(render(Path(__file__).parent, name, content), encoding="utf-8", newline="\n")
    with atomic_write(folder / "card.json") as partial:
        partial.write_text(json.dumps(_card(test, results, curves, departures), indent=2) + "\n", encoding="utf-8")
    return Outcome(folder / "page.html", curves, departures, answers)


def _answer(departure: Departure, layers: Sequence[str], *, is_model: bool) -> str:
    who = "The model itself recognises" if is_model else "Other networks recognise"
    if departure.natural is None:
        return f"{who} no natural stimulus that was shown."
    natural = f"{who} {departure.natural:.2f} of the natural stimuli"
    without = f" No metamer of {', '.join(departure.missing)} passed the inclusion test." if departure.missing else ""
    if departure.layer is None:
        shown = len(layers) - len(departure.missing)
        if not shown:
            return f"{natural}; no metamer passed the inclusion test."
        return (
            f"{natural}, and metamers of {'one layer' if shown == 1 else f'each of {shown} layers'} more often than "
            f"halfway from there to chance ({departure.halfway:.2f}).{without}"
        )
    return (
        f"{natural}; it falls below halfway from there to chance ({departure.halfway:.2f}) at {departure.layer}, layer "
        f"{departure.depth + 1} of {len(layers)}.{without}"
    )


def _statement(test: "ModelTest", results: Results, domain: str) -> list[str]:
    """Return what the test can and cannot say."""
    sentences = ["People were not asked: what is shown is what networks recognise."]
    if len(results.judges) > 1:
        published = find_published("correlations_2023").read()
        published = published[published["statistic"] == "Spearman rho"].set_index("figure")["published"]
        both = [f"{published[panel]:.2f} for {kind}" for kind, panel in _CORRELATIONS.items()]
        sentences.append(
            "Over the stages of published networks, recognition by other networks predicts recognition by people with "
            f"a rank correlation of {' and '.join(both)} (Feather et al. 2023, Figures 8e and 8f); whether it does for "
            "this model, only an experiment with people tells ('tfmetamers people')."
        )
    else:
        sentences.append(
            "No other network shares labels with the model and knows the stimuli, so that the page shows self-"
            "recognition alone, which the inclusion test demands anyway: it does not predict what people recognise."
        )
    count = len(results.experiment.definition.stimuli)
    sentences.append(f"{counted(count, 'natural stimulus', 'natural stimuli')}: the intervals tell how far that goes.")
    networks = published_curves(domain)
    if len(networks):
        number = len(networks.drop_duplicates(["paper", "network"]))
        sentences.append(
            f"The grey lines are people's recognition of metamers of {number} published networks, of other stimuli "
            "and, where this run is short, of better converged metamers; layers are aligned by their order alone."
        )
    if results.null(next(iter(results.layers))) is None:
        sentences.append(
            "There is no null distribution, for want of enough stimuli (--null-stimuli): metamers count as passed, "
            "whether or not they match."
        )
    if test.choices.recipe == "2019" and test.choices.quick:
        sentences.append("Few steps, layers and stimuli were taken (--quick); leave that out for a result to report.")
    return sentences


def _judges(test: "ModelTest", results: Results) -> list[str]:
    listed = [f"{name}{' (the model itself)' if place == 0 else ''}" for place, name in enumerate(results.judges)]
    return listed + [f"Left out: {name}; {reason}." for name, reason in test.panel.left_out]


def _metamers(results: Results, layers: Sequence[str]) -> "pandas.DataFrame":
    """Return how many metamers of each layer passed, and how close they are."""
    table = results.metamers.assign(included=results.metamers["included"].astype("boolean"))
    groups = table.groupby("layer")
    counts = groups.agg(
        made=("stimulus", "size"),
        passed=("included", "sum"),
        same_label=("same_label", "sum"),
        median_correlation=("correlation", "median"),
        null_maximum=("null_maximum", "max"),
        median_loss=("loss", "median"),
    )
    return counts.reindex([layer for layer in layers if layer in counts.index]).rename_axis("layer").reset_index()


def _making(test: "ModelTest", results: Results, model: "PlannedNetwork") -> list[str]:
    null = results.null(next(iter(results.layers)))
    return [
        f"Model: {model.spec} ({model.spec.digest[:12] or 'random weights'})",
        f"Recipe: {model.recipe.name}, {counted(model.recipe.steps, 'step')}, {model.recipe.optimizer_title}",
        f"Null distribution: {'none' if null is None else null.claim()}",
        f"Experiment: {test.experiment_file.name} ({counted(len(results.metamers), 'metamer')}, "
        f"{duration(results.seconds)} of steps); everything else is in card.json.",
    ]


def _card(
    test: "ModelTest", results: Results, curves: "pandas.DataFrame", departures: Sequence[Departure]
) -> dict[str, Any]:
    """Return everything that is needed to repeat the test, and what it found, as JSON has it."""
    definition = results.experiment.definition
    [model] = definition.networks
    titles = [ITSELF, *results.judges[1:]]
    return {
        "tfmetamers": __version__,
        "model": model.to_json(),
        "stimuli": [dataclasses.asdict(stimulus) for stimulus in definition.stimuli],
        "seeds": list(definition.seeds),
        "null": definition.null and dict(definition.null),
        "judges": [{"title": title, **judge.to_json()} for title, judge in zip(titles, definition.judges, strict=True)],
        "left_out": dict(test.panel.left_out),
        "experiment": test.experiment_file.read_text(encoding="utf-8"),
        "curves": json.loads(curves.to_json(orient="records")),
        "departures": [dataclasses.asdict(departure) for departure in departures],
    }
