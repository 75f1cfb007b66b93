"""Mixtures: what is drawn, and how speech and background are added."""

import dataclasses
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tfmetamers.errors import ArgumentError, CorpusError
from tfmetamers.training.corpora import category_names, read_backgrounds, read_words
from tfmetamers.training.mixtures import (
    SILENCE,
    Labels,
    draw_mixtures,
    mix,
    mixture_dataset,
    read_batches,
    word_labels,
)
from tfmetamers.training.settings import MixtureSettings

SAMPLES = 2000


@pytest.fixture(scope="module")
def frames(corpus):
    words, backgrounds = read_words(corpus / "words.csv"), read_backgrounds(corpus / "backgrounds.csv")
    return words, backgrounds, Labels(word_labels(words), category_names(backgrounds))


def _draw(frames, settings, seed=0, repetitions=1):
    words, backgrounds, labels = frames
    clips = list(range(len(words))) * repetitions
    return draw_mixtures(words, backgrounds, settings, labels, np.random.default_rng(seed), clips=clips)


def _sounds(frames, settings, seed=0):
    mixtures = _draw(frames, settings, seed)
    dataset = mixture_dataset(
        mixtures, categories=len(frames[2].categories), sampling_rate=4000, samples=SAMPLES, batch_size=7
    )
    batches = list(read_batches(dataset))
    return mixtures, {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def test_silence_is_the_first_label_and_words_follow_in_order(frames):
    assert frames[2].words == [SILENCE, "high", "low", "middle"]


def test_a_word_with_the_label_of_silence_is_refused(frames):
    words = frames[0].copy()
    words["word"] = words["word"].astype(str).replace("low", SILENCE)
    with pytest.raises(CorpusError, match=SILENCE):
        word_labels(words)


def test_the_same_seed_draws_the_same_and_another_seed_draws_others(frames):
    first, same, other = (_draw(frames, MixtureSettings(), seed) for seed in (0, 0, 1))
    for name, values in first.items():
        assert np.array_equal(values, same[name])
    for name in ("snr", "speech_start", "background_place", "background_file"):
        assert not np.array_equal(first[name], other[name])


def test_ratios_shifts_and_shares_are_those_of_the_settings(frames):
    settings = MixtureSettings(min_snr=-3, max_snr=6, shift=0.2, silence=0.3, clean=0.2)
    drawn = _draw(frames, settings, repetitions=60)
    count = len(drawn["snr"])
    assert drawn["snr"].min() >= -3 and drawn["snr"].max() <= 6
    assert drawn["snr"].mean() == pytest.approx(1.5, abs=0.2)
    assert np.abs(drawn["speech_start"]).max() <= 0.2 + 1e-6
    assert 1 - drawn["has_speech"].mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / count))
    assert 1 - drawn["has_background"].mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / count))
    assert not (~drawn["has_speech"] & ~drawn["has_background"]).any()
    assert (drawn["word"][~drawn["has_speech"]] == 0).all() and (drawn["word"][drawn["has_speech"]] > 0).all()
    assert (drawn["categories"][~drawn["has_background"]] == -1).all()


def test_a_background_of_two_categories_is_a_member_of_both(frames):
    drawn, sounds = _sounds(frames, MixtureSettings(clean=0.2))
    names = [Path(file).name for file in drawn["background_file"]]
    expected = [[category in name for category in ("hum", "noise")] for name in names]  # As the labels are sorted.
    expected *= drawn["has_background"][:, None]
    assert {tuple(row) for row in expected.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert np.array_equal(sounds["categories"], expected)


@pytest.mark.parametrize("snr", [-10.0, 7.0])
def test_a_mixture_has_the_ratio_and_the_level_asked_for(snr):
    generator = np.random.default_rng(0)
    speech = generator.standard_normal(SAMPLES).astype(np.float32) * 0.03 + 0.2
    background = generator.standard_normal(SAMPLES).astype(np.float32) * 3.0
    mixed = mix(speech, background, tf.constant(snr), True, True).numpy()
    assert np.sqrt(np.mean(mixed**2)) == pytest.approx(0.1, rel=1e-5) and abs(mixed.mean()) < 1e-7
    centred = np.stack([speech - speech.mean(), background - background.mean()], axis=1).astype(np.float64)
    shares = np.linalg.lstsq(centred, mixed.astype(np.float64), rcond=None)[0]
    levels = shares * centred.std(axis=0)
    assert 20 * np.log10(levels[0] / levels[1]) == pytest.approx(snr, abs=1e-3)


def test_speech_or_background_alone_and_neither():
    wave = np.sin(np.arange(SAMPLES) * 0.3).astype(np.float32)
    noise = np.random.default_rng(0).standard_normal(SAMPLES).astype(np.float32)
    alone = mix(wave, noise, tf.constant(0.0), True, False).numpy()
    assert np.corrcoef(alone, wave)[0, 1] == pytest.approx(1, abs=1e-6)
    alone = mix(wave, noise, tf.constant(0.0), False, True).numpy()
    assert np.corrcoef(alone, noise)[0, 1] == pytest.approx(1, abs=1e-6)
    assert not mix(wave, noise, tf.constant(0.0), False, False).numpy().any()


def test_silent_speech_becomes_the_class_of_silence_and_is_counted(frames, tmp_path):
    import soundfile

    words, backgrounds, labels = frames
    words = words.copy()
    soundfile.write(tmp_path / "silent.wav", np.zeros(SAMPLES), 4000, subtype="PCM_16")
    soundfile.write(tmp_path / "clipped.wav", np.sign(np.sin(np.arange(SAMPLES))), 4000, subtype="PCM_16")
    words.iloc[0, words.columns.get_loc("file")] = str(tmp_path / "silent.wav")
    words.iloc[1, words.columns.get_loc("file")] = str(tmp_path / "clipped.wav")
    settings = MixtureSettings(silence=0, clean=0, shift=0)
    _, sounds = _sounds((words, backgrounds, labels), settings)
    assert sounds["silent"].tolist() == [True] + [False] * (len(words) - 1)
    assert sounds["clipped"].tolist() == [False, True] + [False] * (len(words) - 2)
    assert sounds["word"][0] == 0 and (sounds["word"][1:] > 0).all()
    assert np.allclose(np.sqrt(np.mean(sounds["waveform"] ** 2, axis=1)), 0.1, rtol=1e-4)


def test_a_million_clips_of_hundreds_of_categories_are_drawn_in_little_memory():
    clips, categories = 100_000, 500
    words = pd.DataFrame({"file": [f"{number:0100d}.wav" for number in range(clips)], "start": 0.0, "word": "one"})
    cells = [f"c{number % categories};c{(7 * number + 1) % categories}" for number in range(clips)]
    backgrounds = words.assign(categories=cells)
    labels = Labels([SILENCE, "one"], [f"c{number}" for number in range(categories)])
    tracemalloc.start()
    drawn = draw_mixtures(
        words, backgrounds, MixtureSettings(), labels, np.random.default_rng(0), clips=np.arange(clips)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / clips < 300  # Bytes; a million may take 0.3 GB, and the manifests themselves some more.
    first = drawn["background_file"][0]
    expected = cells[int(first.removesuffix(".wav"))].split(";") if drawn["has_background"][0] else []
    assert [labels.categories[number] for number in drawn["categories"][0] if number >= 0] == expected


def test_no_clip_is_taken_for_another(tmp_path):
    import soundfile

    rate, clips = 8000, 200
    files = [str(tmp_path / f"{number}.wav") for number in range(clips)]
    times = np.arange(rate) / rate
    for number, file in enumerate(files):
        soundfile.write(file, 0.3 * np.sin(2 * np.pi * (100 + 5 * number) * times), rate, subtype="PCM_16")
    words = pd.DataFrame({"file": files, "start": 0.0, "word": "one"})
    settings, labels = MixtureSettings(silence=0, clean=1, shift=0), Labels([SILENCE, "one"], ["noise"])
    drawn = draw_mixtures(
        words, words.assign(categories="noise"), settings, labels, np.random.default_rng(0), clips=range(clips)
    )
    for _ in range(2):
        dataset = mixture_dataset(drawn, categories=1, sampling_rate=rate, samples=rate, batch_size=50)
        waveforms = np.concatenate([batch["waveform"] for batch in dataset])
        heard = np.abs(np.fft.rfft(waveforms)).argmax(axis=1)
        assert heard.tolist() == [100 + 5 * number for number in range(clips)]


def test_a_recording_that_cannot_be_read_is_named_without_the_names_of_nodes(frames, tmp_path):
    words, backgrounds, labels = frames
    gone = words.assign(file=str(tmp_path / "gone.wav"))
    with pytest.raises(CorpusError, match=r"gone\.wav") as error:
        _sounds((gone, backgrounds, labels), MixtureSettings())
    assert "{{" not in str(error.value)


def test_a_word_is_moved_in_time(frames):
    still = MixtureSettings(silence=0, clean=1, shift=0)
    drawn, moved = _sounds(frames, dataclasses.replace(still, shift=0.1))
    for start, waveform in zip(drawn["speech_start"], moved["waveform"], strict=True):
        quiet = round(-start * 4000)
        # The part before the recording, or after it, is silent but for the mean that was removed.
        part = waveform[:quiet] if quiet > 0 else waveform[len(waveform) + quiet :]
        assert np.ptp(part) == 0 if len(part) else True


@pytest.mark.parametrize(
    ("field", "value"),
    [("shift", -1), ("silence", 0.96), ("min_snr", 11), ("max_snr", float("nan"))],
)
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(ArgumentError, match=field):
        MixtureSettings(**{field: value})
