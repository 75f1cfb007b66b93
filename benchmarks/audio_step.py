"""Seconds and peak memory of the front ends and of a synthesis step, against the released pipeline, in the same run.

    python benchmarks/audio_step.py

The original way is the released graph in a TensorFlow 1 session: the spectrum, 211 filters, inverse transforms of
full length padded with zeros, absolute values, a strided convolution, compression with a clipped gradient; on top of
it the layers of `word_aliased`, stepped by `tf.compat.v1.train.AdamOptimizer`. Pairs alternate, and medians of the
pairs' ratios are printed. Weights are random: speed does not depend on them.
"""

import os
import statistics
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
import tensorflow as tf
from original import imported_layer, stepping
from passes import gradient_passes
from tabulate import tabulate
from workers import Worker, alternate, median_ratio

from tfmetamers.cochlea import CochleagramSettings, build_front_end, erb_filter_bank
from tfmetamers.networks import load_network
from tfmetamers.networks.auditory import architecture as architectures
from tfmetamers.networks.auditory import word_cnn
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis

v1 = tf.compat.v1
SETTINGS = CochleagramSettings()
LAYER = "conv_2"


def released_cochleagram(waveforms: tf.Tensor) -> tf.Tensor:
    """Build the released graph, from waveforms (1, samples) to cochleagrams (1, channels, envelope samples, 1)."""
    samples, step = SETTINGS.samples, SETTINGS.step
    bank = erb_filter_bank(
        SETTINGS.sampling_rate,
        samples,
        low_limit=SETTINGS.low_limit,
        high_limit=SETTINGS.high_limit,
        filters=SETTINGS.filters,
    )
    sub_bands = v1.signal.rfft(waveforms)[:, None] * tf.constant(bank.transfer_functions, tf.complex64)
    negative = tf.zeros([1, SETTINGS.channels, samples // 2 - 1], tf.complex64)
    envelopes = tf.abs(tf.signal.ifft(tf.concat([sub_bands, negative], axis=2)))
    positions = np.arange(-SETTINGS.window / 2, int(SETTINGS.window / 2)) / step
    low_pass = np.sinc(positions) / step * np.kaiser(SETTINGS.window, SETTINGS.window_beta)
    kernel = tf.constant(low_pass[None, :, None, None], tf.float32)
    reduced = tf.nn.relu(tf.nn.conv2d(envelopes[..., None], kernel, [1, 1, step, 1], "SAME"))
    return compressed(reduced * SETTINGS.scale)


@tf.custom_gradient
def compressed(values):
    rectified = tf.nn.relu(values)

    def gradient(upstream):
        slope = SETTINGS.exponent * tf.pow(rectified, SETTINGS.exponent - 1)
        return upstream * tf.where(tf.math.is_nan(slope), tf.ones_like(slope), tf.clip_by_value(slope, -1.0, 1.0))

    return tf.pow(rectified, SETTINGS.exponent), gradient


def a_waveform() -> np.ndarray:
    return (np.random.default_rng(0).standard_normal(SETTINGS.samples) * 0.1).astype(np.float32)


def released_front_end():
    """Return a function that does forward and backward passes of the released graph."""
    with tf.Graph().as_default():
        stimulus = v1.placeholder(tf.float32, [1, SETTINGS.samples])
        gradient = tf.gradients(tf.nn.l2_loss(released_cochleagram(stimulus)), stimulus)
        session, waveforms = v1.Session(), a_waveform()[None]
        return lambda passes: [session.run(gradient, {stimulus: waveforms}) for _ in range(passes)]


def our_front_end(name: str):
    """Return a function that does forward and backward passes of a front end."""
    return gradient_passes(build_front_end(name), tf.constant(a_waveform()[None]))


def released_step():
    """Return a function that does steps as the released code does."""
    traced = architectures.trace(word_cnn.find_architecture("word_aliased"))
    weights = traced.random_weights()
    with tf.Graph().as_default():
        stimulus = v1.get_variable("metamer", initializer=a_waveform()[None])
        activations, variables = imported_layer(traced, LAYER, released_cochleagram(stimulus))
        return stepping(activations, stimulus, variables, weights.__getitem__)


def our_step(recipe_name: str):
    """Return a function that does steps as tfmetamers does."""
    network = load_network("word_aliased:random")
    synthesis = Synthesis(network, layer=LAYER, recipe=find_recipe(recipe_name))
    original = a_waveform()
    targets = synthesis.targets(original[None])
    start = synthesis.start([stimulus_digest(original)], seed=0)
    return lambda steps: synthesis.advance(targets, start, steps)


#: What is measured: the original way first, then ours.
CASES = {
    "front end, forward and backward": {
        "original": (released_front_end,),
        "exact": (our_front_end, "exact"),
        "fast": (our_front_end, "fast"),
    },
    f"step of word_aliased at {LAYER}": {
        "original": (released_step,),
        "exact": (our_step, "feather2019-audio"),
        "fast": (our_step, "feather2019-audio-fast"),
    },
}


@click.command()
@click.option("--pairs", default=7, show_default=True, help="Alternations to take medians of.")
@click.option("--steps", default=3, show_default=True, help="Steps in a row.")
def main(pairs, steps):
    """Measure and print the table."""
    rows = []
    for case, ways in CASES.items():
        workers = {way: Worker(*arguments) for way, arguments in ways.items()}
        seconds = alternate({way: partial(worker.seconds, steps) for way, worker in workers.items()}, pairs)
        for way, worker in workers.items():
            median = statistics.median(seconds[way]) / steps
            ratio = median_ratio(seconds["original"], seconds[way])
            rows.append([case, way, f"{median:.4f}", f"{ratio:.2f}", f"{worker.peak_memory():.2f}"])
    print(tabulate(rows, ["what", "way", "s", "original / this", "peak GB"], disable_numparse=True))


if __name__ == "__main__":
    main()
