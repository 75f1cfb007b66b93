"""Architectures against TensorFlow 1's own layers, and what is refused."""

import functools
import json
import math

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.cochlea.settings import CochleagramSettings
from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.networks.auditory.architecture import (
    Architecture,
    LayerSpecification,
    inference_arguments,
    read_architecture,
    trace,
    write_architecture,
)
from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.networks.graph.relu import producing_path

WORDS = "/stimuli/word_int"
SOUNDS = "/stimuli/labels_binary_via_int"
#: A cochleagram of 22 channels and 40 samples.
SMALL = CochleagramSettings(filters=20, sample_factor=1, samples=4000)


def layer(layer_type, name, **args):
    return LayerSpecification(layer_type, {"name": name, **args})


def architecture(*layers, tasks=None, name="small"):
    return Architecture(name, layers, tasks or {}, cochleagram=SMALL)


#: Every layer type of the release but the Hann pool and the top layer of several tasks.
EVERYTHING = architecture(
    layer("tf.layers.batch_normalization", "batch_norm_data_layer"),
    layer("tf.pad", "pad", paddings=[[0, 0], [2, 1], [0, 3], [0, 0]]),
    layer("tf.layers.conv2d", "conv_0", filters=6, kernel_size=[4, 7], strides=[2, 1], padding="SAME"),
    layer("tf.nn.relu", "relu_0"),
    layer("tf.layers.max_pooling2d", "pool_0", pool_size=[2, 5], strides=[1, 2], padding="same"),
    layer("tf.layers.conv2d", "conv_1", filters=5, kernel_size=3, use_bias=False, activation=None, trainable=False),
    layer("tf.layers.batch_normalization", "batch_norm_1", scale=False, epsilon=1e-6, momentum=0.9),
    layer("tf.nn.relu6", "relu_1"),
    layer("tf.nn.avg_pool", "pool_1", ksize=[1, 2, 3, 1], strides=[1, 1, 2, 1], padding="SAME"),
    layer("tf.layers.conv2d", "conv_2", filters=4, kernel_size=(2, 3), strides=(1, 1), padding="valid"),
    layer("tf.nn.leaky_relu", "relu_2"),
    layer("tf.layers.average_pooling2d", "pool_2", pool_size=2, strides=2),
    layer("tf.slice", "slice", begin=[0, 0, 1, 0], size=[-1, 3, -1, -1]),
    layer("tf.transpose", "transpose", perm=[0, 2, 1, 3]),
    layer("tf.layers.dense", "fc_channels", units=7),
    layer("tf.nn.leaky_relu", "relu_channels", alpha=0.3),
    layer("tf.pad", "pad_again", paddings=[[0, 0], [1, 0], [0, 0], [0, 0]], constant_values=0.5),
    layer("tf.layers.flatten", "flatten_end_conv"),
    layer("tf.layers.dense", "fc_intermediate", units=9, use_bias=True),
    layer("tf.nn.relu", "relu_fc_intermediate"),
    layer("tf.layers.batch_normalization", "batch_norm_fc_intermediate", center=False),
    layer("tf.layers.dropout", "dropout", rate=0.5),
    layer("fc_top_classification", "fc_top"),
    tasks={WORDS: 11},
)

#: With Hann pools of every kind, and two tasks.
REDUCED_ALIASING = architecture(
    layer("tf.layers.conv2d", "conv_0", filters=6, kernel_size=[4, 7], strides=[1, 1], padding="SAME"),
    layer("tf.nn.relu", "relu_0"),
    layer("hpool", "pool_0_0", pool_size=12, strides=3, padding="SAME", normalize=True),
    layer("hpool", "pool_0_1", pool_size=[1, 8], strides=[1, 2], padding="SAME"),
    layer("tf.layers.batch_normalization", "batch_norm_0"),
    layer("tf.layers.conv2d", "conv_1", filters=4, kernel_size=[2, 3], strides=[1, 1], padding="SAME"),
    layer("tf.nn.relu", "relu_1"),
    layer("hpool", "pool_1_0"),
    layer("hpool", "pool_1_1", pool_size=4, strides=1, padding="VALID", sqrt_window=True, normalize=True),
    layer("tf.layers.flatten", "flatten_end_conv"),
    layer("tf.layers.dense", "fc_intermediate", units=9),
    layer("tf.nn.relu", "relu_fc_intermediate"),
    layer("tf.layers.dropout", "dropout", rate=0.5),
    layer("multi_fc_top_classification", "fc_top"),
    tasks={WORDS: 11, SOUNDS: 5},
    name="reduced_aliasing",
)


#: What the names of layers with weights stand for in the architectures above.
RECTIFIED = {
    "conv_0": "relu_0",
    "conv_1": "relu_1",
    "conv_2": "relu_2",
    "conv_3": "relu_3",
    "conv_4": "relu_4",
    "fc_channels": "relu_channels",
    "fc_intermediate": "relu_fc_intermediate",
}


def hanning_pooling(inputs, strides=2, pool_size=8, padding="SAME", name=None, sqrt_window=False, normalize=False):
    """As the release has it: a full convolution whose kernel is zero between different channels."""
    import scipy.signal

    sizes = pool_size if isinstance(pool_size, list) else [pool_size] * 2
    first, second = (scipy.signal.get_window("hann", size, fftbins=False) for size in sizes)
    window = first[:, None] * second[None, :]
    window = window**0.5 if sqrt_window else window
    window = window / window.sum() if normalize else window
    kernel = window[:, :, None, None] * np.eye(inputs.shape[-1])
    strides = strides if isinstance(strides, list) else [strides] * 2
    return tf.nn.conv2d(inputs, tf.constant(kernel, tf.float32), strides, padding, name=name)


def fc_top_classification(inputs, classes_of_tasks, **options):
    return legacy_layers().core.dense(inputs, *classes_of_tasks.values(), **options)


def multi_fc_top_classification(inputs, classes_of_tasks, name, **options):
    return {
        task: legacy_layers().core.dense(inputs, classes_of_tasks[task], name=f"{name}_{number}", **options)
        for number, task in enumerate(sorted(classes_of_tasks))
    }


def legacy_layers():
    """TensorFlow 1's ``tf.layers``."""
    import tf_keras.src.legacy_tf_layers as package
    from tf_keras.src.legacy_tf_layers import convolutional, core, normalization, pooling  # noqa: F401

    return package


def functions_of_tensorflow_1(tasks):
    legacy = legacy_layers()
    return {
        "tf.layers.conv2d": legacy.convolutional.conv2d,
        "tf.layers.batch_normalization": functools.partial(legacy.normalization.batch_normalization, fused=False),
        "tf.layers.max_pooling2d": legacy.pooling.max_pooling2d,
        "tf.layers.average_pooling2d": legacy.pooling.average_pooling2d,
        "tf.layers.flatten": legacy.core.flatten,
        "tf.layers.dense": legacy.core.dense,
        "tf.layers.dropout": legacy.core.dropout,
        "tf.nn.relu": tf.nn.relu,
        "tf.nn.relu6": tf.nn.relu6,
        "tf.nn.leaky_relu": tf.nn.leaky_relu,
        "tf.nn.avg_pool": tf.compat.v1.nn.avg_pool,
        "tf.pad": tf.compat.v1.pad,
        "tf.slice": tf.slice,
        "tf.transpose": tf.transpose,
        "hpool": hanning_pooling,
        "fc_top_classification": functools.partial(fc_top_classification, classes_of_tasks=tasks),
        "multi_fc_top_classification": functools.partial(multi_fc_top_classification, classes_of_tasks=tasks),
    }


@pytest.mark.filterwarnings("ignore")
def run_in_tensorflow_1(described, cochleagrams, checkpoint=None):
    """Build and run a network as the released code does; return outputs and variables by name."""
    v1, functions = tf.compat.v1, functions_of_tensorflow_1(described.tasks)
    generator = np.random.default_rng(11)
    options = v1.ConfigProto()
    options.graph_options.rewrite_options.disable_meta_optimizer = True  # It fuses away layers that are asked for.
    with tf.Graph().as_default(), v1.Session(config=options) as session:
        latest, outputs = tf.constant(cochleagrams), {}
        with v1.variable_scope("brain_network"):
            for each in described.layers:
                latest = outputs[each.name] = functions[each.layer_type](latest, **each.args)
        variables = v1.global_variables()
        for variable in variables:  # As of a trained network: ones and zeros would hide a mistake.
            variable.load(generator.uniform(0.2, 1.2, variable.shape), session) if variable.shape.rank == 1 else None
        kernels = [variable for variable in variables if variable.shape.rank > 1]
        for kernel in kernels:
            kernel.load(generator.normal(0, 1 / math.sqrt(math.prod(kernel.shape[:-1])), kernel.shape), session)
        if checkpoint:
            v1.train.Saver().save(session, str(checkpoint), write_meta_graph=False)
        return session.run(outputs), {variable.op.name: session.run(variable) for variable in variables}


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def cochleagrams(count=2):
    return np.random.default_rng(12).random((count, 22, 40, 1), np.float32)


def assert_equals_tensorflow_1(traced, described, expected, weights):
    """Compare each named layer with TensorFlow 1's, where a layer with weights stands for what its ReLU makes of it."""
    weights = {name: tf.constant(value) for name, value in weights.items()}
    for name, tensor in (traced.layers | traced.further_layers).items():
        if name == "cochleagram":
            continue
        top, _, task = name.partition(":")
        if name == "logits" or isinstance(expected.get(top), dict):
            outputs = expected["fc_top"]
            wanted = outputs[task or WORDS] if isinstance(outputs, dict) else outputs
        else:
            wanted = expected[RECTIFIED.get(name, name)]
        found = FrozenFunction(traced.stimulus, tensor, weights)(cochleagrams()).numpy()
        assert found.shape == wanted.shape, name
        assert relative_error(found, wanted) < 1e-5, name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("described", [EVERYTHING, REDUCED_ALIASING], ids=lambda described: described.name)
def test_every_layer_equals_that_of_tensorflow_1_and_has_the_same_variables(described):
    traced = trace(described)
    expected, weights = run_in_tensorflow_1(described, cochleagrams())
    assert {name: (value.shape, "float32") for name, value in weights.items()} == traced.specification
    assert_equals_tensorflow_1(traced, described, expected, weights)


def test_layers_are_the_papers_and_every_other_output_has_its_name_too():
    traced = trace(EVERYTHING)
    convolutions = ["conv_0", "conv_1", "conv_2"]
    assert list(traced.layers) == ["cochleagram", *convolutions, "fc_channels", "fc_intermediate", "logits"]
    names = [each.name for each in EVERYTHING.layers]
    assert list(traced.further_layers) == [name for name in names if name not in traced.layers]
    assert traced.further_layers["fc_top"] is traced.logits
    assert traced.stimulus.shape.as_list() == [None, 22, 40, 1]


def test_first_hann_pools_take_the_places_of_their_convolutions_and_each_task_has_a_layer():
    traced = trace(REDUCED_ALIASING)
    assert list(traced.layers) == ["cochleagram", "pool_0_0", "pool_1_0", "fc_intermediate", "logits"]
    tops = [f"fc_top:{SOUNDS}", f"fc_top:{WORDS}", "fc_top"]
    assert list(traced.further_layers)[-3:] == tops
    assert traced.further_layers["conv_0"] is traced.further_layers["relu_0"]
    assert traced.logits is traced.further_layers["fc_top"] is traced.further_layers[f"fc_top:{WORDS}"]
    assert traced.logits.shape.as_list() == [None, 11]


def test_without_words_the_first_task_in_sorted_order_has_the_labels():
    tasks = {"/stimuli/speaker_int": 4, SOUNDS: 5}
    traced = trace(architecture(layer("multi_fc_top_classification", "fc_top"), tasks=tasks))
    assert traced.logits is traced.further_layers[f"fc_top:{SOUNDS}"]


def test_a_network_without_a_top_layer_has_no_logits():
    traced = trace(architecture(layer("tf.layers.conv2d", "conv_0", filters=2, kernel_size=3)))
    assert traced.logits is None
    assert list(traced.layers) == ["cochleagram", "conv_0"]


def test_the_rectifier_of_a_layer_is_found_and_a_pool_or_a_normalisation_has_none():
    reduced, everything = trace(REDUCED_ALIASING), trace(EVERYTHING)
    named = {**reduced.layers, **reduced.further_layers}
    found = {name: producing_path(tensor).relus for name, tensor in named.items()}
    assert found["conv_0"] == ("brain_network/relu_0",)
    assert found["fc_intermediate"] == found["dropout"] == ("brain_network/relu_fc_intermediate",)
    assert not any(found[name] for name in ("cochleagram", "pool_0_0", "pool_1_0", "batch_norm_0", "logits"))
    assert producing_path(everything.layers["conv_0"]).relus == ("brain_network/relu_0",)
    # conv_1 is normalised before its ReLU.
    assert producing_path(everything.layers["conv_1"]).relus == ("brain_network/relu_1",)


CONV = {"filters": 2, "kernel_size": 3}


def convolution(name):
    return layer("tf.layers.conv2d", name, **CONV)


def stands_for(traced, name):
    """The name of the operation, in the graph, that a layer's name stands for."""
    return {**traced.layers, **traced.further_layers}[name].op.name


@pytest.mark.parametrize(
    ("between", "relu", "expected"),
    [
        ([layer("tf.layers.batch_normalization", "batch_norm")], "relu_0", "relu_0"),
        ([layer("tf.nn.relu", "relu_early")], "relu_0", "relu_0"),
        ([], "relu_of_another_name", "relu_of_another_name"),
        ([layer("tf.layers.batch_normalization", "batch_norm")], "relu_1", "conv_0/BiasAdd"),
    ],
)
def test_a_convolution_stands_for_the_relu_of_its_name_or_else_the_one_that_directly_follows(between, relu, expected):
    traced = trace(architecture(convolution("conv_0"), *between, layer("tf.nn.relu", relu)))
    assert stands_for(traced, "conv_0") == f"brain_network/{expected}"


def test_a_dense_layer_stands_for_the_relu_of_its_name():
    dense = layer("tf.layers.dense", "fc_intermediate", units=3)
    normalization = layer("tf.layers.batch_normalization", "batch_norm")
    relu = layer("tf.nn.relu", "relu_fc_intermediate")
    traced = trace(architecture(layer("tf.layers.flatten", "flat"), dense, normalization, relu))
    assert stands_for(traced, "fc_intermediate") == "brain_network/relu_fc_intermediate"


def test_a_relu_before_a_convolution_or_a_layer_of_another_type_is_not_its_relu():
    normalization = layer("tf.layers.batch_normalization", "relu_1")
    traced = trace(
        architecture(layer("tf.nn.relu", "relu_0"), convolution("conv_0"), convolution("conv_1"), normalization)
    )
    assert stands_for(traced, "conv_0") == "brain_network/conv_0/BiasAdd"
    assert stands_for(traced, "conv_1") == "brain_network/conv_1/BiasAdd"


def test_only_the_first_two_convolutions_give_way_to_a_pool():
    layers = []
    for number in range(5):
        relu, pool = layer("tf.nn.relu", f"relu_{number}"), layer("hpool", f"pool_{number}_0", strides=1, pool_size=3)
        layers += [layer("tf.layers.conv2d", f"conv_{number}", filters=2, kernel_size=3, padding="SAME"), relu, pool]
    traced = trace(architecture(*layers))
    assert list(traced.layers) == ["cochleagram", "pool_0_0", "pool_1_0", "conv_2", "conv_3", "conv_4"]
    assert stands_for(traced, "conv_4") == "brain_network/relu_4"
    assert stands_for(traced, "conv_0") == "brain_network/relu_0"


def test_arguments_at_inference_leave_training_out_and_have_one_form_for_a_size():
    arguments = {"kernel_size": 3, "strides": (2, 1), "filters": 4, "trainable": False, "kernel_regularizer": None}
    assert inference_arguments(layer("tf.layers.conv2d", "conv_0", **arguments)) == {
        "name": "conv_0",
        "kernel_size": [3, 3],
        "strides": [2, 1],
        "filters": 4,
    }
    assert inference_arguments(layer("tf.layers.dropout", "dropout", rate=0.5, seed=3)) == {"name": "dropout"}
    assert inference_arguments(layer("hpool", "pool", pool_size=8, normalize=True)) == inference_arguments(
        layer("hpool", "pool", pool_size=[8, 8], normalize=True)
    )
    for each in EVERYTHING.layers + REDUCED_ALIASING.layers:
        assert json.loads(json.dumps(inference_arguments(each))) == inference_arguments(each)


@pytest.mark.parametrize("strides", [1, [3, 1]])
def test_valid_time_is_same_in_frequency_and_valid_in_time(strides):
    def output(padding):
        traced = trace(
            architecture(
                layer("tf.layers.conv2d", "c", filters=3, kernel_size=[4, 5], strides=strides, padding=padding)
            )
        )
        return FrozenFunction(traced.stimulus, traced.layers["c"], traced.random_weights())(cochleagrams()).numpy()

    across = strides if isinstance(strides, int) else strides[1]
    found = output("valid_time")
    assert found.shape[1:3] == (output("SAME").shape[1], output("VALID").shape[2])
    if across == 1:
        np.testing.assert_allclose(found, output("SAME")[:, :, 2:-2], atol=1e-5)


@pytest.mark.parametrize("padding", ["SAME", "VALID", "valid_time"])
def test_a_hann_pool_and_its_gradient_are_those_of_a_full_convolution_with_unequal_strides_too(padding):
    for strides in (2, [2, 3]):
        options = {"strides": strides, "pool_size": [6, 9], "padding": padding}
        named = architecture(
            layer("tf.layers.conv2d", "c", filters=3, kernel_size=1, use_bias=False), layer("hpool", "p", **options)
        )
        traced = trace(named)
        weights = traced.random_weights()
        function = FrozenFunction(traced.stimulus, traced.further_layers["p"], weights)

        def reference(stimuli, weights=weights, options=options):
            maps = stimuli * tf.reshape(weights["brain_network/c/kernel"], [3])
            if options["padding"] == "valid_time":
                total = 6 - 2  # 22 channels at a stride of 2.
                maps = tf.pad(maps, [[0, 0], [total // 2, total // 2], [0, 0], [0, 0]])
                options = options | {"padding": "VALID"}
            return hanning_pooling(maps, **options)

        for found, expected in zip(value_and_gradient(function), value_and_gradient(reference), strict=True):
            assert relative_error(found, expected) < 1e-5


def value_and_gradient(function):
    stimuli = tf.constant(cochleagrams())
    with tf.GradientTape() as tape:
        tape.watch(stimuli)
        value = function(stimuli)
        loss = tf.reduce_sum(value * tf.cos(value))
    return value.numpy(), tape.gradient(loss, stimuli).numpy()


def test_random_weights_are_glorots_and_follow_the_seed():
    first, same, other = (trace(EVERYTHING, seed=seed).random_weights() for seed in (3, 3, 4))
    for name, value in first.items():
        np.testing.assert_array_equal(value, same[name])
    kernel = first["brain_network/conv_0/kernel"]
    assert not np.allclose(kernel, other["brain_network/conv_0/kernel"])
    limit = math.sqrt(6 / (4 * 7 * 1 + 4 * 7 * 6))
    assert 0.95 * limit < abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / math.sqrt(3), rel=0.1)
    assert not first["brain_network/conv_0/bias"].any()
    assert (first["brain_network/batch_norm_1/moving_variance"] == 1).all()


def test_json_gives_back_what_was_written(tmp_path):
    for described in (EVERYTHING, REDUCED_ALIASING):
        file = tmp_path / "folder" / f"{described.name}.json"
        write_architecture(described, file)
        assert read_architecture(file) == described
        assert json.loads(file.read_text())["cochleagram"] == {"filters": 20, "sample_factor": 1, "samples": 4000}
        lines = [line for line in file.read_text().splitlines() if "layer_type" in line]
        assert len(lines) == len(described.layers)


def test_a_file_that_cannot_be_written_is_a_result_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match=r"architecture\.json"):
        write_architecture(EVERYTHING, tmp_path / "file" / "architecture.json")


#: A layer, and the argument or value at fault.
BAD_LAYERS = [
    ("tf.layers.conv2d", CONV | {"strid": 1}, "'strid'.*strides"),
    ("tf.layers.conv2d", {"kernel_size": 3}, "filters is missing"),
    ("tf.layers.conv2d", CONV | {"kernel_size": [23, 3]}, "23 x 3"),
    ("tf.layers.conv2d", CONV | {"kernel_size": [3, 41], "padding": "VALID_TIME"}, "3 x 41"),
    ("tf.layers.conv2d", CONV | {"kernel_size": [1, 2, 3]}, r"kernel_size is \[1, 2, 3\]"),
    ("tf.layers.conv2d", CONV | {"filters": 2**30}, "9663676416 weights"),
    ("tf.layers.conv2d", CONV | {"padding": "FULL"}, "padding is 'FULL'"),
    ("tf.layers.conv2d", CONV | {"use_bias": "no"}, "use_bias is 'no'"),
    ("tf.layers.average_pooling2d", {"pool_size": 2**20, "strides": 1, "padding": "SAME"}, "1048576 x 1048576"),
    ("tf.nn.avg_pool", {"ksize": [2, 2, 2, 1], "strides": 1, "padding": "SAME"}, r"ksize is \[2, 2, 2, 1\]"),
    ("hpool", {"pool_size": 2}, "Hann window of 2 points"),
    ("hpool", {"pool_size": 2**20}, "1048576 x 1048576"),
    ("tf.layers.batch_normalization", {"epsilon": -1}, "epsilon is -1"),
    ("tf.pad", {"paddings": [[1, 0], [0, 0], [0, 0], [0, 0]]}, "batch"),
    (
        "tf.pad",
        {"paddings": [[0, 0], [22, 0], [0, 0], [0, 0]], "mode": "reflect"},
        r"paddings are \[\[0, 0\], \[22, 0\]",
    ),
    ("tf.slice", {"begin": [0, 20, 0, 0], "size": [-1, 3, 1, 1]}, "3 from 20"),
    ("tf.transpose", {"perm": [1, 0, 2, 3]}, r"perm is \[1, 0, 2, 3\]"),
    ("fc_top_classification", {}, "tasks is 0"),
]


@pytest.mark.parametrize(("layer_type", "args", "fault"), BAD_LAYERS)
def test_a_layer_that_cannot_be_built_is_refused_by_name(layer_type, args, fault):
    with pytest.raises(ArgumentError, match=f"layer odd_one of small, of type {layer_type}.*{fault}"):
        trace(architecture(layer(layer_type, "odd_one", **args)))


def test_a_window_may_be_twice_as_long_as_its_input_with_zeros_around_it():
    convolved = layer("tf.layers.conv2d", "conv_0", filters=2, kernel_size=[44, 80], padding="SAME")
    traced = trace(architecture(convolved, layer("hpool", "pool_0", pool_size=[44, 80], strides=1)))
    assert traced.further_layers["pool_0"].shape.as_list() == [None, 22, 40, 2]


def test_a_convolution_after_flattening_is_refused():
    with pytest.raises(ArgumentError, match="layer late"):
        trace(architecture(layer("tf.layers.flatten", "flat"), layer("tf.layers.conv2d", "late", **CONV)))


RELU = layer("tf.nn.relu", "relu_0")
TOP = layer("multi_fc_top_classification", "fc_top")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"layers": [layer("tf.nn.rellu", "relu_0")]}, "'tf.nn.rellu'.*tf.nn.relu"),
        ({"layers": [layer("tf.nn.relu", "relu 0/a")]}, "'relu 0/a'"),
        ({"layers": [RELU, layer("tf.nn.relu", "ReLU_0")]}, "'ReLU_0'"),
        ({"layers": [layer("tf.nn.relu", "logits")]}, "'logits'"),
        ({"layers": [TOP, RELU]}, "fc_top"),
        ({"tasks": {WORDS: 0}}, f"{WORDS}' of small is 0"),
        ({"tasks": {3: 4}}, r"tasks of small are \{3: 4\}"),
        ({"name": ""}, "name of an architecture is ''"),
        ({"note": "a\x1b[31m"}, "note of small"),
    ],
)
def test_an_architecture_that_is_not_valid_is_refused(changes, fault):
    with pytest.raises(ArgumentError, match=fault):
        Architecture(**{"name": "small", "layers": [RELU], "tasks": {WORDS: 2}} | changes)


def test_the_name_of_an_output_of_the_top_layer_is_taken():
    named = layer("tf.layers.dense", "fc_top_0", units=3)
    with pytest.raises(ArgumentError, match=r"layer fc_top of small.*fc_top_0"):
        trace(architecture(named, TOP, tasks={WORDS: 2, SOUNDS: 2}))
    top = layer("fc_top_classification", "fc_top")
    assert "brain_network/fc_top_0/kernel" in trace(architecture(named, top, tasks={WORDS: 2})).specification


@pytest.mark.parametrize("value", [math.nan, 10**5000, [0] * 33], ids=type)
def test_an_argument_that_is_not_plain_data_is_refused(value):
    with pytest.raises(ArgumentError, match="'relu_0'"):
        layer("tf.nn.relu", "relu_0", value=value)


def written(**changes):
    return json.dumps(
        {"name": "small", "tasks": {}, "layers": [{"layer_type": "hpool", "args": {"name": "p"}}]} | changes
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"name":\n}', "line 2"),
        ("[" * 200_000, "nested too deeply"),
        ("\udcff", "utf-8"),
        ("[]", r"\[\]"),
        ('{"name": "small", "layers": []}', "'tasks'"),
        (written(layers=[{"layer_type": "hpool"}]), "layers are.*args"),
        (written(name=None), "name of an architecture is None"),
        (written(notes=""), "'notes'.*note"),
        (written(cochleagram={"low_limit": math.nan}), "not finite"),
        (written(cochleagram=[]), r"cochleagram is \[\]"),
    ],
    ids=lambda value: value[:40],
)
def test_a_damaged_file_is_refused_with_its_name(tmp_path, text, fault):
    file = tmp_path / "damaged.json"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ArgumentError, match=fault) as raised:
        read_architecture(file)
    assert str(file) in str(raised.value)


def test_an_architecture_may_begin_with_the_mark_of_its_encoding(tmp_path):
    file = tmp_path / "marked.json"
    file.write_text(written(), encoding="utf-8-sig")
    assert read_architecture(file).name == "small"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"missing\.json"):
        read_architecture(tmp_path / "missing.json")
