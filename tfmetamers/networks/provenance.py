"""Where a network's weights come from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """Where a network's weights come from, as it is recorded with every metamer.

    Attributes:
        source: ``"checkpoint"``, ``"random"``, or the kind of model.
        digest: SHA-256 of the checkpoint's bytes, or of the weights themselves where there is no file.
        file: the file's name, without its folder.
        seed: the seed of random weights.
        input_range: the values that stand for black and white in a model's input.
        architecture: SHA-256 of the architecture, for networks that are built from one.
        note: anything else to know about where the network comes from.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,)).provenance.source
    'function'
    """

    source: str
    digest: str
    file: str | None = None
    seed: int | None = None
    input_range: tuple[float, float] | None = None
    architecture: str | None = None
    note: str = ""
