"""The variables of a checkpoint compared with a network's: every difference is found and named."""

import pytest

from tfmetamers.checkpoints.comparison import compare

EXPECTED = {f"net/conv{number}/weights": ((3, 3, number, 8), "float32") for number in range(1, 7)}


def test_everything_fits():
    comparison = compare({**EXPECTED, "global_step": ((), "int64")}, EXPECTED, ["global_*"])
    assert comparison.problem == ""
    assert comparison.common == len(EXPECTED)
    assert comparison.extras == ("global_step",)


def test_the_first_three_missing_variables_are_named():
    comparison = compare({name: EXPECTED[name] for name in list(EXPECTED)[:1]}, EXPECTED)
    assert len(comparison.missing) == 5
    assert "net/conv2/weights float32 [3, 3, 2, 8]" in comparison.problem
    assert "net/conv4" in comparison.problem and "net/conv5" not in comparison.problem
    assert "2 more" in comparison.problem


def test_wrong_shape_and_dtype():
    wrong = {"net/conv1/weights": ((5, 5), "float32"), "net/conv2/weights": ((3, 3, 2, 8), "float16")}
    comparison = compare({**EXPECTED, **wrong}, EXPECTED)
    assert len(comparison.wrong) == 2 and all(phrase in comparison.problem for phrase in comparison.wrong)
    for name, (shape, dtype) in wrong.items():
        assert name in comparison.problem and f"{dtype} {list(shape)}" in comparison.problem


def test_unknown_variable():
    comparison = compare({**EXPECTED, "net/surplus": ((2,), "float32")}, EXPECTED, ["global_step"])
    assert comparison.unknown == ("net/surplus",)
    assert "net/surplus float32 [2]" in comparison.problem


@pytest.mark.parametrize(
    ("names", "owner"),
    [
        (["InceptionV3/Conv2d_1a_3x3/weights", "InceptionV3/Logits/biases"], "inception_v3"),
        (["brain_network/conv_0/kernel"], "word_aliased or word_reduced_aliasing"),
        (["vgg_16/conv1/conv1_1/weights"], "vgg_16/conv1/conv1_1/weights"),
        ([], "no variables"),
    ],
)
def test_checkpoint_of_another_network(names, owner):
    comparison = compare(dict.fromkeys(names, ((3,), "float32")), EXPECTED)
    assert owner in comparison.another_network
    assert comparison.another_network in comparison.problem and "0 of the 6" in comparison.problem
