"""Networks as judges: what they recognise in other networks' metamers and in natural stimuli."""

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.networks.categories import CATEGORIES, decide, has_categories
from tfmetamers.networks.network import Network
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
                f"{network.name} has no labels, so it cannot be a judge; give another network, or the labels of your "
                "own model (--labels FILE)."
            )
        self.network = network
        self.name = name
        self.has_categories = has_categories(network)
        self._labels = set(network.labels)
        self._network_after_front_end = None

    @property
    def chances(self) -> dict[str, float | None]:
        """The probability of being right by chance, by ``label`` and, where there are categories, ``category``.

        None for the label of a network that transcribes, which has no number of labels.
        """
        by_label = {"label": None if self.network.transcribe else 1 / len(self.network.labels)}
        return by_label | ({"category": 1 / len(CATEGORIES)} if self.has_categories else {})

    def check(self, exhibit: Exhibit) -> None:
        """Refuse a stimulus that the network does not take.

        Pictures may have any size. Sounds must have the network's sampling rate and length, and cochleagrams that were
        optimised themselves must come from the network's own front end, which is then left out.

        Raises:
            ArgumentError: the network does not take it.
        """
        shown = exhibit.record.domain
        takes = self._network_for(shown).domain
        if not takes.can_show(shown):
            raise ArgumentError(
                f"The judge {self.name} takes {takes.describe()}, but {exhibit.folders[0]} is {shown.describe()}; give "
                f"{self._other_duration(shown)}another judge, or a folder of metamers that it takes."
            )

    def _other_duration(self, shown: Domain) -> str:
        """Return, in words, the judge with the duration of a sound, if it takes any duration."""
        is_another_length = self.network.domain.differs_only_in_duration(shown)
        if not is_another_length or "duration" not in self.network.spec.network_family.takes:
            return ""
        return f"{self.network.spec.replace(duration=shown.duration)} in its place, "

    def truth_label(self, exhibit: Exhibit) -> str | None:
        """Return the network's label that is correct; None if none is known to be.

        It is the manifest's label or, if the judge has no such label, the category from the manifest or the class
        folder. For a judge that transcribes, it is the label or, if there is none, the category, in lower case with one
        space between words, as long as the judge's characters can write it.
        """
        stimulus = exhibit.record.stimulus
        if self.network.transcribe:
            truth = stimulus.label or stimulus.category or ""
            text = " ".join(truth.lower().split())
            return text if text and self._labels.issuperset(text) else None
        return next((truth for truth in (stimulus.label, stimulus.category) if truth in self._labels), None)

    def is_right(self, label: str, truth: str) -> bool:
        """Tell whether a label is the true one; transcripts are compared word by word, whatever the spaces."""
        return label.split() == truth.split() if self.network.transcribe else label == truth

    def truth_category(self, exhibit: Exhibit) -> str | None:
        """Return the correct one of the 16 categories; None if it is not known, or for a judge without categories."""
        category = exhibit.record.stimulus.category
        return category if self.has_categories and category in CATEGORIES else None

    def shape_shown(self, exhibit: Exhibit) -> tuple[int, ...]:
        """Return the shape in which the network is shown a stimulus: its own."""
        return self._network_for(exhibit.record.domain).domain.shape

    def logits(self, exhibits: list[Exhibit], stimuli: np.ndarray) -> np.ndarray:
        """Return the network's logits of stimuli of one domain and shape, resized where needed.

        Raises:
            ResultError: logits are not finite.
        """
        network = self._network_for(exhibits[0].record.domain)
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

    def _network_for(self, shown: Domain) -> Network:
        """Return the network to use: without its front end, if the stimulus is an output of the front end."""
        is_front_end_output = isinstance(shown, self.network.front_end_domain or ())
        if not is_front_end_output or shown.of_natural_stimuli != self.network.domain:
            return self.network
        if self._network_after_front_end is None:
            self._network_after_front_end = self.network.without_front_end()
        return self._network_after_front_end
