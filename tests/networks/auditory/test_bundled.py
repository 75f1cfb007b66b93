"""The networks that come with the package: they load by their names, know words, and have a null distribution each."""

import json

import pytest

import tfmetamers as tm
from tests.scripts import load_script
from tfmetamers.inclusion.bundled import bundled_nulls
from tfmetamers.networks.auditory.trained_folder import NULL_FILE, bundled_networks, read_trained
from tfmetamers.stimuli import sample_word

MAX_BYTES = 3_000_000


@pytest.fixture(scope="module")
def script():
    return load_script("bundled_networks")


def test_all_come_with_the_package_and_no_other(script):
    assert set(bundled_networks()) == set(script.NETWORKS) <= set(tm.networks.network_names())
    assert {file.parent.name for file in bundled_nulls()} == set(bundled_networks())


@pytest.mark.parametrize("name", bundled_networks())
def test_each_loads_by_its_name_and_is_small(name):
    folder = bundled_networks()[name]
    assert sum(file.stat().st_size for file in folder.iterdir()) < MAX_BYTES
    assert (folder / "README.md").read_text(encoding="utf-8").startswith(f"# {read_trained(folder).architecture.name}")
    network = tm.load_network(name)
    word = network.domain.load(sample_word())
    assert network.logits(word[None]).shape == (1, len(network.labels))
    assert network.provenance.source == "checkpoint"


@pytest.mark.parametrize("name", ["small_word_aliased", "small_word_reduced_aliasing"])
def test_those_of_the_demonstration_hear_its_word(name):
    network = tm.load_network(name)
    [prediction] = network.predict(network.domain.load(sample_word())[None])
    assert prediction.label == "human"


def test_the_two_architectures_are_matched_in_words_in_quiet():
    cards = [read_trained(bundled_networks()[f"small_word_{kind}"]).card for kind in ("aliased", "reduced_aliasing")]
    aliased, reduced = (card["test"]["word_accuracy_in_quiet"] for card in cards)
    assert min(aliased, reduced) >= 0.9
    assert abs(aliased - reduced) <= 0.02


@pytest.mark.parametrize("file", bundled_nulls(), ids=lambda file: file.parent.name)
def test_each_null_distribution_is_of_its_network_alone(file):
    null = bundled_nulls()[file]
    assert null.pairs_count >= 10_000
    described = tm.load_network(file.parent.name).describe().to_json()
    for layer in null.layers:
        null.check_applies(described, layer, "exact")
        assert null.undefined(layer) == 0
    for other, another in bundled_nulls().items():
        assert other == file or another.differences(described, layer, "exact")
    assert "/" not in json.dumps({**null.metadata(), "network": {**null.network, "note": ""}})


def test_the_command_that_builds_one_takes_the_words_of_the_test_split(script, tmp_path):
    (tmp_path / "corpus").mkdir()
    rows = "file,start,word,speaker,split\nwords/a.wav,0.0,yes,x,test\nwords/b.wav,0.0,no,y,train\n"
    (tmp_path / "corpus" / "words.csv").write_text(rows)
    command = script.null_command("small_word_aliased", "words", tmp_path / "corpus", tmp_path / "work")
    assert command[:2] == ["null", "build"] and command[-1].endswith(f"small_word_aliased/{NULL_FILE}")
    manifest = tmp_path / "work" / "test_words.csv"
    assert str(manifest) in command
    assert manifest.read_text().splitlines() == ["id,file,label", f"a,{tmp_path}/corpus/words/a.wav,yes"]
