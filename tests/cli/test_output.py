"""How commands show tables, remarks and progress, and what --quiet, --json and a file in place of a terminal change."""

import io
import json
import math

import click
import numpy as np
import pytest
from click.testing import CliRunner

from tfmetamers.cli import output
from tfmetamers.cli.output import (
    Column,
    json_option,
    progress_bar,
    progress_counter,
    progress_over,
    quiet_option,
    say,
    show_json,
    show_table,
)

ROWS = [
    {"name": "a", "share": 0.123456, "count": 12000, "sides": (2, 3), "hidden": np.float32(1)},
    {"name": "b|c", "share": math.nan, "count": None, "sides": (4,), "hidden": math.inf},
]
COLUMNS = {
    "name": "what",
    "share": Column("share of it", ".2f"),
    "count": Column("count", ","),
    "sides": Column("sides", lambda sides: " x ".join(map(str, sides))),
}


@pytest.fixture
def run():
    """Run a function as a command that has both options."""

    def run(body, *arguments):
        command = click.command()(quiet_option(json_option(lambda: body())))
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        return result.stdout, result.stderr

    return run


def table():
    say("before")
    show_table(ROWS, COLUMNS)
    say("after")


def test_a_table_is_shown_to_people_with_numbers_on_the_right(run):
    shown, errors = run(table)
    lines = shown.splitlines()
    assert (lines[0], lines[-1], errors) == ("before", "after", "")
    assert lines[1].split("  ")[0] == "what" and "share of it" in lines[1] and "hidden" not in shown
    assert lines[3].split() == ["a", "0.12", "12,000", "2", "x", "3"]
    assert lines[4].split() == ["b|c", "nan", "-", "4"]
    assert lines[3].index("12,000") + 6 == lines[4].index("-") + 1


def test_json_has_every_value_as_it_is_and_nothing_else_is_on_standard_output(run):
    shown, errors = run(table, "--json")
    assert json.loads(shown) == [
        {"name": "a", "share": 0.123456, "count": 12000, "sides": [2, 3], "hidden": 1.0},
        {"name": "b|c", "share": None, "count": None, "sides": [4], "hidden": None},
    ]
    assert errors.split() == ["before", "after"]


def test_quiet_leaves_the_table_alone(run):
    shown, errors = run(table, "--quiet")
    assert shown.splitlines()[0].startswith("what") and "before" not in shown and "after" not in shown
    assert errors == ""


def test_a_table_without_rows_is_an_empty_list_and_nothing_to_people(run):
    assert json.loads(run(lambda: show_table([], COLUMNS), "--json")[0]) == []
    assert run(lambda: show_table([], COLUMNS)) == ("", "")


def test_rows_that_only_json_shows(run):
    assert run(lambda: show_json(ROWS))[0] == ""
    assert len(json.loads(run(lambda: show_json(ROWS), "--json")[0])) == 2


def test_an_option_of_a_group_holds_for_its_command(run):
    @click.group()
    @json_option
    def group():
        pass

    @group.command()
    @json_option
    def show():
        show_table(ROWS, COLUMNS)

    for arguments in (["--json", "show"], ["show", "--json"]):
        assert len(json.loads(CliRunner().invoke(group, arguments).stdout)) == 2
    assert CliRunner().invoke(group, ["show"]).stdout.startswith("what")


class Clock:
    """A clock that is moved by hand."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr("tqdm.std.time", lambda: self.now)  # What tqdm reads.


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def work(clock, seconds):
    """Take that long over 100 steps."""
    with progress_bar(total=100, desc="conv_1", unit="step") as bar:
        for _ in range(100):
            clock.now += seconds / 100
            bar.set_postfix_str("loss 3", refresh=False)
            bar.update()


class TestWithoutATerminal:
    def test_a_line_a_minute_tells_of_progress(self, run, clock):
        shown, errors = run(lambda: work(clock, 290))
        lines = errors.splitlines()
        assert shown == "" and len(lines) == 5
        assert all(line.startswith("conv_1: ") and "loss 3" in line for line in lines)
        assert "21/100" in lines[0] and "100/100" in lines[-1]
        assert "\r" not in errors and "█" not in errors and "|" not in errors

    def test_what_takes_less_than_a_minute_says_nothing(self, run, clock):
        assert run(lambda: work(clock, 50)) == ("", "")

    def test_iterating_and_counting_say_the_same(self, run, clock):
        def iterate():
            with progress_over("files", "file") as progress:
                for _ in progress(range(10)):
                    clock.now += 20

        def count():
            with progress_counter("files", "file") as progress:
                for done in range(1, 11):
                    clock.now += 20
                    progress(done, 10)

        for body in (iterate, count):
            lines = run(body)[1].splitlines()
            assert 3 <= len(lines) <= 4 and all(line.startswith("files: ") for line in lines)
            assert "10/10" in lines[-1]

    def test_an_error_is_not_swallowed_and_the_bar_is_closed(self, run):
        def fail():
            with progress_over("files", "file") as progress:
                for _ in progress([1, 2]):
                    raise RuntimeError("surprise")

        with pytest.raises(RuntimeError, match="surprise"):
            run(fail)
        assert not output.tqdm._instances


def test_quiet_shows_no_progress(run, clock):
    assert run(lambda: work(clock, 300), "--quiet") == ("", "")


def test_on_a_terminal_there_is_a_bar(run, clock, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    work(clock, 300)
    assert terminal.getvalue().count("\r") > 5 and "100%|" in terminal.getvalue()
