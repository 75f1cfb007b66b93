"""Stimuli to which a network with its published weights has a known answer."""

from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import partial

import numpy as np
import soundfile

from tfmetamers.checkpoints.catalog import CatalogEntry, cached_checkpoint
from tfmetamers.checkpoints.verify import Probe
from tfmetamers.errors import CheckpointError
from tfmetamers.features.log_mel import SAMPLING_RATE
from tfmetamers.networks import slim
from tfmetamers.networks.auditory import deepspeech, vggish
from tfmetamers.networks.registry import network_with

#: How far VGGish's numbers may be from the published ones, as a part of them (``vggish_smoke_test.py``).
TONE_TOLERANCE = 0.1

#: How alike what DeepSpeech writes down and what is said must be, from 0 to 1: without its language model, which chose
#: among spellings when the sound was published, it is expected to misspell.
MIN_LIKENESS = 0.7


def find_probe(entry: CatalogEntry) -> Probe | None:
    """Return the probe of a checkpoint of the catalogue, None where no answer of its network is known."""
    if entry.network in slim.DEFINITIONS:
        return Probe(f"{entry.probe!r} among the likeliest", partial(_likeliest, entry.network, entry.probe))
    if entry.network in vggish.VERSIONS:
        expected = [_in_words(name, each.tone_mean, each.tone_deviation) for name, each in vggish.VERSIONS.items()]
        return Probe(f"embeddings of a tone, to 10%: {'; '.join(expected)}", _tone_statistics)
    if entry.network in deepspeech.VERSIONS and entry.probe:
        return Probe(f"something like {entry.probe!r}", partial(_transcript, entry.network, entry.probe))
    return None


def _likeliest(name: str, expected: str, arrays: Mapping[str, np.ndarray]) -> tuple[str, bool]:
    """Say which five labels are the likeliest for ``grace_hopper.jpg``, the photograph that ships with matplotlib."""
    from tfmetamers.stimuli.images import load_image, sample_photograph

    network = network_with(name, arrays)
    logits = network.logits(load_image(sample_photograph(), network.input_size)[None]).numpy()[0]
    labels = [network.labels[index] for index in np.argsort(-logits)[:5]]
    return ", ".join(labels), expected in labels


def _tone_statistics(arrays: Mapping[str, np.ndarray]) -> tuple[str, bool]:
    """Say which embeddings a tone has, in each version of VGGish, as its own code tests them."""
    found, is_right = [], True
    for name, version in vggish.VERSIONS.items():
        network = network_with(name, arrays, vggish.TONE_SECONDS)
        embeddings = network.activations("embedding")(vggish.published_tone(name)[None]).numpy()
        statistics = embeddings.mean(), embeddings.std()
        published = version.tone_mean, version.tone_deviation
        found.append(_in_words(name, *statistics))
        is_right &= np.allclose(statistics, published, rtol=TONE_TOLERANCE, atol=0.0)
    return "; ".join(found), bool(is_right)


def _in_words(name: str, mean: float, deviation: float) -> str:
    return f"{name} mean {mean:.3g}, deviation {deviation:.3g}"


def _transcript(name: str, said: str, arrays: Mapping[str, np.ndarray]) -> tuple[str, bool | None]:
    """Write down the sound that was published with DeepSpeech, at the level that it was published with."""
    path = cached_checkpoint("deepspeech_audio")
    if path is None:
        return "not run: its sound comes with 'tfmetamers checkpoints fetch deepspeech_audio'", None
    try:
        waveform, rate = soundfile.read(path, dtype="float32")
    except (OSError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); fetch deepspeech_audio again.") from error
    if waveform.ndim != 1 or rate != SAMPLING_RATE:
        raise CheckpointError(f"{path} is no sound of one channel at {SAMPLING_RATE} Hz; fetch deepspeech_audio again.")
    network = network_with(name, arrays, len(waveform) / SAMPLING_RATE)
    written = network.predict(waveform[None])[0].label
    return repr(written), SequenceMatcher(None, written, said).ratio() >= MIN_LIKENESS
