"""The notation of networks, what tells one from another, and where its files are found again."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks.moved_files import locate
from tfmetamers.networks.notation import NOTATION
from tfmetamers.networks.spec import NetworkSpec

FORMS = {
    "vgg_19": {"family": "slim", "name": "vgg_19"},
    "vgg_19=/a/b.ckpt": {"family": "slim", "name": "vgg_19", "checkpoint": "/a/b.ckpt"},
    "vgg_19:random:3": {"family": "slim", "name": "vgg_19", "random_seed": 3},
    "inception_v3@224": {"family": "slim", "name": "inception_v3", "size": [224, 224]},
    "inception_v3@128x256": {"family": "slim", "name": "inception_v3", "size": [128, 256]},
    "inception_v3@224=/a/b.ckpt": {
        "family": "slim",
        "name": "inception_v3",
        "size": [224, 224],
        "checkpoint": "/a/b.ckpt",
    },
    "word_aliased:random:0": {"family": "word", "name": "word_aliased", "random_seed": 0},
    "vggish@0.975s": {"family": "vggish", "name": "vggish", "duration": 0.975},
    "deepspeech@1.5s:random:2": {"family": "deepspeech", "name": "deepspeech", "duration": 1.5, "random_seed": 2},
    "small_word_aliased": {"family": "bundled", "name": "small_word_aliased"},
    "/a/mine.keras": {"family": "keras", "file": "/a/mine.keras"},
    "/a/mine.keras@64": {"family": "keras", "file": "/a/mine.keras", "size": [64, 64]},
    "/a/mine.h5@10x20x3": {"family": "keras", "file": "/a/mine.h5", "size": [10, 20, 3]},
    "/a/graph.pb@1s": {"family": "frozen_graph", "file": "/a/graph.pb", "duration": 1.0},
    "keras:ResNet50@128:random:1": {
        "family": "keras_applications",
        "name": "ResNet50",
        "size": [128, 128],
        "random_seed": 1,
    },
    "/a/layers.json=/a/b.ckpt": {"family": "architecture", "file": "/a/layers.json", "checkpoint": "/a/b.ckpt"},
    "/a/layers.pckl:random:2": {"family": "architecture", "file": "/a/layers.pckl", "random_seed": 2},
    "release:/a:word_aliased": {"family": "release", "file": "/a", "name": "word_aliased"},
    "release:/a": {"family": "release", "file": "/a"},
    "/rate=0.1/at@2s/layers.json:random:1": {
        "family": "architecture",
        "file": "/rate=0.1/at@2s/layers.json",
        "random_seed": 1,
    },
}


@pytest.mark.parametrize("text", FORMS)
def test_every_form_is_data_and_comes_back_from_text_and_from_json(text):
    spec = NetworkSpec.parse(text)
    assert spec.to_json() == FORMS[text]
    assert str(spec) == text
    assert NetworkSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_the_document_has_every_form_of_the_notation():
    document = Path(__file__).resolve().parents[2] / "docs" / "networks.md"
    rows = re.findall(r"^\| (`.+?`) \|", document.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row.replace("`", "") for row in rows] == list(NOTATION)


def test_a_folder_is_a_network_by_what_it_holds(tmp_path):
    for folder, file, family in (("exported", "saved_model.pb", "saved_model"), ("trained", "card.json", "trained")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text("{}")
        spec = NetworkSpec.parse(tmp_path / folder)
        assert (spec.family, spec.file, str(spec)) == (family, str(tmp_path / folder), str(tmp_path / folder))
    with pytest.raises(ArgumentError, match=str(tmp_path)):
        NetworkSpec.parse(tmp_path)


def test_what_a_text_leaves_out_is_the_networks_own():
    assert NetworkSpec.parse("vgg_19:random") == NetworkSpec.parse("vgg_19:random:0")
    assert NetworkSpec.parse("deepspeech@.5s").duration == 0.5
    assert NetworkSpec.parse(Path("mine.keras")) == NetworkSpec.parse("mine.keras", labels=None, size=None)


def test_fields_are_given_beside_the_text():
    spec = NetworkSpec.parse("/a/mine.keras", labels=["cat", "dog"], input_range=(0, 255), size=64)
    assert spec == NetworkSpec(
        family="keras", file="/a/mine.keras", labels=("cat", "dog"), input_range=(0.0, 255.0), size=(64, 64)
    )
    assert NetworkSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_numbers_may_be_numpys():
    fields = {"size": np.int64(224), "input_range": np.array([0, 255])}
    spec = NetworkSpec.parse("/a/mine.keras", **fields)
    assert spec == NetworkSpec.parse("/a/mine.keras", size=224, input_range=(0, 255))
    assert NetworkSpec.parse("vggish:random", duration=np.float32(1.5)).duration == 1.5
    assert NetworkSpec.parse("/a/mine.keras", size=np.array([8, 9]), labels=np.array(["a"])).size == (8, 9)
    assert json.loads(json.dumps(spec.to_json())) == spec.to_json()


def test_a_field_called_as_a_default_is_kept():
    spec = NetworkSpec(family="keras", file="/a/stimulus", layers=["stimulus"])
    assert NetworkSpec.from_json(spec.to_json()).layers == ("stimulus",)
    named = NetworkSpec(family="memory", name="stimulus", definition={"sha256": ""})
    assert NetworkSpec.from_json(named.to_json()) == named


def test_paths_are_absolute_in_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert NetworkSpec.parse("layers.json=b.ckpt").to_json() == {
        "family": "architecture",
        "file": str(tmp_path / "layers.json"),
        "checkpoint": str(tmp_path / "b.ckpt"),
    }


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "at_fault"),
        [
            ("", "''"),
            (None, "None"),
            ("vgg19", "'vgg19'.*vgg_19"),
            ("v" * 5000, "vvv"),
            ("v" * 5000 + "=w", "vvv"),
            ("vgg_19=", "after '='"),
            ("vgg_19:random:", "seed ''"),
            ("vgg_19:random:x", "seed 'x'"),
            ("vgg_19@", "'vgg_19@'"),
            ("vgg_19@0", "size is 0"),
            ("vgg_19@1s", "vgg_19.*duration"),
            ("vggish@64", "vggish.*size"),
            ("keras:", "'keras:'"),
            ("release:", "'release:'"),
            ("release:/a:", "'release:/a:'"),
            ("nowhere/mine", "nowhere/mine"),
            ("mine.xyz", r"mine\.xyz"),
        ],
    )
    def test_a_text_that_names_no_network(self, text, at_fault):
        with pytest.raises(ArgumentError, match=at_fault):
            NetworkSpec.parse(text).load()

    def test_a_file_that_is_not_of_a_kind_that_is_known(self, tmp_path):
        (tmp_path / "mine.xyz").write_text("weights")
        with pytest.raises(ArgumentError, match=r"mine\.xyz is not"):
            NetworkSpec.parse(tmp_path / "mine.xyz")

    @pytest.mark.parametrize(
        ("text", "fields", "field"),
        [
            ("vgg_19=/a.ckpt", {"checkpoint": "/b.ckpt"}, "checkpoint"),
            ("vgg_19:random", {"random_seed": 3}, "random seed"),
            ("vgg_19@224", {"size": 224}, "size"),
            ("vgg_19:random", {"checkpoint": "/b.ckpt"}, r"/b\.ckpt"),
        ],
    )
    def test_a_field_that_is_given_twice(self, text, fields, field):
        with pytest.raises(ArgumentError, match=field):
            NetworkSpec.parse(text, **fields)

    @pytest.mark.parametrize(
        ("text", "fields", "at_fault"),
        [
            ("vgg_19", {"labels": ["cat"]}, "vgg_19.*labels"),
            ("small_word_aliased", {"duration": 1.0}, "small_word_aliased.*duration"),
            ("vgg_19", {"optimize": "cochleagram"}, "vgg_19.*cochleagram"),
            ("vgg_19", {"optimize": "both"}, "'both'"),
            ("vgg_19", {"random_seed": -1}, "-1"),
            ("vgg_19", {"size": (1, 2, 3)}, "size"),
            ("deepspeech", {"duration": float("nan")}, "nan"),
            ("mine.keras", {"input_range": ("black", "white")}, "input range"),
            ("mine.keras", {"labels": "cat"}, "labels"),
            ("mine.keras", {"labels": 3}, "labels"),
            ("mine.keras", {"labels": [1, 2]}, "labels"),
            ("mine.keras", {"labels": {"cat": 1}}, "labels"),
            ("mine.keras", {"input_range": (float("nan"), 1)}, "nan"),
            ("mine.keras", {"input_range": (1, 1)}, "input range"),
            ("mine.keras", {"sampling_rate": 0}, "sampling rate is 0"),
            ("mine.keras", {"domain": "piture"}, "'piture'.*image"),
            ("vgg_19", {"checkpoint": 3}, "checkpoint"),
        ],
    )
    def test_a_field_that_is_not_taken_or_cannot_be_used(self, text, fields, at_fault):
        with pytest.raises(ArgumentError, match=at_fault):
            NetworkSpec.parse(text, **fields)

    @pytest.mark.parametrize(
        ("content", "at_fault"),
        [
            ({"family": "slimm", "name": "vgg_19"}, "'slimm'.*slim"),
            ({"family": "slim", "name": "vgg19"}, "'vgg19'.*vgg_19"),
            ({"family": "slim"}, "slim came without a name.*vgg_19"),
            ({"family": "deepspeech"}, "deepspeech came without a name"),
            ({"family": "keras_applications"}, "no name"),
            ({"family": "keras"}, "keras"),
            ({"family": "architecture", "random_seed": 1}, "architecture"),
            ({"family": "release", "name": "word_aliased"}, "release"),
            ({"name": "vgg_19"}, "family"),
            ({"family": "slim", "name": "vgg_19", "sise": [224, 224]}, "'sise'.*size"),
            (["slim", "vgg_19"], "slim"),
        ],
    )
    def test_json_with_a_part_that_is_missing_or_unknown(self, content, at_fault):
        with pytest.raises(ArgumentError, match=at_fault):
            NetworkSpec.from_json(content)


class TestIdentity:
    """What determines a network, and the name of its folder."""

    @pytest.fixture
    def files(self, tmp_path):
        """The same files in two folders, and another checkpoint in a third."""
        for folder, weights in (("here", b"weights"), ("there", b"weights"), ("other", b"others")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "layers.json").write_text('{"name": "mine"}')
            (tmp_path / folder / "a.ckpt.index").write_bytes(weights + TABLE_END)
            (tmp_path / folder / "a.ckpt.data-00000-of-00001").write_bytes(weights)
        return tmp_path

    @pytest.mark.parametrize("text", ["vgg_19={0}/a.ckpt", "{0}/layers.json={0}/a.ckpt"])
    def test_is_the_same_wherever_files_lie_and_another_for_other_bytes(self, files, text):
        here, there, other = (NetworkSpec.parse(text.format(files / name)) for name in ("here", "there", "other"))
        assert here != there
        assert (here.identity, here.digest, here.folder_name) == (there.identity, there.digest, there.folder_name)
        assert here.digest != other.digest
        assert here.folder_name != other.folder_name
        assert str(files) not in json.dumps(here.identity)

    def test_labels_do_not_determine_metamers(self, files):
        layers = NetworkSpec.parse(files / "here" / "layers.json", random_seed=1)
        assert layers.replace(labels=["a", "b"]).identity == layers.identity
        assert layers.replace(random_seed=2).identity != layers.identity

    @pytest.mark.parametrize(
        ("text", "fields", "name"),
        [
            ("vgg_19:random:3", {}, "vgg_19~random-3"),
            ("small_word_aliased", {}, "small_word_aliased"),
            ("small_word_aliased", {"optimize": "cochleagram"}, "small_word_aliased~cochleagram"),
            ("inception_v3@224:random", {}, "inception_v3@224~random-0"),
            ("inception_v3@128x256:random", {}, "inception_v3@128x256~random-0"),
            ("deepspeech@1.5s:random", {}, "deepspeech@1.5s~random-0"),
            ("{}/mine.keras", {"input_range": (0, 255)}, "mine~9372c470~range-0-255"),
            ("{}/mine.keras", {"input_range": (0, 1)}, "mine~9372c470~range-0-1"),
            ("vgg_19={}/layers.ckpt", {}, "vgg_19~0dcb451a"),
            ("{}/layers.json:random:3", {}, "mine~b377afc0~random-3"),
        ],
    )
    def test_a_folder_says_what_is_not_the_networks_own(self, tmp_path, text, fields, name):
        """Of files, it tells the first digits of what ``sha256sum`` prints."""
        (tmp_path / "mine.keras").write_bytes(b"model")
        (tmp_path / "layers.json").write_text('{"name": "mine"}')
        (tmp_path / "layers.ckpt").write_bytes(b"weights" + TABLE_END)
        assert NetworkSpec.parse(text.format(tmp_path), **fields).folder_name == name

    def test_weights_of_a_definition_that_differ_have_different_folders(self, tmp_path):
        specs = []
        for name in ("a.ckpt", "b.ckpt"):
            (tmp_path / name).write_bytes(name.encode() + TABLE_END)
            specs.append(NetworkSpec(family="architecture", definition={"name": "mine"}, checkpoint=tmp_path / name))
        assert specs[0].folder_name != specs[1].folder_name

    def test_specs_can_be_hashed(self):
        first, second = (NetworkSpec(family="memory", definition={"name": name}) for name in "ab")
        assert len({first, second, first.replace()}) == 2

    def test_what_is_optimised_is_described_as_it_is_loaded(self):
        spec = NetworkSpec.parse("small_word_aliased", optimize="cochleagram")
        assert spec.describe().stimulus_shape == spec.load().stimulus_shape

    def test_durations_that_differ_have_different_folders(self):
        first, second = (NetworkSpec.parse("vggish:random", duration=each) for each in (9.0000625, 9.000125))
        assert first.folder_name != second.folder_name

    def test_a_file_that_is_missing_is_named(self, tmp_path):
        for text in (f"{tmp_path}/mine.keras", f"vgg_19={tmp_path}/mine.ckpt"):
            with pytest.raises(CheckpointError, match=r"mine\.(keras|ckpt)"):
                NetworkSpec.parse(text).digest  # noqa: B018

    def test_weights_that_were_not_fetched_are_fetched_by_a_command_that_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))
        for name in ("vgg_19", "word_aliased"):
            with pytest.raises(CheckpointError, match=f"checkpoints fetch {name}"):
                NetworkSpec.parse(name).digest  # noqa: B018


class TestLocate:
    @pytest.fixture
    def spec(self, tmp_path):
        (tmp_path / "before").mkdir()
        (tmp_path / "before" / "mine.keras").write_bytes(b"model")
        return NetworkSpec.parse(tmp_path / "before" / "mine.keras")

    def test_files_that_are_where_they_were(self, spec):
        assert locate(spec, spec.digest) == spec

    def test_files_that_moved_are_found_in_a_folder_that_is_given(self, spec, tmp_path):
        digest = spec.digest
        (tmp_path / "before").rename(tmp_path / "now")
        found = locate(spec.replace(), digest, [tmp_path / "nowhere", tmp_path / "now"])
        assert found.file == str(tmp_path / "now" / "mine.keras")
        with pytest.raises(CheckpointError, match=r"mine\.keras is gone.*--look-in"):
            locate(spec.replace(), digest, [tmp_path / "nowhere"])

    def test_files_that_changed_are_passed_over_for_those_of_that_time(self, spec, tmp_path):
        digest = spec.digest
        shutil.copytree(tmp_path / "before", tmp_path / "kept")
        (tmp_path / "before" / "mine.keras").write_bytes(b"another model")
        with pytest.raises(CheckpointError, match=r"mine\.keras.*--look-in"):
            locate(spec.replace(), digest)
        assert locate(spec.replace(), digest, [tmp_path / "kept"]).file == str(tmp_path / "kept" / "mine.keras")

    def test_a_checkpoint_in_the_folder_of_a_trained_network_is_three_levels_down(self, tmp_path):
        checkpoint = tmp_path / "before" / "small" / "checkpoints" / "5.ckpt"
        checkpoint.parent.mkdir(parents=True)
        Path(f"{checkpoint}.index").write_bytes(TABLE_END)
        Path(f"{checkpoint}.data-00000-of-00001").write_bytes(b"weights")
        spec = NetworkSpec.parse("vgg_19", checkpoint=checkpoint)
        digest = spec.digest
        (tmp_path / "before").rename(tmp_path / "now")
        found = locate(spec.replace(), digest, [tmp_path / "now"])
        assert found.checkpoint == str(tmp_path / "now" / "small" / "checkpoints" / "5.ckpt")

    def test_random_weights_are_everywhere(self):
        spec = NetworkSpec.parse("vgg_19:random:3")
        assert locate(spec, spec.digest) == spec

    def test_a_networks_own_weights_are_looked_for_by_the_name_of_their_file(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path / "cache"))
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "vggish_model.ckpt").write_bytes(b"weights" + TABLE_END)
        spec = NetworkSpec.parse("vggish")
        digest = spec.digest
        (tmp_path / "cache").rename(tmp_path / "now")
        found = locate(spec.replace(), digest, [tmp_path / "now"])
        assert found.checkpoint == str(tmp_path / "now" / "vggish_model.ckpt")
        with pytest.raises(CheckpointError, match="vggish was not fetched"):
            locate(spec.replace(), digest)


TABLE_END = bytes.fromhex("57fb808b247547db")


def test_nothing_heavy_is_imported_to_tell_networks_apart(tmp_path):
    (tmp_path / "mine.keras").write_bytes(b"model")
    (tmp_path / "layers.json").write_text('{"name": "mine"}')
    code = f"""
import sys
from tfmetamers.networks.spec import NetworkSpec
for text in ("small_word_aliased", "vgg_19:random", "{tmp_path}/mine.keras", "{tmp_path}/layers.json:random:3"):
    spec = NetworkSpec.parse(text)
    str(spec), spec.identity, spec.folder_name, spec.network_family.outline(spec)
print([name for name in ("tensorflow", "keras", "scipy", "matplotlib", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
