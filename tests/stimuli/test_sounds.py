"""Sounds are prepared as the released code prepares them, and what cannot be a stimulus is refused."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal
from scipy.io import wavfile

from tests.golden import GOLDEN
from tfmetamers.errors import ArgumentError, ResultError, StimulusError
from tfmetamers.networks.auditory.trained_folder import bundled_networks
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.stimuli.sounds import (
    FITS,
    SUFFIXES,
    load_sound,
    pink_noise,
    read_saved,
    resample,
    root_mean_square,
    sample_word,
    sample_words,
    save_listening_copy,
    save_sound,
    sound_length,
)


def chirp(samples: int, rate: int) -> np.ndarray:
    """A sound without randomness or symmetry: 100 to 3500 Hz, growing, with a mean."""
    time = np.arange(samples) / rate
    duration = samples / rate
    phase = 2 * np.pi * (100 * time + 1700 * time**2 / duration)
    return (0.2 + 0.4 * time / duration) * np.sin(phase) + 0.05


def prepared(waveform: np.ndarray) -> np.ndarray:
    """What the released code does after resampling."""
    waveform = waveform - waveform.mean()
    return waveform * (0.1 / np.sqrt(np.mean(waveform**2)))


def written(path: Path, waveform: np.ndarray, rate: int = 20000, **options) -> Path:
    soundfile.write(path, waveform, rate, **options)
    return path


#: What soundfile cannot tell from a file's ending.
FORMATS = {".opus": {"format": "OGG", "subtype": "OPUS"}, ".aif": {"format": "AIFF"}}


def wav_of_16_bits(path: Path, rate: int) -> Path:
    """A WAV written by hand, since soundfile writes no odd sampling rates."""
    samples = np.rint(chirp(4000, 20000) * 2**15).astype("<i2").tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 8036, b"WAVE", b"fmt ", 16, 1, 1, rate, 40000, 2, 16, b"data", 8000
    )
    path.write_bytes(head + samples)
    return path


class TestPreparation:
    @pytest.mark.parametrize(
        ("rate", "pinned"),
        [
            (20000, [-0.00044816, 0.01043113, -0.07890914, 0.13498148, -0.18201166]),
            (44100, [-0.00509859, 0.01076573, -0.07891025, 0.13498336, -0.17633818]),
        ],
    )
    def test_pinned_values(self, tmp_path, rate, pinned):
        path = written(tmp_path / "a.wav", chirp(rate // 5, rate), rate, subtype="DOUBLE")
        loaded = load_sound(path, 20000, 4000)
        np.testing.assert_allclose(loaded[[0, 5, 500, 2100, 3999]], pinned, atol=2e-8)

    def test_mean_level_and_shape(self, tmp_path):
        loaded = load_sound(written(tmp_path / "a.wav", chirp(88200, 44100), 44100), 20000, 40000)
        assert loaded.shape == (40000,)
        assert loaded.dtype == np.float32
        assert abs(loaded.mean(dtype=np.float64)) < 1e-8
        assert root_mean_square(loaded) == pytest.approx(0.1, rel=1e-6)

    def test_the_published_sound_is_what_the_released_code_made_of_it(self):
        loaded = load_sound(GOLDEN / "paper_stimuli" / "human_audio_resampled.wav", 20000, 40000)
        with np.load(GOLDEN / "trajectory_word_network_aliased.npz") as golden:
            np.testing.assert_allclose(loaded, golden["target_waveform"], atol=6e-8)

    @pytest.mark.parametrize("fit", FITS)
    def test_mean_and_level_are_those_of_what_is_returned(self, tmp_path, fit):
        samples = {"pad": 6000, "trim": 3000, "centre": 3001}[fit]
        loaded = load_sound(written(tmp_path / "a.wav", chirp(4000, 20000)), 20000, samples, fit)
        assert abs(loaded.mean(dtype=np.float64)) < 1e-8
        assert root_mean_square(loaded) == pytest.approx(0.1, rel=1e-6)

    def test_channels_are_averaged(self, tmp_path):
        parts = np.stack([chirp(4000, 20000) * 0.9**k + 0.01 * k for k in range(6)], axis=1)
        loaded = load_sound(written(tmp_path / "a.wav", parts, subtype="DOUBLE"), 20000, 4000)
        np.testing.assert_allclose(loaded, prepared(parts.mean(axis=1)), atol=1e-7)

    def test_every_kind_of_sample(self, tmp_path):
        sound = chirp(4000, 20000)
        errors = {"PCM_U8": 3e-3, "PCM_16": 1e-5, "PCM_24": 1e-7, "PCM_32": 1e-7, "DOUBLE": 1e-7, "ULAW": 1e-2}
        for subtype, error in errors.items():
            loaded = load_sound(written(tmp_path / "a.wav", sound, subtype=subtype), 20000, 4000)
            np.testing.assert_allclose(loaded, prepared(sound), atol=error, err_msg=subtype)

    def test_every_ending_that_folders_are_searched_for(self, tmp_path):
        sound = chirp(96000, 48000)
        expected = prepared(resample(sound, 48000, 20000))
        for suffix in SUFFIXES:
            path = written(tmp_path / f"a{suffix}", sound, 48000, **FORMATS.get(suffix, {}))
            assert np.corrcoef(load_sound(path, 20000, 40000), expected)[0, 1] > 0.99, suffix

    def test_values_beyond_full_scale_are_kept(self, tmp_path):
        sound = chirp(4000, 20000)
        loaded = load_sound(written(tmp_path / "a.wav", sound * 30000, subtype="FLOAT"), 20000, 4000)
        np.testing.assert_allclose(loaded, prepared(sound), atol=1e-7)

    @pytest.mark.parametrize("samples", [4001, 2])
    def test_odd_and_short_lengths(self, tmp_path, samples):
        sound = chirp(samples, 20000)
        loaded = load_sound(written(tmp_path / "a.wav", sound, subtype="DOUBLE"), 20000, samples)
        np.testing.assert_allclose(loaded, prepared(sound), atol=1e-7)


class TestLength:
    @pytest.mark.parametrize("rate", [8000, 48000])
    def test_one_sample_at_the_lower_rate_does_not_matter(self, tmp_path, rate):
        slack = max(1, rate // 20000)
        for samples in (2 * rate - slack, 2 * rate, 2 * rate + slack):
            path = written(tmp_path / "a.wav", chirp(samples, rate), rate)
            assert load_sound(path, 20000, 40000).shape == (40000,)
        for samples in (2 * rate - 3 * slack, 2 * rate + 3 * slack):
            path = written(tmp_path / "a.wav", chirp(samples, rate), rate)
            with pytest.raises(StimulusError, match="40000"):
                load_sound(path, 20000, 40000)

    @pytest.mark.parametrize(("samples", "way", "other"), [(3000, "pad", "trim"), (5000, "trim", "pad")])
    def test_another_length_is_refused_unless_a_way_to_fit_it_is_given(self, tmp_path, samples, way, other):
        path = written(tmp_path / "a.wav", chirp(samples, 20000))
        for fit in (None, other):
            with pytest.raises(StimulusError, match=f"{samples}.*--fit {way} or --fit centre") as refused:
                load_sound(path, 20000, 4000, fit)
            assert str(path) in str(refused.value)
        assert load_sound(path, 20000, 4000, way).shape == (4000,)

    def test_where_silence_is_put(self, tmp_path):
        sound = chirp(3001, 20000)
        path = written(tmp_path / "a.wav", sound, subtype="DOUBLE")
        for fit, before in (("pad", 0), ("centre", 500)):
            expected = prepared(np.pad(sound, (before, 999 - before)))
            np.testing.assert_allclose(load_sound(path, 20000, 4000, fit), expected, atol=1e-7)

    @pytest.mark.parametrize("samples", [1999, 2001])
    def test_one_sample_less_or_more_is_put_right_at_the_end_whatever_the_fit(self, tmp_path, samples):
        sound = chirp(samples, 20000)
        path = written(tmp_path / "a.wav", sound, subtype="DOUBLE")
        expected = prepared(np.pad(sound, (0, 1))[:2000])
        for fit in (None, *FITS):
            np.testing.assert_allclose(load_sound(path, 20000, 2000, fit), expected, atol=1e-7)

    @pytest.mark.parametrize("frames", [798, 801])
    def test_the_middle_at_a_lower_rate_is_kept_from_two_samples_on(self, tmp_path, frames):
        path = written(tmp_path / "a.wav", chirp(frames, 8000), 8000, subtype="DOUBLE")
        centred = load_sound(path, 20000, 2000, "centre")
        at_the_end = load_sound(path, 20000, 2000, "pad" if frames < 800 else "trim")
        assert np.array_equal(centred, at_the_end) == (abs(frames - 800) == 1)

    @pytest.mark.parametrize("rate", [8000, 22254])
    def test_what_is_kept_is_as_if_all_had_been_resampled(self, tmp_path, rate):
        sound = chirp(7 * rate + 1, rate) + np.random.default_rng(0).standard_normal(7 * rate + 1)
        path = written(tmp_path / "a.wav", sound, rate, subtype="DOUBLE")
        whole = resample(sound, rate, 20000)
        first = (len(whole) - 40000) // 2
        np.testing.assert_allclose(load_sound(path, 20000, 40000, "trim"), prepared(whole[:40000]), atol=1e-7)
        expected = prepared(whole[first : first + 40000])
        np.testing.assert_allclose(load_sound(path, 20000, 40000, "centre"), expected, atol=1e-7)

    def test_three_hours_are_not_read_into_memory(self, tmp_path):
        path = tmp_path / "long.wav"
        with soundfile.SoundFile(path, "w", 44100, 2, "PCM_16", format="RF64") as file:
            file.write(np.zeros((1, 2)))
        frames = 3 * 3600 * 44100
        head = bytearray(path.read_bytes()[:-4])
        place = head.index(b"ds64") + 8
        head[place : place + 24] = struct.pack("<QQQ", len(head) + 4 * frames - 8, 4 * frames, frames)
        sound = np.rint(chirp(3 * 44100, 44100) * 2**15).astype("<i2").repeat(2).tobytes()
        with path.open("wb") as stream:
            stream.write(head + sound)
            stream.seek(len(head) + 4 * (frames // 2 - 66150))
            stream.write(sound)
            stream.truncate(len(head) + 4 * frames)
        script = """
import resource, sys
from tfmetamers.stimuli.sounds import load_sound
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert load_sound(sys.argv[1], 20000, 40000, "centre").std() > 0.09
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
        done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
        assert int(done.stdout) < 60_000  # KiB; the samples take 7.6 GB as float64
        assert sound_length(path, 20000) == 3 * 3600 * 20000

    def test_an_unknown_way_to_fit(self, tmp_path):
        with pytest.raises(ArgumentError, match="'crop'"):
            load_sound(tmp_path / "a.wav", 20000, 4000, "crop")

    @pytest.mark.parametrize(("rate", "samples"), [(20000.5, 400), (20000, 10**13)])
    def test_an_invalid_rate_or_length(self, tmp_path, rate, samples):
        with pytest.raises(ArgumentError, match=str({400: rate}.get(samples, samples))):
            load_sound(tmp_path / "a.wav", rate, samples)


class TestResampling:
    @pytest.mark.parametrize("rate", [8000, 96000])
    def test_a_tone_stays_the_tone_that_it_is(self, rate):
        tone = np.sin(2 * np.pi * 997 * np.arange(rate) / rate)
        expected = np.sin(2 * np.pi * 997 * np.arange(20000) / 20000)
        np.testing.assert_allclose(resample(tone, rate, 20000)[2000:-2000], expected[2000:-2000], atol=1e-6)

    def test_a_tone_that_the_lower_rate_cannot_carry_is_gone(self):
        tone = np.sin(2 * np.pi * 10600 * np.arange(44100) / 44100)
        assert np.abs(resample(tone, 44100, 20000)[2000:-2000]).max() < 1e-6

    def test_the_same_rate_changes_nothing(self):
        np.testing.assert_array_equal(resample(chirp(100, 20000), 20000, 20000), chirp(100, 20000))

    def test_the_length_is_rounded(self):
        assert [len(resample(np.ones(samples), 8000, 20000)) for samples in (1, 3, 7999)] == [2, 8, 19998]


class TestRefused:
    @staticmethod
    def refusal(path: Path, fit: str | None = "centre", samples: int = 4000) -> str:
        """The message, which names the file."""
        with pytest.raises(StimulusError) as refused:
            load_sound(path, 20000, samples, fit)
        assert str(path) in str(refused.value)
        return str(refused.value)

    def test_a_file_that_is_missing_or_empty(self, tmp_path):
        self.refusal(tmp_path / "missing.wav")
        (tmp_path / "empty.wav").touch()
        assert "empty" in self.refusal(tmp_path / "empty.wav")

    @pytest.mark.parametrize("name", ["words.wav", "words.raw"])
    def test_a_text_file(self, tmp_path, name):
        (tmp_path / name).write_text("not a sound\n" * 100)
        assert "libsndfile" in self.refusal(tmp_path / name)

    @pytest.mark.parametrize("suffix", [".flac", ".mp3"])
    def test_a_file_that_libsndfile_knows_to_be_cut_short(self, tmp_path, suffix):
        path = written(tmp_path / f"part{suffix}", chirp(240000, 24000), 24000)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
        assert "damaged" in (message := self.refusal(path, None, 200000)) or "cut short" in message

    @pytest.mark.parametrize("suffix", [".wav", ".ogg"])
    def test_a_file_that_looks_like_a_shorter_one_when_cut_has_the_wrong_length(self, tmp_path, suffix):
        path = written(tmp_path / f"part{suffix}", chirp(40000, 20000), 20000)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.9)])
        self.refusal(path, None, 40000)

    def test_a_file_that_is_cut_in_its_header(self, tmp_path):
        path = written(tmp_path / "head.wav", chirp(4000, 20000))
        path.write_bytes(path.read_bytes()[:40])
        self.refusal(path)

    def test_a_flac_that_does_not_say_how_long_it_is(self, tmp_path):
        path = written(tmp_path / "a.flac", chirp(4000, 20000))
        content = bytearray(path.read_bytes())
        content[21] &= 0xF0
        content[22:26] = bytes(4)
        path.write_bytes(content)
        assert "how many" in self.refusal(path)

    def test_a_flac_with_a_changed_byte(self, tmp_path):
        path = written(tmp_path / "a.flac", chirp(4000, 20000))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
        assert "damaged" in self.refusal(path)

    @pytest.mark.parametrize("rate", [0, 192007])
    def test_a_sampling_rate_that_cannot_be_resampled(self, tmp_path, rate):
        assert "damaged" in (message := self.refusal(wav_of_16_bits(tmp_path / "a.wav", rate))) or str(rate) in message

    @pytest.mark.parametrize("value", [np.nan, 1e300])
    def test_one_sample_that_is_not_finite(self, tmp_path, value):
        sound = chirp(4000, 20000)
        sound[1234] = value
        assert "NaN" in self.refusal(written(tmp_path / "a.wav", sound, subtype="DOUBLE"))

    @pytest.mark.parametrize(("rate", "level"), [(8000, 0.3), (20000, 0.0)])
    def test_a_constant(self, tmp_path, rate, level):
        path = written(tmp_path / "a.wav", np.full(rate, level), rate)
        for fit, samples in ((None, 20000), ("pad", 40000), ("centre", 10000)):
            assert "silent" in self.refusal(path, fit, samples)

    def test_channels_that_cancel(self, tmp_path):
        sound = chirp(4000, 20000)
        assert "silent" in self.refusal(written(tmp_path / "a.wav", np.stack([sound, -sound], axis=1)))

    def test_silence_in_the_part_that_is_kept(self, tmp_path):
        sound = np.concatenate([np.zeros(4000), chirp(4000, 20000)])
        path = written(tmp_path / "a.wav", sound)
        assert "silent" in self.refusal(path, "trim")
        assert load_sound(path, 20000, 4000, "centre").shape == (4000,)

    @pytest.mark.parametrize(("samples", "rate"), [(0, 20000), (2, 96000)])
    def test_hardly_any_samples(self, tmp_path, samples, rate):
        self.refusal(written(tmp_path / "a.wav", np.ones(samples) * 0.5, rate))


class TestSaving:
    def test_every_bit_comes_back(self, tmp_path):
        waveform = np.float32([0, -0.0, 1e-42, -3.5, 1.0, 0.1, 3e38, np.nextafter(np.float32(0.1), np.float32(1))])
        save_sound(waveform, tmp_path / "a.wav", 20000)
        assert read_saved(tmp_path / "a.wav", len(waveform)).tobytes() == waveform.tobytes()
        by_soundfile, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
        assert by_soundfile.tobytes() == waveform.tobytes()
        assert rate == 20000
        assert soundfile.info(tmp_path / "a.wav").subtype == "FLOAT"

    def test_a_saved_sound_is_a_stimulus_that_does_not_change(self, tmp_path):
        first = load_sound(written(tmp_path / "a.wav", chirp(4000, 20000)), 20000, 4000)
        save_sound(first, tmp_path / "b.wav", 20000)
        np.testing.assert_allclose(load_sound(tmp_path / "b.wav", 20000, 4000), first, atol=3e-8)

    def test_the_same_sound_gives_the_same_bytes_at_any_time(self, tmp_path):
        save_sound(chirp(40, 20000), tmp_path / "a.wav", 20000)
        content = (tmp_path / "a.wav").read_bytes()
        # soundfile's would have a PEAK chunk with the time of writing.
        assert b"PEAK" not in content
        assert len(content) == 58 + 4 * 40

    def test_makes_the_folder_and_leaves_nothing_else_in_it(self, tmp_path):
        save_sound(chirp(40, 20000), tmp_path / "new" / "a.wav", 20000)
        save_listening_copy(chirp(40, 20000), tmp_path / "new" / "b.wav", 20000)
        assert sorted(os.listdir(tmp_path / "new")) == ["a.wav", "b.wav"]

    def test_a_full_disk_leaves_the_older_sound_as_it_was(self, tmp_path):
        path = tmp_path / "a.wav"
        path.write_bytes(b"older")
        script = """
import resource, sys
import numpy as np
from tfmetamers.errors import ResultError
from tfmetamers.stimuli.sounds import save_sound
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save_sound(np.ones(4000), sys.argv[1], 20000)
except ResultError as error:
    sys.exit(str(error))
"""
        finished = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
        assert finished.returncode == 1
        assert str(path) in finished.stderr and "Traceback" not in finished.stderr
        assert path.read_bytes() == b"older"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("content", [None, b"RIFF"])
    def test_a_saved_sound_that_is_missing_or_damaged(self, tmp_path, content):
        if content:
            (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(ResultError, match=r"a\.wav"):
            read_saved(tmp_path / "a.wav", 100)


class TestListeningCopy:
    @pytest.mark.parametrize("level", [1e-3, 40.0])
    def test_level_and_format(self, tmp_path, level):
        sound = prepared(chirp(40000, 20000)) * level
        save_listening_copy(sound, tmp_path / "a.wav", 20000)
        rate, levels = wavfile.read(tmp_path / "a.wav")
        assert (rate, levels.dtype) == (20000, np.int16)
        np.testing.assert_allclose(levels / 2**15, sound * (0.05 / (0.1 * level)), atol=0.6 / 2**15)

    def test_a_sound_of_high_peaks_is_made_softer_and_not_clipped(self, tmp_path):
        sound = chirp(40000, 20000) * 0.01
        sound[[7, 900]] = 3.0, -2.9
        save_listening_copy(sound, tmp_path / "a.wav", 20000)
        levels = wavfile.read(tmp_path / "a.wav")[1]
        np.testing.assert_allclose(levels / 2**15, sound * (0.99 / 3.0), atol=0.6 / 2**15)
        assert levels.max() == round(0.99 * 2**15)
        assert root_mean_square(levels / 2**15) < 0.05

    def test_silence_stays_silence(self, tmp_path):
        save_listening_copy(np.zeros(100), tmp_path / "a.wav", 20000)
        assert not wavfile.read(tmp_path / "a.wav")[1].any()


class TestPinkNoise:
    @staticmethod
    def released_code(samples: int, generator: np.random.Generator) -> np.ndarray:
        """The released code's steps."""
        uneven = samples % 2
        bins = samples // 2 + 1 + uneven
        spectrum = generator.standard_normal(bins) + 1j * generator.standard_normal(bins)
        noise = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1.0)).real
        if uneven:
            noise = noise[:-1]
        noise = noise / np.sqrt(np.mean(noise**2)) * 0.1
        return (noise - np.mean(noise)) * 0.1

    @pytest.mark.parametrize("samples", [40000, 401])
    def test_equals_the_released_recipe(self, samples):
        drawn = pink_noise(samples, np.random.default_rng(3))
        assert drawn.dtype == np.float32
        np.testing.assert_allclose(drawn, self.released_code(samples, np.random.default_rng(3)), atol=2e-9)

    def test_power_falls_as_one_over_the_frequency(self):
        generator = np.random.default_rng(0)
        noises = np.stack([pink_noise(40000, generator) for _ in range(20)])
        frequencies, power = signal.welch(noises, 20000, nperseg=8000)
        within = (frequencies >= 50) & (frequencies <= 8000)
        slope = np.polyfit(np.log(frequencies[within]), np.log(power.mean(axis=0)[within]), 1)[0]
        assert slope == pytest.approx(-1.0, abs=0.03)

    def test_level(self):
        drawn = pink_noise(40000, np.random.default_rng(1), 0.5)
        assert abs(drawn.mean(dtype=np.float64)) < 5e-8
        assert 0.4 < root_mean_square(drawn) <= 0.5

    def test_the_seed_decides(self):
        first, again, other = (pink_noise(400, np.random.default_rng(seed)) for seed in (5, 5, 6))
        np.testing.assert_array_equal(first, again)
        assert np.abs(first - other).max() > 1e-3

    def test_the_shortest_length(self):
        assert np.isfinite(pink_noise(2, np.random.default_rng(0))).all()

    def test_an_invalid_length(self):
        with pytest.raises(ArgumentError, match="1"):
            pink_noise(1, np.random.default_rng(0))


def test_sample_words_are_two_of_each_word_of_the_bundled_networks():
    words = collect_stimuli([sample_words()], SUFFIXES)
    [labels] = json.loads((bundled_networks()["small_word_aliased"] / "labels.json").read_text()).values()
    assert sorted(each.label for each in words) == sorted(2 * [label for label in labels if label != "__nullSignal__"])
    assert all(np.abs(load_sound(each.path, 8000, 8000)).max() > 0.01 for each in words)


class TestSampleWord:
    def test_it_is_a_second_at_8_khz_and_can_be_loaded(self):
        assert soundfile.info(sample_word()).samplerate == 8000
        assert load_sound(sample_word(), 8000, 8000).shape == (8000,)
        assert np.abs(np.diff(load_sound(sample_word(), 8000, 8000))).max() > 0.1
