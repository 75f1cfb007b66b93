"""The corpus of the bundled networks: its clips, its splits, that its seed decides it, and what it refuses."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner

from tests.scripts import load_script
from tfmetamers.stimuli import sample_word, sample_words
from tfmetamers.training.synthetic_backgrounds import CATEGORIES

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture(scope="module")
def script():
    """The script, made to build a small corpus of few words and voices."""
    module = load_script("bundled_corpus")
    module.WORDS = ("seven", "water")
    module.DIALECTS = ("en-us",)
    module.CLIPS = {"train": 3, "validation": 2, "test": 2}
    module.BACKGROUNDS = {"train": 48, "validation": 12, "test": 12}
    return module


def make_digits(folder: Path) -> Path:
    """Write stand-ins for the recorded digits, of 0.3 and 1.4 seconds."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for digit in range(10):
        for index in (0, 5, 12):
            waveform = 0.1 * generator.standard_normal(11200 if digit == 3 else 2400)
            soundfile.write(folder / f"{digit}_ann_{index}.wav", waveform, 8000)
    return folder


@pytest.fixture
def digits(tmp_path) -> Path:
    return make_digits(tmp_path / "digits")


@pytest.fixture(scope="module")
def made(script, tmp_path_factory) -> tuple[Path, str]:
    """A corpus, and what was printed about it."""
    folder = tmp_path_factory.mktemp("made")
    status, printed = run(script, make_digits(folder / "digits"), folder / "corpus")
    assert status == 0
    return folder / "corpus", printed


def rows(path: Path) -> list[dict]:
    return pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")


def run(script, digits, output, *options) -> tuple[int, str]:
    result = CliRunner().invoke(script.main, ["--digits", str(digits), "--output", str(output), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@needs_espeak
class TestCorpus:
    def test_clips_and_manifests(self, made):
        corpus, printed = made
        assert "cut off: 3." in printed
        words, backgrounds = (rows(corpus / f"{name}.csv") for name in ("words", "backgrounds"))
        assert len(words) == 30 + 2 * 7
        assert len(backgrounds) == 72
        assert len({row["file"] for row in words + backgrounds}) == len(words + backgrounds)
        for row in words + backgrounds:
            waveform, rate = soundfile.read(corpus / row["file"])
            assert rate == 8000
            assert waveform.shape == (8000 if "word" in row else 12000,)
            assert soundfile.info(corpus / row["file"]).subtype == "PCM_16"
            assert np.abs(waveform).max() == pytest.approx(0.9, abs=1e-4)
        assert {path.stem for path in (corpus / "demo").iterdir()} == {"human", "water", "seven"}

    def test_words_are_in_the_middle(self, made):
        for row in rows(made[0] / "words.csv"):
            nonzero = np.flatnonzero(soundfile.read(made[0] / row["file"])[0])
            assert nonzero[0] + nonzero[-1] == pytest.approx(7999, abs=60)

    def test_splits(self, script, made):
        words = rows(made[0] / "words.csv")
        recorded = {row["file"]: row["split"] for row in words if row["speaker"] == "ann"}
        assert recorded["words/zero_ann_0.wav"] == "test"
        assert recorded["words/zero_ann_5.wav"] == "validation"
        assert recorded["words/zero_ann_12.wav"] == "train"
        for split in script.SPLITS:
            voices = [row["speaker"] for row in words if row["split"] == split and row["speaker"] != "ann"]
            assert len(voices) == 2 * script.CLIPS[split]
            assert {voice.split("+")[1] for voice in voices} <= set(script.VARIANTS[split])

    def test_categories(self, script, made):
        backgrounds = rows(made[0] / "backgrounds.csv")
        for split in script.SPLITS:
            heard = [row["categories"].split(";") for row in backgrounds if row["split"] == split]
            assert {name for names in heard for name in names} == set(CATEGORIES)
            assert sum(len(names) == 2 for names in heard) == (12 if split == "train" else 0)

    def test_seed_decides(self, script, made, tmp_path):
        contents = []
        for name, seed in (("again", "0"), ("other", "1")):
            run(script, made[0].parent / "digits", tmp_path / name, "--seed", seed)
        for folder in (made[0], tmp_path / "again", tmp_path / "other"):
            contents.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")})
        first, again, other = contents
        assert first == again
        background = Path("backgrounds/train_0000_white_noise.wav")
        assert first[background] != other[background]
        assert first[Path("words.csv")] != other[Path("words.csv")]

    def test_babble_is_made_of_the_words_of_its_split(self, script, digits, tmp_path, monkeypatch):
        given = {}

        def watched(category, samples, rate, generator, speech):
            given.setdefault(len(given), speech)
            return np.sin(np.arange(samples))

        monkeypatch.setattr(script, "synthesize_background", watched)
        monkeypatch.setattr(script, "MIXED", 100)
        speech = {split: [np.full(9, number)] for number, split in enumerate(script.SPLITS)}
        (tmp_path / "backgrounds").mkdir()
        script._write_backgrounds(tmp_path, speech, seed=0)
        assert [int(given[number][0][0]) for number in range(72)] == [0] * 48 + [1] * 12 + [2] * 12

    @pytest.mark.parametrize(("dialect", "fault"), [("en-gb", "en-gb+m3"), ("en-mars", "en-mars+m1")])
    def test_unusable_dialect(self, dialect, fault, script, digits, tmp_path, monkeypatch):
        """espeak-ng 1.51 ignores every variant of en-gb, and does not have the other."""
        if dialect == "en-gb" and "1.51" not in script.espeak_version():
            pytest.skip("other versions of espeak-ng have variants of en-gb")
        monkeypatch.setattr(script, "DIALECTS", (dialect,))
        status, printed = run(script, digits, tmp_path / "corpus")
        assert status == 2 and fault in printed
        assert not (tmp_path / "corpus").exists()

    def test_damaged_recording(self, script, digits, tmp_path, monkeypatch):
        monkeypatch.setattr(script, "check_voices", lambda: None)
        (digits / "4_ann_5.wav").write_bytes(b"RIFF")
        status, printed = run(script, digits, tmp_path / "corpus")
        assert status == 1
        assert "4_ann_5.wav" in printed
        assert [path.name for path in tmp_path.iterdir()] == ["digits"]


def test_variants_of_espeak_are_in_one_split_each(script):
    variants = [variant for split in script.SPLITS for variant in script.VARIANTS[split]]
    assert len(set(variants)) == len(variants)
    assert script.DEMO_VOICE.split("+")[1] in script.VARIANTS["test"]


class TestBadInput:
    def test_no_espeak(self, script, digits, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        status, printed = run(script, digits, tmp_path / "corpus")
        assert status == 2
        assert "apt install espeak-ng" in printed

    @pytest.mark.parametrize("missing", ["3_*", "*_5.wav"])
    def test_recordings_that_are_not_all_the_digits(self, script, digits, tmp_path, missing):
        for path in digits.glob(missing):
            path.unlink()
        status, printed = run(script, digits, tmp_path / "corpus")
        assert status == 2
        assert str(digits) in printed

    def test_existing_output(self, script, digits, tmp_path):
        (tmp_path / "corpus").mkdir()
        status, printed = run(script, digits, tmp_path / "corpus")
        assert status == 2
        assert str(tmp_path / "corpus") in printed


@needs_espeak
def test_the_sample_words_are_spoken_for_the_test_set(script, tmp_path):
    words = load_script("bundled_words")
    if "1.51" not in script.espeak_version():
        pytest.skip("the sample words were made by espeak-ng 1.51")
    result = CliRunner().invoke(words.main, ["--output", str(tmp_path / "words")])
    assert result.exit_code == 0, result.output
    for path in sample_words().parent.iterdir():
        assert (tmp_path / "words" / path.name).read_bytes() == path.read_bytes(), path.name


@needs_espeak
def test_the_sample_word_is_the_one_for_listening(script, tmp_path):
    if script.espeak_version() != "eSpeak NG text-to-speech: 1.51":
        pytest.skip("the sample word was made by espeak-ng 1.51")
    word = script.spoken(sample_word().stem, script.DEMO_VOICE, script.DEMO_PITCH, script.DEMO_SPEED)
    script._write_clip(tmp_path / "word.wav", script.centred(script.trimmed(word)))
    assert (tmp_path / "word.wav").read_bytes() == sample_word().read_bytes()
