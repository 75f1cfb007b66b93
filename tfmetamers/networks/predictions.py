"""What a network answers: labels and transcripts, from its logits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfmetamers.errors import ResultError


@dataclass(frozen=True)
class Prediction:
    """A network's answer to one stimulus.

    Attributes:
        index: the position of its largest logit; None where the network transcribes.
        label: that class's label, or the transcript.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> labels = ["cat", "dog", "owl"]
    >>> network = from_function(lambda stimuli: {"logits": 2 * stimuli}, (3,), labels=labels, logits="logits")
    >>> network.predict(np.array([[0.1, 0.7, 0.2]]))
    [Prediction(index=1, label='dog')]
    """

    index: int | None
    label: str


def read_predictions(
    logits: np.ndarray,
    network: str,
    labels: Sequence[str],
    transcribe: Callable[[np.ndarray], list[str]] | None = None,
) -> list[Prediction]:
    """Return the labels or transcripts that logits stand for, one for each item of a batch.

    Args:
        logits: float array, (batch, classes), or (batch, frames, characters) where they are transcribed.
        network: the network's name, for messages.
        labels: the label of each logit.
        transcribe: from logits to a text for each item, for a network whose answer that is.

    Raises:
        ResultError: they are not finite; the largest of NaN would be the first label.
    """
    if not np.isfinite(logits).all():
        raise ResultError(
            f"The logits of {network} are not finite: its weights or a stimulus are damaged, or its input "
            "range is wrong; load other weights, or give the right range."
        )
    if transcribe:
        return [Prediction(None, text) for text in transcribe(logits)]
    largest = np.argmax(logits, axis=-1)
    return [Prediction(int(index), labels[index]) for index in largest]
