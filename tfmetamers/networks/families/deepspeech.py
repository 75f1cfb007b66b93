"""DeepSpeech, a recogniser of speech."""

from dataclasses import replace
from difflib import SequenceMatcher
from functools import partial

from tfmetamers.checkpoints.catalog import cached_checkpoint
from tfmetamers.checkpoints.verify import Probe
from tfmetamers.errors import CheckpointError
from tfmetamers.networks.families.any_length import SAMPLING_RATE, AnyLengthFamily, sounds_of
from tfmetamers.networks.spec import NetworkSpec

#: How similar the transcript and the spoken sentence must be, from 0 to 1: without the language model that was used for
#: the published transcript, the network is expected to misspell.
MIN_LIKENESS = 0.7


class DeepSpeechFamily(AnyLengthFamily):
    """DeepSpeech 0.4.1, from MFCCs to characters; its labels are transcripts."""

    name = "deepspeech"
    layers = ("mfcc", "layer_1", "layer_2", "layer_3", "rnn_output", "layer_5", "logits")
    recipe = "feather2019-audio-deepspeech"
    classes = 29
    notes = {  # noqa: RUF012
        "deepspeech": "Release 0.4.1; the paper does not say which it used, and this one's date is the closest."
    }

    def trace(self, spec, seed=0):
        from tfmetamers.networks.auditory import deepspeech

        return deepspeech.trace(sounds_of(spec).samples, seed=seed)

    def build(self, spec, traced, values, provenance):
        from tfmetamers.features import Mfcc
        from tfmetamers.networks.auditory import deepspeech
        from tfmetamers.networks.network import Network

        domain = sounds_of(spec)
        return Network(
            spec.name,
            domain=domain,
            traced=traced,
            weights=values,
            provenance=replace(provenance, note=self.notes[spec.name]),
            labels=deepspeech.labels(),
            transcribe=deepspeech.transcribe,
            recipe=self.recipe,
            front_ends={"exact": partial(Mfcc, domain.samples)},
        )

    def probe(self, entry):
        if not entry.probe:
            return None
        return Probe(f"something like {entry.probe!r}", partial(self._transcript, entry.probe))

    def _transcript(self, said, arrays) -> tuple[str, bool | None]:
        """Transcribe the sound that was published with DeepSpeech, at its published level."""
        import soundfile

        path = cached_checkpoint("deepspeech_audio")
        if path is None:
            return "not run: fetch its sound with 'tfmetamers checkpoints fetch deepspeech_audio'", None
        try:
            waveform, rate = soundfile.read(path, dtype="float32")
        except (OSError, RuntimeError) as error:
            raise CheckpointError(f"{path} cannot be read ({error}); fetch deepspeech_audio again.") from error
        if waveform.ndim != 1 or rate != SAMPLING_RATE:
            raise CheckpointError(
                f"{path} is not a sound of one channel at {SAMPLING_RATE} Hz; fetch deepspeech_audio again."
            )
        spec = NetworkSpec(family=self.name, name="deepspeech", duration=len(waveform) / SAMPLING_RATE)
        written = self.with_weights(spec, arrays).predict(waveform[None])[0].label
        return repr(written), SequenceMatcher(None, written, said).ratio() >= MIN_LIKENESS


FAMILY = DeepSpeechFamily()
