"""How long steps take: measured on this machine, or told by what is being made and has been made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from tfmetamers.experiments.claims import FoundClaim
from tfmetamers.experiments.experiment import LEDGER, Experiment
from tfmetamers.experiments.items import SynthesisItem
from tfmetamers.metamers.folder import read_run
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import read_json, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfmetamers.networks.network import Network

#: Of so many finished batches of a layer it is looked up how long they took.
BATCHES_READ = 3


def measure_speeds(experiment: Experiment) -> "Iterator[tuple[SynthesisItem, float]]":
    """Time a few steps of each layer that has something to be made, and keep what was found for `known_speeds`.

    Yields:
        A batch of each layer, and the seconds that one of its steps takes on this machine.

    Raises:
        TfmetamersError: a network or a stimulus cannot be loaded.
    """
    from tfmetamers.synthesis.plan import plan_run
    from tfmetamers.synthesis.runs import measure_seconds

    found: dict[str, float] = {}
    networks: dict[str, Network] = {}
    for item in experiment.items:
        if not isinstance(item, SynthesisItem) or _layer(item) in found or experiment.is_done(item):
            continue
        spec = item.network
        if spec.folder_name not in networks:
            networks = {spec.folder_name: spec.load()}  # One at a time: they come network by network.
        plan = plan_run(item.specs, experiment.metamers, len(item.stimuli))
        found[_layer(item)] = fmean(measure_seconds(plan, networks[spec.folder_name], item.condition.layer))
        yield item, found[_layer(item)]
    with atomic_write(_file(experiment)) as partial:
        partial.write_text(json.dumps({**_read(experiment), **found}) + "\n", encoding="utf-8")


def known_speeds(experiment: Experiment, claims: Mapping[str, FoundClaim]) -> dict[str, float]:
    """Return the seconds that a step of a batch takes, by the folder of its layer, where that is known.

    What is running tells it, then what was finished, then what was measured.

    Args:
        experiment: the experiment.
        claims: the newest claim of each item, by its key.
    """
    finished: dict[str, list[float]] = {}
    running: dict[str, list[float]] = {}
    for item in experiment.items:
        if not isinstance(item, SynthesisItem):
            continue
        claim = claims.get(item.key)
        if claim is not None and claim.record is not None and claim.record.steps_a_second > 0:
            running.setdefault(_layer(item), []).append(1 / claim.record.steps_a_second)
        elif len(found := finished.setdefault(_layer(item), [])) < BATCHES_READ:
            run = read_run(next(item.folders(str(experiment.out))))
            found += [run.seconds / item.condition.recipe.steps] if run is not None else []
    speeds = _read(experiment)
    for found in (finished, running):
        speeds |= {layer: fmean(seconds) for layer, seconds in found.items() if seconds}
    return speeds


def _layer(item: SynthesisItem) -> str:
    return item.layer_folder.as_posix()


def _file(experiment: Experiment) -> Path:
    return experiment.out / LEDGER / "speeds.json"


def _read(experiment: Experiment) -> dict[str, float]:
    try:
        return typed(read_json(_file(experiment)), dict[str, float])
    except (OSError, ValueError):
        return {}


@dataclass
class Estimate:
    """What is to be made at one layer.

    Attributes:
        network: the network (`NetworkItem.network_title`).
        layer: the layer, as tables call it (`Experiment.layer_titles`).
        seconds_per_step: how long a step of a batch takes; None where it is not known.
        metamers: how many the experiment has.
        made: how many of them are made.
        batches: how many batches are still to be made.
        steps: how many steps they take.
        bytes: what they take on disk at most.
    """

    network: str
    layer: str
    seconds_per_step: float | None
    metamers: int = 0
    made: int = 0
    batches: int = 0
    steps: int = 0
    bytes: int = 0

    @property
    def seconds(self) -> float | None:
        """How long one worker takes; None where it is not known."""
        return None if self.seconds_per_step is None else self.steps * self.seconds_per_step


def estimate(experiment: Experiment) -> list[Estimate]:
    """Return what is still to be made, layer by layer."""
    from tfmetamers.synthesis.plan import Plan, estimate_bytes
    from tfmetamers.synthesis.unfinished import Job

    speeds = known_speeds(experiment, experiment.claims.find_all())
    domains = {network.spec.folder_name: network.outline.domain for network in experiment.definition.networks}
    rows: dict[str, Estimate] = {}
    sizes: dict[str, int] = {}
    for item in experiment.items:
        if not isinstance(item, SynthesisItem):
            continue
        condition, layer = item.condition, _layer(item)
        if layer not in rows:
            title = experiment.layer_titles[item.layer_folder]
            rows[layer] = Estimate(item.network_title, title, speeds.get(layer))
            one = Plan([[Job(condition.spec(item.stimuli[0]), experiment.metamers)]], [])
            sizes[layer] = estimate_bytes(one, domains[condition.network.folder_name])
        row, left = rows[layer], len(item.stimuli) - experiment.count_made(item)
        row.metamers += len(item.stimuli)
        row.made += len(item.stimuli) - left
        row.batches += left > 0
        row.steps += condition.recipe.steps if left else 0
        row.bytes += left * sizes[layer]
    return list(rows.values())
