"""``tfmetamers reproduce``: figures, tables and sections of the papers."""

import importlib.util
import shlex
import textwrap
from pathlib import Path

import click

from tfmetamers.cli.experiment import engine_options, run_experiment
from tfmetamers.cli.network_options import quiet_tensorflow
from tfmetamers.cli.output import Column, json_option, say, show_table
from tfmetamers.errors import ArgumentError
from tfmetamers.utilities.determinism import usable_processors


@click.command()
@click.argument("name", required=False)
@click.option("--quick", "setting", flag_value="quick", help="A small run of what comes with the package.")
@click.option("--full", "setting", flag_value="full", help="The paper's networks, stimuli and steps.")
@click.option("--networks", multiple=True, metavar="NETWORK", help="Networks in place of the experiment's.")
@click.option("--pictures", multiple=True, type=click.Path(exists=True), help="Folder or manifest of pictures.")
@click.option("--sounds", multiple=True, type=click.Path(exists=True), help="Folder or manifest of sounds.")
@click.option(
    "--people",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that 'people analyse' wrote, to add its participants to Figures 3b, 3d and 4.",
)
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), default=Path("reproduction"), show_default=True
)
@click.option("--write-only", is_flag=True, help="Write the experiments' files and make nothing.")
@engine_options
@json_option
def reproduce(name, setting, networks, pictures, sounds, people, output, write_only, **engine):
    """Reproduce a figure, a table or a section of a paper, with a page that compares both.

    Without NAME, list all. Figures share metamers, which are made once, below the folder of --output; what was stopped
    is continued by the same command.
    """
    quiet_tensorflow()
    if name is None:
        return _list()
    from tfmetamers.reproduce.catalogue import find_reproduction
    from tfmetamers.reproduce.paper_2019.people import read_participants

    found = find_reproduction(name)
    if setting is None and found.quick == found.full:
        setting = "full"
    if setting is None:
        raise ArgumentError(f"{found.full_name} comes in two settings; give --quick or --full.")
    if people is not None and not found.takes_people:
        raise ArgumentError(f"{found.full_name} shows nothing of people; leave --people out.")
    if found.setting(setting).commands:
        say("Run these, one after another:\n")
        click.echo("\n".join(found.setting(setting).commands))
        return 0
    folder = output / found.paper / setting
    participants = None if people is None else read_participants(people)
    given = [] if people is None else [people]
    options = {"--networks": networks, "--pictures": pictures, "--sounds": sounds, "--people": given}
    files = _experiments(found, setting, folder, options, is_run=not write_only)
    if write_only:
        for file in files.values():
            say(f"Wrote {file}; edit it, or see how long it takes: tfmetamers experiment plan {file}")
        return 0
    from tfmetamers.reproduce.page import claim_folder

    claim_folder(folder / found.name, found, setting)
    status = 0
    for file in files.values():
        say(f"\nExperiment {file}")
        status = max(status, run_experiment(file, **chosen_engine(setting, engine)))
    _show(found, setting, folder, files, options, participants)
    return status


def chosen_engine(setting: str, engine: dict) -> dict:
    """Return who does the work: where nothing was chosen, small networks have a worker of one thread for each core.

    Two such workers do more than twice the work of one process with two threads (``benchmarks/experiment.py``).
    """
    if setting != "quick" or any(value is not None for value in engine.values()):
        return engine
    has_dask = importlib.util.find_spec("distributed") is not None
    return {**engine, "threads": 1, "workers": usable_processors() if has_dask else None}


def _list() -> None:
    from tfmetamers.reproduce.catalogue import reproductions

    rows = [
        {
            "name": each.full_name,
            "section": each.section,
            "shows": each.title,
            "quick": each.quick.describe(),
            "full": each.full.describe(),
        }
        for each in reproductions()
    ]
    columns = {"name": "name", "section": "section", "shows": "what it shows", "quick": "--quick", "full": "--full"}
    show_table(rows, {key: Column(title) for key, title in columns.items()}, maxcolwidths=[None, None, 44, 24, 36])
    say("\ntfmetamers reproduce NAME --quick, or --full")


def _experiments(found, setting: str, folder: Path, options, *, is_run: bool) -> dict[str, Path]:
    """Write the experiments that a figure needs, and return their files by their names."""
    from tfmetamers.reproduce.experiments import adapted, experiment_text, require_paths, write_experiment

    if found.setting(setting).unavailable:
        raise ArgumentError(f"{found.full_name} has no --{setting}: {found.setting(setting).unavailable}")
    kinds = {"pictures": "--pictures", "sounds": "--sounds"}
    mine = kinds.get(found.stimuli)
    for option in kinds.values():
        if options[option] and option != mine:
            raise ArgumentError(f"{found.full_name} takes no {option}; leave it out.")
    networks, stimuli = options["--networks"], options.get(mine, ())
    files = {}
    for name in found.experiments:
        text = adapted(experiment_text(found.paper, name, setting), networks, stimuli)
        files[name] = folder / f"{name}.toml"
        write_experiment(files[name], text, bool(networks or stimuli))
        if is_run:
            require_paths(files[name], mine)
    return files


def _show(found, setting: str, folder: Path, files, options, participants) -> None:
    from tfmetamers.experiments.experiment import Experiment
    from tfmetamers.reproduce.catalogue import published_experiments
    from tfmetamers.reproduce.page import write_page
    from tfmetamers.reproduce.results import Results

    results = {name: Results(Experiment.recall(file)) for name, file in files.items()}
    words = [word for option, values in options.items() for value in values for word in (option, value)]
    command = shlex.join(["tfmetamers", "reproduce", found.full_name, f"--{setting}", *map(str, words)])
    page = write_page(
        found, setting, results, published_experiments(found.paper), folder / found.name, command, participants
    )
    say(f"\n{found.title}: {page.verdict}")
    for finding in page.findings:
        say(f"  {finding.verdict}: {finding.sentence}")
    if page.comparison is not None:
        _show_comparison(page.comparison, found.digits)
    say(f"Open {page.file}.")


def _show_comparison(comparison, digits: int) -> None:
    """Show published numbers beside ours; names that are too long are shortened."""
    import pandas

    def text(value) -> str:
        if value is None or pandas.isna(value):
            return "-"
        if isinstance(value, float):
            return f"{value:.{digits}g}"
        return textwrap.shorten(str(value), 60, placeholder=" ...")

    rows = comparison.to_dict("records")
    say("")
    show_table(rows, {column: Column(column.replace("_", " "), text) for column in comparison.columns})
