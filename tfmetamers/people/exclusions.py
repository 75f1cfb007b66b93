"""Who is left out of an analysis, by rules that are declared before anything is counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Rule:
    """A rule by which whole sessions are left out.

    Attributes:
        name: its name.
        sentence: whom it leaves out.
        source: where it comes from.
        excludes: bool (sessions,) of the table of sessions.
    """

    name: str
    sentence: str
    source: str
    excludes: Callable[["pandas.DataFrame"], "pandas.Series"]


def declared_rules(
    *, min_headphones: int | None = None, min_demo: int | None = None, min_catch: float | None = None
) -> list[Rule]:
    """Return the rules of an analysis; those without a number are left out.

    Args:
        min_headphones: trials of the headphone check that must be right; 5 of 6 in 2023.
        min_demo: demo trials that must be right; 7 of 12 (images) and 5 of 12 (sounds) in 2023.
        min_catch: proportion of catch trials that must be right; its threshold in 2023 is not known.
    """
    rules = [
        Rule("withdrawn", "who withdrew", "consent", lambda table: table["end"] == "withdrawn"),
        Rule("incomplete", "who did not answer all trials", "equal numbers of trials in every condition",
             lambda table: table["answered"] < table["asked"]),
    ]  # fmt: skip
    thresholds = {
        "headphones": (min_headphones, "headphone trials", "the 2023 page: 5 of 6"),
        "demo": (min_demo, "demo trials", "the 2023 pages: 7 of 12 images, 5 of 12 sounds"),
        "catch": (min_catch, "of catch trials", "no published threshold is known"),
    }
    for name, (least, what, source) in thresholds.items():
        if least is not None:
            rules.append(Rule(name, f"who had fewer than {least:g} {what} right", source, _below(name, least)))
    return rules


def _below(column: str, least: float) -> Callable:
    return lambda table: ~(table[column] >= least)  # A check that was not done is not passed.


def apply_rules(sessions: "pandas.DataFrame", rules: Sequence[Rule]) -> tuple["pandas.DataFrame", "pandas.DataFrame"]:
    """Return the sessions with the rules that leave each out, and how many go by each rule.

    Returns:
        The sessions with ``excluded_by`` (names joined by ``;``), and a table of ``rule``, ``leaves_out``, ``source``,
        ``sessions`` (to which it applies) and ``alone`` (to which no other applies).
    """
    import pandas

    applies = pandas.DataFrame({rule.name: rule.excludes(sessions) for rule in rules}, index=sessions.index)
    excluded_by = [";".join(applies.columns[row]) for row in applies.to_numpy(bool)]
    single = applies.sum(axis=1) == 1
    counts = [
        {"rule": rule.name, "leaves_out": rule.sentence, "source": rule.source,
         "sessions": int(applies[rule.name].sum()), "alone": int((applies[rule.name] & single).sum())}
        for rule in rules
    ]  # fmt: skip
    return sessions.assign(excluded_by=excluded_by), pandas.DataFrame(counts)
