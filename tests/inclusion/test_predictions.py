"""What a network says of stimuli has a category where the inclusion test compares categories."""

import keras
import numpy as np

from tfmetamers.inclusion.predictions import describe_predictions
from tfmetamers.networks import from_keras
from tfmetamers.networks.categories import CATEGORIES
from tfmetamers.recipes import find_recipe
from tfmetamers.synthesis import synthesize


def test_a_network_of_imagenets_classes_has_categories_by_the_test_of_2023_alone():
    stimulus = keras.Input((8, 8, 3))
    dense = keras.layers.Dense(1000, name="logits")(keras.layers.Flatten()(stimulus))
    network = from_keras(keras.Model(stimulus, dense), labels=[f"class {number}" for number in range(1000)])
    logits = np.zeros((2, 1000))
    logits[0, [895, 404]] = 2.0, 1.0  # "warplane", which is in no category, and "airliner"
    logits[1, 281] = 1.0  # "tabby"
    found = describe_predictions(network, logits, "feather2023")
    assert [each["category"] for each in found] == ["airplane", "cat"]
    without = describe_predictions(network, logits, "feather2019")
    assert without == [{"index": 895, "label": "class 895"}, {"index": 281, "label": "class 281"}]
    picture, recipe = np.random.default_rng(0).random((8, 8, 3), np.float32), find_recipe("feather2023-image")
    metamer = synthesize(network, picture, layer="logits", recipe=recipe, steps=1)
    assert metamer.record.prediction["original"]["category"] in CATEGORIES
