"""The small networks that come with the package, trained again.

    make bundled-networks DIGITS=FOLDER

`bundled_corpus.py`, beside this script, makes the corpus from DIGITS, the recordings of the free spoken digit dataset.
Corpus, weights, mixtures and dropout are drawn from fixed seeds. Networks are trained in the folder `--work`; what
comes with the package is copied to `checkpoints/bundled`.
"""

from pathlib import Path

import click
import pandas as pd
from bundled_mixtures import write_mixtures

from tfmetamers.cli.main import run
from tfmetamers.networks.auditory.trained_folder import NULL_FILE
from tfmetamers.utilities.files import atomic_write

#: Each network with its architecture, its task and its seed.
NETWORKS = {
    "small_word_aliased": ("small_word_aliased", "words", 0),
    "small_word_reduced_aliasing": ("small_word_reduced_aliasing", "words", 0),
    "small_word_reduced_aliasing_seed_1": ("small_word_reduced_aliasing", "words", 1),
    "small_category_reduced_aliasing": ("small_word_reduced_aliasing", "categories", 0),
    "small_word_and_category_reduced_aliasing": ("small_word_reduced_aliasing", "both", 0),
}

#: Options that differ from the defaults, which are meant for a hundred times as many clips. Networks of this size can
#: tell words and categories apart at these signal-to-noise ratios, and they are matched at the thresholds.
OPTIONS = {
    "--optimizer": ["adam"],
    "--learning-rate": ["0.001"],
    "--batch-size": ["64"],
    "--epochs": ["60"],
    "--decay-epochs": ["20"],
    "--snr": ["0", "20"],
    "--clean": ["0.2"],
    "--word-threshold": ["0.91"],
    "--category-threshold": ["0.9"],
}

#: Options for both tasks: the mean cross-entropy of the categories is a tenth of that of the words, and with equal
#: weights only the words would be learned.
OPTIONS_OF_BOTH = {"--category-weight": ["5"]}

#: Pairs of sounds of the test split in the null distributions: words in quiet for the networks that recognise words,
#: and as many mixtures of words and backgrounds for the one that recognises backgrounds alone.
PAIRS = 10_000
MIXTURES = 600

NOTE = (
    "Trained on recorded digits of the free spoken digit dataset (CC BY-SA 4.0) and words spoken by espeak-ng, mixed "
    "with synthesised backgrounds (reproduce/scripts/bundled_corpus.py). The front end is smaller than the paper's: "
    "one second at 8 kHz, 41 channels."
)

BUNDLED = Path(__file__).parents[2] / "checkpoints" / "bundled"


@click.command()
@click.option("--corpus", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to train in.")
@click.option("--only", type=click.Choice(list(NETWORKS)), multiple=True, help="Train only these.")
def main(corpus, work, only):
    """Train the networks on the corpus that reproduce/scripts/bundled_corpus.py made, and bundle them."""
    for name in only or NETWORKS:
        architecture, task, seed = NETWORKS[name]
        data = ["--corpus", str(corpus / "words.csv"), "--backgrounds", str(corpus / "backgrounds.csv")]
        settings = ["--architecture", architecture, "--task", task, "--seed", str(seed), "--output", str(work / name)]
        settings += ["--note", NOTE]
        chosen = OPTIONS | (OPTIONS_OF_BOTH if task == "both" else {})
        options = [word for option, values in chosen.items() for word in (option, *values)]
        click.echo(f"\n{name}")
        if status := run(["train", *settings, *data, *options]):
            raise SystemExit(status)
        from tfmetamers.training.export import export_trained

        export_trained(work / name, BUNDLED / name)
        if status := run(null_command(name, task, corpus, work)):
            raise SystemExit(status)


def null_command(name: str, task: str, corpus: Path, work: Path) -> list[str]:
    """Write sounds of the test split that a network tells apart, and return the command that builds their null."""
    manifest = test_words(corpus, work) if task != "categories" else test_mixtures(corpus, work)
    options = ["--layer", "all", "--stimuli", str(manifest), "--pairs", str(PAIRS), "--seed", "0"]
    return ["null", "build", "--network", str(BUNDLED / name), *options, "--output", str(BUNDLED / name / NULL_FILE)]


def test_words(corpus: Path, work: Path) -> Path:
    """Write a manifest of the words of the test split, in quiet."""
    words = pd.read_csv(corpus / "words.csv", dtype=str, keep_default_na=False).query("split == 'test'")
    columns = {
        "id": [Path(file).stem for file in words["file"]],
        "file": [(corpus / file).resolve() for file in words["file"]],
        "label": words["word"],
    }
    manifest = work / "test_words.csv"
    with atomic_write(manifest) as partial:
        pd.DataFrame(columns).to_csv(partial, index=False, lineterminator="\n")
    return manifest


def test_mixtures(corpus: Path, work: Path) -> Path:
    """Write mixtures of the test split, unless they are there, and return their manifest."""
    folder = work / "test_mixtures"
    return folder / "mixtures.csv" if folder.is_dir() else write_mixtures(corpus, MIXTURES, folder)


if __name__ == "__main__":
    main()
