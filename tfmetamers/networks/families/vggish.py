"""VGGish, in its two published versions."""

from dataclasses import replace
from functools import partial

from tfmetamers.checkpoints.verify import Probe
from tfmetamers.networks.families.any_length import AnyLengthFamily, sounds_of
from tfmetamers.networks.spec import NetworkSpec

#: The relative difference from the published numbers that is allowed (``vggish_smoke_test.py``).
TONE_TOLERANCE = 0.1


class VggishFamily(AnyLengthFamily):
    """VGGish, from log-mel spectrograms to embeddings; it has no labels."""

    name = "vggish"
    layers = ("log_mel", "conv1", "conv2", "conv3_2", "conv4_2", "fc1_1", "fc1_2", "embedding")
    recipe = "feather2019-audio-vggish"
    notes = {  # noqa: RUF012
        "vggish": "The code of 2017 to 2019: its embedding ends with a ReLU.",
        "vggish_2020": "The code since 2020: its embedding is linear. The weights are vggish's.",
    }

    def trace(self, spec, seed=0):
        from tfmetamers.networks.auditory import vggish

        return vggish.trace(spec.name, sounds_of(spec).samples, seed=seed)

    def build(self, spec, traced, values, provenance):
        from tfmetamers.features import LogMel
        from tfmetamers.networks.network import Network

        domain = sounds_of(spec)
        return Network(
            spec.name,
            domain=domain,
            traced=traced,
            weights=values,
            provenance=replace(provenance, note=self.notes[spec.name]),
            labels=None,
            recipe=self.recipe,
            front_ends={"exact": partial(LogMel, domain.samples)},
        )

    def probe(self, entry):
        from tfmetamers.networks.auditory import vggish

        expected = [_in_words(name, each.tone_mean, each.tone_deviation) for name, each in vggish.VERSIONS.items()]
        return Probe(f"embeddings of a tone, to 10%: {'; '.join(expected)}", self._tone_statistics)

    def _tone_statistics(self, arrays) -> tuple[str, bool]:
        """Say which embeddings a tone has, in each version, as its own code tests them."""
        import numpy as np

        from tfmetamers.networks.auditory import vggish

        found, is_right = [], True
        for name, version in vggish.VERSIONS.items():
            spec = NetworkSpec(family=self.name, name=name, duration=vggish.TONE_SECONDS)
            tone = vggish.published_tone(name)[None]
            embeddings = self.with_weights(spec, arrays).activations("embedding")(tone).numpy()
            statistics = embeddings.mean(), embeddings.std()
            published = version.tone_mean, version.tone_deviation
            found.append(_in_words(name, *statistics))
            is_right &= np.allclose(statistics, published, rtol=TONE_TOLERANCE, atol=0.0)
        return "; ".join(found), bool(is_right)


def _in_words(name: str, mean: float, deviation: float) -> str:
    return f"{name} mean {mean:.3g}, deviation {deviation:.3g}"


FAMILY = VggishFamily()
