"""The entry point of the command line: commands loaded on demand, errors as one sentence."""

import importlib
import logging
import os
import signal
import sys

import click

from tfmetamers.cli.shown_warnings import shown_warnings
from tfmetamers.errors import ArgumentError, TfmetamersError, shown
from tfmetamers.utilities.interrupts import noticed_sigint
from tfmetamers.version import __version__

#: The commands by section of the help, each with its line there. A command's module has the same name.
SECTIONS = {
    "Make": {
        "synth": "Make metamers of pictures and sounds at layers of a network.",
        "cochleagram": "Draw the cochleagram of a sound.",
    },
    "Judge": {
        "null": "Build, merge and show null distributions.",
        "evaluate": "Judge which metamers pass the inclusion test.",
        "recognize": "Test which networks recognise metamers.",
        "index": "Gather finished metamers into a CSV.",
    },
    "Studies": {
        "experiment": "Grids of networks, layers and stimuli, in a file.",
        "reproduce": "Figures, tables and sections of the papers.",
        "test-model": "How recognisable a model's metamers are, layer by layer.",
        "people": "Experiments with people: a web page, a server, their analysis.",
    },
    "Networks and files": {
        "networks": "List networks and their layers.",
        "checkpoints": "List, fetch and verify published checkpoints.",
        "train": "Train auditory networks on your own recordings.",
        "corpus": "Make manifests of training data.",
    },
}

#: The line of each command in the help.
COMMANDS = {name: line for commands in SECTIONS.values() for name, line in commands.items()}

#: The commands that continue where they were stopped.
RESUMED = {"synth", "null", "evaluate", "experiment", "reproduce", "test-model", "fetch", "train"}


class LazyCommands(click.Group):
    """A group that imports a command's module when the command is run, so that help comes at once."""

    def list_commands(self, context):
        return list(COMMANDS)

    def get_command(self, context, name):
        if name not in COMMANDS:
            return None
        plain = name.replace("-", "_")
        return getattr(importlib.import_module(f"tfmetamers.cli.{plain}"), plain)

    def resolve_command(self, context, arguments):
        name = arguments[0]
        if name not in COMMANDS and not name.startswith("-") and not context.resilient_parsing:
            raise click.NoSuchCommand(name, possibilities=COMMANDS, ctx=context)
        return super().resolve_command(context, arguments)

    def format_commands(self, context, formatter):
        width = max(map(len, COMMANDS))
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), line) for name, line in commands.items()])


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="tfmetamers")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the full traceback of an error.")
def tfmetamers():
    """Model metamers of image and sound networks.

    A metamer is a stimulus, made from noise by gradient descent, that gives the same activations at one
    layer of a network as a natural stimulus.
    """


def main() -> None:
    """Run the command line and exit with the status that `run` returns."""
    arguments = sys.argv[1:]
    try:
        status = run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    except KeyboardInterrupt:  # After the command had ended.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = _stopped(arguments)
    except OSError:  # The reader of the pipe has gone.
        status = 1
    # Python takes a moment to shut TensorFlow down, during which Ctrl-C would end the process without a word.
    os._exit(status)


def run(arguments: list[str]) -> int:
    """Run a command and return its status: 2 for a wrong command line, 1 for a failed run, 130 after Ctrl-C."""
    if "--debug" in arguments:
        logging.basicConfig()
        logging.getLogger("tfmetamers").setLevel(logging.DEBUG)
    with noticed_sigint() as interrupted:
        try:
            with shown_warnings():
                status = tfmetamers.main(arguments, standalone_mode=False)
            return status if isinstance(status, int) else 0
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            return _stopped(arguments)
        except Exception as error:
            if interrupted:  # KeyboardInterrupt can become another error, in an import for example.
                return _stopped(arguments)
            if "--debug" in arguments:
                raise
            return _failed(error)


def _stopped(arguments: list[str]) -> int:
    remedy = " Run the same command again to continue." if RESUMED & set(arguments[:2]) else ""
    click.echo(f"Stopped.{remedy}", err=True)
    return 130


def _failed(error: Exception) -> int:
    if isinstance(error, TfmetamersError):
        click.echo(f"Error: {error}", err=True)
        return 2 if isinstance(error, ArgumentError) else 1
    if isinstance(error, OSError) and error.filename is not None:
        click.echo(f"Error: {shown(error.filename)} cannot be used: {error.strerror}; give another path.", err=True)
        return 1
    click.echo(
        f"Error: {type(error).__name__}: {error}\n"
        "This is unexpected; run 'tfmetamers --debug ...' to see where it happened.",
        err=True,
    )
    return 1
