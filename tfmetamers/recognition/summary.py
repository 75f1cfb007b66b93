"""How often each judge was right, by the network and layer that made the metamers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfmetamers.errors import checked_whole_number
from tfmetamers.recognition.decisions import FAILED, NOT_JUDGED, PASSED, Decision, GeneratingNetwork, Recognition
from tfmetamers.recognition.exhibits import NATURAL

#: What a decision can be about: the judge's full set of labels, or the 16 categories.
TASKS = ("label", "category")

#: Bootstrap samples of the stimuli.
RESAMPLES = 10_000


@dataclass(frozen=True)
class RecognitionRow:
    """A judge's decisions on the metamers of one layer; a row of ``recognition_summary.csv``.

    Attributes:
        judge: the judge's name.
        network: the network that made the metamers.
        layer: the matched layer; ``natural`` for the natural stimuli that they match.
        task: ``label`` or ``category``.
        rule: the rule that gave categories; None for labels.
        passed: number of metamers that passed the inclusion test; None for natural stimuli, as are the next two.
        failed: number that failed it.
        not_judged: number that it was not applied to.
        left_out: number of all these that were not shown to the judge.
        shown: number of stimuli that the judge decided on.
        without_truth: number of those whose truth is not known; they are not counted below.
        decisions: number of those whose truth is known.
        stimuli: number of different natural stimuli among these.
        correct: proportion that the judge was right about, 0 to 1; None where there are none.
        sem: the standard error of that proportion, by bootstrap over stimuli; None for fewer than two stimuli.
        chance: the proportion expected of a judge that guesses; None for one that transcribes.
    """

    judge: str
    network: str
    layer: str
    task: str
    rule: str | None
    passed: int | None
    failed: int | None
    not_judged: int | None
    left_out: int
    shown: int
    without_truth: int
    decisions: int
    stimuli: int
    correct: float | None
    sem: float | None
    chance: float | None


def summarize_recognition(recognition: Recognition, seed: int = 0) -> list[RecognitionRow]:
    """Count each judge's correct decisions for each network and layer, natural stimuli first.

    A judge has no rows for a task if the truth is not known for any stimulus.

    Args:
        recognition: the decisions.
        seed: the seed of the bootstrap, from 0.

    Raises:
        ArgumentError: the seed cannot be used.

    >>> import numpy as np
    >>> from tfmetamers.metamers import save_metamers
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.recognition import recognize
    >>> from tfmetamers.recognition.truth import Truth
    >>> from tfmetamers.synthesis import synthesize_batch
    >>> labels = ["cat", "dog", "owl"]
    >>> network = from_function(lambda stimuli: {"logits": 2 * stimuli}, (3,), labels=labels, logits="logits")
    >>> stimuli = np.array([[0.1, 0.7, 0.2]])
    >>> metamers = synthesize_batch(network, stimuli, layers="logits", ids=["rex"], steps=2)
    >>> folders = save_metamers(metamers, "metamers")
    >>> recognition = recognize("metamers", [network], include_failed=True, truth={"rex": Truth(label="dog")})
    >>> natural, matched = summarize_recognition(recognition)
    >>> natural.correct, matched.layer, matched.shown
    (1.0, 'logits', 1)
    """
    checked_whole_number("bootstrap seed", seed, minimum=0)
    return [
        row
        for task in TASKS
        for judge, chances in recognition.chances.items()
        if task in chances and _has_truth(recognition.decisions, judge, task)
        for generator in recognition.generators
        for row in _rows(recognition, judge, generator, task, seed)
    ]


def resampled_means(stimuli: Sequence[str], values: Sequence[float], seed: int = 0) -> np.ndarray:
    """Return the means of bootstrap samples of the stimuli.

    Stimuli are drawn with replacement, each with all its values, so that several seeds of one stimulus, which are not
    independent, stay together.

    Args:
        stimuli: a name or hash of the stimulus of each value.
        values: the values, such as whether each decision was correct.
        seed: the seed, from 0.

    Returns:
        An array of shape [`RESAMPLES`].
    """
    distinct, positions = np.unique(np.asarray(stimuli, str), return_inverse=True)
    sums = np.bincount(positions, np.asarray(values, float))
    counts = np.bincount(positions)
    generator = np.random.default_rng(seed)
    times = generator.multinomial(len(distinct), np.full(len(distinct), 1 / len(distinct)), size=RESAMPLES)
    return times @ sums / (times @ counts)


def standard_error(stimuli: Sequence[str], correct: Sequence[bool], seed: int = 0) -> float | None:
    """Return the standard error of a proportion of correct decisions, by bootstrap over stimuli (`resampled_means`).

    Args:
        stimuli: a name or hash of the stimulus of each decision.
        correct: whether each decision was correct.
        seed: the seed, from 0.

    Returns:
        The standard deviation of the proportion over the samples; None for fewer than two stimuli.
    """
    if len(set(stimuli)) < 2:
        return None
    return float(np.std(resampled_means(stimuli, correct, seed), ddof=1))


def _has_truth(decisions: Sequence[Decision], judge: str, task: str) -> bool:
    return any(each.judge == judge and _correct(each, task) is not None for each in decisions)


def _rows(
    recognition: Recognition, judge: str, generator: GeneratingNetwork, task: str, seed: int
) -> list[RecognitionRow]:
    by_layer: dict[str, list[Decision]] = {layer: [] for layer in (NATURAL, *generator.layers)}
    for decision in recognition.decisions:
        is_natural = not decision.network and decision.folder in generator.naturals
        if decision.judge == judge and (is_natural or decision.network == generator.name):
            by_layer[decision.layer].append(decision)
    return [_row(recognition, judge, generator, task, seed, *item) for item in by_layer.items()]


def _row(recognition, judge, generator, task, seed, layer, decisions: Sequence[Decision]) -> RecognitionRow:
    known = [decision for decision in decisions if _correct(decision, task) is not None]
    correct = [_correct(decision, task) for decision in known]
    stimuli = [decision.stimulus_sha256 for decision in known]
    counts = generator.counts.get(layer)
    states = [None if counts is None else counts[state] for state in (PASSED, FAILED, NOT_JUDGED)]
    return RecognitionRow(
        judge=judge,
        network=generator.name,
        layer=layer,
        task=task,
        rule=recognition.rule if task == "category" else None,
        passed=states[0],
        failed=states[1],
        not_judged=states[2],
        left_out=(len(generator.naturals) if counts is None else sum(states)) - len(decisions),
        shown=len(decisions),
        without_truth=len(decisions) - len(known),
        decisions=len(known),
        stimuli=len(set(stimuli)),
        correct=float(np.mean(correct)) if correct else None,
        sem=standard_error(stimuli, correct, seed) if correct else None,
        chance=recognition.chances[judge][task],
    )


def _correct(decision: Decision, task: str) -> bool | None:
    return decision.correct_label if task == "label" else decision.correct_category
