"""The command line as a whole: light to import, one sentence an error, the right status."""

import json
import signal
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from tfmetamers.cli import main as command_line
from tfmetamers.cli.main import COMMANDS, SECTIONS, tfmetamers
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


def test_help_lists_every_command_in_its_section(capsys):
    status, output, _ = run(capsys, "--help")
    assert status == 0
    for section, commands in SECTIONS.items():
        listed = output.split(f"\n{section}:\n")[1].split("\n\n")[0].splitlines()
        assert [line.split()[0] for line in listed] == list(commands)
        assert len({len(line) - len(line.split(maxsplit=1)[1]) for line in listed}) == 1, "lines are aligned"


def test_the_package_can_be_run_as_a_module():
    command = [sys.executable, "-m", "tfmetamers"]
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True)
    assert (shown.returncode, "version" in shown.stdout) == (0, True)
    refused = subprocess.run([*command, "synt"], capture_output=True, text=True)
    assert refused.returncode == 2 and "python -m tfmetamers" in refused.stderr


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


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["synht"], "synth"),
        (["recognise"], "recognize"),
        (["networks", "shwo", "vgg_19"], "show"),
        (["synth", "--stpes", "3"], "--steps"),
    ],
)
def test_a_misspelt_command_or_option_is_answered_with_what_may_be_meant(capsys, arguments, meant):
    status, _, errors = run(capsys, *arguments)
    assert status == 2
    assert f"{meant!r}" in errors.splitlines()[-1]


def completed(*arguments):
    """Return what a shell would complete the last of some arguments to."""
    *before, incomplete = arguments
    complete = ShellComplete(command_line.tfmetamers, {}, "tfmetamers", "_TFMETAMERS_COMPLETE")
    return [item.value for item in complete.get_completions(list(before), incomplete)]


class TestCompletion:
    def test_of_commands_and_options(self):
        assert completed("rec") == ["recognize"]
        assert completed("networks", "") == ["show"]
        assert "--steps" in completed("synth", "--st")

    @pytest.mark.parametrize(
        "before",
        [["synth", "--network"], ["null", "build", "--network"], ["recognize", "out", "--by"], ["networks", "show"]],
    )
    def test_of_networks(self, before):
        assert completed(*before, "vgg") == ["vgg_19", "vggish", "vggish_2020"]

    def test_of_layers_of_the_network_that_was_named(self):
        layers = completed("synth", "--network", "vgg_19:random:3", "--layer", "conv")
        assert layers[0] == "conv1_2" and layers[-1] == "conv5_4"
        assert completed("null", "build", "--network", "vggish@3s", "--layer", "al") == ["all"]
        assert completed("synth", "--network", "small_word_aliased", "--layer", "fc") == ["fc_intermediate"]

    def test_of_layers_of_what_is_no_network_yet_there_are_none(self):
        for named in ([], ["--network", "nothing"], ["--network", "nowhere.keras"]):
            assert completed("synth", *named, "--layer", "") == []

    def test_where_no_network_begins_so_the_shell_completes_files(self):
        complete = ShellComplete(command_line.tfmetamers, {}, "tfmetamers", "_TFMETAMERS_COMPLETE")
        (item,) = complete.get_completions(["synth", "--network"], "models/mi")
        assert (item.type, item.value) == ("file", "models/mi")

    def test_of_checkpoints(self):
        assert completed("checkpoints", "fetch", "vgg_") == ["vgg_19"]

    def test_is_quick_to_import(self):
        code = (
            "import os, sys; "
            "os.environ.update(_TFMETAMERS_COMPLETE='bash_complete', COMP_CWORD='4', "
            "COMP_WORDS='tfmetamers synth --network vgg_19 --layer'); "
            "sys.argv = ['tfmetamers']; import atexit; "
            f"atexit.register(lambda: print([name for name in {HEAVY!r} if name in sys.modules])); "
            "from tfmetamers.cli.main import main; main()"
        )
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert shown.stdout.splitlines()[-1] == "[]", shown.stderr


def test_an_error_that_was_not_foreseen_says_how_to_see_more(capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError("surprise")

    monkeypatch.setattr(tables, "gather", fail)
    status, _, errors = run(capsys, "index", "somewhere")
    assert status == 1
    assert "RuntimeError: surprise" in errors and "--debug" in errors
    with pytest.raises(RuntimeError, match="surprise"):
        command_line.run(["--debug", "index", "somewhere"])


def test_remarks_beside_tables_can_be_left_out():
    """But for the state of an experiment, which is an object and has none."""

    def commands(command):
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                yield from commands(command.get_command(context, name))
        yield command

    options = {each: {parameter.name for parameter in each.params} for each in commands(tfmetamers)}
    with_tables = [each for each, names in options.items() if "json" in names]
    assert len(with_tables) > 10
    assert [each.name for each in with_tables if "quiet" not in options[each]] == []


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


def test_tables_of_networks_are_json_too(capsys):
    networks = json.loads(run(capsys, "networks", "--json")[1])
    vgg = next(row for row in networks if row["network"] == "vgg_19")
    assert vgg["classes"] == 1000 and "conv5_4" in vgg["layers"]
    status, output, errors = run(capsys, "networks", "show", "vgg_19", "--json")
    layers = {row["layer"]: row for row in json.loads(output)}
    assert status == 0 and "224 x 224 x 3" in errors
    assert layers["conv5_4"]["shape"] == [14, 14, 512] and layers["conv5_4"]["units"] == 100352


def test_the_models_of_a_paper_are_listed(capsys):
    models = {row["name"]: row for row in json.loads(run(capsys, "networks", "--paper", "2023", "--json")[1])}
    assert len(models) == 48 and models["resnet50_l2_3_robust"]["keras"] == "ResNet50"
    status, output, _ = run(capsys, "networks", "--paper", "2023")
    assert status == 0 and all(name in output for name in models) and "torchvision" in output
    assert run(capsys, "networks", "--paper", "2019")[0] == 2
    assert run(capsys, "networks", "--paper", "2023", "show", "vgg_19")[0] == 2


def test_tensors_that_were_asked_for_are_shown_with_quiet_too(capsys):
    assert command_line.run(["networks", "show", "small_word_aliased", "--tensors", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("layer") and any(line.startswith("  brain_network/") for line in lines)
    assert not any("further" in line.lower() or "stimulus" in line for line in lines)


def test_a_misspelt_network_lists_near_names(capsys):
    status, _, errors = run(capsys, "networks", "show", "vgg19")
    assert status == 2
    assert "'vgg19'" in errors and "vgg_19, vggish" in errors and errors.count("\n") == 1


def test_the_layers_of_a_keras_model_are_shown(capsys, small_model, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    status, output, _ = run(capsys, "networks", "show", tmp_path / "mine.keras")
    assert status == 0
    assert "block" in output and "straight-through (2 ReLUs, 1 of them clipped at 6)" in output


class TestCtrlC:
    #: A command that has done its work, after which Python would take long to end.
    LATE = """
import atexit, sys, time
from tfmetamers.cli import main as command_line

def end():
    print("late", flush=True)
    time.sleep(60)

atexit.register(end)
command_line.tfmetamers.main = lambda *_, **__: print("done", flush=True) or 0
command_line.main()
"""

    def test_in_the_last_moments_it_is_a_sentence_too(self):
        for _ in range(8):
            process = subprocess.Popen(
                [sys.executable, "-c", self.LATE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            assert process.stdout.readline() == "done\n"
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=50)
            # It may have ended before the signal came.
            assert (process.returncode, errors) in ((130, "Stopped.\n"), (0, "")), errors
            assert output == ""

    def test_what_becomes_another_error_on_its_way_is_one_still(self, capsys, monkeypatch):
        """As in an import of a library that takes any error for a part that is not installed."""

        def imported(*_, **__):
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt as error:
                raise ImportError("half imported") from error

        monkeypatch.setattr(command_line.tfmetamers, "main", imported)
        assert run(capsys, "synth") == (130, "", "Stopped. Run the same command again to continue.\n")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_while_the_command_line_is_imported(self):
        code = """
import sys, tfmetamers.cli

class Interrupted:
    def find_spec(self, name, *_):
        if name == "tfmetamers.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
tfmetamers.cli.start()
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (130, "Stopped.\n")


class TestNames:
    """What no file can be called is one sentence, wherever it comes from."""

    @pytest.fixture
    def manifest(self, tmp_path):
        from PIL import Image

        Image.new("RGB", (40, 40), "red").save(tmp_path / "a.png")

        def write(id_, file="a.png"):
            (tmp_path / "manifest.csv").write_text(f"id,file\n{id_},{file}\n", encoding="utf-8")
            return tmp_path / "manifest.csv"

        return write

    def synth(self, capsys, *arguments):
        status, output, errors = run(
            capsys, "synth", "--layer", "conv1_2", "--dry-run", "--output", "nowhere", *arguments
        )
        assert (status in (1, 2), errors.count("Error"), "Traceback" in errors) == (True, 1, False), output + errors
        assert "unexpected" not in errors
        return errors

    @pytest.mark.parametrize(
        "id_",
        ["..", ".", "a/../b", "x" * 256, "é" * 128, "/".join("ab" * 300), "a\0b"],
    )
    def test_ids(self, capsys, manifest, id_):
        assert "id" in self.synth(capsys, "--network", "vgg_19:random", manifest(id_))

    @pytest.mark.parametrize("id_", [".q.tfmetamers.partial", "a/.0.tfmetamers.lock", "metamer.json"])
    def test_ids_of_files_of_our_own(self, capsys, manifest, id_):
        assert id_ in self.synth(capsys, "--network", "vgg_19:random", manifest(id_))

    def test_files_of_a_manifest(self, capsys, manifest):
        for file in ("a\0b", "x" * 5000):
            self.synth(capsys, "--network", "vgg_19:random", manifest("a", file))

    @pytest.mark.parametrize("digits", [30, 300, 5000])
    def test_seeds(self, capsys, manifest, digits):
        self.synth(capsys, "--network", "vgg_19:random", "--seed", "9" * digits, manifest("a"))
        self.synth(capsys, "--network", f"vgg_19:random:{'9' * digits}", manifest("a"))

    @pytest.mark.parametrize("text", ["x" * 5000, "x" * 300 + ".keras", "vgg_19@" + "9" * 5000, "vgg_19=" + "x" * 5000])
    def test_networks(self, capsys, manifest, text):
        self.synth(capsys, "--network", text, manifest("a"))

    @pytest.mark.parametrize("command", [["synth", "--network", "vgg_19:random", "--layer", "conv1_2"], ["index"]])
    def test_inputs(self, capsys, command):
        status, _, errors = run(capsys, *command, "x" * 5000)
        assert (status, errors.count("\n"), "unexpected" in errors) == (1, 1, False), errors


def test_debugging_shows_the_tracebacks_of_what_spared_others(tmp_path):
    from tests.metamers.examples import RUN, a_metamer
    from tfmetamers.metamers import write_metamer

    write_metamer(tmp_path / "a", a_metamer(), RUN)
    code = """
import sys
from tfmetamers.metamers import tables
tables.read_run = lambda folder: 1 / 0
from tfmetamers.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
    for debug, shown in (([], False), (["--debug"], True)):
        command = [sys.executable, "-c", code, *debug, "index", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, "ZeroDivisionError" in done.stderr, "Traceback" in done.stderr) == (1, True, shown)
