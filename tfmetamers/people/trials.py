"""Scored trials, and what is known of each session."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError
from tfmetamers.people.rows import Row

if TYPE_CHECKING:
    import pandas

#: Kinds of trials that are scored.
SCORED = ("main", "catch")

#: An answer that came sooner after the response screen, in milliseconds, was not of what was seen or heard.
FASTEST = 150.0

#: Reasons to look at a trial again; trials are left out for them only if asked.
FLAGS = ("timing", "hidden", "fast", "interrupted")

_COLUMNS = ("session", "participant", "list", "trial", "kind", "network", "layer", "place", "stimulus", "answer",
            "response", "correct", "rt", "how", "flags")  # fmt: skip


def score_trials(rows: Iterable[Row], key: "pandas.DataFrame", content: Mapping[str, Any]) -> "pandas.DataFrame":
    """Return a row for each trial that counts, with the right answer and whether it was given.

    Args:
        rows: the answers.
        key: what `tfmetamers.people.build_record.read_key` returns.
        content: what `tfmetamers.people.experiment_file.read_content` returns.

    Returns:
        ``session``, ``participant`` (the code), ``list``, ``trial``, ``kind``, ``network`` and ``layer`` (empty and
        ``natural`` for natural stimuli), ``place``, ``stimulus``, ``answer``, ``response``, ``correct``, ``rt`` (ms),
        ``how``, ``flags`` (those of `FLAGS`, joined by ``;``). The first answer to a trial counts.

    Raises:
        ResultError: a trial is not in its list.
    """
    import pandas

    planned = {
        (each["list"], trial["trial"]): (trial["stimulus"], trial["kind"])
        for each in content["lists"]
        for trial in each["trials"]
    }
    table, seen = [], set()
    for row in rows:
        if row.kind not in SCORED:
            continue
        if planned.get((row.list, row.trial)) != (row.stimulus, row.kind):
            raise ResultError(
                f"Row {row.seq} of the session {row.session} is of trial {row.trial} of list {row.list} and of the "
                f"stimulus {row.stimulus}, which is not what the list has there; leave the session out."
            )
        if (row.session, row.trial) in seen:
            continue
        seen.add((row.session, row.trial))
        shown = key.loc[row.stimulus]
        response = row.response if isinstance(row.response, str) else ""
        table.append(
            [row.session, row.participant or "", row.list, row.trial, row.kind, shown["network"], shown["layer"],
             shown["place"], shown["stimulus"], shown["answer"], response, response == shown["answer"], row.rt, row.how,
             ";".join(_flags(row))]
        )  # fmt: skip
    return pandas.DataFrame(table, columns=_COLUMNS)


def _flags(row: Row) -> list[str]:
    state = row.audio.state if row.audio else None
    found = {
        "timing": row.timing_ok is False,
        "hidden": row.visible is False,
        "fast": row.rt is not None and row.rt < FASTEST,
        "interrupted": state is not None and state not in ("running", "ended"),
    }
    return [name for name in FLAGS if found[name]]


def survey_sessions(rows: Iterable[Row], trials: "pandas.DataFrame", content: Mapping[str, Any]) -> "pandas.DataFrame":
    """Return a row for each session, by which exclusions are decided.

    Returns:
        ``session``, ``participant``, ``list``, ``answered`` and ``asked`` (main and catch trials), ``end`` (how it
        ended: ``complete``, ``withdrawn``, a check that was failed, or empty), ``headphones`` and ``demo`` (how many
        were right in the last try; missing where there was none), ``catch`` (proportion right; missing without any),
        ``flagged`` (trials with a flag), ``reloads``, ``app`` (the version of the page, or that they are simulated).
    """
    import pandas

    asked = {each["list"]: len(each["trials"]) for each in content["lists"]}
    by_session: dict[str, list[Row]] = {}
    for row in rows:
        by_session.setdefault(row.session, []).append(row)
    groups = dict(list(trials.groupby("session")))
    table = []
    for session, own in by_session.items():
        scored = groups.get(session, trials.iloc[:0])
        caught = scored.loc[scored["kind"] == "catch", "correct"]
        ends = [row.response for row in own if row.kind == "end"]
        table.append(
            {
                "session": session,
                "participant": own[-1].participant or "",
                "list": own[0].list,
                "answered": len(scored),
                "asked": asked.get(own[0].list, 0),
                "end": ends[-1] if ends else "",
                "headphones": _right(own, "headphone"),
                "demo": _right(own, "demo"),
                "catch": caught.mean() if len(caught) else None,
                "flagged": int((scored["flags"] != "").sum()),
                "reloads": max((row.reload or 0 for row in own), default=0),
                "app": own[-1].app or "",
            }
        )
    columns = ("session", "participant", "list", "answered", "asked", "end", "headphones", "demo", "catch", "flagged",
               "reloads", "app")  # fmt: skip
    return pandas.DataFrame(table, columns=columns).astype({"headphones": float, "demo": float, "catch": float})


def _right(rows: Iterable[Row], kind: str) -> int | None:
    """Return how many trials of a check were right, each by its last try."""
    last = {row.trial: bool(row.correct) for row in rows if row.kind == kind}
    return sum(last.values()) if last else None
