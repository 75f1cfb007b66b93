"""The inclusion test on the copies of sounds that people listen to: 16 bits, at another level."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.inclusion.measures import SPEARMAN, further_measures
from tfmetamers.inclusion.verdict import is_match
from tfmetamers.inclusion.verdict_file import VerdictContent
from tfmetamers.metamers.folder import checked_file, read_metamer
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.metrics import centred_ranks, rank_correlation
from tfmetamers.stimuli.sounds import root_mean_square

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network


class ListeningCopies:
    """Judges listening copies by the networks that made the metamers, each loaded once."""

    def __init__(self, look_in: Sequence[str | Path] = ()):
        """Judge nothing yet.

        Args:
            look_in: folders to look in for networks' files that have moved.
        """
        self._look_in = list(map(Path, look_in))
        self._networks: dict[tuple, Network] = {}
        self._measures: dict[tuple, Callable] = {}

    @property
    def labels(self) -> list[list[str]]:
        """The labels of each network that was loaded and has labels."""
        return [list(network.labels) for network in self._networks.values() if network.labels]

    def pass_test(self, folder: Path, record: MetamerRecord, verdict: VerdictContent) -> bool:
        """Tell whether the listening copy of a metamer passes the test that the metamer itself passed.

        The copy is brought back to the metamer's root mean square, because networks hear sounds at one level. It passes
        if the network gives it the label of the natural sound, and if the activations at the matched layer match
        better than any pair of the null distribution that the verdict was based on.

        Args:
            folder: the metamer's folder.
            record: what its metamer.json holds.
            verdict: what its verdict.json holds.

        Raises:
            CheckpointError: the network cannot be loaded.
            ResultError: a file is damaged.
        """
        network, layer = self._network(record), record.layer.name
        metamer = read_metamer(folder)
        copy = _read_copy(checked_file(folder, "metamer_listening.wav", record))
        copy *= root_mean_square(metamer.stimulus) / root_mean_square(copy)
        key = record.network.identity, layer
        if key not in self._measures:
            self._measures[key] = network.measurements([layer])
        activations, logits = self._measures[key](np.stack([metamer.original, copy]).astype(np.float32))
        criterion, array = record.recipe.criterion, verdict["array"]
        correlation = rank_correlation(*(centred_ranks(np.ravel(each)) for each in activations[layer]))
        values = {SPEARMAN: correlation, **further_measures(criterion, *activations[layer])}
        maxima = {SPEARMAN: array["null_maximum"]}
        maxima |= {name: each["null_maximum"] for name, each in array.get("further", {}).items()}
        return _same_label(network, logits) and all(is_match(criterion, values[name], maxima[name]) for name in values)

    def _network(self, record: MetamerRecord) -> "Network":
        identity = record.network.identity
        if identity not in self._networks:
            self._networks[identity] = record.network.load(self._look_in)
        return self._networks[identity]


def _read_copy(path: Path) -> np.ndarray:
    """Return the samples of a listening copy, float64 in [-1, 1)."""
    from scipy.io import wavfile

    return wavfile.read(path)[1] / 2.0**15


def _same_label(network: "Network", logits: np.ndarray | None) -> bool:
    """Tell whether two stimuli have the same label or transcript; True for a network without labels."""
    if logits is None:
        return True
    natural, heard = ((each.index, each.label) for each in network.predictions(logits))
    return natural == heard
