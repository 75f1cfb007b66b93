"""The analysis of an experiment: from answers to tables, a figure and a page of results."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.metamers.tables import write_csv
from tfmetamers.people.answers import read_answers
from tfmetamers.people.build_record import Build, read_build, read_key
from tfmetamers.people.database import database_path, read_rows
from tfmetamers.people.exclusions import Rule, apply_rules
from tfmetamers.people.experiment_file import read_content
from tfmetamers.people.observers import APP as SIMULATED
from tfmetamers.people.proportions import (
    describe_conditions,
    detectable_difference,
    layer_effects,
    participant_proportions,
    summarize_conditions,
)
from tfmetamers.people.release_2023 import read_release
from tfmetamers.people.trials import FLAGS, score_trials, survey_sessions
from tfmetamers.plotting.style import save_figure
from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.people import (
    PUBLISHED_PARTICIPANTS,
    compare_people,
    draw_people,
    tabulate_participants,
)
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The mixed model of all trials, for R.
LME4 = (
    "library(lme4); trials <- subset(read.csv('trials.csv'), kind == 'main' & excluded_by == ''); "
    "summary(glmer(correct ~ network * layer + (1 | session) + (1 | stimulus), data = trials, family = binomial))"
)


@dataclass(frozen=True)
class Analysis:
    """What an analysis found.

    Attributes:
        tables: by the name of their file: ``conditions`` and, of one's own experiment, ``trials``, ``sessions``,
            ``exclusions``, ``everyone`` (conditions without any exclusion), ``figure``, ``comparison``, ``tests``.
        notes: what to know of it, in sentences.
        differences: how the experiment differs from the paper's.
    """

    tables: Mapping[str, pandas.DataFrame]
    notes: Sequence[str]
    differences: Sequence[str] = ()

    @property
    def conditions(self) -> pandas.DataFrame:
        """What is told of each condition."""
        return self.tables["conditions"]

    @styled
    def draw(self) -> "Figure":
        """Draw the figure in the paper's form, a panel for each network, as the 2019 figures are drawn."""
        return draw_people(self.tables["figure"])

    def write(self, folder: str | os.PathLike) -> None:
        """Write the tables as CSVs, the figure, and ``results.md``.

        Raises:
            ResultError: they cannot be written.
        """
        folder = Path(folder)
        for name, table in self.tables.items():
            write_csv(table, folder / f"{name}.csv")
        save_figure(self.draw(), folder / "figure")
        with atomic_write(folder / "results.md") as partial:
            partial.write_text(self._page(), encoding="utf-8")

    def _page(self) -> str:
        titles = {
            "conditions": "Proportion correct",
            "comparison": "Published and ours",
            "tests": "Does the proportion depend on the layer?",
            "exclusions": "Who was left out",
            "everyone": "Proportion correct, nobody left out",
        }
        parts = [
            "# Results",
            "\n".join(f"- {note}" for note in self.notes),
            "![Proportion correct by layer](figure.png)",
        ]
        if self.differences:
            differences = "\n".join(f"- {each}" for each in self.differences)
            parts.append(f"Not stated in the paper, or different from it:\n\n{differences}")
        for name, title in titles.items():
            if name in self.tables and len(self.tables[name]):
                shown = self.tables[name].map(_cell)
                parts += [f"## {title}", shown.to_markdown(index=False, disable_numparse=True)]
        return "\n\n".join(parts) + "\n"


def analyse(
    out: str | os.PathLike,
    rules: Sequence[Rule],
    files: Sequence[str | os.PathLike] = (),
    *,
    drop_flagged: Sequence[str] = (),
    seed: int = 0,
) -> Analysis:
    """Analyse the answers to an experiment.

    Args:
        out: the folder that `tfmetamers.people.site.build_site` wrote.
        rules: by which sessions are left out (`tfmetamers.people.exclusions.declared_rules`).
        files: of answers; by default the server's database in `out`.
        drop_flagged: flags of trials that are left out (`tfmetamers.people.trials.FLAGS`); by default none.
        seed: of the bootstrap and the permutations.

    Raises:
        ArgumentError: a flag is unknown, or a rule is about a check that the experiment does not have.
        ResultError: answers cannot be read, are of another experiment, or there is none that counts.
    """
    unknown = set(drop_flagged) - set(FLAGS)
    if unknown:
        raise ArgumentError(f"There are no flags {', '.join(sorted(unknown))}; the flags are {', '.join(FLAGS)}.")
    build, key, content = read_build(out), read_key(out), read_content(Path(out) / "site")
    _require_checks(rules, content)
    rows = read_answers(files, build.experiment) if files else read_rows(database_path(out), build.experiment)
    trials = score_trials(rows, key, content)
    sessions, exclusions = apply_rules(survey_sessions(rows, trials, content), rules)
    trials = trials.merge(sessions[["session", "excluded_by"]], on="session", how="left")
    dropped = trials["flags"].map(lambda flags: not set(drop_flagged).isdisjoint(flags.split(";")))
    kept = trials[(trials["excluded_by"] == "") & ~dropped]
    if not (kept["kind"] == "main").any():
        raise ResultError(
            f"No trial is left of {counted(len(sessions), 'session')}: {_left_out(exclusions) or 'nobody took part'}."
        )
    choices = len(content["categories"] or content["words"])
    conditions = describe_conditions(kept, choices, seed)
    proportions = participant_proportions(kept)
    figure = tabulate_participants(conditions)
    tables = {
        "conditions": conditions,
        "figure": figure,
        "comparison": compare_people(figure),
        "tests": layer_effects(proportions, seed=seed),
        "exclusions": exclusions,
        "everyone": describe_conditions(trials, choices, seed),
        "sessions": sessions,
        "trials": trials,
    }
    notes = _notes(build, content, tables, kept, drop_flagged, int(dropped.sum()))
    return Analysis(tables, notes, build.differences)


def _require_checks(rules: Sequence[Rule], content: Mapping[str, Any]) -> None:
    made = {
        "headphones": content["headphones"] is not None,
        "demo": bool(content["demo"]["trials"]),
        "catch": any(trial["kind"] == "catch" for each in content["lists"] for trial in each["trials"]),
    }
    for rule in rules:
        if not made.get(rule.name, True):
            raise ArgumentError(f"The experiment has no check {rule.name}; leave --min-{rule.name} out.")


def _cell(value: Any) -> str:
    if pandas.isna(value):
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _left_out(exclusions: pandas.DataFrame) -> str:
    applied = exclusions[exclusions["sessions"] > 0]
    return ", ".join(
        f"{count} {sentence}" for count, sentence in zip(applied["sessions"], applied["leaves_out"], strict=True)
    )


def _notes(build: Build, content: Mapping[str, Any], tables, kept: pandas.DataFrame, drop_flagged, dropped: int):
    participants = kept["session"].nunique()
    layers = tables["conditions"][tables["conditions"]["network"] != ""]
    trials = int(layers["trials"].min()) // participants
    difference = detectable_difference(participants, trials)
    simulated = int((tables["sessions"]["app"] == SIMULATED).sum())
    return [
        f"{counted(participants, 'participant')} of {counted(len(tables['sessions']), 'session')}; the paper has "
        f"{PUBLISHED_PARTICIPANTS}. Left out: {_left_out(tables['exclusions']) or 'nobody'}."
        + (f" {counted(simulated, 'session')} are of simulated observers." if simulated else ""),
        f"The answer is one of {len(content['categories'] or content['words'])}"
        + (f" ({build.words})" if build.words else " categories") + ".",
        "Standard errors are over participants (`sem`) and, by bootstrap, over stimuli (`bootstrap_sem`); `low` and "
        "`high` are Wilson's interval of pooled counts.",
        _power(participants, trials, difference),
        f"{counted(int((kept['flags'] != '').sum()), 'trial')} of those that count have a flag ({', '.join(FLAGS)}); "
        + (f"{dropped} with {', '.join(drop_flagged)} were left out." if drop_flagged else "none was left out for it."),
        "Published points were measured in figures, to .01 or .02. With other stimuli, words, participants or numbers "
        "of trials, compare the order of layers only.",
        "Near chance, a logistic model without a floor at chance is biased. For R: `" + LME4 + "`",
    ]  # fmt: skip


def _power(participants: int, trials: int, difference: float | None) -> str:
    if difference is None:
        return "With so few participants, no difference between two layers would be found reliably."
    return (
        f"With {counted(participants, 'participant')} and {counted(trials, 'trial')} of each in a layer, a difference "
        f"of {difference:.2f} between two layers, about a proportion of .5, is found four times in five."
    )


def analyse_release(files: Sequence[str | os.PathLike], seed: int = 0) -> Analysis:
    """Analyse the proportions of the 2023 release in the same way, a network a file.

    Args:
        files: its ``.mat`` files.
        seed: of the permutations.

    Raises:
        ResultError: a file cannot be read.
    """
    conditions, effects, figures = [], [], []
    for file in files:
        proportions = read_release(file)
        summary = summarize_conditions(proportions)
        itself = proportions.groupby(["network", "layer", "place"])["network_itself"].mean().reset_index()
        summary = summary.merge(itself, on=["network", "layer", "place"])
        figures.append(tabulate_participants(summary))
        conditions.append(summary.assign(file=Path(file).name))
        effects.append(layer_effects(proportions, seed=seed))
    tables = {
        "conditions": pandas.concat(conditions, ignore_index=True),
        "figure": pandas.concat(figures, ignore_index=True),
        "tests": pandas.concat(effects, ignore_index=True),
    }
    notes = [
        "Proportions of the 2023 release, which has no trials: standard errors are over participants alone.",
        f"p by permutation of layers within participants, (k + 1) / (N + 1); {counted(len(files), 'network')}.",
    ]
    return Analysis(tables, notes)
