"""The models of Keras Applications, with their own preprocessing inside the graph."""

import collections
import contextlib
import dataclasses
import os
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
from keras.src.backend.common import global_state  # Keras exports it nowhere else.

from tfmetamers.errors import ArgumentError, CheckpointError, checked_whole_number, first_line, unknown_name
from tfmetamers.networks import slim
from tfmetamers.networks.network import Network
from tfmetamers.networks.own.keras import model_digest, network_of_model
from tfmetamers.networks.own.keras_stages import describe_stages, layers_by_stage
from tfmetamers.networks.own.keras_weights import weights_file
from tfmetamers.networks.own.stimulus_input import find_input
from tfmetamers.networks.provenance import Provenance
from tfmetamers.stimuli.images import checked_size
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.regular_files import require_file

#: Height and width of pictures for the models (MobileNetV3) that have no size of their own, in pixels.
DEFAULT_SIZE = 224


def application_names() -> list[str]:
    """Return the names of the models of Keras Applications that have a ``preprocess_input``."""
    functions = {name: value for name, value in vars(keras.applications).items() if name[0].isupper()}
    return [name for name, function in functions.items() if hasattr(_module(function), "preprocess_input")]


def load_keras_application(
    name: str,
    *,
    checkpoint: str | os.PathLike | None = None,
    random_seed: int | None = None,
    size: int | Sequence[int] | None = None,
    layers: Sequence[str] | None = None,
) -> Network:
    """Make a network of a model of Keras Applications, which gives logits of the 1000 classes of ImageNet.

    The stimulus is RGB in [0, 1]; inside the graph it is multiplied by 255 and prepared by the model's own
    ``preprocess_input``. Without a checkpoint and a seed, the weights are those for ImageNet, which Keras downloads
    when they are first needed. The layers of VGG19, ResNet50 and ResNet101 are the stages of the 2023 paper
    (`tfmetamers.networks.own.keras_stages`); Keras's names of layers can be used too.

    Args:
        name: such as ``"ResNet50"``; `application_names` lists them.
        checkpoint: a file of weights, as Keras saves and publishes them (``.weights.h5``, ``.h5``).
        random_seed: the seed of random weights, drawn from the layers' own initialisers.
        size: height and width in pixels, one number for both; the model's own by default.
        layers: names of the layers to offer; the paper's stages by default, or all where it has none.

    Raises:
        ArgumentError: there is no such model or layer, or the size is too small or does not fit the weights.
        CheckpointError: the weights cannot be fetched, or are not those of the model.
    """
    if name not in application_names():
        raise unknown_name("model of Keras Applications", name, application_names())
    if checkpoint is not None and random_seed is not None:
        raise ArgumentError(f"{name} got the checkpoint {checkpoint} and random weights; give one of them.")
    size = None if size is None else checked_size(size)
    if random_seed is not None:
        seed = checked_whole_number("seed of the weights", random_seed, minimum=0)
        model = _built(name, size, seed)
        provenance = Provenance("random", model_digest(model), seed=seed)
    elif checkpoint is not None:
        model = _with_weights_of(Path(checkpoint), _built(name, size))
        provenance = Provenance("checkpoint", file_digest(checkpoint), file=Path(checkpoint).name)
    else:
        model = _of_imagenet(name, size)
        file = weights_file(name)
        provenance = Provenance("keras", _fetched_digest(file, name), file=file.name)
    shape = model.inputs[0].shape[1:]
    taken = find_input(shape, network=name, domain="image", size=DEFAULT_SIZE if None in shape else None)
    preprocess = _module(getattr(keras.applications, name)).preprocess_input
    return network_of_model(
        model,
        taken,
        layers=layers,
        labels=slim.labels("vgg_19"),  # The thousand of ImageNet; Keras has them in the same order.
        logits=None,
        name=name,
        provenance=dataclasses.replace(provenance, note=describe_stages(name)),
        stages=layers_by_stage(name),
        preprocess=lambda pictures: preprocess(pictures * 255.0, data_format="channels_last"),
    )


def _module(function):
    """Return the public module that a model's function and its ``preprocess_input`` belong to."""
    return getattr(keras.applications, getattr(function, "__module__", "").rpartition(".")[2], None)


def _built(name: str, size: tuple[int, int] | None, seed: int = 0) -> keras.Model:
    """Return a model with random weights."""
    shape = None if size is None else (*size, 3)
    try:
        with as_in_a_new_process(seed):
            return getattr(keras.applications, name)(weights=None, input_shape=shape, classifier_activation=None)
    except ValueError as error:
        raise ArgumentError(f"{name} cannot have the size {size}: {first_line(error)}") from error


def _of_imagenet(name: str, size: tuple[int, int] | None) -> keras.Model:
    try:
        # Keras prints how much it has fetched.
        with contextlib.redirect_stdout(sys.stderr), as_in_a_new_process():
            published = getattr(keras.applications, name)(weights="imagenet", classifier_activation=None)
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        raise CheckpointError(
            f"The weights of {name} cannot be fetched ({first_line(error)}); give a file with them as the checkpoint, "
            "or a seed for random weights."
        ) from error
    if size in (None, published.inputs[0].shape[1:3]):
        return published
    model = _built(name, size)
    try:
        model.set_weights(published.get_weights())
    except ValueError as error:
        raise ArgumentError(
            f"{name} with its weights for ImageNet cannot have a size of {size}; leave the size out."
        ) from error
    return model


def _fetched_digest(file: Path, name: str) -> str:
    """Return the SHA-256 of the file of weights that Keras has fetched."""
    try:
        return file_digest(file)
    except OSError as error:
        raise CheckpointError(
            f"Keras fetched the weights of {name}, and {file} cannot be read ({error.strerror or error}), where they "
            "were expected; give their file as the checkpoint."
        ) from error


def _with_weights_of(path: Path, model: keras.Model) -> keras.Model:
    require_file(path, f"the weights of {model.name}", CheckpointError)
    try:
        model.load_weights(path)
    except Exception as error:  # Keras raises whatever its parsers and layers raise.
        raise CheckpointError(
            f"{path} does not hold the weights of {model.name} ({first_line(error)}); give a file that "
            "model.save_weights wrote, or that Keras publishes."
        ) from error
    return model


@contextlib.contextmanager
def as_in_a_new_process(seed: int = 0) -> Iterator[None]:
    """Give a model the same names and the same random weights each time it is built.

    Keras numbers layers without a name of their own, and its initialisers draw seeds from Python's generator.
    """
    state, numbers = random.getstate(), global_state.get_global_attribute("object_name_uids")
    random.seed(seed)
    global_state.set_global_attribute("object_name_uids", collections.defaultdict(int))
    try:
        yield
    finally:
        random.setstate(state)
        global_state.set_global_attribute("object_name_uids", numbers)
