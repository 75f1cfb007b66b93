"""A metamer counts if its label is the same and its correlation is above every pair of the null distribution."""

import dataclasses

import numpy as np
import pytest

import tfmetamers as tm
from tfmetamers.errors import ResultError
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.verdict import include, judge
from tfmetamers.recipes import find_recipe

CAT, DOG = {"index": 1, "label": "cat"}, {"index": 2, "label": "dog"}


def a_null(*coefficients, network=None, layer="block"):
    return NullDistribution(network=network, layers={layer: np.array(coefficients)}, front_end="none")


@pytest.mark.parametrize(
    ("metamer", "correlation", "included", "reasons"),
    [
        (CAT, 0.51, True, []),
        (CAT, 0.5, False, ["its correlation 0.5000 is not above the null's maximum 0.5000"]),
        (CAT, -0.9, False, ["its correlation -0.9000 is not above the null's maximum 0.5000"]),
        (DOG, 0.51, False, ["another label: dog in place of cat"]),
        (CAT, None, False, ["its correlation is undefined: activations are constant"]),
        (DOG, 0.1, False, ["another label: dog in place of cat", "its correlation 0.1000 is not above"]),
    ],
)
def test_both_parts_are_needed(metamer, correlation, included, reasons):
    verdict = judge("block", CAT, metamer, correlation, a_null(0.1, 0.5, -0.2))
    assert verdict.included is included
    assert len(verdict.reasons) == len(reasons)
    assert all(found.startswith(expected) for found, expected in zip(verdict.reasons, reasons, strict=True))
    assert verdict.null_maximum == 0.5
    assert verdict.pairs == 3


def test_the_percentile_is_the_share_of_pairs_below():
    verdict = judge("block", CAT, CAT, 0.3, a_null(0.1, 0.5, -0.2, 0.2))
    assert verdict.percentile == 75
    assert verdict.margin == pytest.approx(-0.2)


def test_pairs_without_a_coefficient_are_not_counted_and_the_claim_says_how_many_they_are():
    verdict = judge("block", CAT, CAT, 0.6, a_null(0.1, np.nan, 0.5))
    assert verdict.pairs == 2
    assert verdict.claim.endswith("3 pairs of stimuli that are not recorded (1 of them without a coefficient)")


def test_without_a_null_distribution_nothing_passes():
    verdict = judge("block", CAT, CAT, 0.99, None)
    assert (verdict.included, verdict.reasons) == (None, ("no null distribution was given",))
    assert judge("block", CAT, DOG, 0.99, None).included is False


def test_a_network_without_labels_is_judged_by_correlation_only_and_says_so():
    verdict = judge("block", None, None, 0.6, a_null(0.5))
    assert (verdict.included, verdict.same_label) == (True, None)
    assert verdict.claim.startswith("correlation only, the network has no labels; 1 pairs")


class TestOfAMetamer:
    @pytest.fixture
    def network(self, small_model):
        return tm.networks.from_keras(small_model, labels=list("abcdefghij"))

    @pytest.fixture
    def metamer(self, network):
        picture = np.random.default_rng(4).random((32, 32, 3), np.float32)
        recipe = find_recipe("feather2019-image").replace(steps=5)
        return tm.synthesize(network, picture, layer="block", recipe=recipe)

    def test_its_record_is_judged(self, network, metamer):
        verdict = include(metamer, a_null(-1.0, network=network.describe()))
        assert verdict.correlation == metamer.record["correlation"]
        assert verdict.same_label == (verdict.original_label == verdict.metamer_label)
        assert verdict.included == verdict.same_label

    def test_the_null_of_another_network_is_refused_naming_the_difference(self, network, metamer):
        other = {**network.describe(), "digest": "0" * 64}
        with pytest.raises(ResultError, match=r"network\.digest: 0000"):
            include(metamer, a_null(0.5, network=other))

    def test_the_null_of_another_layer_is_refused(self, network, metamer):
        with pytest.raises(ResultError, match="layer: flat there, block asked"):
            include(metamer, a_null(0.5, network=network.describe(), layer="flat"))

    def test_the_null_of_another_front_end_is_refused(self, network, metamer):
        null = dataclasses.replace(a_null(0.5, network=network.describe()), front_end="exact")
        with pytest.raises(ResultError, match="front end: exact there, none asked"):
            include(metamer, null)
