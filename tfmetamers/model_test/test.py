"""A model test: an experiment in a folder, and the page, the table and the card that are made of it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.work import Worker
from tfmetamers.model_test.panel import Panel, default_judges, find_panel
from tfmetamers.model_test.plan import Choices, chosen_layers, experiment_text, natural_stimuli
from tfmetamers.networks.families.base import NetworkOutline
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.reproduce.experiments import write_experiment
from tfmetamers.utilities.files import atomic_write

if TYPE_CHECKING:
    from tfmetamers.model_test.page import Outcome

#: The experiment's file, and the labels of a model that came without, in the folder of a test.
EXPERIMENT, LABELS, MODEL = "experiment.toml", "labels.txt", "model.keras"


@dataclass(frozen=True)
class ModelTest:
    """The metamer test of one model, in a folder of its own.

    Attributes:
        model: the model.
        folder: the folder.
        choices: what is chosen of the test.

    >>> choices = Choices(layers=["conv_0", "conv_2"], count=10, steps=200, judges=[])
    >>> test = ModelTest(NetworkSpec.parse("small_word_aliased"), Path("test"), choices)
    >>> test.write()
    >>> [item.kind for item in Experiment.plan(test.experiment_file).items][-1]
    'recognition'
    """

    model: NetworkSpec
    folder: Path
    choices: Choices

    @property
    def experiment_file(self) -> Path:
        """The file of the experiment, which any number of workers can run (`tfmetamers experiment`)."""
        return self.folder / EXPERIMENT

    @cached_property
    def _description(self) -> Any:
        return self.model.describe()

    @cached_property
    def outline(self) -> NetworkOutline:
        """What is known of the model."""
        return self.model.network_family.outline(self.model) or NetworkOutline.of(self._description)

    @cached_property
    def panel(self) -> Panel:
        """Who is shown the metamers.

        Raises:
            ArgumentError: the model has no labels, so that nobody can tell whether it recognises anything.
        """
        if self._description.logits is None:
            raise ArgumentError(
                f"{self.model.title} has no labels, so what it recognises is not known; give those of its outputs, one "
                "a line (--labels FILE)."
            )
        candidates = self.choices.judges
        if candidates is None:
            candidates = default_judges(self.model, self.outline.domain.of_natural_stimuli.name)
        return find_panel(self._description, candidates, natural_stimuli(self.choices, self.outline), self.outline)

    def write(self) -> None:
        """Write the experiment's file, and the model's labels where they were given.

        Raises:
            ArgumentError: the model, a layer, a judge or a number cannot be used.
            StimulusError: a stimulus is missing.
            ResultError: the folder is that of another test, or cannot be written.
        """
        layers = chosen_layers(self.choices, self.outline, lambda: self._description)
        text = experiment_text(self.model, self.outline, layers, self.panel.judges, self.choices)
        if self.model.labels is not None:
            with atomic_write(self.folder / LABELS) as partial:
                partial.write_text("\n".join(self.model.labels) + "\n", encoding="utf-8")
        write_experiment(self.experiment_file, text, is_asked_for=True)

    def run(self, report: Callable[[str], None] = lambda line: None) -> None:
        """Make what is not there yet, in this process; what was stopped is continued.

        Args:
            report: called with a line for each part that was done or failed.

        Raises:
            TfmetamersError: the experiment cannot be run.
        """
        experiment = Experiment.plan(self.experiment_file)
        experiment.keep()
        Worker(experiment).work(
            experiment.items,
            lambda item, outcome: report(f"{item.describe()}: {'; '.join(outcome.reasons.values()) or 'done'}"),
        )

    def conclude(self) -> "Outcome":
        """Write the page, the figure, the table and the card of what is made so far, and return them.

        Raises:
            ResultError: nothing was recognised yet, or a file cannot be written.
        """
        from tfmetamers.model_test.page import write_outcome
        from tfmetamers.reproduce.results import Results

        return write_outcome(self, Results(Experiment.recall(self.experiment_file)))


def run_model_test(
    model: Any, folder: str | os.PathLike, *, labels: Any = None, report: Callable[[str], None] = print, **choices: Any
) -> "Outcome":
    """Test a model: make its metamers, judge them, show them to other networks, and write a page.

    Args:
        model: a network in the usual notation, a `NetworkSpec`, or a Keras model, which is saved in the folder.
        folder: the folder of the test; the same call continues what was stopped.
        labels: the labels of a model of one's own, one for each unit of its output.
        report: called with a line for each part that was done.
        choices: fields of `tfmetamers.model_test.plan.Choices`, such as ``quick=True`` or ``layers=["conv_3"]``; judges
            may be given in the usual notation.

    Raises:
        TfmetamersError: the model or a choice cannot be used, or a file cannot be written.

    >>> outcome = run_model_test("small_word_aliased", "test", layers=["conv_0"], count=1, steps=1, judges=[])
    small_word_aliased conv_0, ...: done
    the evaluation of small_word_aliased conv_0: done
    recognition by small_word_aliased, ...: done
    >>> outcome.page.as_posix()
    'test/page.html'
    """
    folder = Path(folder)
    judges = choices.pop("judges", None)
    if judges is not None:
        judges = [each if isinstance(each, NetworkSpec) else NetworkSpec.parse(each) for each in judges]
    spec = _spec(model, folder, labels)
    test = ModelTest(spec, folder, Choices(judges=judges, **choices))
    test.write()
    test.run(report)
    return test.conclude()


def _spec(model: Any, folder: Path, labels: Any) -> NetworkSpec:
    given = {} if labels is None else {"labels": tuple(labels)}
    if isinstance(model, NetworkSpec):
        return model.replace(**given)
    if isinstance(model, str | os.PathLike):
        return NetworkSpec.parse(os.fspath(model), **given)
    file = folder / MODEL
    if not file.exists():
        with atomic_write(file) as partial:
            model.save(partial)
    elif _differs(model, file):
        raise ResultError(f"{file} holds another model than the one that was given; give another folder.")
    return NetworkSpec.parse(os.fspath(file), **given)


def _differs(model: Any, file: Path) -> bool:
    """Tell whether a Keras model is another than that of a file."""
    import keras

    from tfmetamers.networks.own.keras import model_digest

    return model_digest(model) != model_digest(keras.saving.load_model(file, compile=False))
