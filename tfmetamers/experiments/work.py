"""A worker: takes items of an experiment, and has synthesis, inclusion and recognition do them."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.errors import CheckpointError, ResultError, TfmetamersError
from tfmetamers.experiments.agenda import DONE, FAILED, TAKEN, Agenda, Outcome
from tfmetamers.experiments.claims import Claim, ClaimLost
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.heartbeat import Heartbeat, kept_alive
from tfmetamers.experiments.items import EvaluationItem, Item, NullItem, RecognitionItem, SynthesisItem
from tfmetamers.networks.spec import NetworkSpec

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network
    from tfmetamers.synthesis.runs import Run

#: Called with an item, how far it is, and how far it goes.
Progress = Callable[[Item, int, int], None]


def limit_threads(threads: int | None) -> None:
    """Have TensorFlow use as many threads within an operation, and one operation at a time.

    What is computed may depend on the number of threads in its last digits.

    Args:
        threads: how many; None leaves it to TensorFlow.

    Raises:
        ResultError: TensorFlow is at work already with another number.
    """
    if threads is None:
        return
    import tensorflow as tf

    threading = tf.config.threading
    found = threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()
    if found == (threads, 1):
        return
    try:
        threading.set_intra_op_parallelism_threads(threads)
        threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise ResultError(
            f"TensorFlow is at work with {found[0] or 'all'} threads already, and {threads} were asked for; start "
            "another process."
        ) from error


class Worker:
    """Does items of one experiment, and keeps the networks that it has loaded.

    >>> import keras
    >>> from pathlib import Path
    >>> from tfmetamers.experiments import Experiment
    >>> layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, activation="relu", name="conv")]
    >>> keras.Sequential(layers).save("mine.keras")
    >>> _ = Path("mine.toml").write_text('''
    ... [stimuli]
    ... data_set = "sample_photograph"
    ... [[networks]]
    ... network = "mine.keras"
    ... layers = ["conv"]
    ... settings = { steps = 1 }
    ... ''')
    >>> experiment = Experiment.plan("mine.toml")
    >>> experiment.keep()
    >>> Worker(experiment).work(experiment.items, lambda item, outcome: print(item.kind, outcome.state))
    metamers done
    evaluation done
    """

    def __init__(self, experiment: Experiment, progress: Progress = lambda *_: None):
        """Begin without a network.

        Args:
            experiment: the experiment.
            progress: called about once a second with the item that is worked on, how far it is (steps of a batch, or
                stimuli), and how far it goes.
        """
        self.experiment = experiment
        self._progress = progress
        self._networks: dict[str, Network] = {}
        self._run: Run | None = None
        self._item: Item | None = None
        self._heartbeat: Heartbeat | None = None

    def work(self, items: Sequence[Item], report: Callable[[Item, Outcome], None]) -> None:
        """Take one item after another until each is done, has failed or is worked on by others.

        Args:
            items: the items, in the order in which they are taken.
            report: called with each item that was tried.

        Raises:
            ResultError: claims cannot be written.
        """
        agenda = Agenda(self.experiment, items)
        while True:
            for item in agenda.ready():
                outcome = self.attempt(item)
                agenda.note(item, outcome)
                if outcome.state != TAKEN:
                    report(item, outcome)
            if not agenda.has_more():
                return

    def attempt(self, item: Item) -> Outcome:
        """Claim an item and do it, unless somebody else does.

        Raises:
            ResultError: claims cannot be written.
        """
        claim = self.experiment.take(item, self.experiment.claims.find(item.key))
        if claim is None:
            return Outcome(TAKEN)
        started = time.monotonic()
        try:
            with kept_alive(claim) as self._heartbeat:
                reasons = self._reasons(item)
        except ClaimLost:
            return Outcome(TAKEN)
        return self._settled(item, claim, reasons, time.monotonic() - started)

    def _settled(self, item: Item, claim: Claim, reasons: Mapping[str, str], seconds: float) -> Outcome:
        if not reasons or (isinstance(item, SynthesisItem) and self.experiment.is_done(item)):
            self.experiment.claims.forget(item.key, claim.generation)
            return Outcome(DONE, seconds=seconds)
        try:
            claim.fail(reasons)
        except ClaimLost:
            return Outcome(TAKEN)
        except OSError as error:
            [reason, *_] = reasons.values()
            raise ResultError(f"{reason} (This could not be noted: {error.strerror or error}.)") from error
        return Outcome(FAILED, reasons, seconds)

    def _reasons(self, item: Item) -> Mapping[str, str]:
        """Do an item, and return why parts of it failed, by what failed."""
        self._item = item
        try:
            return _DOING[type(item)](self, item)
        except ClaimLost:
            raise
        except TfmetamersError as error:
            return {item.describe(): str(error)}
        except Exception as error:  # One item must not end all others: memory that is short, a defect.
            return {item.describe(): f"{type(error).__name__}: {error}"}

    def _make_metamers(self, item: SynthesisItem) -> Mapping[str, str]:
        from tfmetamers.synthesis.plan import plan_run

        plan = plan_run(item.specs, self.experiment.metamers, len(item.stimuli))
        if not plan.batches:
            return {}
        run = self._prepared(item.network)
        run.failures.clear()
        ids = {spec.folder(self.experiment.metamers): spec.stimulus.id for spec in item.specs}
        for batch in plan.batches:
            for _ in run.make(batch):
                pass
        return {ids[folder]: reason for folder, reason in run.failures.items()}

    def _build_null(self, item: NullItem) -> Mapping[str, str]:
        from tfmetamers.inclusion.null_construction import build_null, examine_stimuli, plan_null
        from tfmetamers.stimuli.collection import collect_stimuli

        network = self._network(item.network)
        files = collect_stimuli(item.stimuli, network.domain.suffixes, ignored=self.experiment.out)
        stimuli = examine_stimuli(network, files, fit=item.fit, progress=self._heartbeat.check)
        plan = plan_null(
            network,
            item.layers,
            stimuli,
            pairs=item.pairs,
            seed=item.seed,
            out=item.file(self.experiment.out),
            design=item.design,
        )
        build_null(plan, self._report, is_alone=True)
        return {}

    def _evaluate(self, item: EvaluationItem) -> Mapping[str, str]:
        from tfmetamers.inclusion.bundled import bundled_nulls
        from tfmetamers.inclusion.evaluation import Failure, evaluate
        from tfmetamers.inclusion.null_choice import applying_nulls
        from tfmetamers.inclusion.null_files import load_null
        from tfmetamers.metamers.folder import find_metamers, read_record

        basis = self.experiment.basis(item)
        folder = self.experiment.metamers / item.layer_folder
        metamers = find_metamers(folder)
        record = read_record(metamers[0])
        built = [item.null] if item.null and Path(item.null).exists() else []
        nulls = {Path(file): load_null(file) for file in built}
        nulls = nulls or applying_nulls({Path(file): load_null(file) for file in item.further_nulls}, record)
        found = evaluate(
            folder,
            nulls,
            defaults=bundled_nulls(),
            all_layers=item.all_layers,
            networks=[self._network(item.network)],
        )
        reasons = {}
        for done, each in enumerate(found, start=1):
            self._report(done, len(metamers))
            if isinstance(each, Failure):
                reasons[each.folder.relative_to(folder).as_posix()] = each.reason
        if not reasons:
            self.experiment.mark_done(item, basis)
        return reasons

    def _recognize(self, item: RecognitionItem) -> Mapping[str, str]:
        from tfmetamers.recognition.decisions import recognize
        from tfmetamers.recognition.summary import summarize_recognition
        from tfmetamers.recognition.truth import read_truth
        from tfmetamers.report.recognition import write_recognition

        basis = self.experiment.basis(item)
        recognition = recognize(
            self.experiment.metamers,
            [self._network(judge) for judge in item.judges],
            include_failed=item.include_failed,
            rule=item.rule,
            truth=item.truth and read_truth(item.truth),
            requires_truth=False,
            progress=self._report,
        )
        rows = summarize_recognition(recognition, item.bootstrap_seed)
        write_recognition(item.folder(self.experiment.out), recognition, rows)
        metamers = self.experiment.metamers
        reasons = {folder.relative_to(metamers).as_posix(): reason for folder, reason in recognition.problems}
        if not reasons:
            self.experiment.mark_done(item, basis)
        return reasons

    def _network(self, spec: NetworkSpec) -> "Network":
        """Return a network, loaded once; a network whose files are not what they were is refused.

        Raises:
            CheckpointError: they are not.
        """
        if spec.folder_name not in self._networks:
            fresh = spec.replace()  # Which does not remember the digest of an earlier time.
            network = fresh.load()
            if fresh.digest != spec.digest:
                raise CheckpointError(
                    f"The files of {spec} have changed since the experiment was planned; plan it again, or bring them "
                    "back."
                )
            self._networks[spec.folder_name] = network
        return self._networks[spec.folder_name]

    def _prepared(self, spec: NetworkSpec) -> "Run":
        """Return the run of a network; that of the network before gives its layer's function back."""
        from tfmetamers.synthesis.runs import Run

        network = self._network(spec)
        if self._run is None or self._run.network is not network:
            self._run = None
            self._run = Run(network, progress=self._tell_steps, may_write=lambda: self._heartbeat.check())
        return self._run

    def _tell_steps(self, batch, state) -> None:
        self._report(state.step, batch[0].spec.recipe.steps)

    def _report(self, done: int, total: int) -> None:
        """Say how far the item is.

        Raises:
            ClaimLost: another worker has taken it over.
        """
        self._heartbeat.report(done, total)
        self._progress(self._item, done, total)


_DOING = {
    SynthesisItem: Worker._make_metamers,
    NullItem: Worker._build_null,
    EvaluationItem: Worker._evaluate,
    RecognitionItem: Worker._recognize,
}
