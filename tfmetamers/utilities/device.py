"""What TensorFlow computes on."""

import os

import tensorflow as tf

from tfmetamers.utilities.words import counted


def has_gpu() -> bool:
    """Tell whether TensorFlow can use a GPU."""
    return bool(tf.config.get_visible_devices("GPU"))


def describe_device() -> str:
    """Name the device that steps are computed on: the first GPU, else the CPU with the number of its threads."""
    if has_gpu():
        first = tf.config.get_visible_devices("GPU")[0]
        return f"GPU {tf.config.experimental.get_device_details(first).get('device_name', first.name)}"
    threads = tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
    return f"CPU ({counted(threads, 'thread')})"
