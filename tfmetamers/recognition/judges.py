"""Networks that say what they recognise in metamers of other networks, and in natural stimuli."""

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.networks.network import Network
from tfmetamers.recognition.categories import CATEGORIES, OFFSETS, decide
from tfmetamers.recognition.exhibits import Exhibit
from tfmetamers.stimuli.domains import Domain


class Judge:
    """A network as a judge.

    Attributes:
        network: the network.
        name: what it is called in tables.
        has_categories: whether it takes pictures and has ImageNet's 1000 classes, or 1001 with a background.
    """

    def __init__(self, network: Network, name: str):
        """Make a network a judge.

        Raises:
            ArgumentError: it has no labels.
        """
        if network.logits is None:
            raise ArgumentError(
                f"{network.name} has no labels and cannot say what it recognises; give another judge, or the labels of "
                "your own model (--labels FILE)."
            )
        self.network = network
        self.name = name
        self.has_categories = network.domain.name == "image" and len(network.labels) in OFFSETS
        self._labels = set(network.labels)
        self._cochleagram_network = None

    def check(self, exhibit: Exhibit) -> None:
        """Refuse a stimulus that the network does not take.

        Pictures may have any size. Sounds must have the network's sampling rate and length, and cochleagrams that were
        optimised themselves must come from the network's own front end, which is then left out.

        Raises:
            ArgumentError: the network does not take it.
        """
        shown = exhibit.record.domain
        takes = self._asked(shown).domain
        if not takes.can_show(shown):
            raise ArgumentError(
                f"The judge {self.name} takes {takes.describe()}, and {exhibit.folders[0]} is {shown.describe()}; give "
                f"{self._other_duration(shown)}another judge, or a folder of metamers that it takes."
            )

    def _other_duration(self, shown: Domain) -> str:
        """Return in words the judge with the duration at which it would take a sound, if it takes any duration."""
        takes = self.network.domain
        is_another_length = shown.name == takes.name == "sound" and shown.sampling_rate == takes.sampling_rate
        if not is_another_length or "duration" not in self.network.spec.kind.takes:
            return ""
        return f"{self.network.spec.replace(duration=shown.duration)} in its place, "

    def truth_label(self, exhibit: Exhibit) -> str | None:
        """Return the true one of the network's labels, None where none of them is known to be true.

        It is the manifest's label or, if the judge has no such label, the category of the manifest or the class folder.
        For a judge that transcribes, it is the label or, if there is none, the category, in lower case with one space
        between words, as long as the judge's characters can write it.
        """
        stimulus = exhibit.record.stimulus
        if self.network.transcribe:
            told = stimulus.label or stimulus.category or ""
            text = " ".join(str(told).lower().split())
            return text if text and self._labels.issuperset(text) else None
        return next((truth for truth in (stimulus.label, stimulus.category) if truth in self._labels), None)

    def is_right(self, label: str, truth: str) -> bool:
        """Tell whether a label is the true one; transcripts are compared word by word, whatever the spaces."""
        return label.split() == truth.split() if self.network.transcribe else label == truth

    def truth_category(self, exhibit: Exhibit) -> str | None:
        """Return the true one of the 16 categories; None where it is not known, or for a judge without categories."""
        told = exhibit.record.stimulus.category
        return told if self.has_categories and told in CATEGORIES else None

    def shape_shown(self, exhibit: Exhibit) -> tuple[int, ...]:
        """Return the shape in which the network is shown a stimulus: its own."""
        return self._asked(exhibit.record.domain).domain.shape

    def logits(self, exhibits: list[Exhibit], stimuli: np.ndarray) -> np.ndarray:
        """Return the network's logits of stimuli of one domain and shape, resized where needed.

        Raises:
            ResultError: logits are not finite.
        """
        network = self._asked(exhibits[0].record.domain)
        logits = network.logits(np.stack([network.domain.adapt(each) for each in stimuli])).numpy()
        if not np.isfinite(logits).all():
            raise ResultError(
                f"The logits of {self.name} are not finite for stimuli such as {exhibits[0].folders[0]}, so its "
                "weights are damaged; give another judge."
            )
        return logits

    def decide(self, logits: np.ndarray, rule: str) -> tuple[str, str | None]:
        """Return the label or transcript for the logits of one stimulus, and the category if the judge has any."""
        label = self.network.predictions(logits[None])[0].label
        return label, decide(logits, rule) if self.has_categories else None

    def _asked(self, shown: Domain) -> Network:
        """Return the network that is asked: without its front end, if the stimulus is an output of that."""
        is_after_front_end = shown.of_natural_stimuli != shown and self.network.domain == shown.of_natural_stimuli
        if not is_after_front_end or "cochleagram" not in self.network.layers:
            return self.network
        if self._cochleagram_network is None:
            self._cochleagram_network = self.network.without_front_end()
        return self._cochleagram_network
