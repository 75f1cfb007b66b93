"""The spoken words that come with the package: two voices saying each of the thirty words of the bundled networks.

    python reproduce/scripts/bundled_words.py --output tfmetamers/stimuli/words

They are the first two clips of each word that `bundled_corpus.py` with seed 0 has espeak-ng say for its test set: vocal
tracts that the bundled networks never heard in training or validation. Needs espeak-ng 1.51, that
of the networks' corpus; another version makes other bytes and hardly other sounds.
"""

from collections import Counter
from pathlib import Path

import click
import numpy as np
import pandas as pd
import soundfile
from bundled_corpus import PEAK, SAMPLING_RATE, centred, espeak_version, spoken, trimmed, utterances

from tfmetamers.utilities.files import atomic_write

#: How many clips there are of each word.
CLIPS = 2


@click.command()
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder to write.")
def main(output):
    """Write the words as FLAC, and words.csv, which lists them."""
    numbers: Counter = Counter()
    rows = []
    with atomic_write(output) as folder:
        folder.mkdir()
        for word, voice, pitch, speed, split in utterances(seed=0):
            if split == "test" and numbers[word] < CLIPS:
                numbers[word] += 1
                name = f"{word}_{numbers[word]}"
                waveform = centred(trimmed(spoken(word, voice, pitch, speed)))
                waveform = waveform * (PEAK / np.abs(waveform).max())
                soundfile.write(folder / f"{name}.flac", waveform, SAMPLING_RATE, subtype="PCM_16")
                rows.append([name, f"{name}.flac", word, f"espeak-ng {voice}"])
        pd.DataFrame(rows, columns=["id", "file", "label", "speaker"]).to_csv(folder / "words.csv", index=False)
    print(f"{len(rows)} words of {SAMPLING_RATE} Hz in {output}, by {espeak_version()}")


if __name__ == "__main__":
    main()
