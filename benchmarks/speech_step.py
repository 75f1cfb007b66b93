"""Seconds of a synthesis step of VGGish and DeepSpeech, the front end's share of it, and its growth with the sound.

    python benchmarks/speech_step.py
    python benchmarks/speech_step.py --durations 2,4,8 --layer vggish=conv4_2 --layer deepspeech=layer_3

A step is the loss, its gradient with respect to the waveform, and Adam's; a front end is timed forward and backward.
Each is measured in a process of its own, in alternation, and medians are printed. Weights are random: speed does not
depend on them.
"""

import os
import statistics
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
import tensorflow as tf
from passes import gradient_passes
from tabulate import tabulate
from workers import Worker, alternate

from tfmetamers.networks import load_network
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis

#: The last layer of each network: a step of it does most.
LAYERS = {"vggish": "embedding", "deepspeech": "logits"}


def a_waveform(network) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal(network.stimulus_shape) * 0.1).astype(np.float32)


def step(name: str, layer: str, duration: float):
    """Return a function that does steps of a synthesis."""
    network = load_network(name, random_seed=0, duration=duration)
    synthesis = Synthesis(network, layer=layer, recipe=find_recipe(network.recipe))
    original = a_waveform(network)
    targets = synthesis.targets(original[None])
    start = synthesis.start([stimulus_digest(original)], seed=0)
    return lambda steps: synthesis.advance(targets, start, steps)


def front_end(name: str, duration: float):
    """Return a function that does forward and backward passes of a network's front end."""
    network = load_network(name, random_seed=0, duration=duration)
    features = network.front_end("exact")
    waveforms = tf.constant(a_waveform(network)[None])
    del network
    return gradient_passes(features, waveforms)


def _layers(context, parameter, given) -> dict[str, str]:
    pairs = dict(each.split("=", 1) for each in given if "=" in each)
    if len(pairs) < len(given):
        raise click.BadParameter("NETWORK=LAYER was expected, such as vggish=conv4_2.")
    return pairs or LAYERS


@click.command()
@click.option("--pairs", default=5, show_default=True, help="Alternations to take medians of.")
@click.option("--steps", default=3, show_default=True, help="Steps in a row.")
@click.option("--durations", default="1,2,4", show_default=True, help="Seconds of the sounds.")
@click.option("--layer", "layers", multiple=True, callback=_layers, help="NETWORK=LAYER; can be given several times.")
def main(pairs, steps, durations, layers):
    """Measure and print the table."""
    rows = []
    for name, layer in layers.items():
        shortest = None
        for duration in map(float, durations.split(",")):
            workers = {"step": Worker(step, name, layer, duration), "front end": Worker(front_end, name, duration)}
            seconds = alternate({way: partial(worker.seconds, steps) for way, worker in workers.items()}, pairs)
            medians = {way: statistics.median(each) / steps for way, each in seconds.items()}
            shortest = shortest or medians["step"]
            memory = {way: worker.peak_memory() for way, worker in workers.items()}
            rows.append(
                [
                    name,
                    layer,
                    f"{duration:g}",
                    f"{medians['step']:.4f}",
                    f"{medians['front end']:.4f}",
                    f"{medians['front end'] / medians['step']:.1%}",
                    f"{medians['step'] / shortest:.2f}",
                    f"{memory['step']:.2f}",
                ]
            )
    headers = ["network", "layer", "sound, s", "step, s", "front end, s", "its share", "step / shortest", "peak GB"]
    print(tabulate(rows, headers, disable_numparse=True))


if __name__ == "__main__":
    main()
