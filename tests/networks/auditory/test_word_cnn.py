"""The architectures and labels of the word networks that come with the package."""

import json
import math

import pytest

from tests.golden import GOLDEN
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.auditory.architecture import trace
from tfmetamers.networks.auditory.word_cnn import ARCHITECTURES, find_architecture, word_labels
from tfmetamers.networks.graph.relu import producing_path

DEEP = {"conv_2": [9, 17, 512], "conv_3": [9, 17, 1024], "conv_4": [9, 17, 512], "fc_intermediate": [4096]}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("word_aliased", {"conv_0": [71, 134, 96], "conv_1": [18, 34, 256]}),
        ("word_reduced_aliasing", {"pool_0_0": [71, 134, 96], "pool_1_0": [18, 34, 256]}),
    ],
)
def test_layers_have_the_sizes_of_the_network_that_they_stand_in_for(name, first):
    traced = trace(find_architecture(name))
    shapes = {layer: tensor.shape[1:].as_list() for layer, tensor in traced.layers.items()}
    assert shapes == {"cochleagram": [211, 400, 1], **first, **DEEP, "logits": [794]}
    weights = sum(math.prod(shape) for shape, _ in traced.specification.values())
    assert weights == pytest.approx(110.2e6, abs=0.05e6)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_relu_produces_each_layer_with_weights_and_none_produces_a_pool(name):
    traced = trace(find_architecture(name))
    relus = {layer: producing_path(tensor).relus for layer, tensor in traced.layers.items()}
    for layer, found in relus.items():
        has_weights = layer.startswith(("conv", "fc"))
        assert found == ((f"brain_network/relu_{layer.removeprefix('conv_')}",) if has_weights else ())


def test_the_note_says_that_the_sizes_are_not_the_papers():
    for name in ARCHITECTURES:
        note = find_architecture(name).note
        assert "tables S2 and S3" in note and "CochCNN9" in note


def test_an_unknown_architecture_is_refused_with_the_names_there_are():
    with pytest.raises(ArgumentError, match="word_aliased"):
        find_architecture("word_alias")


def test_there_is_a_label_for_each_class_and_no_word_comes_first():
    labels = word_labels()
    assert (len(labels), labels[0], labels[1], labels[793]) == (794, "__nullSignal__", "ability", "young")
    assert len(set(labels)) == find_architecture("word_aliased").tasks["/stimuli/word_int"]


def test_labels_are_those_of_the_release():
    assert word_labels() == json.loads((GOLDEN / "paper_stimuli" / "word_labels.json").read_text())
