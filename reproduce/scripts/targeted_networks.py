"""Small networks of words that differ in one thing each: the 2023 paper's targeted changes at small scale.

    python reproduce/scripts/targeted_networks.py --corpus CORPUS --output reproduction/2023/full/networks

CORPUS is what `bundled_corpus.py`, beside this script, makes. Each network is trained in a folder of its own; a
training that was stopped is continued by the same command, and one that is finished is left as it is. The
settings were fixed before the first network was trained, and all seeds are kept. `tfmetamers reproduce
2023/targeted-sounds` makes their metamers.
"""

from pathlib import Path

import click
from bundled_networks import test_words

from tfmetamers.cli.main import run
from tfmetamers.networks.auditory.trained_folder import read_trained

#: The seeds of weights, mixtures and dropout; those of the bundled networks, which are the judges, are 0 and 1.
SEEDS = (10, 11, 12)

#: The L2 norm of perturbations of the waveform: 5 % of that of a waveform of 8,000 samples with a root mean square of
#: 0.1, the share that the paper's largest has.
WAVEFORM_EPS = "0.45"

#: What is tried for the cochleagram, whose mean norm is 80, because the paper's share of it is not published. The
#: largest is taken that costs at most `MAX_COST` of the words correct in validation, in short trainings of one seed.
COCHLEAGRAM_EPS = ("2", "4", "8", "16")
MAX_COST = 0.15
PILOT = ["--seed", "100", "--epochs", "6"]

#: The architecture of each condition, and the options that make it what it is.
CONDITIONS = {
    "standard": ("small_word_aliased", []),
    "random": ("small_word_aliased", ["--random-perturbation", "waveform", "--eps", WAVEFORM_EPS]),
    "reduced_aliasing": ("small_word_reduced_aliasing", []),
    "adversarial_cochleagram": ("small_word_aliased", ["--adversarial", "cochleagram", "--eps"]),
    "adversarial_waveform": ("small_word_aliased", ["--adversarial", "waveform", "--eps", WAVEFORM_EPS]),
}

#: Options that all share. Nothing stops at a threshold, which networks that are perturbed reach later: each trains for
#: as many epochs, and the best in validation is kept.
OPTIONS = ["--task", "words", "--optimizer", "adam", "--learning-rate", "0.001", "--batch-size", "64",
           "--decay-epochs", "12", "--snr", "0", "20", "--clean", "0.2", "--word-threshold", "none"]  # fmt: skip


@click.command()
@click.option("--corpus", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--only", type=click.Choice(list(CONDITIONS)), multiple=True, help="Train only these.")
def main(corpus, output, only):
    """Train each network of `CONDITIONS` from each of `SEEDS`, and list the test words of the corpus."""
    output.mkdir(parents=True, exist_ok=True)
    click.echo(f"{test_words(corpus, output)} lists sounds for null distributions")
    for seed in SEEDS:
        for condition in only or CONDITIONS:
            architecture, options = CONDITIONS[condition]
            if condition == "adversarial_cochleagram":
                options = [*options, pilot(corpus, output / "pilots")]
            options = [*options, "--seed", str(seed), "--epochs", "20"]
            train(architecture, corpus, output / f"{condition}_{seed}", options)


def train(architecture: str, corpus: Path, folder: Path, options: list[str]) -> float:
    """Train a network, and return the largest share of words correct in validation."""
    click.echo(f"\n{folder}")
    data = ["--corpus", str(corpus / "words.csv"), "--backgrounds", str(corpus / "backgrounds.csv")]
    if status := run(["train", "--architecture", architecture, "--output", str(folder), *data, *OPTIONS, *options]):
        raise SystemExit(status)
    return max(entry["word_accuracy"] for entry in read_trained(folder).card["history"])


def pilot(corpus: Path, folder: Path) -> str:
    """Return the largest of `COCHLEAGRAM_EPS` whose cost is at most `MAX_COST`, or the smallest."""
    architecture, options = CONDITIONS["adversarial_cochleagram"]
    least = train(architecture, corpus, folder / "standard", PILOT) - MAX_COST
    reached = {
        eps: train(architecture, corpus, folder / f"cochleagram_{eps}", [*options, eps, *PILOT])
        for eps in COCHLEAGRAM_EPS
    }
    return max((eps for eps in reached if reached[eps] >= least), key=float, default=COCHLEAGRAM_EPS[0])


if __name__ == "__main__":
    main()
