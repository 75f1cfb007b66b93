"""Simulated observers: rows as the page would write them, of participants whose accuracy is known."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError, checked_whole_number, shown, unknown_name
from tfmetamers.people.database import Database, TokenError
from tfmetamers.people.rows import Row

if TYPE_CHECKING:
    import pandas

#: What the rows say of the software that wrote them.
APP = "simulated"

#: When simulated sessions take place, so that the same arguments give the same rows.
_BEGINNING = datetime(2019, 12, 8, 9, tzinfo=timezone.utc)

#: Milliseconds from the beginning of a trial to its answer, besides the response time.
_SHOWN = 1500.0


@dataclass(frozen=True)
class Observer:
    """Someone who is right with a given probability, and else chooses any of the other answers.

    Attributes:
        content: what `tfmetamers.people.experiment_file.read_content` returns.
        answers: the right answer by the opaque name of each stimulus.
        accuracy: the probability of it, likewise.
        number: the observer's; each draws differently.
        seed: of all that is drawn.
    """

    content: Mapping[str, Any]
    answers: Mapping[str, str]
    accuracy: Mapping[str, float]
    number: int
    seed: int

    @property
    def name(self) -> str:
        """The code that the observer takes part under."""
        return f"simulated-{self.number}"

    @property
    def session(self) -> str:
        """The UUID of the observer's session."""
        return str(uuid.UUID(bytes=np.random.default_rng([self.seed, self.number, 0]).bytes(16), version=4))

    def answer(self, stimulus: str) -> tuple[str, float]:
        """Return what is answered to a stimulus, which comes once in a session, and after how many milliseconds."""
        generator = np.random.default_rng([self.seed, self.number, 1, int(stimulus, 16)])
        response = right = self.answers[stimulus]
        if generator.random() >= self.accuracy[stimulus]:
            choices = self.content["categories"] or self.content["words"]
            response = str(generator.choice([each for each in choices if each != right]))
        return response, round(float(generator.lognormal(6.8, 0.4)), 1)

    def rows(self, list_number: int) -> list[Row]:
        """Return the rows of a session with a list: a headphone check that is passed, a demo, and the trials."""
        clock = _BEGINNING + timedelta(hours=self.number)
        rows: list[Row] = []

        def add(kind: str, **further) -> None:
            rows.append(
                Row(session=self.session, experiment=self.content["id"], list=list_number, participant=self.name,
                    app=APP, seq=len(rows), kind=kind, answered_at=_stamp(clock), reload=0, **further)
            )  # fmt: skip

        def look(kind: str, trial: int, stimulus: str, mask: int | None, **further) -> None:
            nonlocal clock
            response, rt = self.answer(stimulus)
            shown_at, clock = clock, clock + timedelta(milliseconds=_SHOWN + rt)
            correct = {"correct": response == self.answers[stimulus]} if kind == "demo" else {}
            add(kind, trial=trial, stimulus=stimulus, response=response, how=APP, rt=rt, mask=mask,
                shown_at=_stamp(shown_at), visible=True, **correct)  # fmt: skip

        add("consent", response=True)
        check = self.content["headphones"]
        for trial in range(check["trials"] if check else 0):
            add("headphone", trial=trial, correct=True)
        for trial, shown_first in enumerate(self.content["demo"]["trials"]):
            look("demo", trial, shown_first["stimulus"], shown_first["mask"])
        for each in self.content["lists"][list_number]["trials"]:
            look(each["kind"], each["trial"], each["stimulus"], each["mask"])
        add("end", response="complete")
        return rows


def make_observers(
    content: Mapping[str, Any],
    key: "pandas.DataFrame",
    participants: int,
    *,
    accuracy: float | None = None,
    by_layer: Mapping[str, float] | None = None,
    seed: int = 0,
) -> list[Observer]:
    """Return observers of known accuracy.

    Args:
        content: what `tfmetamers.people.experiment_file.read_content` returns.
        key: what `tfmetamers.people.build_record.read_key` returns.
        participants: how many.
        accuracy: the probability of a right answer in layers that `by_layer` does not have.
        by_layer: the probability by layer, or by ``NETWORK/LAYER``; ``natural`` for natural stimuli and catch trials.
        seed: of all that is drawn.

    Raises:
        ArgumentError: a probability is not in [0, 1], a layer is not among the experiment's, or has none.
    """
    checked_whole_number("number of participants", participants, 1)
    checked_whole_number("seed", seed, 0)
    probabilities = _probabilities(key, accuracy, by_layer or {})
    answers = key["answer"].to_dict()
    return [Observer(content, answers, probabilities, number, seed) for number in range(participants)]


def take_part(database: Database, observers: list[Observer]) -> Iterator[Observer]:
    """Store the rows of observers as those of participants are stored; lists are given out by the server's rule.

    Yields:
        Each observer who has finished.

    Raises:
        ResultError: an observer of the same seed and number took part before.
        BusyError, DiskFullError: rows cannot be written now.
    """
    for observer in observers:
        try:
            begun = database.begin(observer.session, len(observer.content["lists"]), participant=observer.name)
        except TokenError as error:
            raise ResultError(
                f"The observer {observer.number} of the seed {observer.seed} took part before; give another --seed."
            ) from error
        database.store(observer.session, begun.token, observer.rows(begun.list))
        database.finish(observer.session, begun.token)
        yield observer


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
                f"The layer {both[1]} has no accuracy; give it one with --accuracy-of, or --accuracy for all others."
            )
        found[name] = values[0] if values else accuracy
    return found
