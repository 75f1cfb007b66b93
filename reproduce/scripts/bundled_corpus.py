"""The corpus of the bundled networks: thirty words, recorded and synthesised, and synthetic backgrounds.

    python reproduce/scripts/bundled_corpus.py --digits free-spoken-digit-dataset/recordings --output bundled_corpus

Needs espeak-ng (`apt install espeak-ng`) and the recordings of the free spoken digit dataset (github
Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0). The same seed and the same version of espeak-ng give the same
bytes.

`words.csv` lists clips of one second at 8 kHz, `backgrounds.csv` clips of a second and a half, and `demo/` contains
words for listening. Digits are split as their dataset says (recordings 0 to 4 of each speaker and digit are the test
set), the voices of espeak-ng by variant, that is by vocal tract: those of validation and test are not used in
training, in any dialect.
"""

import hashlib
import io
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from itertools import product
from pathlib import Path

import click
import numpy as np
import pandas as pd
import soundfile
from scipy.io import wavfile
from tabulate import tabulate
from tqdm import tqdm

from tfmetamers.errors import ArgumentError, TfmetamersError
from tfmetamers.stimuli.sounds import load_sound, resample, sound_length
from tfmetamers.training.synthetic_backgrounds import CATEGORIES, synthesize_background
from tfmetamers.utilities.files import atomic_write

SAMPLING_RATE = 8000
WORD_SAMPLES = 8000
BACKGROUND_SAMPLES = 12000
SPLITS = ("train", "validation", "test")

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORDS = (
    *DIGITS,
    *("yes", "no", "water", "table", "human", "mother", "music", "garden", "happy", "yellow"),
    *("monkey", "school", "bird", "house", "fish", "tomorrow", "elephant", "chocolate", "river", "bridge"),
)

#: English dialects of espeak-ng. British English is "en": "en-gb" silently ignores the variant.
DIALECTS = (
    "en",
    "en-us",
    "en-us-nyc",
    "en-029",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-gb-x-rp",
)

#: Variants of espeak-ng by split. Several have the same formants (grandpa, john and croak; f2 and f5; f4 and aunty),
#: and many almost the same; a variant of the test set shares none of its first four formants (frequency, height and
#: width) with one of another split. Those that whisper, croak, or come from espeak-ng's Klatt synthesiser (klatt2,
#: klatt4, adam, benjamin, david, edward) are only in training. Marco sings, and is left out.
VARIANTS = {
    "train": (
        *("m1", "m3", "m4", "m6", "m7", "m8", "f2", "f3", "f4", "f5", "croak", "whisper", "whisperf", "klatt2"),
        *("klatt4", "Alex", "Alicia", "Andy", "Annie", "Gene", "Lee", "Mario", "Michael", "Mike", "adam", "antonio"),
        *("aunty", "benjamin", "boris", "david", "ed", "edward", "grandma", "grandpa", "iven", "john", "max"),
        *("norbert", "pablo", "paul", "quincy", "rob", "robert", "sandro", "shelby", "travis", "zac"),
    ),
    "validation": ("m2", "belinda", "linda"),
    "test": ("m5", "miguel", "Andrea", "f1", "steph"),
}

#: How many clips of each word espeak-ng speaks, each in a different voice.
CLIPS = {"train": 90, "validation": 10, "test": 10}
BACKGROUNDS = {"train": 1600, "validation": 200, "test": 200}

#: Ranges of espeak-ng's options -p (0 to 99, 50 by default) and -s (words a minute, 175 by default).
PITCHES = (30, 70)
SPEEDS = (135, 200)

#: In each category, one background in this many contains a second category at -3 to 3 dB.
MIXED = 4

#: How many words a babble chooses from; its voices say about 20.
BABBLE_WORDS = 40

#: The kinds of clips.
KINDS = ("recorded digits", "synthesised words", "backgrounds")

DEMO_WORDS = ("human", "water", "seven")
DEMO_VOICE = "en-us+m5"
DEMO_PITCH = 50
DEMO_SPEED = 140

#: The ends of a sound count as silent below this fraction of its peak (-46 dB); words fade in and out within FADE
#: samples, 4 ms.
SILENCE = 0.005
FADE = 32

#: The peak of every clip; full scale is 1.
PEAK = 0.9


@click.command()
@click.option("--digits", type=click.Path(path_type=Path), required=True, help="Folder of the recorded digits.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder to make.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def main(digits, output, seed):
    """Make the corpus of the bundled networks."""
    began = time.monotonic()
    try:
        counts, cut = make_corpus(digits, output, seed)
    except TfmetamersError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, ArgumentError) else 1)
    print(tabulate([(kind, *(counts[kind, split] for split in SPLITS)) for kind in KINDS], headers=("", *SPLITS)))
    print(f"Words longer than a second, whose ends were cut off: {cut}.")
    print(f"{output} was made in {time.monotonic() - began:.0f} s, with {espeak_version()}.")


def make_corpus(digits: Path, output: Path, seed: int) -> tuple[Counter, int]:
    """Make the corpus, as a folder that appears when it is complete.

    Returns:
        The number of clips of each of `KINDS` and split, and the number of words that did not fit into a second.

    Raises:
        ArgumentError: espeak-ng is missing, its voices are not those expected, the folder does not have the
            recordings, or the output exists.
        StimulusError: a recording is damaged or silent.
        ResultError: the corpus cannot be written.
    """
    if output.exists():
        raise ArgumentError(f"{output} already exists; delete it, or give another folder.")
    recordings = digit_recordings(digits)
    espeak_version()
    check_voices()
    with atomic_write(output) as folder:
        for name in ("words", "backgrounds", "demo"):
            (folder / name).mkdir(parents=True)
        counts, speech, cut = _write_words(folder, recordings, seed)
        counts.update(_write_backgrounds(folder, speech, seed))
        for word in DEMO_WORDS:
            clip = centred(trimmed(spoken(word, DEMO_VOICE, DEMO_PITCH, DEMO_SPEED)))
            _write_clip(folder / "demo" / f"{word}.wav", clip)
    return counts, cut


def _write_words(folder: Path, recordings: list[tuple], seed: int) -> tuple[Counter, dict[str, list], int]:
    """Write the clips and the manifest of the words.

    Returns:
        The number of clips by kind and split, the trimmed waveforms by split, and the number of words that were cut.
    """
    rows, counts, speech, cut = [], Counter(), defaultdict(list), 0

    def write(waveform, kind, word, speaker, split, name):
        nonlocal cut
        sound = trimmed(waveform)
        cut += len(sound) > WORD_SAMPLES
        _write_clip(folder / "words" / name, centred(sound))
        rows.append((f"words/{name}", 0.0, word, speaker, split))
        counts[kind, split] += 1
        speech[split].append(sound)

    for path, word, speaker, index in tqdm(recordings, desc="recorded digits", unit="clip"):
        split = "test" if index < 5 else "validation" if index < 10 else "train"
        waveform = load_sound(path, SAMPLING_RATE, sound_length(path, SAMPLING_RATE))
        write(waveform, "recorded digits", word, speaker, split, f"{word}_{speaker}_{index}.wav")
    for word, voice, pitch, speed, split in tqdm(utterances(seed), desc="synthesised words", unit="clip"):
        waveform = spoken(word, voice, pitch, speed)
        write(waveform, "synthesised words", word, f"espeak-ng {voice}", split, f"{word}_{voice}.wav")
    _write_manifest(folder / "words.csv", ("file", "start", "word", "speaker", "split"), rows)
    return counts, speech, cut


def _write_backgrounds(folder: Path, speech: dict[str, list], seed: int) -> Counter:
    """Write the sounds and the manifest of the backgrounds, and return the number of clips by kind and split.

    Babble is made of words of the same split.
    """
    rows, counts = [], Counter()
    wanted = [(split, number) for split in SPLITS for number in range(BACKGROUNDS[split])]
    for split, number in tqdm(wanted, desc="backgrounds", unit="clip"):
        generator = np.random.default_rng([seed, SPLITS.index(split), number])
        turn, place = divmod(number, len(CATEGORIES))
        categories = [CATEGORIES[place]]
        if turn % MIXED == MIXED - 1:
            categories.append(generator.choice([name for name in CATEGORIES if name != categories[0]]))
        words = [speech[split][index] for index in generator.integers(len(speech[split]), size=BABBLE_WORDS)]
        sounds = [
            synthesize_background(name, BACKGROUND_SAMPLES, SAMPLING_RATE, generator, words) for name in categories
        ]
        waveform = sounds[0] + sum(10 ** (generator.uniform(-3, 3) / 20) * sound for sound in sounds[1:])
        name = f"{split}_{number:04d}_{'_and_'.join(categories)}.wav"
        _write_clip(folder / "backgrounds" / name, waveform)
        rows.append((f"backgrounds/{name}", 0.0, ";".join(categories), split))
        counts["backgrounds", split] += 1
    _write_manifest(folder / "backgrounds.csv", ("file", "start", "categories", "split"), rows)
    return counts


def _write_clip(path: Path, waveform: np.ndarray) -> None:
    wavfile.write(path, SAMPLING_RATE, np.rint(waveform * (PEAK * 2**15 / np.abs(waveform).max())).astype(np.int16))


def _write_manifest(path: Path, columns: tuple, rows: list[tuple]) -> None:
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False, lineterminator="\n")


def digit_recordings(folder: Path) -> list[tuple[Path, str, str, int]]:
    """Return path, word, speaker and number of each recorded digit.

    Raises:
        ArgumentError: the folder does not have every digit in each split.
    """
    matches = [(path, re.fullmatch(r"(\d)_([a-z]+)_(\d+)\.wav", path.name)) for path in sorted(folder.glob("*.wav"))]
    found = [(path, DIGITS[int(match[1])], match[2], int(match[3])) for path, match in matches if match]
    in_every_split = [{word for _, word, _, index in found if index in split} for split in (range(5), range(5, 10))]
    in_every_split.append({word for _, word, _, index in found if index >= 10})
    if len(set.intersection(*in_every_split)) < len(DIGITS):
        raise ArgumentError(
            f"{folder} does not have recordings of all ten digits, named like 7_george_12.wav, for every split; give "
            "the folder 'recordings' of github Jakobovski/free-spoken-digit-dataset (CC BY-SA 4.0)."
        )
    return found


def utterances(seed: int) -> list[tuple[str, str, int, int, str]]:
    """Return word, voice, pitch, speed and split of everything that espeak-ng says."""
    generator = np.random.default_rng([seed, len(SPLITS)])
    drawn = []
    for word, split in product(WORDS, SPLITS):
        voices = _voices(split)
        for number in generator.choice(len(voices), CLIPS[split], replace=False):
            pitch, speed = (int(generator.integers(low, high, endpoint=True)) for low, high in (PITCHES, SPEEDS))
            drawn.append((word, voices[number], pitch, speed, split))
    return drawn


def _voices(split: str) -> list[str]:
    return [f"{dialect}+{variant}" for dialect, variant in product(DIALECTS, VARIANTS[split])]


def espeak_version() -> str:
    """Return the name and version of espeak-ng.

    Raises:
        ArgumentError: it is not installed.
    """
    if shutil.which("espeak-ng") is None:
        raise ArgumentError("espeak-ng is not on the search path; install it (apt install espeak-ng).")
    said = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split("  ")[0].strip()


def check_voices() -> None:
    """Raise an ArgumentError if two voices sound the same, as espeak-ng silently ignores unknown variants."""
    heard = {}
    for voice in tqdm([voice for split in SPLITS for voice in _voices(split)], desc="voices", unit="voice"):
        digest = hashlib.sha256(spoken("water", voice, DEMO_PITCH, DEMO_SPEED).tobytes()).digest()
        if (other := heard.setdefault(digest, voice)) != voice:
            raise ArgumentError(
                f"The voices {other} and {voice} of {espeak_version()} sound the same, but should differ; install "
                "Debian's espeak-ng 1.51."
            )


def spoken(word: str, voice: str, pitch: int, speed: int) -> np.ndarray:
    """Return a word as espeak-ng says it: float64 (samples,) at 8 kHz.

    Raises:
        ArgumentError: espeak-ng fails, for instance because it does not have the dialect.
    """
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout", word]
    run = subprocess.run(command, capture_output=True)
    if run.returncode or not run.stdout:
        said = run.stderr.decode(errors="replace").strip()
        raise ArgumentError(
            f"espeak-ng could not say {word!r} in the voice {voice} ({said}); install Debian's espeak-ng 1.51."
        )
    waveform, rate = soundfile.read(io.BytesIO(run.stdout))
    return resample(waveform, rate, SAMPLING_RATE)


def trimmed(waveform: np.ndarray) -> np.ndarray:
    """Return a waveform without its mean and without the silence at its ends."""
    waveform = waveform - waveform.mean()
    loud = np.flatnonzero(np.abs(waveform) > SILENCE * np.abs(waveform).max())
    return waveform[loud[0] : loud[-1] + 1]


def centred(waveform: np.ndarray) -> np.ndarray:
    """Return one second with the waveform in the middle of silence, or the middle of a longer waveform."""
    first = max(0, len(waveform) - WORD_SAMPLES) // 2
    middle = waveform[first:][:WORD_SAMPLES].copy()
    ramp = np.sin(np.linspace(0, np.pi / 2, FADE)) ** 2
    middle[:FADE] *= ramp
    middle[-FADE:] *= ramp[::-1]
    before = (WORD_SAMPLES - len(middle)) // 2
    return np.pad(middle, (before, WORD_SAMPLES - before - len(middle)))


if __name__ == "__main__":
    main()
