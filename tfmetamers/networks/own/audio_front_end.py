"""Graphs that begin with TensorFlow's audio operations, which have no gradient, behind a front end that has one."""

import itertools

import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.features.audio_operations import AudioOperations, AudioOperationsMfcc
from tfmetamers.networks.own.graph_def import operation_name

#: The operations at the beginning of such a graph, one after another.
_CHAIN = ("DecodeWav", "AudioSpectrogram", "Mfcc")


def with_front_end(
    graph: tf.compat.v1.GraphDef, network: str, sampling_rate: int, duration: float | None
) -> tuple[tf.compat.v1.GraphDef, str] | None:
    """Return a graph of waveforms in place of one that decodes bytes of WAV, and the name of the MFCCs in it.

    None where the graph does not do that.

    Its placeholder has the name of that of the bytes, and takes float32 (batch, samples) with a full scale of 1; the
    coefficients have the name of the operation ``Mfcc`` and the batch as their first axis.

    Args:
        graph: the graph.
        network: the network's name, for messages.
        sampling_rate: of the sounds, in Hz.
        duration: of the sounds in seconds, where the graph takes any; None for that of the graph.

    Raises:
        ArgumentError: the graph takes sounds of any length, and no duration is given; or it takes several channels.
    """
    found = {node.op: node for node in graph.node if node.op in _CHAIN}
    if tuple(kind for kind in _CHAIN if kind in found) != _CHAIN or not _is_chained(found):
        return None
    decoder = found["DecodeWav"]
    if decoder.attr["desired_channels"].i not in (-1, 1):
        raise ArgumentError(f"{network} takes sounds of several channels; only those of one can be optimised.")
    samples = decoder.attr["desired_samples"].i
    if samples <= 0:
        if duration is None:
            raise ArgumentError(f"{network} takes sounds of any length; give a duration in seconds.")
        samples = round(duration * sampling_rate)
    front_end = AudioOperationsMfcc(_operations(found), samples, sampling_rate)
    placeholder = operation_name(decoder.input[0])
    rewritten = tf.compat.v1.GraphDef(versions=graph.versions)
    rewritten.node.extend(_front_end_nodes(front_end, placeholder, found["Mfcc"].name))
    replaced = {placeholder, *(node.name for node in found.values())}
    rewritten.node.extend(node for node in graph.node if node.name not in replaced)
    return rewritten, found["Mfcc"].name


def _is_chained(found: dict) -> bool:
    """Tell whether each of the operations takes what the one before it returns."""
    pairs = itertools.pairwise(_CHAIN)
    return all(operation_name(found[after].input[0]) == found[before].name for before, after in pairs)


def _operations(found: dict) -> AudioOperations:
    spectrogram, mfcc = found["AudioSpectrogram"].attr, found["Mfcc"].attr
    return AudioOperations(
        window=spectrogram["window_size"].i,
        step=spectrogram["stride"].i,
        lower_limit=mfcc["lower_frequency_limit"].f,
        upper_limit=mfcc["upper_frequency_limit"].f,
        filters=mfcc["filterbank_channel_count"].i,
        coefficients=mfcc["dct_coefficient_count"].i,
    )


def _front_end_nodes(front_end: AudioOperationsMfcc, placeholder: str, output: str):
    """Return the operations of a front end, from a placeholder to an output of the given names."""
    with tf.Graph().as_default() as graph:
        waveforms = tf.compat.v1.placeholder(tf.float32, [None, front_end.samples], placeholder)
        with tf.name_scope(f"{output}_of_waveforms"):
            coefficients = front_end(waveforms)
        tf.ensure_shape(coefficients, [None, *front_end.output_shape], name=output)  # Which an import cannot tell.
    return graph.as_graph_def().node
