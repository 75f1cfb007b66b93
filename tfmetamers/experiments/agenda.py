"""What is still to be done, as one worker or the client of one cluster sees it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tfmetamers.experiments.claims import SECONDS_A_BEAT, this_machine
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.items import Item

#: What became of an item: it is done, parts of it failed, or another worker has it.
DONE, FAILED, TAKEN = "done", "failed", "taken"


@dataclass(frozen=True)
class Outcome:
    """What became of an item that was tried.

    Attributes:
        state: `DONE`, `FAILED` or `TAKEN`.
        reasons: why it failed, by what failed.
        seconds: how long that took.
    """

    state: str
    reasons: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class Agenda:
    """The items of an experiment that are not settled yet."""

    def __init__(self, experiment: Experiment, items: Sequence[Item]):
        """Begin with all of them.

        Args:
            experiment: the experiment.
            items: its items, in the order in which they are begun.
        """
        self._experiment = experiment
        self._open = {item.key: item for item in items}
        self._settled: set[str] = set()
        self._taken: dict[str, Item] = {}
        self._beats: dict[str, float] = {}
        self._has_progressed = False

    def ready(self) -> Iterator[Item]:
        """Yield each item that can be begun now, once: what it depends on is done or has failed."""
        for key, item in list(self._open.items()):
            if not self._may_begin(item):
                continue
            del self._open[key]
            if self._is_settled(item):
                self._settled.add(key)
                self._has_progressed = True
            else:
                yield item

    def note(self, item: Item, outcome: Outcome) -> None:
        """Note what became of an item that `ready` gave."""
        if outcome.state == TAKEN:
            self._taken[item.key] = item
        else:
            self._settled.add(item.key)
            self._has_progressed = True

    def has_more(self) -> bool:
        """Tell whether to call `ready` again, once everything that it yielded has been tried.

        If nothing has changed since, this first waits until workers that may be dead are known to be dead or alive.
        """
        if not self._has_progressed and not any(map(self._is_free, self._taken)):
            if not any(map(self._is_doubtful, self._taken)):
                return False
            time.sleep(SECONDS_A_BEAT)
        self._open |= self._taken
        self._taken, self._has_progressed = {}, False
        return bool(self._open)

    def _may_begin(self, item: Item) -> bool:
        """Tell whether everything that an item depends on is settled, and there is something to do."""
        required = self._experiment.requirements(item)
        for each in required:
            if each.key not in self._settled and not self._is_settled(each):
                return False
            self._settled.add(each.key)
        return not required or self._experiment.has_metamers(item)

    def _is_settled(self, item: Item) -> bool:
        """Tell whether an item is done, has failed, or can never begin because what it depends on has failed."""
        if self._experiment.is_done(item):
            return True
        found = self._experiment.claims.find(item.key)
        if found is not None:
            return found.has_failed
        required = self._experiment.requirements(item)
        return bool(required) and not self._experiment.has_metamers(item) and all(map(self._is_settled, required))

    def _is_free(self, key: str) -> bool:
        """Tell whether an item that another worker had is no longer worked on."""
        found = self._experiment.claims.find(key)
        return found is None or not found.is_held(self._experiment.claims.now())

    def _is_doubtful(self, key: str) -> bool:
        """Tell whether the worker of an item is on another machine and has not been seen alive."""
        found = self._experiment.claims.find(key)
        if found is None or (found.record is not None and found.record.machine == this_machine()):
            return False
        return self._beats.setdefault(key, found.beat) == found.beat
