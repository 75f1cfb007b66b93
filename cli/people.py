"""``tfmetamers people``: experiments with people, from metamers to a web page to a figure."""

import contextlib
import tempfile
import threading
import webbrowser
from pathlib import Path

import click

from tfmetamers.cli.network_options import quiet_tensorflow
from tfmetamers.cli.output import Column, json_option, progress_over, quiet_option, say, show_table, warn
from tfmetamers.cli.shared_options import look_in_option, truth_option
from tfmetamers.errors import ArgumentError
from tfmetamers.people.protocol import PROTOCOLS, TASKS
from tfmetamers.people.trials import FLAGS
from tfmetamers.utilities.words import counted

_OUT = click.argument("out", type=click.Path(path_type=Path))
_COUNT, _POSITIVE = click.IntRange(min=0), click.IntRange(min=1)

#: What an experiment can be exported to, and what is written.
EXPORTS = ("offline", "jatos", "datapipe", "csv")


@click.group()
def people():
    """Experiments with people: build a web page, serve it, and analyse the answers."""


@people.command()
@click.argument("file", type=click.Path(path_type=Path))
@quiet_option
def texts(file):
    """Write what participants read (consent, debrief) to FILE, to be edited."""
    from tfmetamers.people.texts import write_template

    write_template(file)
    say(f"Wrote {file}; fill in what is in [brackets], and give it to 'tfmetamers people build --texts {file}'.")


@people.command()
@click.argument("metamers", type=click.Path(path_type=Path))
@click.option("--task", type=click.Choice(list(TASKS)), required=True, help="What participants judge.")
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default=PROTOCOLS[0],
    show_default=True,
    help="Whose experiment: the 2019 paper's, or the 2023 paper's pages.",
)
@click.option("--texts", "texts_file", type=click.Path(path_type=Path), help="What participants read, from 'texts'.")
@click.option("--seed", type=_COUNT, default=0, show_default=True, help="Seed of lists, masks and practice.")
@click.option("--lists", type=_POSITIVE, default=16, show_default=True, help="Lists, which participants get in turn.")
@click.option("--trials", type=_POSITIVE, help="Trials of each network and layer. [default: the protocol's]")
@click.option("--natural-trials", type=_COUNT, help="Trials of natural stimuli. [default: as many as of a layer]")
@click.option("--practice", type=_COUNT, help="Trials with feedback. [default: the protocol's]")
@click.option("--demo", type=_COUNT, help="Trials that must be passed. [default: the protocol's]")
@click.option("--catch", type=_COUNT, help="Natural stimuli besides, of which nearly all should be recognised.")
@click.option("--headphones/--no-headphones", default=True, show_default=True, help="Check headphones before sounds.")
@click.option("--words", type=click.Path(path_type=Path), metavar="FILE", help="Words to choose from, one per line.")
@truth_option
@look_in_option
@click.option("--assets", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder with jsPsych.")
@click.option("--output", "out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@quiet_option
def build(metamers, texts_file, words, truth_file, look_in, assets, out, **design):
    """Build an experiment from the metamers below METAMERS that pass the inclusion test as they are shown."""
    from tfmetamers.people.build_record import Design
    from tfmetamers.people.texts import read_texts
    from tfmetamers.recognition.truth import read_truth

    quiet_tensorflow()
    design, read = Design(**design), read_texts(texts_file)
    from tfmetamers.people.site import build_site

    truth = truth_file and read_truth(truth_file)
    built = build_site(metamers, out, design, read, words=words, truth=truth, look_in=look_in, jspsych=assets)
    say(f"Wrote {out}: site/ for participants, private/ with the answers.")
    if built.stated:
        say("As the paper states: " + "; ".join(built.stated) + ".")
    say("Not stated, or different:")
    for difference in built.differences:
        say(f"  {difference}")
    if read.blanks:
        blanks = counted(len(read.blanks), "blank")
        warn(f"What participants read has {blanks} to fill in, such as {read.blanks[0]}; edit it (--texts FILE).")
    say(f"See it: tfmetamers people preview {out}")


@people.command()
@_OUT
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 for other computers of the network.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--code", help="A completion code for those who finished.")
@click.option("--redirect", metavar="URL", help="Where those who finished are sent.")
@click.option("--keep-identifiers", is_flag=True, help="Keep a recruiting service's identifiers as they are, to pay.")
@click.option("--most-an-hour", type=_POSITIVE, default=1000, show_default=True, help="Sessions begun in an hour.")
@quiet_option
def serve(out, host, port, **settings):
    """Serve the experiment in OUT until Ctrl-C; every answer is stored in OUT/data/data.sqlite at once."""
    from tfmetamers.people.extra import require_server

    require_server()
    from tfmetamers.people.database import database_path
    from tfmetamers.people.server import Settings, make_app, open_server

    server = open_server(make_app(out, Settings(**settings)), host, port)
    say(f"http://{host}:{port}/ until Ctrl-C; answers go to {database_path(out)}.")
    with contextlib.suppress(KeyboardInterrupt):
        server.run()


@people.command()
@_OUT
@click.option("--list", "list_number", type=_COUNT, default=0, show_default=True, help="The list to show.")
@click.option("--trial", type=_COUNT, help="Begin at this trial. [default: at the consent]")
@click.option("--port", type=click.IntRange(1, 65535), default=8001, show_default=True)
@click.option("--browser/--no-browser", default=True, help="Open it in the browser.")
@quiet_option
def preview(out, list_number, trial, port, browser):
    """Show the experiment in OUT in the browser, from any trial on; nothing is stored."""
    from tfmetamers.people.extra import require_server

    require_server()
    from tfmetamers.people.build_record import read_build
    from tfmetamers.people.database import Database
    from tfmetamers.people.experiment_file import read_content
    from tfmetamers.people.server import make_app, open_server

    lists = read_content(out / "site")["lists"]
    if list_number >= len(lists):
        raise ArgumentError(f"There is no list {list_number}; the lists are 0 to {len(lists) - 1}.")
    trials = len(lists[list_number]["trials"])
    if trial is not None and trial >= trials:
        raise ArgumentError(f"There is no trial {trial} in list {list_number}; the trials are 0 to {trials - 1}.")
    address = f"http://127.0.0.1:{port}/?preview&list={list_number}" + ("" if trial is None else f"&trial={trial}")
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(out, database=Database(Path(folder, "data.sqlite"), read_build(out).experiment))
        server = open_server(app, "127.0.0.1", port)
        say(f"{address} until Ctrl-C")
        if browser:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.run()


@people.command()
@_OUT
@click.argument("name", metavar="ID")
@quiet_option
def forget(out, name):
    """Delete all that is stored of a participant: ID is the code, or the session's UUID."""
    from tfmetamers.people.build_record import read_build
    from tfmetamers.people.database import Database, database_path

    deleted = Database(database_path(out), read_build(out).experiment).forget(name)
    say(f"Deleted {counted(deleted, 'session')} of {name}; copies and exports that were made before still have them.")


@people.command()
@_OUT
@click.option("--participants", type=_POSITIVE, default=16, show_default=True, help="How many observers.")
@click.option("--accuracy", type=click.FloatRange(0, 1), help="How often they are right, in all other layers.")
@click.option(
    "--accuracy-of",
    "by_layer",
    multiple=True,
    metavar="LAYER=P",
    help="How often they are right in a layer, such as conv_2=0.4, small_word_aliased/conv_2=0.4 or natural=0.95; can "
    "be given several times.",
)
@click.option("--seed", type=_COUNT, default=0, show_default=True, help="Seed of the answers.")
@click.option("--browser", is_flag=True, help="Let them use the page, in Chromium without a window; much slower.")
@quiet_option
def simulate(out, participants, accuracy, by_layer, seed, browser):
    """Have simulated observers take part in the experiment in OUT; their answers are stored as people's are."""
    from tfmetamers.people.build_record import read_build, read_key
    from tfmetamers.people.database import Database, database_path
    from tfmetamers.people.experiment_file import read_content
    from tfmetamers.people.observers import make_observers, take_part

    content, key = read_content(out / "site"), read_key(out)
    layers = dict(_layer_accuracy(each) for each in by_layer)
    observers = make_observers(content, key, participants, accuracy=accuracy, by_layer=layers, seed=seed)
    database = Database(database_path(out), read_build(out).experiment)
    if browser:
        from tfmetamers.people.extra import require_browser, require_server

        require_server()
        require_browser()
        from tfmetamers.people.browser import take_part_by_page

        finished = take_part_by_page(out, database, observers)
    else:
        finished = take_part(database, observers)
    with progress_over("took part", "observer") as progress:
        count = sum(1 for _ in progress(finished))
    say(f"{counted(count, 'simulated observer')} took part; see: tfmetamers people analyse {out}")


def _layer_accuracy(text: str) -> tuple[str, float]:
    layer, _, value = text.rpartition("=")
    try:
        if layer:
            return layer, float(value)
    except ValueError:
        pass
    raise ArgumentError(f"--accuracy-of got {text!r}; LAYER=P was expected, such as conv_2=0.4.")


@people.command()
@_OUT
@click.option("--to", "target", type=click.Choice(EXPORTS), required=True, help="What to write.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder or file to write.")
@click.option("--datapipe-id", metavar="ID", help="DataPipe's identifier of the experiment.")
@click.option("--code", help="A completion code for those who finished.")
@click.option("--redirect", metavar="URL", help="Where those who finished are sent.")
@quiet_option
def export(out, target, output, datapipe_id, **finish):
    """Write the experiment in OUT for use without this server, or the answers as a CSV.

    offline: a folder that opens from a file; jatos: an archive for JATOS; datapipe: a folder for any web server, whose
    answers go to OSF; csv: the answers that the server has stored.
    """
    from tfmetamers.people import exports

    if (datapipe_id is None) is (target == "datapipe"):
        remedy = "leave --datapipe-id out" if datapipe_id else "give it with --datapipe-id"
        raise ArgumentError(f"Only --to datapipe takes, and needs, DataPipe's identifier; {remedy}.")
    if target == "csv":
        if any(finish.values()):
            raise ArgumentError("--code and --redirect are for participants, not for answers; leave them out.")
        say(f"Wrote {counted(exports.export_answers(out, output), 'row')} to {output}.")
        return
    if target == "datapipe":
        exports.export_datapipe(out, output, datapipe_id, **finish)
    else:
        {"offline": exports.export_offline, "jatos": exports.export_jatos}[target](out, output, **finish)
    say(f"Wrote {output}.")


@people.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="SOURCE...")
@click.option("--min-headphones", type=_COUNT, help="Headphone trials that must be right (2023: 5 of 6).")
@click.option("--min-demo", type=_COUNT, help="Demo trials that must be right (2023: 7 or 5 of 12).")
@click.option(
    "--min-catch", type=click.FloatRange(0, 1), help="Leave out who had a smaller share of catch trials right."
)
@click.option("--drop", type=click.Choice(FLAGS), multiple=True, help="Leave out trials with this flag.")
@click.option("--seed", type=_COUNT, default=0, show_default=True, help="Seed of bootstrap and permutations.")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder to write. [default: OUT/analysis]"
)
@quiet_option
@json_option
def analyse(sources, min_headphones, min_demo, min_catch, drop, seed, output):
    """Analyse answers: tables, the figure of the paper with its points beside one's own, and a page.

    SOURCE is the folder OUT of an experiment, whose server's database is read; further files of answers (.csv, .sqlite,
    results of JATOS) are read in its place. Or SOURCE are proportions of the 2023 release (.mat).
    """
    quiet_tensorflow()
    from tfmetamers.people.analysis import analyse as run
    from tfmetamers.people.analysis import analyse_release
    from tfmetamers.people.exclusions import declared_rules

    first, *files = sources
    if first.suffix == ".mat":
        if output is None or any(each is not None for each in (min_headphones, min_demo, min_catch)) or drop:
            raise ArgumentError("Proportions of the 2023 release need --output, and take no exclusions.")
        analysis = analyse_release(sources, seed)
    else:
        rules = declared_rules(min_headphones=min_headphones, min_demo=min_demo, min_catch=min_catch)
        analysis = run(first, rules, files, drop_flagged=drop, seed=seed)
    output = output or first / "analysis"
    analysis.write(output)
    rows = analysis.conditions.replace({"network": {"": "(natural)"}}).to_dict("records")
    show_table(rows, {name: column for name, column in _COLUMNS.items() if name in analysis.conditions})
    for note in analysis.notes:
        say(f"- {note}")
    say(f"Wrote {output}: results.md, figure.pdf, .svg and .png, and tables (CSV).")


_COLUMNS = {
    "network": "network",
    "layer": "layer",
    "participants": "participants",
    "trials": "trials",
    "value": Column("correct", ".3f"),
    "sem": Column("SEM", ".3f"),
    "bootstrap_sem": Column("SEM over stimuli", ".3f"),
    "low": Column("low", ".3f"),
    "high": Column("high", ".3f"),
    "chance": Column("chance", ".4f"),
    "guessing": Column("guessing", ".4f"),
}
