"""Are metamers made with the fast front end matched as well as those made with the exact one, by the exact one?

    python benchmarks/front_end_metamers.py SOUNDS --release DIR

For each layer, five sounds and three seeds: the median logarithm of the exact loss over the last tenth of the steps,
for either front end, their difference, and the spread over seeds that the difference is to be compared with.
"""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from tabulate import tabulate

from tfmetamers.networks import load_network
from tfmetamers.networks.network import Network
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis

#: The exact loss is taken this many times over the last tenth of the steps.
TIMES = 10


def log_losses(network: Network, layer: str, recipe_name: str, sounds: np.ndarray, seed: int, steps: int) -> np.ndarray:
    """Return the median natural logarithm of the exact loss over the last tenth of the steps, one for each sound."""
    synthesis = Synthesis(network, layer=layer, recipe=find_recipe(recipe_name).replace(steps=steps))
    targets = synthesis.targets(sounds)
    exact = network.activations(layer)
    exact_targets = exact(sounds).numpy()
    state = synthesis.start([stimulus_digest(sound) for sound in sounds], seed)
    state = synthesis.advance(targets, state, steps - steps // 10)
    logarithms = []
    for _ in range(TIMES):
        state = synthesis.advance(targets, state, steps // 10 // TIMES)
        difference = (exact(state.stimuli).numpy() - exact_targets).reshape(len(sounds), -1)
        logarithms.append(np.log(0.5 * np.square(difference).sum(axis=1)))
    return np.median(logarithms, axis=0)


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--release", type=click.Path(exists=True, path_type=Path), help="Default: word_aliased, random weights.")
@click.option(
    "--layer", "layers", multiple=True, default=["cochleagram", "conv_2", "fc_intermediate"], show_default=True
)
@click.option("--sounds", default=5, show_default=True)
@click.option("--seeds", default=3, show_default=True)
@click.option("--steps", type=click.IntRange(min=100), default=300, show_default=True)
def main(folder, release, layers, sounds, seeds, steps):
    """Synthesise and print the table."""
    network = load_network(f"release:{release}" if release else "word_aliased:random")
    files = collect_stimuli([folder], network.domain.suffixes)[:sounds]
    loaded = np.stack([network.domain.load(file.path) for file in files])
    rows = []
    for layer in layers:
        exact, fast = (
            np.stack([log_losses(network, layer, name, loaded, seed, steps) for seed in range(seeds)])
            for name in ("feather2019-audio", "feather2019-audio-fast")
        )
        spread = np.mean(exact.std(axis=0, ddof=1))
        numbers = [np.median(exact), np.median(fast), np.mean(fast - exact), spread]
        rows.append([layer, *(f"{number:.4f}" for number in numbers)])
        print(rows[-1], flush=True)
    headers = ["layer", "ln loss, exact", "ln loss, fast", "mean difference", "spread over seeds"]
    print(tabulate(rows, headers, disable_numparse=True))


if __name__ == "__main__":
    main()
