"""The command line as a whole: light to import, one sentence an error, the right status."""

import subprocess
import sys

import pytest

from tfmetamers.cli import main as command_line
from tfmetamers.cli.main import COMMANDS
from tfmetamers.metamers import tables

HEAVY = ("tensorflow", "scipy", "tf_slim", "keras", "matplotlib")


@pytest.mark.parametrize(
    "statement",
    [
        "import tfmetamers",
        "import tfmetamers.networks, tfmetamers.stimuli, tfmetamers.checkpoints",
        "import tfmetamers.inclusion, tfmetamers.recognition, tfmetamers.metamers, tfmetamers.synthesis",
        "from tfmetamers.cli.main import run; run(['--help'])",
        "from tfmetamers.cli.main import run; run(['synth', '--help'])",
        "from tfmetamers.cli.main import run; run(['cochleagram', '--help'])",
        "from tfmetamers.cli.main import run; run(['checkpoints', 'list'])",
        "import tfmetamers; tfmetamers.find_recipe('feather2019-image')",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement):
    code = f"""
import sys
try:
    {statement.replace("; ", chr(10) + "    ")}
except SystemExit as stop:
    assert stop.code == 0
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_public_names_are_there():
    import tfmetamers

    for name in tfmetamers.__all__:
        assert getattr(tfmetamers, name) is not None


def run(capsys, *arguments):
    """Run the command line and return its status, output and errors."""
    return command_line.run(list(map(str, arguments))), *capsys.readouterr()


def test_help_lists_every_command(capsys):
    status, output, _ = run(capsys, "--help")
    assert status == 0
    assert all(command in output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    status, output, _ = run(capsys, command, "--help")
    assert status == 0
    assert "Usage:" in output


@pytest.mark.parametrize(
    "arguments",
    [["synt"], ["--nonsense"], ["synth"], ["networks", "show"], ["synth", "--seed", "x", "--layer", "a", "b"]],
)
def test_a_wrong_command_line_has_status_2(capsys, arguments):
    status, _, errors = run(capsys, *arguments)
    assert status == 2
    assert "Traceback" not in errors


def test_an_error_that_was_not_foreseen_says_how_to_see_more(capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError("surprise")

    monkeypatch.setattr(tables, "write_index", fail)
    status, _, errors = run(capsys, "index", "somewhere")
    assert status == 1
    assert "RuntimeError: surprise" in errors and "--debug" in errors
    with pytest.raises(RuntimeError, match="surprise"):
        command_line.run(["--debug", "index", "somewhere"])


def test_an_index_of_nothing_is_one_sentence(capsys, tmp_path):
    status, _, errors = run(capsys, "index", tmp_path)
    assert status == 1
    assert errors.startswith("Error: ") and str(tmp_path) in errors and errors.count("\n") == 1


def test_networks_are_listed_and_shown(capsys):
    status, output, _ = run(capsys, "networks")
    assert status == 0
    assert all(name in output for name in ("vgg_19", "inception_v3", "resnet_v2_101"))
    status, output, _ = run(capsys, "networks", "show", "vgg_19", "--tensors")
    assert status == 0
    for piece in (
        "conv5_4",
        "14 x 14 x 512",
        "100,352",
        "straight-through (1 ReLU)",
        "ordinary",
        "vgg_19/pool1/MaxPool:0",
    ):
        assert piece in output


def test_a_misspelt_network_lists_near_names(capsys):
    status, _, errors = run(capsys, "networks", "show", "vgg19")
    assert status == 2
    assert "'vgg19'" in errors and "vgg_19, vggish" in errors and errors.count("\n") == 1


def test_the_layers_of_a_keras_model_are_shown(capsys, small_model, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    status, output, _ = run(capsys, "networks", "show", tmp_path / "mine.keras")
    assert status == 0
    assert "block" in output and "straight-through (2 ReLUs, 1 of them clipped at 6)" in output
