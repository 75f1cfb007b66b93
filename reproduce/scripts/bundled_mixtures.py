"""Words over backgrounds, as the bundled networks were trained on, from the test split of their corpus.

    python reproduce/scripts/bundled_mixtures.py --corpus bundled/corpus --count 40 --output tfmetamers/stimuli/mixtures

`bundled_corpus.py` makes the corpus. Words, backgrounds, shifts and signal-to-noise ratios (0 to 20 dB) are drawn from
a seed as in training. The files are for null distributions: pairs of sounds like those of the training set.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd
import soundfile

from tfmetamers.training.corpora import SEPARATOR, category_names, read_backgrounds, read_words
from tfmetamers.training.mixtures import Labels, draw_mixtures, mixture_dataset, read_batches, word_labels
from tfmetamers.training.settings import MixtureSettings
from tfmetamers.utilities.files import atomic_write

#: Of the bundled networks' sounds.
SAMPLING_RATE, SAMPLES = 8000, 8000

#: As in the training of the bundled networks, but for clips without words or without backgrounds.
SETTINGS = MixtureSettings(min_snr=0.0, max_snr=20.0, silence=0.0, clean=0.0)

#: The peak of the loudest mixture; full scale is 1.
PEAK = 0.9


@click.command()
@click.option("--corpus", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--count", type=click.IntRange(min=1), required=True, help="How many mixtures.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder to write.")
def main(corpus, count, seed, output):
    """Write mixtures as FLAC, and mixtures.csv, which lists them."""
    print(f"{write_mixtures(corpus, count, output, seed)} lists {count} mixtures")


def write_mixtures(corpus: Path, count: int, output: Path, seed: int = 0) -> Path:
    """Write mixtures of the test split of a corpus, and return the manifest that lists them.

    Args:
        corpus: the folder that `bundled_corpus.py` made.
        count: how many mixtures.
        output: the folder to write.
        seed: of all draws.
    """
    words, backgrounds = read_words(corpus / "words.csv"), read_backgrounds(corpus / "backgrounds.csv")
    test = [table[table["split"] == "test"].reset_index(drop=True) for table in (words, backgrounds)]
    labels = Labels(word_labels(words), category_names(backgrounds))
    generator = np.random.default_rng(seed)
    clips = generator.permutation(len(test[0]))[:count]
    drawn = draw_mixtures(*test, SETTINGS, labels, generator, clips=clips)
    dataset = mixture_dataset(
        drawn, categories=len(labels.categories), sampling_rate=SAMPLING_RATE, samples=SAMPLES, batch_size=32
    )
    waveforms = np.concatenate([batch["waveform"].numpy() for batch in read_batches(dataset)])
    waveforms *= PEAK / np.abs(waveforms).max()
    rows = []
    with atomic_write(output) as folder:
        folder.mkdir()
        for number, (waveform, clip) in enumerate(zip(waveforms, clips, strict=True)):
            word = test[0]["word"][clip]
            heard = SEPARATOR.join(labels.categories[each] for each in drawn["categories"][number] if each >= 0)
            name = f"{number:03d}_{word}"
            soundfile.write(folder / f"{name}.flac", waveform, SAMPLING_RATE, subtype="PCM_16")
            rows.append([name, f"{name}.flac", word, heard, f"{drawn['snr'][number]:.1f}"])
        pd.DataFrame(rows, columns=["id", "file", "label", "backgrounds", "snr"]).to_csv(
            folder / "mixtures.csv", index=False
        )
    return output / "mixtures.csv"


if __name__ == "__main__":
    main()
