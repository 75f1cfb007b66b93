"""Whether TensorFlow gives the same numbers in every process, and the threads that they depend on."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def deterministic_operations(is_wanted: bool = True) -> Iterator[None]:
    """Have TensorFlow use only deterministic operations while the block runs.

    Without it, two processes can round differently, on a CPU too: oneDNN's kernels sum in an order of their own.
    Afterwards it is switched off again, because TensorFlow then refuses to draw anything without a seed.

    Args:
        is_wanted: False leaves TensorFlow as it is.
    """
    from tensorflow.python.framework import config  # Only here can determinism be switched off again.

    if not is_wanted or config.is_op_determinism_enabled():
        yield
        return
    config.enable_op_determinism()
    try:
        yield
    finally:
        config.disable_op_determinism()


def operation_threads() -> int:
    """Return the number of threads that TensorFlow divides an operation among, which its rounding depends on."""
    import tensorflow as tf

    asked = tf.config.threading.get_intra_op_parallelism_threads()
    return asked or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0) or usable_processors()


def usable_processors() -> int:
    """Return the number of processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Not on Linux.
        return os.cpu_count() or 1
