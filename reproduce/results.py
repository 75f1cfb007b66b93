"""What an experiment has made, as tidy tables that figures are drawn from."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.items import RecognitionItem
from tfmetamers.inclusion.bundled import bundled_nulls
from tfmetamers.inclusion.null_choice import applying_nulls
from tfmetamers.inclusion.null_files import load_null
from tfmetamers.inclusion.verdict_file import read_verdict
from tfmetamers.metamers.folder import find_metamers, read_record, read_run
from tfmetamers.networks.spec import STIMULUS, NetworkSpec

if TYPE_CHECKING:
    import pandas

    from tfmetamers.inclusion.null import NullDistribution
    from tfmetamers.networks.network import Network

#: The columns that tell what a metamer is, in all tables.
CONDITION = ("network", "optimized", "layer", "depth", "gradient", "stimulus", "label", "category", "seed")


class Results:
    """The metamers of an experiment, what was found of them, and who recognised them.

    Networks are called by the titles of their specs, such as ``vgg_19``, ``inception_v3@224`` or
    ``small_word_aliased:random:0``, and by what was optimised where that is not the stimulus. ``depth`` is a layer's
    place among the layers of its network that metamers were made for, from 0 at the input.

    Attributes:
        experiment: the experiment.
    """

    def __init__(self, experiment: Experiment):
        self.experiment = experiment

    @cached_property
    def _names(self) -> dict[str, str]:
        """What each network and judge is called, by the name of its folder, which also tells apart what is alike."""
        definition = self.experiment.definition
        plain = {each.spec.folder_name: _title(each.spec) for each in (*definition.judges, *definition.networks)}
        times = Counter(plain.values())
        return {folder: name if times[name] == 1 else f"{name} ({folder})" for folder, name in plain.items()}

    @cached_property
    def networks(self) -> dict[str, str]:
        """What each generating network is called, by the name of its folder."""
        folders = [each.spec.folder_name for each in self.experiment.definition.networks]
        return {folder: self._names[folder] for folder in folders}

    @cached_property
    def layers(self) -> dict[str, list[str]]:
        """The layers of each generating network that metamers were made for, from the input to the output."""
        found: dict[str, list[str]] = {}
        named = {}
        for each in self.experiment.definition.networks:
            name = self._names[each.spec.folder_name]
            found.setdefault(name, []).extend(each.layers)
            named[name] = each.outline.layers
        places = {name: {layer: place for place, layer in enumerate(layers)} for name, layers in named.items()}
        return {
            name: sorted(dict.fromkeys(layers), key=lambda layer: places[name].get(layer, len(places[name])))
            for name, layers in found.items()
        }

    @property
    def judges(self) -> list[str]:
        """What each judge is called, in the order of the experiment's file."""
        return [self._names[judge.spec.folder_name] for judge in self.experiment.definition.judges]

    @cached_property
    def _found(self) -> list[dict[str, Any]]:
        """What is known of each finished metamer: its condition, and the verdict on it."""
        if not self.experiment.metamers.is_dir():
            return []
        rows = []
        for folder in find_metamers(self.experiment.metamers):
            record, verdict = read_record(folder), read_verdict(folder)
            network = self.networks.get(folder.relative_to(self.experiment.metamers).parts[0])
            if network is None:  # Of a network that was taken out of the file.
                continue
            stimulus = record.stimulus
            condition = {
                "network": network,
                "optimized": record.network.spec.optimize,
                "layer": record.layer.name,
                "depth": self.layers[network].index(record.layer.name),
                "gradient": record.recipe.relu_gradient,
                "stimulus": stimulus.id,
                "label": stimulus.label,
                "category": stimulus.category,
                "seed": record.seed,
            }
            rows.append({"condition": condition, "record": record, "verdict": verdict, "folder": folder})
        return sorted(rows, key=lambda row: _order(row["condition"], list(self.layers)))

    @cached_property
    def metamers(self) -> "pandas.DataFrame":
        """A row for each finished metamer, with the verdict on its exact array; empty cells where there is none yet."""
        import pandas

        rows = []
        for found in self._found:
            record, verdict = found["record"], found["verdict"] and found["verdict"]["array"]
            rows.append(
                {
                    **found["condition"],
                    "steps": record.recipe.steps,
                    "loss": record.loss.final,
                    "included": verdict and verdict["included"],
                    "same_label": verdict and verdict["same_label"],
                    "correlation": verdict and verdict["correlation"],
                    "null_maximum": verdict and verdict["null_maximum"],
                    "reasons": "; ".join(verdict["reasons"]) if verdict else "",
                    "folder": found["folder"],
                }
            )
        columns = ("steps", "loss", "included", "same_label", "correlation", "null_maximum", "reasons", "folder")
        return pandas.DataFrame(rows, columns=[*CONDITION, *columns])

    @cached_property
    def activations(self) -> "pandas.DataFrame":
        """A row for each metamer and each of some units of its layer, with what the unit does for both stimuli."""
        import pandas

        tables = [
            pandas.DataFrame(found["verdict"]["scatter"]).rename_axis("unit").reset_index().assign(**found["condition"])
            for found in self._found
            if found["verdict"]
        ]
        columns = [*CONDITION, "unit", "original", "metamer"]
        return pandas.concat(tables, ignore_index=True)[columns] if tables else pandas.DataFrame(columns=columns)

    @cached_property
    def correlations(self) -> "pandas.DataFrame":
        """A row for each metamer and each layer that was compared, with Spearman's coefficient there."""
        import pandas

        rows = [
            {
                **found["condition"],
                "included": found["verdict"]["array"]["included"],
                "compared": layer,
                "correlation": comparison["correlation"],
                "null_maximum": comparison["null_maximum"],
            }
            for found in self._found
            if found["verdict"]
            for layer, comparison in _comparisons(found).items()
        ]
        return pandas.DataFrame(rows, columns=[*CONDITION, "included", "compared", "correlation", "null_maximum"])

    @cached_property
    def decisions(self) -> "pandas.DataFrame":
        """A row for each judge and each stimulus that it was shown; natural stimuli have no network.

        Categories are those of the first of the experiment's decision rules. Judges are called as networks are, so that
        a network that judges its own metamers has one name. ``agrees`` tells whether a judge's label of a metamer is
        the judge's own label of the natural stimulus, which needs no truth; ``same_category`` is the same for the 16
        categories.
        """
        import pandas

        files = [
            item.folder(self.experiment.out) / "recognition.csv"
            for item in self.experiment.items
            if isinstance(item, RecognitionItem) and self.experiment.is_done(item)
        ]
        columns = ["judge", *CONDITION, "included", "decision_label", "correct_label", "decision_category",
                   "correct_category", "agrees", "same_category"]  # fmt: skip
        if not files:
            return pandas.DataFrame(columns=columns)
        table = pandas.read_csv(files[0])
        table["judge"] = table["judge"].map(dict(zip(table["judge"].unique(), self.judges, strict=True)))
        by_folder = {
            found["folder"].relative_to(self.experiment.metamers).as_posix(): found["condition"]
            for found in self._found
        }
        table = table[table["folder"].isin(by_folder)].reset_index(drop=True)
        conditions = pandas.DataFrame([by_folder[folder] for folder in table["folder"]], columns=CONDITION)
        is_natural = table["layer"] == "natural"
        conditions.loc[is_natural, ["network", "optimized", "layer"]] = ["", "", "natural"]
        conditions.loc[is_natural, "depth"] = -1
        table = pandas.concat([conditions, table.drop(columns=[*CONDITION], errors="ignore")], axis=1)
        return _with_agreement(table)[columns]

    def null(self, network: str) -> "NullDistribution | None":
        """Return the null distribution that the metamers of a network are held against; None without one."""
        return self._nulls.get(network)

    @cached_property
    def _nulls(self) -> "Mapping[str, NullDistribution]":
        found = {}
        given = {Path(file): load_null(file) for file in (self.experiment.definition.null or {}).get("files", ())}
        built = {
            each.network.folder_name: Path(each.null)
            for each in self.experiment.evaluations
            if each.null and Path(each.null).exists()
        }
        firsts = {}
        for each in self._found:
            firsts.setdefault(each["condition"]["network"], each["record"])
        names = {name: folder for folder, name in self.networks.items()}
        for name, record in firsts.items():
            file = built.get(names[name])
            nulls = {file: load_null(file)} if file else applying_nulls(given, record)
            nulls = nulls or applying_nulls(bundled_nulls(), record)
            if nulls:
                found[name] = next(iter(nulls.values()))
        return found

    def front_end_layer(self, network: str) -> str:
        """Return the first named layer of a generating network, where a front end ends: ``cochleagram``, ``mfcc``."""
        planned = self.experiment.definition.networks
        [outline, *_] = (each.outline for each in planned if self._names[each.spec.folder_name] == network)
        return outline.layers[0]

    def load(self, network: str) -> "Network":
        """Return a generating network.

        Raises:
            TfmetamersError: it cannot be loaded.
        """
        specs = [each.spec for each in self.experiment.definition.networks]
        return next(spec for spec in specs if self._names[spec.folder_name] == network).load()

    @cached_property
    def seconds(self) -> float:
        """How many seconds the steps of all metamers took, one after another; a batch's are counted once."""
        runs = [(read_run(found["folder"]), found["record"].computation.batch_size) for found in self._found]
        return sum(run.seconds / batch_size for run, batch_size in runs if run is not None)


def _title(spec: NetworkSpec) -> str:
    return spec.title if spec.optimize == STIMULUS else f"{spec.title}, {spec.optimize}"


def _order(condition: Mapping[str, Any], networks: list[str]) -> tuple:
    return (
        networks.index(condition["network"]),
        *(condition[key] for key in ("depth", "gradient", "stimulus", "seed")),
    )


def _comparisons(found: Mapping[str, Any]) -> Mapping[str, Any]:
    verdict = found["verdict"]
    return verdict["layers"] or {found["condition"]["layer"]: verdict["array"]}


def _with_agreement(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """Add what a judge's decisions have to do with its own decisions on natural stimuli."""
    natural = table[table["layer"] == "natural"].drop_duplicates(["judge", "stimulus"])
    keys = ["judge", "stimulus"]
    own = natural[[*keys, "decision_label", "decision_category"]]
    joined = table.merge(own, on=keys, how="left", suffixes=("", "_natural"))
    for column, decision in {"agrees": "decision_label", "same_category": "decision_category"}.items():
        is_known = joined[decision].notna() & joined[f"{decision}_natural"].notna()
        is_same = joined[decision] == joined[f"{decision}_natural"]
        joined[column] = is_same.astype("boolean").where(is_known)
    return joined
