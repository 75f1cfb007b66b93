"""What TensorFlow computes on: the first GPU that it may see, else the processors."""

import contextlib
import os
import platform
import re
from pathlib import Path

import tensorflow as tf

from tfmetamers.utilities.determinism import operation_threads
from tfmetamers.utilities.words import counted

#: Where NVIDIA's driver for Linux tells its version.
DRIVER_FILE = Path("/proc/driver/nvidia/version")

#: Where Linux tells the name of the processor.
PROCESSOR_FILE = Path("/proc/cpuinfo")


def has_gpu() -> bool:
    """Tell whether TensorFlow computes on a GPU.

    What is done for processors alone asks this: a GPU gets TensorFlow's own convolutions and their own gradients.
    GPUs that `tf.config.set_visible_devices` or `CUDA_VISIBLE_DEVICES` leave out do not count.
    """
    return bool(tf.config.get_visible_devices("GPU"))


def device_name() -> str:
    """Return the kind of device and its product name, as metamer.json records it, such as ``"GPU Tesla T4"``."""
    if has_gpu():
        first = tf.config.get_visible_devices("GPU")[0]
        return f"GPU {tf.config.experimental.get_device_details(first).get('device_name', first.name)}"
    try:
        text = PROCESSOR_FILE.read_text(encoding="utf-8")
    except OSError:  # Not on Linux.
        text = ""
    named = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return f"CPU {named[1].strip() if named else platform.processor() or platform.machine()}"


def describe_device() -> str:
    """Name the device that steps are computed on: the first GPU, else the CPU with the number of its threads."""
    return device_name() if has_gpu() else f"CPU ({counted(operation_threads(), 'thread')})"


def driver_version() -> str | None:
    """Return the version of NVIDIA's driver; None on a processor, and where the driver does not tell."""
    if not has_gpu():
        return None
    try:
        found = re.search(r"\d+\.\d+(\.\d+)*", DRIVER_FILE.read_text(encoding="utf-8"))
    except OSError:
        return None
    return found and found[0]


def uses_tf32() -> bool:
    """Tell whether TensorFlow may round the factors of products to TF32 (10 bits), which GPUs from Ampere on can."""
    return has_gpu() and tf.config.experimental.tensor_float_32_execution_enabled()


def grow_memory() -> None:
    """Have TensorFlow take a GPU's memory as it needs it, so that processes can share a GPU.

    Nothing changes where `TF_FORCE_GPU_ALLOW_GROWTH` is set, where TensorFlow is at work already, or where the memory
    was divided by `tf.config.set_logical_device_configuration`.
    """
    if "TF_FORCE_GPU_ALLOW_GROWTH" in os.environ:
        return
    for gpu in tf.config.get_visible_devices("GPU"):
        with contextlib.suppress(RuntimeError, ValueError):
            tf.config.experimental.set_memory_growth(gpu, True)
