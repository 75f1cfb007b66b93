"""Deterministic operations, for as long as they are wanted."""

import os

import pytest
import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled

from tfmetamers.utilities.determinism import deterministic_operations, operation_threads


def test_operations_are_deterministic_while_the_block_runs_and_not_afterwards():
    with deterministic_operations():
        assert is_op_determinism_enabled()
        with deterministic_operations():
            pass
        assert is_op_determinism_enabled(), "the outer block ends it"
    assert not is_op_determinism_enabled()
    tf.random.normal([2])  # Which needs a seed where operations are deterministic.


def test_an_error_ends_it_and_what_is_not_wanted_changes_nothing():
    with pytest.raises(ValueError, match="inside"), deterministic_operations():
        raise ValueError("inside")
    assert not is_op_determinism_enabled()
    with deterministic_operations(False):
        assert not is_op_determinism_enabled()


def test_threads_are_those_that_tensorflow_divides_an_operation_among(monkeypatch):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    assert operation_threads() == len(os.sched_getaffinity(0))
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert operation_threads() == 3
    monkeypatch.setattr(tf.config.threading, "get_intra_op_parallelism_threads", lambda: 5)
    assert operation_threads() == 5
