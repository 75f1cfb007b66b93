"""Pairs a second of null distributions of VGG-19's eight layers, against the released way, in the same run.

    python benchmarks/null_distribution.py
    python benchmarks/null_distribution.py --stimuli FOLDER

The released way is two forward passes a pair, and for each layer `scipy.stats.spearmanr`, Pearson's coefficient and the
signal-to-noise ratio; one pass here gives the activations of all layers at once, which favours it. It is measured
before and after ours, and both are taken together. Ours is the whole of `build_null`, all pairs of the stimuli, with
the pictures read from disk. A million pairs are projected as all pairs of 1,415 stimuli: so many times what a stimulus
takes, and a million times what a pair takes. Weights are random: speed does not depend on them.
"""

import os
import resource
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from PIL import Image
from scipy import stats
from tabulate import tabulate

from tfmetamers.inclusion.null_construction import build_null, examine_stimuli, plan_null
from tfmetamers.networks import load_network
from tfmetamers.stimuli.collection import collect_stimuli

MILLION = 10**6
STIMULI_OF_A_MILLION_PAIRS = 1415


def write_pictures(folder: Path, count: int) -> None:
    """Write pictures of smooth noise, so that activations are not all alike."""
    generator = np.random.default_rng(0)
    for number in range(count):
        side = int(generator.integers(4, 64))
        picture = Image.fromarray(generator.integers(0, 256, (side, side, 3), np.uint8))
        picture.resize((224, 224), Image.Resampling.BILINEAR).save(folder / f"{number:05d}.png")


def measures(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Return Spearman's and Pearson's coefficients and the ratio of norms in dB (``tools/distance_measures.py``)."""
    ratio = np.linalg.norm(first) / np.linalg.norm(first - second)
    return stats.spearmanr(first, second).statistic, stats.pearsonr(first, second).statistic, 10 * np.log10(ratio)


class ReleasedWay:
    """Two forward passes and the measures of each layer, pair after pair."""

    def __init__(self, network, stimuli):
        self._layers = list(network.layers)
        self._activations = network.activations_together(self._layers)
        self._stimuli = [network.domain.load(file.path)[None] for file in stimuli.files[:20]]
        self._pairs = 0
        self._activations(self._stimuli[0])
        self.seconds = 0.0
        self.coefficients: dict[tuple[int, int], list[float]] = {}

    @property
    def rate(self) -> float:
        """Pairs a second."""
        return self._pairs / self.seconds

    def measure(self, pairs: int) -> None:
        """Take so many pairs more."""
        for _ in range(pairs):
            pair = self._pairs % len(self._stimuli), (self._pairs + 1) % len(self._stimuli)
            started = time.perf_counter()
            first, second = ([each.numpy() for each in self._activations(self._stimuli[number])] for number in pair)
            found = [measures(a.ravel(), b.ravel())[0] for a, b in zip(first, second, strict=True)]
            self.seconds += time.perf_counter() - started
            self.coefficients[tuple(sorted(pair))] = found
            self._pairs += 1


class Stopwatch:
    """Tells the time that ranks take from the time that their products take."""

    def __init__(self):
        self.ranks = self.products = 0.0
        self._done, self._last = 0, time.perf_counter()

    def __call__(self, done: int, total: int) -> None:
        now = time.perf_counter()
        if done > self._done:
            self.ranks += now - self._last
        else:
            self.products += now - self._last
        self._done, self._last = done, now


def measure(folder: Path, pairs: int, memory: float, work: Path) -> None:
    """Measure both ways on the pictures of a folder, and print the table."""
    network = load_network("vgg_19:random")
    stimuli = examine_stimuli(network, collect_stimuli([folder], network.domain.suffixes))
    count = len(stimuli.files)
    released = ReleasedWay(network, stimuli)
    released.measure(pairs)
    everything = count * (count - 1) // 2
    options = {"pairs": everything, "seed": 0, "out": work / "null.npz", "memory_bytes": int(memory * 1e9)}
    plan = plan_null(network, list(network.layers), stimuli, **options)
    watch, started = Stopwatch(), time.perf_counter()
    null = build_null(plan, progress=watch)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    released.measure(pairs)
    ours = watch.ranks / count * STIMULI_OF_A_MILLION_PAIRS + watch.products / everything * MILLION
    rate = everything / seconds
    hours = [f"{MILLION / released.rate / 3600:,.1f}", f"{ours / 3600:,.2f}"]
    rows = [
        ["released", len(released.coefficients), f"{released.rate:.3f}", "1", hours[0]],
        ["ours", f"{everything:,}", f"{rate:.1f}", f"{rate / released.rate:,.0f}", hours[1]],
    ]
    print(
        tabulate(rows, ["way", "pairs", "pairs a second", "ours / released", "hours a million"], disable_numparse=True)
    )
    print(
        f"\n{count} stimuli; {watch.ranks / count:.3f} s a stimulus for the pass and the ranks, "
        f"{1e3 * watch.products / everything:.3f} ms a pair for the products, peak memory {peak:.1f} GB"
    )
    place = {tuple(pair): number for number, pair in enumerate(null.pairs.tolist())}
    table = np.stack(list(null.layers.values()), axis=1)
    differences = [np.abs(table[place[pair]] - found).max() for pair, found in released.coefficients.items()]
    print(f"Largest difference of a coefficient: {max(differences):.1e}")


@click.command()
@click.option("--stimuli", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder of pictures.")
@click.option("--count", default=200, show_default=True, help="Number of pictures of noise, where no folder is given.")
@click.option("--pairs", default=3, show_default=True, help="Pairs of the released way, before ours and again after.")
@click.option("--memory", default=4.0, show_default=True, help="GB for ranks.")
def main(stimuli, count, pairs, memory):
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if stimuli is None:
            stimuli = work / "pictures"
            stimuli.mkdir()
            write_pictures(stimuli, count)
        measure(stimuli, pairs, memory, work)


if __name__ == "__main__":
    main()
