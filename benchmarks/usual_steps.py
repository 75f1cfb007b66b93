"""After how many steps metamers of the bundled networks usually pass the inclusion test, layer by layer.

    python benchmarks/usual_steps.py --output tfmetamers/synthesis/usual_steps.csv

Some sample words are matched at each layer by the network's own recipe, and judged now and then by the null
distribution that comes with the network. A layer's number of steps is the first of `CHECKS` from which on at least nine
in ten pass, at this check and the next. Layers that are in the output already are left out, so that the same command
continues a run that was stopped.
"""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
import pandas as pd

from tfmetamers.inclusion.bundled import bundled_nulls
from tfmetamers.metamers.tables import write_csv
from tfmetamers.networks import load_network
from tfmetamers.networks.auditory.trained_folder import bundled_networks
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.data_sets import find_data_set
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis

#: When metamers are judged.
CHECKS = (250, 500, 1000, 2000, 3000, 4000, 6000, 8000, 10_000, 12_000, 15_000)

#: The share that has to pass.
SHARE = 0.9

COLUMNS = ["network", "weights", "layer", "recipe", "words", "steps"]


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--words", default=5, show_default=True, help="How many words.")
@click.option("--network", "networks", multiple=True, help="Only these.")
def main(output, words, networks):
    """Measure, and write the table after each layer."""
    table = pd.read_csv(output) if output.exists() else pd.DataFrame(columns=COLUMNS)
    for name in networks or bundled_networks():
        network = load_network(name)
        [null] = (null for file, null in bundled_nulls().items() if file.parent.name == name)
        files = find_data_set("sample_words")
        drawn = np.random.default_rng(0).choice(len(files), words, replace=False)
        originals = np.stack([network.domain.load(files[place].path) for place in sorted(drawn)])
        for layer in network.layers:
            if ((table["network"] == name) & (table["layer"] == layer)).any():
                continue
            steps = measure(network, layer, originals, null.maximum(layer))
            row = [name, network.provenance.digest[:8], layer, network.recipe, words, steps]
            click.echo(" ".join(map(str, row)))
            table = pd.concat([table, pd.DataFrame([row], columns=COLUMNS)]).astype({"steps": "Int64"})
            write_csv(table, output)


def measure(network, layer: str, originals: np.ndarray, maximum: float) -> int | None:
    """Return after how many steps metamers of a layer usually pass; None where they do not within the recipe."""
    from scipy.stats import spearmanr

    synthesis = Synthesis(network, layer=layer, recipe=find_recipe(network.recipe))
    targets = synthesis.targets(originals)
    labels = [each.label for each in network.predict(originals)]
    compare = network.activations_together([layer])
    natural = compare(originals)[0].numpy().reshape(len(originals), -1)
    state = synthesis.start([stimulus_digest(original) for original in originals], seed=0)
    first = None
    for check in CHECKS:
        state = synthesis.advance(targets, state, check - state.step)
        made = compare(state.stimuli)[0].numpy().reshape(len(originals), -1)
        correlations = [spearmanr(*pair).statistic for pair in zip(natural, made, strict=True)]
        found = [each.label for each in network.predict(state.stimuli)]
        passed = np.mean([r > maximum and a == b for r, a, b in zip(correlations, found, labels, strict=True)])
        if passed < SHARE:
            first = None
        elif first is not None:
            return first
        else:
            first = check
    return first


if __name__ == "__main__":
    main()
