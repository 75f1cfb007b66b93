"""Whether TensorFlow gives the same numbers in every process, and the threads that they depend on."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def deterministic_operations(is_wanted: bool = True) -> Iterator[None]:
    """Have TensorFlow use only deterministic operations, in full single precision, while the block runs.

    Without it, two processes can round differently, on a CPU too: oneDNN's kernels sum in an order of their own; and
    GPUs from Ampere on round the factors of products to TF32, which has 10 bits. Afterwards both are as they were:
    TensorFlow refuses to draw anything without a seed where operations are deterministic.

    Args:
        is_wanted: False leaves TensorFlow as it is.
    """
    from tensorflow.python.framework import config  # Only here can determinism be switched off again.

    if not is_wanted:
        yield
        return
    was_deterministic, had_tf32 = config.is_op_determinism_enabled(), config.tensor_float_32_execution_enabled()
    config.enable_op_determinism()
    config.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        config.enable_tensor_float_32_execution(had_tf32)
        if not was_deterministic:
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
