"""What a metamer is made of, the folder that follows from it, and what tells one from another."""

import dataclasses
import hashlib
import json

import pytest

from tfmetamers.errors import ArgumentError, StimulusError
from tfmetamers.metamers import MetamerSpec, StimulusSpec
from tfmetamers.metamers.spec import layer_folder
from tfmetamers.networks import NetworkSpec
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.collection import StimulusFile

IMAGE = find_recipe("feather2019-image")
DOG = StimulusSpec("dog/1", "/pictures/dog/1.png", "ef56", label="beagle", category="dog", columns={"block": "2"})


def a_spec(**changes):
    spec = MetamerSpec(NetworkSpec.parse("vgg_19:random:3"), "conv5_4", DOG, IMAGE, "feather2019-image")
    return dataclasses.replace(spec, **changes)


class TestFolder:
    @pytest.mark.parametrize(
        ("changes", "folder"),
        [
            ({}, "vgg_19~random-3/conv5_4/dog/1/0"),
            ({"seed": 7}, "vgg_19~random-3/conv5_4/dog/1/7"),
            ({"recipe": IMAGE.replace(steps=60)}, "vgg_19~random-3/conv5_4~steps-60/dog/1/0"),
            ({"recipe": IMAGE.replace(relu_gradient="normal")}, "vgg_19~random-3/conv5_4~normal-gradient/dog/1/0"),
            (
                {"recipe": find_recipe("feather2019-image-text")},
                "vgg_19~random-3/conv5_4~feather2019-image-text/dog/1/0",
            ),
            ({"stimulus": dataclasses.replace(DOG, fit="pad")}, "vgg_19~random-3/conv5_4~fit-pad/dog/1/0"),
            ({"kernels": "small"}, "vgg_19~random-3/conv5_4~small-kernels/dog/1/0"),
            ({"network": NetworkSpec.parse("inception_v3@224:random:3")}, "inception_v3@224~random-3/conv5_4/dog/1/0"),
            ({"layer": "tensor:a/b:0"}, "vgg_19~random-3/tensor%3Aa%2Fb%3A0/dog/1/0"),
            ({"layer": "../../etc"}, "vgg_19~random-3/..%2F..%2Fetc/dog/1/0"),
        ],
    )
    def test_says_what_is_not_as_usual_for_the_network(self, changes, folder):
        assert a_spec(**changes).folder("out").as_posix() == f"out/{folder}"

    def test_a_network_with_another_recipe_of_its_own_has_other_words(self):
        audio = find_recipe("feather2019-audio")
        spec = a_spec(network=NetworkSpec.parse("vggish:random"), recipe=audio, own_recipe="feather2019-audio-vggish")
        assert spec.relative_folder.parts[1] == "conv5_4~feather2019-audio"

    def test_a_name_that_would_be_too_long_becomes_a_digest_that_tells_it_from_others(self):
        fields = {"learning_rate": 0.1, "decay_rate": 0.5, "beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.1}
        fields |= {"noise_low": 0.1, "noise_high": 0.2, "lower_bound": 0.05, "upper_bound": 0.25, "decay_steps": 9}
        names = []
        for layer in ("x" * 150 + "a", "x" * 150 + "b"):
            for steps in (1, 2):
                spec = a_spec(layer=layer, recipe=IMAGE.replace(steps=steps, **fields))
                names.append(spec.relative_folder.parts[1])
        assert len(set(names)) == 4
        assert max(map(len, names)) <= 200

    def test_a_layer_called_as_a_variant_of_another_has_a_folder_of_its_own(self):
        named, varied = layer_folder("net", "a~b"), layer_folder("net", "a", ["b"])
        assert named != varied


class TestIdentity:
    @pytest.mark.parametrize(
        "changes",
        [
            {"layer": "conv1_2"},
            {"seed": 1},
            {"kernels": "small"},
            {"recipe": IMAGE.replace(epsilon=1e-9)},
            {"network": NetworkSpec.parse("vgg_19:random:4")},
            {"stimulus": dataclasses.replace(DOG, sha256="another")},
            {"stimulus": dataclasses.replace(DOG, fit="pad")},
        ],
    )
    def test_everything_that_determines_a_metamer_makes_a_difference(self, changes):
        assert a_spec(**changes).identity != a_spec().identity
        assert a_spec(**changes).key != a_spec().key

    def test_where_a_file_lies_and_what_it_is_called_makes_none(self):
        moved = dataclasses.replace(DOG, path="/elsewhere/1.png", label="hound", category="hound", columns={})
        assert a_spec(stimulus=moved).identity == a_spec().identity
        assert a_spec(stimulus=dataclasses.replace(DOG, id="dog/2")).identity == a_spec().identity
        assert a_spec(stimulus=dataclasses.replace(DOG, id="dog/2")).key != a_spec().key

    def test_is_plain_data(self):
        assert json.loads(json.dumps(a_spec().identity)) == a_spec().identity


class TestJson:
    @pytest.mark.parametrize("changes", [{}, {"kernels": "small", "seed": 4, "recipe": IMAGE.replace(steps=2)}])
    def test_comes_back(self, changes):
        spec = a_spec(**changes)
        again = MetamerSpec.from_json(json.loads(json.dumps(spec.to_json())))
        assert again == spec
        assert (again.identity, again.relative_folder, again.key) == (spec.identity, spec.relative_folder, spec.key)

    def test_a_part_that_is_missing_or_unknown_is_refused(self):
        content = a_spec().to_json()
        with pytest.raises(KeyError, match="network"):
            MetamerSpec.from_json({name: value for name, value in content.items() if name != "network"})
        with pytest.raises(TypeError, match="colour"):
            MetamerSpec.from_json({**content, "colour": "red"})
        with pytest.raises(ArgumentError, match="'slimm'"):
            MetamerSpec.from_json({**content, "network": {"family": "slimm"}})


class TestStimulus:
    def test_a_file_is_hashed_and_not_decoded(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "1.png").write_bytes(b"not a picture")
        file = StimulusFile("dog/1", "1.png", label="beagle", category="dog", columns={"block": "2"})
        spec = StimulusSpec.of_file(file, fit="pad")
        assert spec.sha256 == hashlib.sha256(b"not a picture").hexdigest()
        assert (spec.path, spec.fit, spec.label) == (str(tmp_path / "1.png"), "pad", "beagle")

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path):
        with pytest.raises(StimulusError, match=r"missing\.png"):
            StimulusSpec.of_file(StimulusFile("a", tmp_path / "missing.png"))
