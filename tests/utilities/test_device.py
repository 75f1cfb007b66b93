"""What TensorFlow computes on, with lists of devices that this machine need not have."""

import numpy as np
import pytest
import tensorflow as tf

import tfmetamers as tm
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.graph import frozen
from tfmetamers.networks.graph.frozen import FrozenFunction, kernel_bytes
from tfmetamers.synthesis.loop import check_memory
from tfmetamers.utilities import device
from tfmetamers.utilities.determinism import deterministic_operations, operation_threads


@pytest.fixture
def gpus(monkeypatch):
    """A function that has TensorFlow list so many GPUs, and returns those that are told to grow their memory."""
    growing = []

    def listed(count):
        found = [tf.config.PhysicalDevice(f"/physical_device:GPU:{number}", "GPU") for number in range(count)]
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: found if kind == "GPU" else [])
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"device_name": "Tesla T4"})
        monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda *each: growing.append(each))
        monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
        return found, growing

    return listed


def test_device_and_driver_are_named(gpus, monkeypatch, tmp_path):
    monkeypatch.setattr(device, "DRIVER_FILE", tmp_path / "version")
    monkeypatch.setattr(device, "PROCESSOR_FILE", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: A Processor @ 2 GHz\nprocessor\t: 1\n")
    gpus(0)
    assert (device.device_name(), device.driver_version()) == ("CPU A Processor @ 2 GHz", None)
    assert device.describe_device().startswith(f"CPU ({operation_threads()} thread")
    gpus(2)
    assert (device.describe_device(), device.driver_version()) == ("GPU Tesla T4", None)
    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\nGCC 12\n"
    )
    assert device.driver_version() == "535.104.05"


def test_a_processor_without_a_name_is_still_a_processor(gpus, monkeypatch, tmp_path):
    monkeypatch.setattr(device, "PROCESSOR_FILE", tmp_path / "nothing")
    gpus(0)
    assert device.device_name().startswith("CPU ")


def test_memory_grows_on_every_gpu_unless_the_user_has_chosen(gpus, monkeypatch):
    found, growing = gpus(2)
    tm.load_network("small_word_aliased")
    assert growing == [(gpu, True) for gpu in found]
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    device.grow_memory()
    assert len(growing) == 2


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_memory_stays_as_it_is_where_tensorflow_is_at_work_or_the_user_divided_it(gpus, monkeypatch, error):
    def refuse(*_):
        raise error

    gpus(1)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    device.grow_memory()


def test_tf32_is_off_unless_operations_may_be_fast_and_is_then_as_it_was(gpus):
    gpus(1)
    assert device.uses_tf32()
    with deterministic_operations():
        assert not device.uses_tf32()
    with deterministic_operations(False):
        assert device.uses_tf32()
    assert device.uses_tf32()
    gpus(0)
    assert not device.uses_tf32()


def test_tf32_is_off_where_the_user_made_operations_deterministic():
    tf.config.experimental.enable_op_determinism()
    try:
        with deterministic_operations():
            assert not tf.config.experimental.tensor_float_32_execution_enabled()
        assert tf.config.experimental.tensor_float_32_execution_enabled()
    finally:
        from tensorflow.python.framework import config

        config.disable_op_determinism()


def convolved(channels: int, groups: int):
    """Return the stimulus and the layer of a graph with one convolution, whose kernel quick tiles pay for."""
    kernel = np.random.default_rng(0).normal(size=(3, 3, channels // groups, channels)).astype(np.float32) / 40
    with tf.Graph().as_default():
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, 20, 20, channels], "stimulus")
        return stimulus, tf.nn.conv2d(stimulus, kernel, 1, "SAME")


@pytest.mark.parametrize("groups", [1, 2])
def test_rewrites_for_processors_are_left_out_on_a_gpu(gpus, monkeypatch, groups):
    stimulus, layer = convolved(128, groups)
    rewrites = ["_quick_convolution", "_grouped_convolution"]
    used = []
    for name in rewrites:
        rewrite = getattr(frozen, name)
        monkeypatch.setattr(frozen, name, lambda *each, name=name, rewrite=rewrite: used.append(name) or rewrite(*each))
    values = np.random.default_rng(1).normal(size=(1, 20, 20, 128)).astype(np.float32)
    found = {}
    for count in (0, 1):
        gpus(count)
        found[count] = FrozenFunction(stimulus, layer, {}, kernels="quick")(values).numpy()
        assert used == rewrites[groups - 1 :][:1]  # Once, where there is no GPU.
    np.testing.assert_allclose(found[1], found[0], atol=1e-4 * np.abs(found[0]).max())


def test_quick_kernels_take_no_memory_on_a_gpu(gpus):
    stimulus, layer = convolved(128, 1)
    gpus(0)
    assert kernel_bytes(stimulus, layer) > 4 * 9 * 128 * 128
    gpus(1)
    assert kernel_bytes(stimulus, layer) == 0


def test_the_memory_of_a_step_is_estimated_on_processors_alone(gpus):
    network = tm.load_network("small_word_aliased")
    gpus(0)
    with pytest.raises(ArgumentError, match="conv_0"):
        check_memory(network, ["conv_0"], "quick", batch_size=10**8)
    gpus(1)
    check_memory(network, ["conv_0"], "quick", batch_size=10**8)


def test_what_a_metamer_was_computed_on_is_recorded(gpus, monkeypatch, tmp_path):
    monkeypatch.setattr(device, "DRIVER_FILE", tmp_path / "nothing")
    network = tm.load_network("small_word_aliased")
    sound = network.domain.load(tm.stimuli.sample_word(), "centre")
    gpus(1)
    for is_deterministic in (True, False):
        metamer = tm.synthesize(network, sound, layer="conv_0", steps=1, deterministic=is_deterministic)
        computed = metamer.record.computation
        assert (computed.device, computed.driver, computed.tf32) == ("GPU Tesla T4", None, not is_deterministic)
