"""What metamer.json holds comes back, and what is not a record is refused."""

import json

import pytest

from tests.metamers.examples import a_network_record, a_record
from tfmetamers.errors import ResultError
from tfmetamers.metamers import MetamerRecord, MetamerSpec, StimulusSpec, read_record
from tfmetamers.metamers.record import FORMAT
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.domains import Cochleagrams, Images, Sounds
from tfmetamers.utilities.json_files import sealed


def as_read(record: MetamerRecord) -> MetamerRecord:
    return MetamerRecord.from_json(json.loads(json.dumps(record.to_json())))


class TestRoundTrip:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"correlation": None, "prediction": {"original": None, "metamer": None}},
            {"prediction": {"original": {"index": None, "label": "a word"}, "metamer": {"index": None, "label": ""}}},
            {"kernels": "small", "asked_kernels": "small", "initial": "0123456789"},
            {"recipe": find_recipe("feather2019-image-text").replace(upper_bound=None)},
            {"stimulus": {"file": None, "file_sha256": None, "fit": "pad", "columns": {"Größe": "犬"}}},
        ],
    )
    def test_comes_back(self, changes):
        record = a_record(**changes)
        assert as_read(record) == record
        assert as_read(record).identity == record.identity

    @pytest.mark.parametrize(
        ("text", "domain"),
        [
            ("vggish@1s:random:2", Sounds(16_000, 16_000)),
            ("small_word_aliased", Cochleagrams(Sounds(8000, 8000), None, {"filters": 8}, (10, 20, 1))),
            ("vgg_19@256=/a/b.ckpt", Images(256)),
        ],
    )
    def test_of_every_domain_comes_back(self, text, domain):
        record = a_record(network=a_network_record(text, domain, input_range=(0.0, 255.0), file="b.ckpt"))
        assert as_read(record) == record
        assert as_read(record).domain == domain

    def test_of_a_version_that_recorded_no_device_comes_back(self):
        content = a_record().to_json()
        content["computation"] = {"deterministic": True, "threads": 2, "batch_size": 4, "place": 1}
        assert MetamerRecord.from_json(content) == a_record()

    def test_folder_and_identity_are_those_of_the_spec_that_it_was_made_from(self):
        record = a_record(asked_kernels="small")
        natural = StimulusSpec("dog/1", "/a/1.png", "ef56", "beagle", "dog")
        spec = MetamerSpec(record.network.spec, "conv1_2", natural, record.recipe, "feather2019-image", 0, "small")
        assert record.relative_folder == spec.relative_folder
        assert record.relative_folder.as_posix() == "vgg_19~random-3/conv1_2~steps-20~small-kernels/dog/1/0"
        assert record.identity == spec.identity

    def test_an_initial_stimulus_of_ones_own_makes_another_metamer(self):
        record = a_record(initial="0123456789")
        assert record.identity != a_record().identity
        assert record.variant == ["steps-20", "initial-01234567"]

    def test_files_are_recorded_by_their_digest_of_that_time(self):
        network = a_network_record("vgg_19=/gone/b.ckpt", Images(6, 8), spec_digest="1b8d7ec8" * 8)
        assert network.folder_name == "vgg_19~1b8d7ec8"
        assert network.spec_identity == {"family": "slim", "name": "vgg_19", "sha256": "1b8d7ec8" * 8}


class TestDamagedRecords:
    @staticmethod
    def refusal(folder, content) -> str:
        (folder / "metamer.json").write_text(content if isinstance(content, str) else json.dumps(sealed(content)))
        with pytest.raises(ResultError) as refused:
            read_record(folder)
        message = str(refused.value)
        assert str(folder / "metamer.json") in message
        assert "\n" not in message
        return message

    @pytest.mark.parametrize("content", ["", "[]", '"format"', "{}", '{"format": '])
    def test_what_is_not_a_record(self, tmp_path, content):
        self.refusal(tmp_path, content)

    def test_what_is_not_text_or_not_there(self, tmp_path):
        with pytest.raises(ResultError, match=r"metamer\.json"):
            read_record(tmp_path / "nothing")
        (tmp_path / "metamer.json").write_bytes(b"\x89PNG\xff\xfe")
        with pytest.raises(ResultError, match=r"metamer\.json"):
            read_record(tmp_path)

    def test_altered_since_it_was_written(self, tmp_path):
        content = sealed(a_record().to_json())
        message = self.refusal(tmp_path, json.dumps(content | {"seed": 1}))
        assert "hash" in message
        (tmp_path / "metamer.json").write_text(json.dumps(content, indent=7))
        assert read_record(tmp_path) == a_record()

    def test_nested_without_an_end(self, tmp_path):
        text = json.dumps(a_record().to_json())
        assert "nested" in self.refusal(tmp_path, text[:-1] + f', "x": {"[" * 100_000}')

    @pytest.mark.parametrize("version", [FORMAT - 1, FORMAT + 1, str(FORMAT), None])
    def test_of_an_older_or_a_later_format(self, tmp_path, version):
        message = self.refusal(tmp_path, {**a_record().to_json(), "format": version})
        assert f"format {version}" in message and f"format {FORMAT}" in message

    @pytest.mark.parametrize("part", ["network", "layer", "stimulus", "recipe", "seed", "loss", "prediction"])
    def test_without_a_part(self, tmp_path, part):
        content = a_record().to_json()
        del content[part]
        assert part in self.refusal(tmp_path, content)

    @pytest.mark.parametrize(
        ("path", "value", "at_fault"),
        [
            (("network", "stimulus_shape"), None, ""),
            (("network", "stimulus_shape"), [6, 7, 3], "shape"),
            (("network", "domain", "name"), "smell", "smell"),
            (("network", "name"), 3, "name"),
            (("network", "spec", "family"), "slimm", "slimm"),
            (("network", "spec", "sise"), 3, "sise"),
            (("recipe", "steps"), "many", "steps"),
            (("recipe", "colour"), "red", "colour"),
            (("seed",), "0", "seed"),
            (("seed",), True, "seed"),
            (("stimulus",), ["dog"], ""),
            (("stimulus", "id"), None, "stimulus"),
            (("stimulus", "columns"), "many", "stimulus"),
            (("layer", "name"), 3, "layer"),
            (("initial",), 3, "initial"),
            (("loss", "final"), "low", "final"),
            (("correlation",), "high", "correlation"),
            (("prediction", "metamer"), {"index": 1}, "label"),
            (("prediction",), {"metamer": None}, "original"),
            (("network", "spec", "definition"), [], "definition"),
            (("network", "spec", "file"), "a\0b", "file"),
            (("network", "stimulus_shape"), [6, 8, 3.5], "stimulus_shape"),
            (("network", "domain", "height"), -6, "length"),
            (("layer", "shape"), ["6"], "shape"),
            (("files",), {"metamer.npy": 3}, "files"),
            (("versions",), [], "versions"),
        ],
    )
    def test_with_a_part_of_another_kind(self, tmp_path, path, value, at_fault):
        content = a_record().to_json()
        holder = content
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value
        assert at_fault in self.refusal(tmp_path, content)
