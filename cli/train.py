"""``tfmetamers train``: an auditory network, from a corpus of words and one of backgrounds."""

import os
from pathlib import Path

import click

from tfmetamers.cli.network_options import quiet_tensorflow
from tfmetamers.cli.output import Column, json_option, progress_bar, quiet_option, say, show_table
from tfmetamers.training.settings import OPTIMIZERS, PERTURBED, TASKS
from tfmetamers.utilities.words import counted

#: The metrics of an epoch that are printed, by name, in words.
COLUMNS = {"loss": "loss", "word_accuracy": "words correct", "category_auc": "area under ROC"}


def _threshold(context, parameter, value):
    """Accept a number or 'none'."""
    if value == "none":
        return None
    try:
        return float(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a number; give a number from 0 to 1, or 'none'.") from error


@click.group(invoke_without_command=True)
@click.option(
    "--architecture", metavar="NAME|FILE", help="The name of an architecture in the package, or a .json or .pckl file."
)
@click.option("--task", type=click.Choice(TASKS), help="What to learn. [default: words]")
@click.option("--corpus", type=click.Path(path_type=Path), metavar="CSV", help="Manifest of words.")
@click.option("--backgrounds", type=click.Path(path_type=Path), metavar="CSV", help="Manifest of backgrounds.")
@click.option("--output", "out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the network.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of weights, mixtures and dropout.")
@click.option("--epochs", type=int, default=150, show_default=True, help="Maximum number of epochs.")
@click.option("--steps-per-epoch", type=int, help="Batches in an epoch. [default: every clip once]")
@click.option("--batch-size", type=int, default=128, show_default=True, help="Clips in a batch.")
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), default="sgd", show_default=True)
@click.option("--learning-rate", type=float, default=0.01, show_default=True, help="Initial learning rate.")
@click.option("--momentum", type=float, default=0.9, show_default=True, help="Momentum of sgd.")
@click.option(
    "--decay-epochs",
    type=int,
    default=50,
    show_default=True,
    help="Epochs after which the learning rate is divided by 10.",
)
@click.option(
    "--category-weight",
    type=float,
    default=1.0,
    show_default=True,
    help="Weight of the categories' loss, with --task both.",
)
@click.option(
    "--word-threshold",
    default="0.57",
    show_default=True,
    callback=_threshold,
    help="Share of words correct at which to stop, or none.",
)
@click.option(
    "--category-threshold",
    default="0.83",
    show_default=True,
    callback=_threshold,
    help="Area under the ROC curve at which to stop, or none.",
)
@click.option(
    "--snr",
    type=float,
    nargs=2,
    default=(-10.0, 10.0),
    show_default=True,
    help="Range of signal-to-noise ratios, in dB.",
)
@click.option("--shift", type=float, default=0.1, show_default=True, help="Maximum shift of words in time, in s.")
@click.option("--silence", type=float, default=0.05, show_default=True, help="Share of clips without speech.")
@click.option("--clean", type=float, default=0.05, show_default=True, help="Share of clips without background.")
@click.option(
    "--adversarial",
    type=click.Choice(PERTURBED),
    help="Add perturbations that raise the loss, by projected gradient descent.",
)
@click.option("--random-perturbation", type=click.Choice(PERTURBED), help="Add random perturbations of the norm --eps.")
@click.option("--eps", type=float, help="Largest L2 norm of a perturbation; the 2023 paper's is 5 % of the waveform's.")
@click.option(
    "--attack-steps", type=click.IntRange(min=1), default=5, show_default=True, help="Steps of --adversarial."
)
@click.option(
    "--attack-step-size", type=float, default=0.5, show_default=True, help="Length of a step, in units of --eps."
)
@click.option("--note", default="", help="Text to add to the card, such as the licence of the recordings.")
@click.option(
    "--fast-operations", is_flag=True, help="Allow operations whose results differ from run to run and, on a GPU, TF32."
)
@quiet_option
@click.pass_context
def train(
    context,
    architecture,
    task,
    corpus,
    backgrounds,
    out,
    snr,
    shift,
    silence,
    clean,
    adversarial,
    random_perturbation,
    eps,
    attack_steps,
    attack_step_size,
    note,
    fast_operations,
    **given,
):
    """Train an auditory network; 'train evaluate DIR' measures it again, 'train export DIR' converts it.

    The same command resumes a run that was stopped. docs/training.md gives the source of each default.
    """
    if context.invoked_subcommand is not None:
        return
    needed = {"--architecture": architecture, "--corpus": corpus, "--backgrounds": backgrounds, "--output": out}
    missing = [option for option, value in needed.items() if value is None]
    if missing:
        raise click.UsageError(f"Missing {', '.join(missing)}; see 'tfmetamers train --help'.")
    perturbation = _perturbation(adversarial, random_perturbation, eps, attack_steps, attack_step_size)
    quiet_tensorflow()
    from tfmetamers.training.run import train as run
    from tfmetamers.training.settings import MixtureSettings, TrainingSettings

    mixture = MixtureSettings(*snr, shift, silence, clean)
    settings = TrainingSettings(
        task=task or "words", deterministic=not fast_operations, mixture=mixture, perturbation=perturbation, **given
    )
    with _Progress() as bar:
        reported = {"progress": bar.update, "report": bar.report, "report_cost": _say_cost}
        card = run(_architecture(architecture), corpus, backgrounds, settings, out, note=note, **reported)
    _conclude(card, settings, out)


@train.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--corpus", type=click.Path(path_type=Path), metavar="CSV", required=True, help="Manifest of words.")
@click.option(
    "--backgrounds", type=click.Path(path_type=Path), metavar="CSV", required=True, help="Manifest of backgrounds."
)
@quiet_option
@json_option
def evaluate(folder, corpus, backgrounds):
    """Measure the network in DIR on the test split again, and print the values of its card beside the new ones."""
    quiet_tensorflow()
    from tfmetamers.networks.auditory.trained_folder import read_trained
    from tfmetamers.training.card import METRICS
    from tfmetamers.training.evaluation import evaluate_trained

    measured = evaluate_trained(folder, corpus, backgrounds)
    stated = read_trained(folder).card.get("test", {})
    rows = [{"metric": name, "card": stated.get(name), "now": value} for name, value in measured.items()]
    show_table(
        rows,
        {"metric": Column("metric", METRICS.get), "card": Column("card", ".4f"), "now": Column("measured now", ".4f")},
    )


@train.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--output", "out", type=click.Path(file_okay=False, path_type=Path), required=True)
def export(folder, out):
    """Write the network in DIR in the format of the authors' release, for their original tools."""
    quiet_tensorflow()
    from tfmetamers.networks.auditory.release_export import write_release

    for name in write_release(folder, out):
        click.echo(out / name)


def _perturbation(adversarial, random, eps, steps, step_size):
    """Return the settings of the perturbations that the options ask for, or None."""
    from tfmetamers.training.settings import PerturbationSettings

    if adversarial and random:
        raise click.UsageError("--adversarial and --random-perturbation exclude each other; give one of them.")
    domain = adversarial or random
    if (domain is None) != (eps is None):
        raise click.UsageError("--eps goes with --adversarial or --random-perturbation; give both or neither.")
    return domain and PerturbationSettings(domain, eps, steps if adversarial else 0, step_size)


def _say_cost(cost) -> None:
    say(
        f"A step has {counted(cost.passes, 'forward and backward pass', 'forward and backward passes')} and takes "
        f"{cost.seconds:.3g} s; without perturbations, 1 and {cost.ordinary_seconds:.3g} s "
        f"({cost.seconds / cost.ordinary_seconds:.1f} times as long)."
    )


def _architecture(given: str):
    from tfmetamers.networks.auditory.word_cnn import find_architecture
    from tfmetamers.networks.families.architecture import SUFFIXES, read_architecture_file

    is_file = Path(given).suffix.lower() in SUFFIXES
    return read_architecture_file(given) if is_file else find_architecture(given)


def _conclude(card: dict, settings, out: Path) -> None:
    from tfmetamers.training.card import METRICS

    if card["reached_threshold"]:
        say(f"\nThe threshold was reached at epoch {card['epoch']}.")
    elif settings.thresholds:
        say(f"\nThe threshold was not reached; epoch {card['epoch']}, the best, is kept.")
    else:
        say(f"\nEpoch {card['epoch']}, the best, is kept.")
    for name, value in card["test"].items():
        say(f"  {METRICS[name]}, on the test split: {_shown(value)}")
    for name in ("silent", "clipped"):
        if count := card["history"][-1][f"{name}_clips"]:
            say(f"  {name} clips of speech in the last epoch: {count}")
    say(f"\nThe card is {out / 'README.md'}; use the network with --network {_as_folder(out)}")


def _as_folder(out: Path) -> str:
    """Return a path that cannot be mistaken for the name of a network."""
    return str(out) if len(out.parts) > 1 else os.path.join(os.curdir, out)


def _shown(value) -> str:
    return "-" if value is None else f"{value:.4f}"


class _Progress:
    """A bar for the steps of an epoch, and a line for each finished epoch."""

    def __init__(self):
        self._bar = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def update(self, epoch: int, step: int, steps: int, loss: float) -> None:
        if self._bar is None:
            self._bar = progress_bar(total=steps, desc=f"epoch {epoch}", unit="step", leave=False)
        self._bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
        self._bar.update(step - self._bar.n)

    def report(self, entry: dict) -> None:
        self._close()
        figures = [f"{words} {_shown(entry[name])}" for name, words in COLUMNS.items() if name in entry]
        say(f"epoch {entry['epoch']:3}  " + "  ".join(figures))

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
