"""What is kept of a network with everything that it made. The names of networks in tables are in test_decisions.py."""

import pytest

from tests.metamers.examples import a_network_record
from tfmetamers.errors import CheckpointError
from tfmetamers.networks import NetworkSpec, from_keras
from tfmetamers.networks.record import distinct_names
from tfmetamers.stimuli.domains import Cochleagrams, Sounds


def test_a_name_says_that_the_cochleagram_was_optimised():
    sounds = Sounds(8000, 8000)
    plain = a_network_record("small_word_aliased", sounds)
    spec = NetworkSpec.parse("small_word_aliased", optimize="cochleagram")
    other = a_network_record("small_word_aliased", Cochleagrams(sounds, None, {}, (10, 20, 1)), spec=spec)
    assert distinct_names([plain, other]) == ["small_word_aliased", "small_word_aliased from the cochleagram"]


def test_layers_are_ordered_from_the_input_to_the_output():
    ordered = a_network_record().ordered(["tensor:b:0", "conv2_2", "tensor:a:0", "conv1_2"])
    assert ordered == ["conv1_2", "conv2_2", "tensor:a:0", "tensor:b:0"]


def test_a_model_in_another_file_is_found_to_be_another(small_model, smooth_model, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    record = NetworkSpec.parse(tmp_path / "mine.keras").load().describe()
    record.check()
    assert record.load().describe().identity == record.identity
    smooth_model.save(tmp_path / "mine.keras")
    changed = a_network_record(str(tmp_path / "mine.keras"), name="mine", spec_digest=record.spec_digest)
    for use in (changed.check, changed.load):
        with pytest.raises(CheckpointError, match=r"mine\.keras.*--look-in"):
            use()


def test_a_network_that_is_loaded_already_is_taken(small_model, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    network = NetworkSpec.parse(tmp_path / "mine.keras").load()
    (tmp_path / "mine.keras").unlink()
    assert network.describe().load(networks=[from_keras(small_model), network]) is network
