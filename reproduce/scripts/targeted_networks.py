"""Small networks of words that differ in one thing each: the 2023 paper's targeted changes at small scale.

    python reproduce/scripts/targeted_networks.py --corpus CORPUS --output NETWORKS

CORPUS is what `bundled_corpus.py`, beside this script, makes. Each network is trained in a folder of its own below
NETWORKS; a training that was stopped is continued by the same command, and one that is finished is left as it is. The
settings were fixed before the first network was trained, and all seeds are kept.
"""

from pathlib import Path

import click

from tfmetamers.cli.main import run

#: The seeds of weights, mixtures and dropout.
SEEDS = (0, 1, 2)

#: The length of perturbations of the waveform: 5 % of that of a waveform of 8,000 samples with a root mean square of
#: 0.1, the share that the paper's largest has.
WAVEFORM_EPS = "0.45"

#: The same share of the mean length of cochleagrams, 82.1 over 256 mixtures of training; the paper's is not published.
COCHLEAGRAM_EPS = "4.1"

#: The architecture of each condition, and the options that make it what it is.
CONDITIONS = {
    "standard": ("small_word_aliased", []),
    "reduced_aliasing": ("small_word_reduced_aliasing", []),
    "random_waveform": (
        "small_word_aliased",
        ["--adversarial", "waveform", "--eps", WAVEFORM_EPS, "--random-perturbations"],
    ),
    "random_cochleagram": (
        "small_word_aliased",
        ["--adversarial", "cochleagram", "--eps", COCHLEAGRAM_EPS, "--random-perturbations"],
    ),
    "adversarial_cochleagram": ("small_word_aliased", ["--adversarial", "cochleagram", "--eps", COCHLEAGRAM_EPS]),
    "adversarial_waveform": ("small_word_aliased", ["--adversarial", "waveform", "--eps", WAVEFORM_EPS]),
}

#: Options that all share. Nothing stops at a threshold, which networks that are perturbed reach later: each trains for
#: as many epochs, and the best of validation is kept.
OPTIONS = ["--task", "words", "--optimizer", "adam", "--learning-rate", "0.001", "--batch-size", "64", "--epochs", "20",
           "--decay-epochs", "10", "--snr", "0", "20", "--clean", "0.2", "--word-threshold", "none"]  # fmt: skip


@click.command()
@click.option("--corpus", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--only", type=click.Choice(list(CONDITIONS)), multiple=True, help="Train only these.")
def main(corpus, output, only):
    """Train each network of `CONDITIONS` from each of `SEEDS`."""
    for seed in SEEDS:
        for condition in only or CONDITIONS:
            architecture, options = CONDITIONS[condition]
            data = ["--corpus", str(corpus / "words.csv"), "--backgrounds", str(corpus / "backgrounds.csv")]
            place = [
                "--architecture",
                architecture,
                "--seed",
                str(seed),
                "--output",
                str(output / f"{condition}_{seed}"),
            ]
            click.echo(f"\n{condition}, seed {seed}")
            if status := run(["train", *place, *data, *OPTIONS, *options]):
                raise SystemExit(status)


if __name__ == "__main__":
    main()
