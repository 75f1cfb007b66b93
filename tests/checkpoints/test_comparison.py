"""The variables of a checkpoint against a network's: every difference is seen, and said in one sentence."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tfmetamers.checkpoints.comparison import compare

EXPECTED = {f"net/conv{number}/weights": ((3, 3, number, 8), "float32") for number in range(1, 7)}


def checkpoint(variables):
    return SimpleNamespace(path=Path("net.ckpt"), variables=variables)


def test_everything_fits():
    comparison = compare(checkpoint({**EXPECTED, "global_step": ((), "int64")}), EXPECTED, ["global_*"])
    assert comparison.ok and comparison.sentence() == ""
    assert comparison.filled == tuple(EXPECTED)
    assert comparison.extras == ("global_step",)


def test_missing_variables_are_named_up_to_three():
    variables = {name: EXPECTED[name] for name in list(EXPECTED)[:1]}
    comparison = compare(checkpoint(variables), EXPECTED)
    assert not comparison.ok and len(comparison.missing) == 5
    sentence = comparison.sentence()
    assert "net/conv2/weights [3, 3, 2, 8] is missing" in sentence
    assert "net/conv5" not in sentence and "and 2 more are off" in sentence


def test_wrong_shape():
    comparison = compare(checkpoint({**EXPECTED, "net/conv1/weights": ((5, 5), "float32")}), EXPECTED)
    assert comparison.wrong_shape == (("net/conv1/weights", (5, 5), (3, 3, 1, 8)),)
    assert "net/conv1/weights is [5, 5] in place of [3, 3, 1, 8]" in comparison.sentence()


def test_wrong_dtype():
    comparison = compare(checkpoint(EXPECTED | {"net/conv1/weights": ((3, 3, 1, 8), "float16")}), EXPECTED)
    assert comparison.wrong_dtype == (("net/conv1/weights", "float16", "float32"),)
    assert "is float16 in place of float32" in comparison.sentence()


def test_unknown_variable():
    comparison = compare(checkpoint({**EXPECTED, "net/surplus": ((2,), "float32")}), EXPECTED, ["global_step"])
    assert comparison.unknown == ("net/surplus",)
    assert "net/surplus [2] is no variable of the network" in comparison.sentence()


def test_expected_shapes_may_be_lists():
    assert compare(checkpoint({"a": ((1, 2), "float32")}), {"a": ([1, 2], "float32")}).ok


@pytest.mark.parametrize(
    ("names", "whose"),
    [
        (
            ["InceptionV3/Conv2d_1a_3x3/weights", "InceptionV3/Logits/biases"],
            "seem to be those of inception_v3",
        ),
        (["brain_network/conv_0/kernel"], "word_aliased or word_reduced_aliasing"),
        (["h1", "b1", "lstm_fused_cell/kernel", "global_step"], "deepspeech_0.4.1"),
        (["vgg_16/conv1/conv1_1/weights", "vgg_16/fc6/biases"], "begin with vgg_16/"),
        (["weights"], "its names are weights"),
        ([], "holds no variable at all"),
    ],
)
def test_checkpoint_of_another_network(names, whose):
    sentence = compare(checkpoint(dict.fromkeys(names, ((3,), "float32"))), EXPECTED).sentence()
    assert "a checkpoint of another network: it has 0 of the 6 variables" in sentence
    assert whose in sentence
