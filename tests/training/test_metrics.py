"""Accuracy and area under the ROC curve."""

import numpy as np
import pytest

from tfmetamers.training.metrics import accuracy, mean_area_under_roc


def test_accuracy_counts_the_largest_logits():
    logits = np.array([[1.0, 2, 0], [3, 1, 2], [0, 0, 1], [5, 6, 7]])
    assert accuracy(logits, np.array([1, 0, 0, 2])) == 0.75


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    generator = np.random.default_rng(0)
    logits = np.round(generator.standard_normal((60, 3)), 1)  # With ties.
    members = (generator.random((60, 3)) < 0.3).astype(np.float32)
    areas = []
    for scores, member in zip(logits.T, members.T > 0, strict=True):
        pairs = scores[member][:, None] - scores[~member][None]
        areas.append(np.mean((pairs > 0) + 0.5 * (pairs == 0)))
    assert mean_area_under_roc(logits, members) == pytest.approx(np.mean(areas), abs=1e-12)


def test_a_class_that_all_or_none_belong_to_has_no_area():
    logits = np.array([[1.0, 1, 1], [2, 2, 2]])
    assert mean_area_under_roc(logits, np.array([[0, 0, 1], [1, 0, 1]])) == 1.0
    assert mean_area_under_roc(logits, np.array([[1, 0, 1], [1, 0, 1]])) is None
