"""An experiment on disk: its items, which of them are done, and who may take which.

The output folder is the ledger: a finished metamer is a folder, a null distribution a file, a failure a claim that
holds its reason. Any number of workers on any number of machines read and write it; each may be killed at any moment.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.experiments.claims import Claim, Claims, FoundClaim
from tfmetamers.experiments.definition import Definition, resolve
from tfmetamers.experiments.file import read_experiment_file
from tfmetamers.experiments.items import (
    METAMERS,
    Condition,
    EvaluationItem,
    Item,
    NullItem,
    RecognitionItem,
    SynthesisItem,
    batches,
)
from tfmetamers.synthesis.unfinished import Job, remove_unfinished
from tfmetamers.utilities.differences import find_differences
from tfmetamers.utilities.files import atomic_write, sweep_beside
from tfmetamers.utilities.json_files import check_seal, read_json, sealed

#: The folder, below the output folder, of what is known of the experiment beside its results.
LEDGER = "ledger"

#: The largest definition that is read, in bytes; a hundred thousand stimuli take some twenty million.
MAX_DEFINITION = 2**30

#: The most differences between a file and what it was that are listed.
MAX_DIFFERENCES = 5


@dataclass
class Experiment:
    """An experiment and its output folder.

    Attributes:
        file: the experiment's file.
        out: the output folder.
        definition: what the file stands for.

    >>> _ = Path("mine.toml").write_text('''
    ... [stimuli]
    ... data_set = "sample_word"
    ... [[networks]]
    ... network = "small_word_aliased"
    ... layers = ["conv_0", "conv_2"]
    ... settings = { steps = 200 }
    ... ''')
    >>> experiment = Experiment.plan("mine.toml")
    >>> [item.kind for item in experiment.items]
    ['metamers', 'metamers', 'evaluation', 'evaluation']
    """

    file: Path
    out: Path
    definition: Definition

    @classmethod
    def plan(cls, file: str | os.PathLike) -> "Experiment":
        """Return the experiment that a file describes, as it is now; nothing is written.

        Raises:
            TfmetamersError: the file, or what it names, cannot be used (`resolve`).
            ResultError: the output folder is another experiment's, or the file was changed so that metamers that are
                finished would be left out.
        """
        file = Path(file)
        content = read_experiment_file(file)
        out = _output(file, content)
        earlier = read_definition(out)
        experiment = cls(file, out, resolve(content, file, out, earlier))
        if earlier is not None and earlier != experiment.definition:
            experiment._refuse_changes(earlier)
        experiment._refuse_twins()
        return experiment

    @classmethod
    def recall(cls, file: str | os.PathLike) -> "Experiment":
        """Return the experiment as it was when it was last run, without looking at stimuli and networks.

        Where it was not run yet, it is planned.

        Raises:
            TfmetamersError: as `plan`, where it was not run yet.
            ResultError: what is kept of it is damaged.
        """
        file = Path(file)
        out = _output(file, read_experiment_file(file))
        earlier = read_definition(out)
        if earlier is None:
            return cls.plan(file)
        experiment = cls(file, out, earlier)
        experiment._refuse_another_file(earlier)
        return experiment

    def keep(self) -> None:
        """Write the definition to the output folder.

        Raises:
            ResultError: it cannot be written.
        """
        if read_definition(self.out) != self.definition:
            with atomic_write(self.out / LEDGER / "experiment.json") as partial:
                partial.write_text(json.dumps(sealed(self.definition.to_json()), indent=1) + "\n", encoding="utf-8")

    @property
    def metamers(self) -> Path:
        """The folder of all metamers."""
        return self.out / METAMERS

    @cached_property
    def claims(self) -> Claims:
        """Who works on what."""
        return Claims(self.out / LEDGER / "claims")

    @cached_property
    def conditions(self) -> list[Condition]:
        """The conditions of the experiment, network by network, layer by layer, seed by seed."""
        definition = self.definition
        return [
            Condition(
                network.spec, layer, network.recipe, network.outline.recipe, seed, network.kernels, definition.fit
            )
            for network in definition.networks
            for layer in network.layers
            for seed in definition.seeds
        ]

    @cached_property
    def layer_titles(self) -> dict[Path | None, str]:
        """What a table calls each layer, by its folder: its name, or its folder's where two recipes share the layer."""
        layers = {condition.layer_folder: condition.layer for condition in self.conditions}
        times = Counter((folder.parent, layer) for folder, layer in layers.items())
        titles = {f: layer if times[f.parent, layer] == 1 else f.name for f, layer in layers.items()}
        return {**titles, None: ""}

    @cached_property
    def items(self) -> list[Item]:
        """All items: of each network its null distribution, metamers and their evaluations; at the end, recognition."""
        definition = self.definition
        by_network: dict[str, list[Item]] = {}
        for item in self._nulls.values():
            by_network.setdefault(item.network.folder_name, []).append(item)
        for condition in self.conditions:
            found = by_network.setdefault(condition.network.folder_name, [])
            found.extend(batches(condition, definition.stimuli, definition.batch_size))
        for item in self.evaluations:
            by_network[item.network.folder_name].append(item)
        items = [item for found in by_network.values() for item in found]
        if definition.recognition is not None:
            judges = tuple(judge.spec for judge in definition.judges)
            settings = {key: value for key, value in definition.recognition.items() if key != "rules"}
            items += [RecognitionItem(judges, rule, **settings) for rule in definition.recognition["rules"]]
        return items

    @cached_property
    def _nulls(self) -> dict[str, NullItem]:
        """The null distributions to be built, by the folder of their network."""
        null = self.definition.null
        if null is None or "stimuli" not in null:
            return {}
        is_of_all = self.definition.evaluation["layers"] == "all"
        layers: dict[str, list[str]] = {}
        specs = {}
        for network in self.definition.networks:
            folder = network.spec.folder_name
            specs.setdefault(folder, network.spec)
            layers.setdefault(folder, []).extend([*network.layers, *(network.outline.layers if is_of_all else ())])
        settings = {key: null[key] for key in ("pairs", "design", "seed")}
        return {
            folder: NullItem(
                spec, tuple(dict.fromkeys(layers[folder])), tuple(null["stimuli"]), fit=null.get("fit"), **settings
            )
            for folder, spec in specs.items()
        }

    @cached_property
    def _evaluations(self) -> dict[Path, EvaluationItem]:
        """The evaluations, by the layer's folder."""
        null, is_of_all = self.definition.null or {}, self.definition.evaluation["layers"] == "all"
        found = {}
        for condition in self.conditions:
            built = self._nulls.get(condition.network.folder_name)
            found[condition.layer_folder] = EvaluationItem(
                condition.network,
                condition.layer,
                condition.layer_folder,
                str(built.file(self.out)) if built else None,
                tuple(null.get("files", ())),
                is_of_all,
            )
        return found

    @property
    def evaluations(self) -> list[EvaluationItem]:
        """The evaluations, one for each network and layer."""
        return list(self._evaluations.values())

    @cached_property
    def _synthesis(self) -> dict[Path, list[SynthesisItem]]:
        """The batches of metamers, by the layer's folder."""
        found: dict[Path, list[SynthesisItem]] = {}
        for item in self.items:
            if isinstance(item, SynthesisItem):
                found.setdefault(item.layer_folder, []).append(item)
        return found

    def requirements(self, item: Item) -> list[Item]:
        """Return the items that have to be done, or have failed, before an item can begin."""
        if isinstance(item, EvaluationItem):
            null = self._nulls.get(item.network.folder_name)
            return [*self._synthesis[item.layer_folder], *([null] if null else [])]
        return self.evaluations if isinstance(item, RecognitionItem) else []

    def count_made(self, item: SynthesisItem) -> int:
        """Return how many metamers of a batch are finished."""
        return sum(os.path.exists(f"{folder}/metamer.json") for folder in item.folders(str(self.out)))

    def is_done(self, item: Item) -> bool:
        """Tell whether an item is done; an evaluation or recognition is, as long as nothing has come since."""
        if isinstance(item, SynthesisItem):
            return self.count_made(item) == len(item.stimuli)
        if isinstance(item, NullItem):
            return item.file(self.out).exists()
        try:
            found = read_json(self._marker(item))
        except (OSError, ValueError):
            return False
        return found == self.basis(item)

    def basis(self, item: EvaluationItem | RecognitionItem) -> Any:
        """Return what an evaluation or a recognition depends on, as JSON has it."""
        if isinstance(item, RecognitionItem):
            truth = [] if item.truth is None else [_state(item.truth)]
            return [*map(self.basis, self.evaluations), *truth]
        made = sum(map(self.count_made, self._synthesis[item.layer_folder]))
        return {"metamers": made, "nulls": [_state(file) for file in (item.null, *item.further_nulls) if file]}

    def mark_done(self, item: EvaluationItem | RecognitionItem, basis: Any) -> None:
        """Note that an evaluation or a recognition is done.

        Args:
            item: the item.
            basis: what `basis` returned before it was begun.

        Raises:
            ResultError: it cannot be written.
        """
        with atomic_write(self._marker(item)) as partial:
            partial.write_text(json.dumps(basis) + "\n", encoding="utf-8")

    def has_metamers(self, item: EvaluationItem | RecognitionItem) -> bool:
        """Tell whether there is anything to evaluate or to recognise."""
        if isinstance(item, RecognitionItem):
            return any(map(self.has_metamers, self.evaluations))
        return any(map(self.count_made, self._synthesis[item.layer_folder]))

    def take(self, item: Item, found: FoundClaim | None) -> Claim | None:
        """Claim an item; None if it is done, has failed, or another worker has it.

        Args:
            item: the item.
            found: its newest claim.

        Raises:
            ResultError: the claim cannot be written.
        """
        if found is not None and (found.has_failed or found.is_held(self.claims.now())):
            return None
        claim = self.claims.take(item.key, found)
        if claim is not None and self.is_done(item):  # Finished between the look at the disk and the claim.
            self._clear(item)
            self.claims.forget(item.key, claim.generation)
            return None
        return claim

    def reset_failures(self) -> int:
        """Let what failed be tried again, and return how many items these are.

        Raises:
            ResultError: claims cannot be written.
        """
        failed = {key: found for key, found in self.claims.find_all().items() if found.has_failed}
        for key, found in failed.items():
            self.claims.reset(key, found)
        return len(failed)

    def tidy(self) -> None:
        """Remove claims that are no longer needed: those of items that are done or no longer in the file."""
        left = self.claims.find_all()
        if not left:
            return
        now, items = self.claims.now(), {item.key: item for item in self.items}
        for key, found in left.items():
            item = items.get(key)
            if found.is_held(now) or not (item is None or self.is_done(item)):
                continue
            if item is not None:
                self._clear(item)
            self.claims.forget(key, found.generation)

    def _clear(self, item: Item) -> None:
        """Remove what a worker that died at the very end has left of an item that is done."""
        if isinstance(item, SynthesisItem):
            jobs = [Job(spec, self.metamers) for spec in item.specs]
            remove_unfinished(jobs)
            for job in jobs:
                sweep_beside(job.folder)

    def _marker(self, item: Item) -> Path:
        return self.out / LEDGER / "done" / f"{item.key}.json"

    def _refuse_changes(self, earlier: Definition) -> None:
        """Refuse a file that was changed so that finished metamers would be left out; anything else may be changed."""
        self._refuse_another_file(earlier)
        before = Experiment(self.file, self.out, earlier)
        kept = {spec.key for item in self.items if isinstance(item, SynthesisItem) for spec in item.specs}
        made = [
            spec
            for item in before.items
            if isinstance(item, SynthesisItem)
            for spec in item.specs
            if (spec.folder(self.metamers) / "metamer.json").exists()
        ]
        lost = [spec for spec in made if spec.key not in kept]
        if made and earlier.version != self.definition.version:
            raise ResultError(
                f"{self.out} was begun with tfmetamers {earlier.version}, and this is {self.definition.version}; "
                "install that version, or start over with --fork NEW."
            )
        if lost:
            differences = find_differences(_comparable(self.definition), _comparable(earlier))
            listed = "; ".join(differences[:MAX_DIFFERENCES]) + ("; …" if len(differences) > MAX_DIFFERENCES else "")
            raise ResultError(
                f"{self.file} was changed after {len(made):,} metamers were made, of which {len(lost):,} are not in it "
                f"any more ({listed}); change it back, or start over with --fork NEW."
            )

    def _refuse_another_file(self, earlier: Definition) -> None:
        mine = os.path.relpath(self.file.absolute(), self.out.absolute())
        if earlier.file != mine:
            raise ResultError(
                f"{self.out} is the output folder of {os.path.normpath(self.out / earlier.file)}, and {self.file} was "
                "given; give each experiment an output of its own."
            )

    def _refuse_twins(self) -> None:
        folders = Counter((condition.layer_folder, condition.seed) for condition in self.conditions)
        for (folder, _), times in folders.items():
            if times > 1:
                raise ArgumentError(
                    f"{self.file} asks {times} times for the same metamers, {folder}; let each table [[networks]] have "
                    "layers or a recipe of its own."
                )


def read_definition(out: Path) -> Definition | None:
    """Return what is kept of the experiment of an output folder, None where there is none.

    Raises:
        ResultError: it is damaged.
    """
    path = out / LEDGER / "experiment.json"
    try:
        content = read_json(path, MAX_DEFINITION)
        check_seal(content)
        return Definition.from_json(content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(
            f"{path} is damaged ({error}); delete it, and run the experiment again: what is made is kept."
        ) from error


def _output(file: Path, content: dict[str, Any]) -> Path:
    out = file.parent / content.get("output", file.stem)
    if out.exists() and not out.is_dir():
        raise ArgumentError(f"The output of {file} is {out}, which is a file; give a folder.")
    return out


def _state(file: str) -> list | None:
    """Return what changes when a file does."""
    try:
        state = os.stat(file)
    except OSError:
        return None
    return [os.path.basename(file), state.st_size, state.st_mtime_ns]


def _comparable(definition: Definition) -> dict[str, Any]:
    """Return what determines metamers, in the words of the file."""
    return {
        "networks": {
            str(place): {
                "network": {key: value for key, value in network.spec.identity.items() if key != "sha256"},
                "weights": network.spec.digest,
                "layers": ", ".join(network.layers),
                "recipe": vars(network.recipe),
                "kernels": network.kernels,
            }
            for place, network in enumerate(definition.networks)
        },
        "stimuli": {stimulus.id: stimulus.sha256 for stimulus in definition.stimuli},
        "fit": definition.fit,
        "seeds": ", ".join(map(str, definition.seeds)),
    }


def numbered_shard(items: Sequence[Item], number: int, count: int) -> list[Item]:
    """Return items in the order in which one of several workers takes them: those of its own part first.

    Args:
        items: all items.
        number: which worker, from 1.
        count: how many workers.
    """
    start = (number - 1) * len(items) // count
    return [*items[start:], *items[:start]]
