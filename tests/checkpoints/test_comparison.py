"""The variables of a checkpoint against a network's: every difference is seen, and said in one sentence."""

import pytest

from tfmetamers.checkpoints.comparison import compare

EXPECTED = {f"net/conv{number}/weights": ((3, 3, number, 8), "float32") for number in range(1, 7)}


def test_everything_fits():
    comparison = compare({**EXPECTED, "global_step": ((), "int64")}, EXPECTED, ["global_*"])
    assert comparison.problem == ""
    assert comparison.common == len(EXPECTED)
    assert comparison.extras == ("global_step",)


def test_missing_variables_are_named_up_to_three():
    comparison = compare({name: EXPECTED[name] for name in list(EXPECTED)[:1]}, EXPECTED)
    assert len(comparison.missing) == 5
    assert "net/conv2/weights float32 [3, 3, 2, 8] is missing" in comparison.problem
    assert "net/conv5" not in comparison.problem and "and 2 more" in comparison.problem


def test_wrong_shape():
    comparison = compare({**EXPECTED, "net/conv1/weights": ((5, 5), "float32")}, EXPECTED)
    assert comparison.wrong == ("net/conv1/weights is float32 [5, 5] in place of float32 [3, 3, 1, 8]",)
    assert comparison.wrong[0] in comparison.problem


def test_wrong_dtype():
    comparison = compare(EXPECTED | {"net/conv1/weights": ((3, 3, 1, 8), "float16")}, EXPECTED)
    assert "net/conv1/weights is float16 [3, 3, 1, 8] in place of float32 [3, 3, 1, 8]" in comparison.problem


def test_unknown_variable():
    comparison = compare({**EXPECTED, "net/surplus": ((2,), "float32")}, EXPECTED, ["global_step"])
    assert comparison.unknown == ("net/surplus",)
    assert "net/surplus float32 [2] is no variable of the network" in comparison.problem


def test_checkpoint_of_another_release_of_deepspeech_with_most_names_in_common():
    shared = [f"{kind}{number}" for kind in "hb" for number in (1, 2, 3, 5, 6)]
    recurrent = [
        f"bidirectional_rnn/{way}/basic_lstm_cell/{part}" for way in ("fw", "bw") for part in ("kernel", "bias")
    ]
    later = dict.fromkeys([*shared, "lstm_fused_cell/kernel", "lstm_fused_cell/bias"], ((3,), "float32"))
    earlier = dict.fromkeys([*shared, *recurrent], ((3,), "float32"))
    slots = dict.fromkeys([f"{name}/{slot}" for name in later for slot in ("Adam", "Adam_1")], ((3,), "float32"))
    problem = compare({**later, **slots}, earlier, ["*/Adam", "*/Adam_1"]).problem
    assert "of another network: it has 10 of the 14" in problem and "those of deepspeech_0.4.1;" in problem
    assert "those of deepspeech_0.1.1;" in compare(earlier, later).problem
    incomplete = {name: variable for name, variable in later.items() if name != "lstm_fused_cell/bias"}
    assert "network: lstm_fused_cell/bias float32 [3] is missing" in compare(incomplete, later).problem


@pytest.mark.parametrize(
    ("names", "whose"),
    [
        (
            ["InceptionV3/Conv2d_1a_3x3/weights", "InceptionV3/Logits/biases"],
            "seem to be those of inception_v3",
        ),
        (["brain_network/conv_0/kernel"], "word_aliased or word_reduced_aliasing"),
        (["h1", "b1", "lstm_fused_cell/kernel", "global_step"], "deepspeech_0.4.1"),
        (
            ["vgg_16/conv1/conv1_1/weights", "vgg_16/fc6/biases"],
            "such as vgg_16/conv1/conv1_1/weights, vgg_16/fc6/biases",
        ),
        (["weights"], "its names are such as weights"),
        ([], "holds no variable at all"),
    ],
)
def test_checkpoint_of_another_network(names, whose):
    problem = compare(dict.fromkeys(names, ((3,), "float32")), EXPECTED).problem
    assert "a checkpoint of another network: it has 0 of the 6 variables" in problem
    assert whose in problem
