"""The 16 categories are the published ones, and the decision rules do what their sources do."""

import json

import numpy as np
import pytest

from tests.golden import GOLDEN
from tfmetamers.errors import ArgumentError
from tfmetamers.networks import slim
from tfmetamers.networks.categories import CATEGORIES, RULES, category_positions, decide, imagenet_indices


def logits_with(classes: int = 1000, **changes: float) -> np.ndarray:
    """Logits of zero but for ``class_NUMBER=value``."""
    logits = np.zeros(classes)
    for name, value in changes.items():
        logits[int(name.removeprefix("class_"))] = value
    return logits


def categories_of(classes: int) -> list[str | None]:
    return [CATEGORIES[position] if position >= 0 else None for position in category_positions(classes)]


class TestClasses:
    @pytest.mark.parametrize(("classes", "offset"), [(1000, 0), (1001, 1)])
    def test_all_thousand_classes_have_the_published_category_or_none(self, classes, offset):
        published = json.loads((GOLDEN / "imagenet_indices_per_category.json").read_text())
        expected = {index: category for category, indices in published.items() for index in indices}
        assert len(expected) == sum(map(len, imagenet_indices().values())) == 207
        assert categories_of(classes) == [None] * offset + [expected.get(index) for index in range(1000)]
        assert list(imagenet_indices()) == sorted(CATEGORIES) == list(CATEGORIES)

    def test_labels_of_the_networks_have_the_offset_of_their_number_of_classes(self):
        named = {"goldfish": None, "airliner": "airplane", "tiger cat": "cat", "toilet tissue": None}
        for network in ("vgg_19", "inception_v3"):
            labels = slim.labels(network)
            found = {label: categories_of(len(labels))[labels.index(label)] for label in named}
            assert found == named

    def test_another_number_of_classes_is_refused(self):
        for refuse in (category_positions, lambda classes: decide(np.zeros(classes))):
            with pytest.raises(ArgumentError, match="999"):
                refuse(999)


def first_in_a_category(logits: np.ndarray, offset: int) -> str:
    """Walk the sorted logits, as the authors' helper says that it does."""
    for index in np.argsort(logits)[::-1]:
        for category, indices in imagenet_indices().items():
            if index - offset in indices:
                return category
    raise AssertionError("no class is in a category")


@pytest.mark.parametrize(("classes", "offset"), [(1000, 0), (1001, 1)])
class TestDecisions:
    def test_max_is_the_first_of_the_sorted_logits_in_a_category(self, classes, offset):
        generator = np.random.default_rng(0)
        for _ in range(50):
            logits = generator.normal(size=classes)
            assert decide(logits, "max") == first_in_a_category(logits, offset)

    def test_mean_is_the_largest_mean_probability(self, classes, offset):
        generator = np.random.default_rng(1)
        found = set()
        for _ in range(50):
            logits = 3 * generator.normal(size=classes)
            probabilities = np.exp(logits) / np.exp(logits).sum()
            means = {
                category: np.mean([probabilities[index + offset] for index in indices])
                for category, indices in imagenet_indices().items()
            }
            assert decide(logits, "mean") == max(means, key=means.get)
            found.add(decide(logits, "mean"))
        assert len(found) > 3


def test_the_rules_differ_where_one_dog_stands_out_against_every_airplane():
    logits = logits_with(class_207=5.0, class_404=4.0)
    assert (decide(logits, "max"), decide(logits, "mean")) == ("dog", "airplane")


def test_the_offset_moves_every_class_not_only_the_largest():
    # One below "airliner" of 1001 classes is 404, the airliner of 1000. A larger class in no category is passed over.
    assert decide(logits_with(1001, class_2=9.0, class_404=8.0, class_405=7.0)) == "airplane"
    assert decide(logits_with(1001, class_2=9.0, class_404=8.0, class_767=7.0)) == "oven"


@pytest.mark.parametrize("rule", RULES)
def test_huge_logits_do_not_overflow_and_those_that_are_not_finite_are_refused(rule):
    assert decide(logits_with(class_499=1e30), rule) == "knife"
    for value in (np.nan, np.inf):
        with pytest.raises(ArgumentError, match="finite"):
            decide(logits_with(class_3=value), rule)


def test_an_unknown_rule_is_refused_with_the_known_ones():
    with pytest.raises(ArgumentError, match=r"'maximum'.*max"):
        decide(np.zeros(1000), "maximum")
