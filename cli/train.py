"""``tfmetamers train``: an auditory network, from a corpus of words and one of backgrounds."""

import os
from pathlib import Path

import click
from tabulate import tabulate
from tqdm import tqdm

from tfmetamers.cli.network_options import quiet_tensorflow, read_any_architecture

#: The figures of an epoch that are printed, by name, and how.
COLUMNS = {"loss": "loss", "word_accuracy": "words right", "category_auc": "area under ROC"}


def _threshold(context, parameter, value):
    """Take a share, or 'none'."""
    if value == "none":
        return None
    try:
        return float(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no number; give one from 0 to 1, or 'none'.") from error


@click.group(invoke_without_command=True)
@click.option("--architecture", metavar="NAME|FILE", help="An architecture of the package, or layers as JSON or .pckl.")
@click.option("--task", type=click.Choice(["words", "categories", "both"]), help="What to learn. [default: words]")
@click.option("--corpus", type=click.Path(path_type=Path), metavar="CSV", help="Manifest of words.")
@click.option("--backgrounds", type=click.Path(path_type=Path), metavar="CSV", help="Manifest of backgrounds.")
@click.option("--output", "out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the network.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights and mixtures.")
@click.option("--epochs", type=click.IntRange(min=1), default=150, show_default=True, help="The most epochs.")
@click.option("--steps-per-epoch", type=click.IntRange(min=1), help="Batches in an epoch. [default: each clip once]")
@click.option("--batch-size", type=click.IntRange(min=1), default=128, show_default=True, help="Clips in a batch.")
@click.option("--optimizer", type=click.Choice(["sgd", "adam"]), default="sgd", show_default=True)
@click.option("--learning-rate", type=float, default=0.01, show_default=True, help="At the beginning.")
@click.option("--momentum", type=float, default=0.9, show_default=True, help="Of sgd.")
@click.option("--decay-epochs", type=click.IntRange(min=1), default=50, show_default=True, help="Rate / 10 this often.")
@click.option("--category-weight", type=float, default=1.0, show_default=True, help="Of their loss, for both tasks.")
@click.option("--word-threshold", default="0.57", show_default=True, callback=_threshold, help="Stops training.")
@click.option("--category-threshold", default="0.83", show_default=True, callback=_threshold, help="Stops training.")
@click.option("--snr", type=float, nargs=2, default=(-10.0, 10.0), show_default=True, help="Least, greatest, in dB.")
@click.option("--shift", type=float, default=0.1, show_default=True, help="Words move in time by up to so many s.")
@click.option("--silence", type=float, default=0.05, show_default=True, help="Share of clips without speech.")
@click.option("--clean", type=float, default=0.05, show_default=True, help="Share of clips without background.")
@click.option("--note", default="", help="What the card should say besides, such as the licence of the recordings.")
@click.option("--fast-operations", is_flag=True, help="Allow operations whose results differ from run to run.")
@click.pass_context
def train(
    context, architecture, task, corpus, backgrounds, out, snr, shift, silence, clean, note, fast_operations, **given
):
    """Train an auditory network; 'train evaluate DIR' measures one again, 'train export DIR' converts it.

    The same command goes on where it was stopped. docs/training.md says where each default is from.
    """
    if context.invoked_subcommand is not None:
        return
    needed = {"--architecture": architecture, "--corpus": corpus, "--backgrounds": backgrounds, "--output": out}
    missing = [option for option, value in needed.items() if value is None]
    if missing:
        raise click.UsageError(f"{', '.join(missing)} is missing; see 'tfmetamers train --help'.")
    _quieten()
    from tfmetamers.training.run import train as run
    from tfmetamers.training.settings import MixtureSettings, TrainingSettings

    mixture = MixtureSettings(*snr, shift, silence, clean)
    settings = TrainingSettings(task=task or "words", deterministic=not fast_operations, mixture=mixture, **given)
    with _Progress() as bar:
        reported = {"progress": bar.update, "report": bar.report}
        card = run(_architecture(architecture), corpus, backgrounds, settings, out, note=note, **reported)
    _conclude(card, settings, out)


@train.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--corpus", type=click.Path(path_type=Path), metavar="CSV", required=True, help="Manifest of words.")
@click.option(
    "--backgrounds", type=click.Path(path_type=Path), metavar="CSV", required=True, help="Manifest of backgrounds."
)
def evaluate(folder, corpus, backgrounds):
    """Measure the network in DIR on the test split again, beside what its card says."""
    _quieten()
    from tfmetamers.networks.auditory.trained_folder import read_trained
    from tfmetamers.training.evaluation import evaluate_trained

    measured = evaluate_trained(folder, corpus, backgrounds)
    stated = read_trained(folder).card.get("test", {})
    rows = [[name, _shown(stated.get(name)), _shown(value)] for name, value in measured.items()]
    click.echo(tabulate(rows, ["metric", "card", "measured now"], disable_numparse=True))


@train.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--output", "out", type=click.Path(file_okay=False, path_type=Path), required=True)
def export(folder, out):
    """Write the network in DIR as the authors released theirs, for their original tools."""
    _quieten()
    from tfmetamers.networks.auditory.release_export import write_release

    for name in write_release(folder, out):
        click.echo(out / name)


def _quieten() -> None:
    quiet_tensorflow()
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # tensorflow-io's resampler is wrapped in a loop, which TensorFlow remarks on.


def _architecture(given: str):
    from tfmetamers.networks.auditory.word_cnn import find_architecture

    is_file = Path(given).suffix.lower() in (".json", ".pckl")
    return read_any_architecture(Path(given)) if is_file else find_architecture(given)


def _conclude(card: dict, settings, out: Path) -> None:
    if card["reached_threshold"]:
        click.echo(f"\nThe threshold was reached at epoch {card['epoch']}.")
    elif settings.thresholds:
        click.echo(f"\nNo threshold was reached; the best epoch is kept, {card['epoch']}.")
    else:
        click.echo(f"\nThe best epoch is kept, {card['epoch']}.")
    for name, value in card["test"].items():
        click.echo(f"  {name} on the test split: {_shown(value)}")
    spoilt = {name: card["history"][-1][f"{name}_clips"] for name in ("silent", "clipped")}
    for name, count in spoilt.items():
        if count:
            click.echo(f"  {count} clips of speech of the last epoch were {name}")
    click.echo(f"\n{out / 'README.md'} is its card; use it with --network {_as_folder(out)}")


def _as_folder(out: Path) -> str:
    """Return a path that no name of a network can be mistaken for."""
    return str(out) if len(out.parts) > 1 else os.path.join(os.curdir, out)


def _shown(value) -> str:
    return "-" if value is None else f"{value:.4f}"


class _Progress:
    """A bar for the steps of an epoch, and a line for each epoch that has ended."""

    def __init__(self):
        self._bar = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def update(self, epoch: int, step: int, steps: int, loss: float) -> None:
        if self._bar is None:
            self._bar = tqdm(total=steps, desc=f"epoch {epoch}", unit="step", leave=False)
        self._bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
        self._bar.update(step - self._bar.n)

    def report(self, entry: dict) -> None:
        self._close()
        figures = [f"{words} {_shown(entry[name])}" for name, words in COLUMNS.items() if name in entry]
        click.echo(f"epoch {entry['epoch']:3}  " + "  ".join(figures))

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
