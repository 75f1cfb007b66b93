"""Networks that say what they recognise in metamers and natural stimuli that other networks saw."""

import numpy as np
from PIL import Image

from tfmetamers.errors import ArgumentError, ResultError, TfmetamersError
from tfmetamers.networks.auditory import architecture as architectures
from tfmetamers.networks.network import Network
from tfmetamers.networks.registry import takes_any_length
from tfmetamers.recognition.categories import CATEGORIES, OFFSETS, decide
from tfmetamers.recognition.exhibits import Exhibit


class Judge:
    """A network as a judge.

    Attributes:
        network: the network.
        name: what it is called in tables.
        has_categories: whether it takes pictures and has ImageNet's 1000 classes, or 1001 with a background.
    """

    def __init__(self, network: Network, name: str):
        """Take a network as a judge.

        Raises:
            ArgumentError: it has no labels.
        """
        if network.logits is None:
            raise ArgumentError(
                f"{network.name} has no labels and cannot say what it recognises; give another judge, or with a model "
                "of your own its labels (--labels FILE)."
            )
        self.network = network
        self.name = name
        self.has_categories = network.domain.name == "image" and len(network.labels) in OFFSETS
        self._labels = set(network.labels)
        self._cochleagram_network = None

    def check(self, exhibit: Exhibit) -> None:
        """Refuse to be shown what the network does not take.

        Pictures of any size are taken. Sounds must have the network's rate and length, and cochleagrams that were
        optimised themselves must come from the network's own front end, which is then left out.

        Raises:
            ArgumentError: the network does not take it.
        """
        takes, record = self.network.domain, exhibit.record
        shown = record["domain"]
        if shown == "image" == takes.name:
            return
        if shown == takes.name == "sound":
            is_taken = exhibit.shape == takes.shape and record["stimulus"].get("sampling_rate") == takes.sampling_rate
        else:
            is_taken = shown == "cochleagram" and takes.name != "image" and self._has_front_end_of(exhibit)
        if not is_taken:
            raise ArgumentError(
                f"The judge {self.name} takes {takes.describe()}, and {exhibit.folders[0]} is {_in_words(exhibit)}; "
                f"give {self._other_duration(exhibit)}judges that take it, or the folder of other metamers."
            )

    def _other_duration(self, exhibit: Exhibit) -> str:
        """Return the duration with which a network that takes sounds of any length would take one, in words."""
        takes, record = self.network.domain, exhibit.record
        rate = record["stimulus"].get("sampling_rate")
        is_told = record["domain"] == takes.name == "sound" and rate == takes.sampling_rate
        if not is_told or not takes_any_length(self.network.name):
            return ""
        return f"it another duration (--duration {exhibit.shape[0] / rate:.10g}), "

    def truth_label(self, exhibit: Exhibit) -> str | None:
        """Return the true one of the network's labels, None where none of them is known to be true.

        It is the label of the manifest, or where the judge has no such label, the category (of the manifest or the
        class folder). For a judge that transcribes, it is the label, or where there is none the category, in lower case
        with one space between words, where its characters can write it.
        """
        stimulus = exhibit.record["stimulus"]
        if self.network.transcribe:
            told = stimulus.get("label") or stimulus.get("category") or ""
            text = " ".join(str(told).lower().split())
            return text if text and self._labels.issuperset(text) else None
        told = (stimulus.get(key) for key in ("label", "category"))
        return next((truth for truth in told if truth in self._labels), None)

    def is_right(self, label: str, truth: str) -> bool:
        """Tell whether a label is the true one; of transcripts, words are compared, whatever the spaces around them."""
        return label.split() == truth.split() if self.network.transcribe else label == truth

    def truth_category(self, exhibit: Exhibit) -> str | None:
        """Return the true one of the 16 categories, None where it is not told, or for a judge without them."""
        told = exhibit.record["stimulus"].get("category")
        return told if self.has_categories and told in CATEGORIES else None

    def shape_shown(self, exhibit: Exhibit) -> tuple[int, ...]:
        """Return the shape in which the network is shown it: its own, for pictures."""
        return self.network.domain.shape if exhibit.record["domain"] == "image" else exhibit.shape

    def logits(self, exhibits: list[Exhibit], stimuli: np.ndarray) -> np.ndarray:
        """Return the network's logits of stimuli of one domain and shape, resized where they must be.

        Raises:
            ResultError: logits are not finite.
        """
        is_cochleagram = exhibits[0].record["domain"] == "cochleagram"
        network = self._from_cochleagram() if is_cochleagram else self.network
        shape = self.shape_shown(exhibits[0])
        if stimuli.shape[1:] != shape:
            stimuli = np.stack([resize_picture(each, shape[0]) for each in stimuli])
        logits = network.logits(stimuli).numpy()
        if not np.isfinite(logits).all():
            raise ResultError(
                f"The logits of {self.name} are not finite for stimuli such as {exhibits[0].folders[0]}; "
                "its weights are damaged, give another judge."
            )
        return logits

    def decide(self, logits: np.ndarray, rule: str) -> tuple[str, str | None]:
        """Return a judge's label or transcript for the logits of one stimulus and, if it has them, the category."""
        label = self.network.predictions(logits[None])[0].label
        return label, decide(logits, rule) if self.has_categories else None

    def _from_cochleagram(self) -> Network:
        if self.network.domain.name == "cochleagram":
            return self.network
        if self._cochleagram_network is None:
            self._cochleagram_network = self.network.without_front_end()
        return self._cochleagram_network

    def _has_front_end_of(self, exhibit: Exhibit) -> bool:
        domain = self._from_cochleagram().domain
        settings = _cochleagram_settings(exhibit.record)
        is_same = settings is None or settings == domain.front_end.settings
        has_same_rate = exhibit.record["stimulus"].get("sampling_rate") == domain.sounds.sampling_rate
        return is_same and has_same_rate and exhibit.shape == domain.shape


def resize_picture(picture: np.ndarray, size: int) -> np.ndarray:
    """Resize a picture by Pillow's bilinear filter.

    `tfmetamers.stimuli.load_image` does so on 8-bit values; here nothing is rounded, because a metamer is the exact
    array that was optimised, and another one need not be a metamer.

    Args:
        picture: float array (height, width, 3).
        size: height and width of the result, in pixels.
    """
    channels = [Image.fromarray(channel.astype(np.float32)) for channel in np.moveaxis(picture, -1, 0)]
    resized = [np.asarray(channel.resize((size, size), Image.Resampling.BILINEAR)) for channel in channels]
    return np.stack(resized, axis=-1)


def _cochleagram_settings(record: dict):
    """Return what the front end of the network that made a metamer was, None where the record does not say."""
    described = (record["network"].get("loading") or {}).get("architecture")
    if described is None:
        return None
    try:
        return architectures.from_json(described).cochleagram
    except (TfmetamersError, ValueError, KeyError, TypeError):
        return None


def _in_words(exhibit: Exhibit) -> str:
    extents = " x ".join(map(str, exhibit.shape))
    rate = exhibit.record["stimulus"].get("sampling_rate")
    words = {"image": "a picture of", "sound": "a sound of", "cochleagram": "a cochleagram of"}
    samples = " samples" if exhibit.record["domain"] == "sound" else ""
    return f"{words.get(exhibit.record['domain'], 'a stimulus of')} {extents}{samples}" + (
        f" at {rate} Hz" if rate else ""
    )
