"""A metamer counts if its label is the same and its correlation is above every pair of the null distribution."""

import dataclasses

import numpy as np
import pytest

import tfmetamers as tm
from tests.metamers.examples import a_metamer
from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.verdict import include, judge
from tfmetamers.inclusion.verdict_file import MeasureComparison, VerdictPart
from tfmetamers.networks import from_keras

CAT, DOG = {"index": 1, "label": "cat"}, {"index": 2, "label": "dog"}


def a_null(*coefficients, network=None, layer="block"):
    return NullDistribution(network=network, layers={layer: np.array(coefficients)}, front_end="none")


@pytest.mark.parametrize(
    ("metamer", "correlation", "included", "reasons"),
    [
        (CAT, 0.51, True, []),
        (CAT, 0.5, False, ["0.5000"]),
        (DOG, 0.51, False, ["dog, not cat"]),
        (CAT, None, False, ["undefined"]),
        (DOG, 0.1, False, ["dog, not cat", "0.1000"]),
    ],
)
def test_both_parts_are_needed(metamer, correlation, included, reasons):
    verdict = judge("block", CAT, metamer, correlation, a_null(0.1, 0.5, -0.2))
    assert verdict.included is included
    assert len(verdict.reasons) == len(reasons)
    assert all(expected in found for found, expected in zip(verdict.reasons, reasons, strict=True))
    assert (verdict.null_maximum, verdict.pairs) == (0.5, 3)
    assert verdict.margin == (None if correlation is None else correlation - 0.5)


FURTHER = {"pearson": np.array([0.2, 0.4]), "snr": np.array([1.5, 3.0])}


def a_full_null(*coefficients):
    null = a_null(*coefficients)
    return dataclasses.replace(null, further={name: {"block": values} for name, values in FURTHER.items()})


@pytest.mark.parametrize(
    ("correlation", "further", "reasons"),
    [
        (0.6, {"pearson": 0.5, "snr": 3.1}, []),
        (0.5, {"pearson": 0.4, "snr": 3.0}, []),
        (0.49, {"pearson": 0.5, "snr": 3.1}, ["its correlation, 0.4900"]),
        (0.6, {"pearson": 0.39, "snr": 3.1}, ["Pearson correlation, 0.3900"]),
        (0.6, {"pearson": 0.5, "snr": 2.9}, ["signal-to-noise ratio in dB, 2.9000"]),
        (
            0.6,
            {"pearson": 0.3, "snr": None},
            ["Pearson correlation, 0.3000", "signal-to-noise ratio in dB is undefined"],
        ),
    ],
)
def test_by_the_test_of_2023_three_measures_have_to_reach_the_largest_of_their_nulls(correlation, further, reasons):
    null = a_full_null(0.1, 0.5)
    verdict = judge("block", CAT, CAT, correlation, null, criterion="feather2023", further=further)
    assert verdict.included is not bool(reasons)
    assert len(verdict.reasons) == len(reasons)
    assert all(expected in found for found, expected in zip(verdict.reasons, reasons, strict=True))
    assert {name: each.value for name, each in verdict.further.items()} == further
    assert {name: each.null_maximum for name, each in verdict.further.items()} == {"pearson": 0.4, "snr": 3.0}
    assert verdict.claim.startswith("label, correlation, Pearson correlation and signal-to-noise ratio in dB; 2 pairs")
    assert judge("block", CAT, DOG, correlation, null, criterion="feather2023", further=further).included is False


def test_a_null_distribution_without_a_measure_of_the_test_is_refused_naming_it():
    further = {"pearson": 0.5, "snr": 3.1}
    with pytest.raises(ResultError, match="not pearson"):
        judge("block", CAT, CAT, 0.6, a_null(0.5), criterion="feather2023", further=further)


def test_categories_are_compared_where_predictions_have_one():
    tabby, siamese, boxer = (
        {"index": index, "label": label, "category": category}
        for index, label, category in ((281, "tabby", "cat"), (284, "Siamese cat", "cat"), (242, "boxer", "dog"))
    )
    options = {"criterion": "feather2023", "further": {"pearson": 0.5, "snr": 3.1}}
    verdict = judge("block", tabby, siamese, 0.6, a_full_null(0.5), **options)
    assert (verdict.included, verdict.original_label, verdict.metamer_label) == (True, "cat", "cat")
    verdict = judge("block", tabby, boxer, 0.6, a_full_null(0.5), **options)
    assert verdict.reasons == ("its category is dog, not cat",)


def test_every_part_of_a_verdict_is_read_back():
    of_2019 = judge("layer", None, None, 0.5, None).as_json()
    further = {"pearson": 0.5, "snr": 3.1}
    of_2023 = judge("layer", None, None, 0.5, None, criterion="feather2023", further=further).as_json()
    assert VerdictPart.__annotations__.keys() == of_2023.keys() == of_2019.keys() | {"further"}
    assert of_2023["further"]["snr"].keys() == MeasureComparison.__annotations__.keys()


def test_transcripts_are_compared_where_there_is_no_index():
    said, other = ({"index": None, "label": text} for text in ("a cat", "a hat"))
    assert judge("rnn", said, dict(said), 0.6, a_null(0.5, layer="rnn")).included is True
    verdict = judge("rnn", said, other, 0.6, a_null(0.5, layer="rnn"))
    assert verdict.included is False
    assert all(text in verdict.reasons[0] for text in ("transcript", "'a hat'", "'a cat'"))


def test_the_percentile_is_the_share_of_pairs_below_and_pairs_without_a_coefficient_are_not_counted():
    verdict = judge("block", CAT, CAT, 0.3, a_null(0.1, 0.5, -0.2, 0.2, np.nan))
    assert (verdict.percentile, verdict.pairs) == (75, 4)
    assert "5 pairs of unrecorded stimuli (1 of them without a coefficient)" in verdict.claim


@pytest.mark.parametrize(
    ("coefficients", "expected"),
    [
        ([0.1, 0.2, 0.998], []),
        ([0.1, 0.2, 0.9995], ["0.999500"]),
        ([0.2, 0.96, 0.998], ["barely differ"]),
        ([np.nan, np.nan], []),
    ],
)
def test_a_null_distribution_at_whose_layer_a_match_says_little_is_doubted(coefficients, expected):
    found = a_null(*coefficients).find_warnings("block")
    assert len(found) == len(expected)
    assert all("block" in warning and text in warning for warning, text in zip(found, expected, strict=True))


def test_a_verdict_has_the_warnings_of_the_metamer_and_those_of_the_null():
    verdict = judge("block", CAT, CAT, 0.9999, a_null(0.2, 0.96, 0.998), warnings=["It saw black alone."])
    assert verdict.included is True
    assert verdict.warnings[0] == "It saw black alone." and "barely differ" in verdict.warnings[1]
    assert verdict.as_json()["warnings"] == list(verdict.warnings)


def test_without_a_null_distribution_nothing_passes():
    verdict = judge("block", CAT, CAT, 0.99, None)
    assert (verdict.included, len(verdict.reasons)) == (None, 1)
    assert judge("block", CAT, DOG, 0.99, None).included is False


def test_a_network_without_labels_is_judged_by_correlation_alone_and_says_so():
    verdict = judge("block", None, None, 0.6, a_null(0.5))
    assert (verdict.included, verdict.same_label) == (True, None)
    assert "no labels" in verdict.claim and "1 pair " in verdict.claim


def test_a_metamer_is_judged_by_its_record_and_by_a_null_of_its_network_alone(small_model):
    network = from_keras(small_model, labels=list("abcdefghij"))
    picture = np.random.default_rng(4).random((32, 32, 3), np.float32)
    metamer = tm.synthesize(network, picture, layer="block", steps=5)
    described = network.describe().to_json()
    null = a_null(-1.0, network=described)
    verdict = include(metamer, null)
    assert verdict.correlation == metamer.record.correlation
    assert verdict.same_label == (verdict.original_label == verdict.metamer_label)
    assert verdict.included == verdict.same_label
    for other, difference in (
        (a_null(0.5, network={**described, "digest": "0" * 64}), r"network\.digest: 0000"),
        (a_null(0.5, network=described, layer="flat"), "layer: flat instead of block"),
        (dataclasses.replace(null, front_end="exact"), "front end: exact instead of none"),
    ):
        with pytest.raises(ResultError, match=difference):
            include(metamer, other)


def test_what_is_no_metamer_no_null_distribution_and_no_network_is_named(tmp_path):
    for call, at_fault in (
        (lambda: include(a_metamer(), "null.npz"), r"'null\.npz'.*load"),
        (lambda: include("metamers"), "'metamers'"),
        (lambda: tm.verdicts(tmp_path, a_null(0.1)), "NullDistribution of"),
        (lambda: tm.verdicts(tmp_path, networks=["vgg_19"]), "'vgg_19'"),
    ):
        with pytest.raises(ArgumentError, match=at_fault):
            call()
