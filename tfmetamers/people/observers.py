"""Simulated observers: rows as the page would write them, of participants whose accuracy is known."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np

from tfmetamers.errors import ArgumentError, checked_whole_number, shown, unknown_name
from tfmetamers.people.rows import Row

if TYPE_CHECKING:
    import pandas

#: What the rows say of the software that wrote them.
APP = "simulated"

#: When simulated sessions take place, so that the same arguments give the same rows.
_BEGINNING = datetime(2019, 12, 8, 9, tzinfo=timezone.utc)


def simulate(
    content: Mapping[str, Any],
    key: "pandas.DataFrame",
    participants: int,
    *,
    accuracy: float | None = None,
    by_layer: Mapping[str, float] | None = None,
    seed: int = 0,
) -> list[Row]:
    """Return the rows of observers who are right with a given probability, and else choose among the other answers.

    Args:
        content: what `tfmetamers.people.experiment_file.read_content` returns.
        key: what `tfmetamers.people.build_record.read_key` returns.
        participants: how many; lists are given out in turn.
        accuracy: the probability in layers that `by_layer` does not have.
        by_layer: the probability by layer, or by ``NETWORK/LAYER``; ``natural`` for natural stimuli and catch trials.
        seed: of all that is drawn.

    Raises:
        ArgumentError: a probability is not in [0, 1], a layer is not among the experiment's, or has none.
    """
    checked_whole_number("number of participants", participants, 1)
    checked_whole_number("seed", seed, 0)
    probabilities = _probabilities(key, accuracy, by_layer or {})
    choices = content["categories"] or content["words"]
    rows = []
    for number in range(participants):
        generator = np.random.default_rng([seed, number])
        session = str(uuid.UUID(bytes=generator.bytes(16), version=4))
        chosen = content["lists"][number % len(content["lists"])]
        shared = {"session": session, "experiment": content["id"], "list": chosen["list"], "app": APP}
        clock = _BEGINNING + timedelta(hours=number)
        rows.append(Row(**shared, seq=0, kind="consent", response=True, answered_at=_stamp(clock)))
        for trial in chosen["trials"]:
            answer = key.at[trial["stimulus"], "answer"]
            response = answer
            if generator.random() >= probabilities[trial["stimulus"]]:
                response = str(generator.choice([each for each in choices if each != answer]))
            rt = round(float(generator.lognormal(6.8, 0.4)), 1)
            shown_at, clock = clock, clock + timedelta(milliseconds=1500 + rt)
            rows.append(
                Row(**shared, seq=trial["trial"] + 1, kind=trial["kind"], trial=trial["trial"],
                    stimulus=trial["stimulus"], response=response, how="simulated", rt=rt, mask=trial["mask"],
                    shown_at=_stamp(shown_at), answered_at=_stamp(clock), visible=True)
            )  # fmt: skip
        rows.append(Row(**shared, seq=len(chosen["trials"]) + 1, kind="end", response="complete"))
    return rows


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _probabilities(key: "pandas.DataFrame", accuracy: float | None, by_layer: Mapping[str, float]) -> dict[str, float]:
    """Return the probability of a right answer by the opaque name of each stimulus."""
    for name, value in {**by_layer, **({} if accuracy is None else {"every layer": accuracy})}.items():
        if not 0 <= value <= 1:
            raise ArgumentError(f"The accuracy of {name} is {shown(value)}; a probability from 0 to 1 was expected.")
    names = {name: [f"{row['network']}/{row['layer']}", row["layer"]] for name, row in key.iterrows()}
    known = {each for both in names.values() for each in both if not each.startswith("/")}
    for name in by_layer:
        if name not in known:
            raise unknown_name("layer", name, sorted(known), where=" in the experiment")
    found = {}
    for name, both in names.items():
        values = [by_layer[each] for each in both if each in by_layer]
        if not values and accuracy is None:
            raise ArgumentError(
                f"The layer {both[1]} has no accuracy; give it one with --accuracy-by-layer, or all others with --accuracy."
            )
        found[name] = values[0] if values else accuracy
    return found
