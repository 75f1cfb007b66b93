"""The experiments that figures share: the papers' own, small ones for a first look, and yours in their place."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import tomlkit

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.stimuli import images, sounds
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.utilities.files import atomic_write

#: The settings in which experiments come: what runs at once, and what the papers did.
SETTINGS = ("quick", "full")

#: What replaces paths in the files of the papers' experiments, which only their users know.
PLACEHOLDER = "PATH"


def experiment_text(paper: str, name: str, setting: str) -> str | None:
    """Return the text of an experiment's file; None where the experiment does not come in a setting.

    Args:
        paper: the paper's year.
        name: the experiment's name, such as ``sounds``.
        setting: one of `SETTINGS`.
    """
    file = resources.files(__package__).joinpath(f"paper_{paper}", "experiments", f"{name}.{setting}.toml")
    return file.read_text(encoding="utf-8") if file.is_file() else None


def adapted(text: str, networks: Sequence[str] = (), stimuli: Sequence[str] = ()) -> str:
    """Return an experiment's text with other networks or stimuli in the place of its own; comments stay.

    A network that the text names, such as ``vgg_19`` in ``vgg_19=FILE.ckpt``, keeps the layers and settings that it has
    there; others have all their named layers, and the settings of the first. The networks are the judges, too. Null
    distributions are of the stimuli that are put in, with as many pairs as these have at most.

    Args:
        text: the text.
        networks: networks in the usual notation; none to keep the text's.
        stimuli: paths of files, folders and manifests; none to keep the text's.
    """
    document = tomlkit.parse(text)
    if networks:
        tables = document["networks"].unwrap()
        document["networks"] = _tables(entry for network in networks for entry in _entries(network, tables))
        if "recognition" in document:
            document["recognition"]["judges"] = list(dict.fromkeys(networks))
        document.get("null", {}).pop("files", None)
    if stimuli:
        document["stimuli"].pop("data_set", None)
        document["stimuli"]["inputs"] = [str(Path(path).absolute()) for path in stimuli]
        if "stimuli" in document.get("null", {}):
            count = len(collect_stimuli(stimuli, (*images.SUFFIXES, *sounds.SUFFIXES)))
            document["null"]["stimuli"] = document["stimuli"]["inputs"]
            document["null"]["pairs"] = min(document["null"]["pairs"], max(1, count * (count - 1) // 2))
    return tomlkit.dumps(document)


def _entries(network: str, tables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the tables of a network: those of the text with its name, else one like the text's first."""
    wanted = NetworkSpec.parse(network)
    specs = [NetworkSpec.parse(table["network"]) for table in tables]
    alike = [each for each in zip(specs, tables, strict=True) if _named(each[0]) == _named(wanted)]
    found = [table for spec, table in alike if spec.replace(checkpoint=None) == wanted.replace(checkpoint=None)]
    found = found or [table for spec, table in alike if spec == alike[0][0]]
    if not found:
        settings = {"settings": tables[0]["settings"]} if "settings" in tables[0] else {}
        found = [{"layers": "all", **settings}]
    return [{**table, "network": network} for table in found]


def _named(spec: NetworkSpec) -> tuple[str | None, ...]:
    """Return what a network is, whatever its weights and its size."""
    return spec.family, spec.name, spec.file


def _tables(entries) -> tomlkit.items.AoT:
    array = tomlkit.aot()
    for entry in entries:
        table = tomlkit.table()
        for key in ("network", *(key for key in entry if key != "network")):
            table[key] = tomlkit.item(entry[key]) if key != "settings" else _inline(entry[key])
        array.append(table)
    return array


def _inline(settings: Mapping[str, Any]) -> tomlkit.items.InlineTable:
    table = tomlkit.inline_table()
    table.update(settings)
    return table


def write_experiment(file: Path, text: str, is_asked_for: bool) -> None:
    """Write an experiment's file, unless it is there already.

    A file that was edited is left as it is; where networks or stimuli were asked for that it does not have, it is
    refused.

    Args:
        file: the file.
        text: what it should hold.
        is_asked_for: whether the text has networks or stimuli that were asked for.

    Raises:
        ResultError: the file is there and holds something else than what was asked for, or cannot be written.
        ArgumentError: a path is not given that only the user knows.
    """
    if file.exists():
        if is_asked_for and file.read_text(encoding="utf-8") != text:
            raise ResultError(
                f"{file} is an experiment with other networks or stimuli; give another --output, or leave --networks, "
                "--pictures and --sounds out to go on with it."
            )
        return
    with atomic_write(file) as partial:
        partial.write_text(text, encoding="utf-8")


def require_paths(file: Path, option: str) -> None:
    """Refuse an experiment's file in which paths are missing that only its user knows.

    Raises:
        ArgumentError: some are.
    """
    places = list(_placeholders(tomlkit.parse(file.read_text(encoding="utf-8")).unwrap()))
    if places:
        raise ArgumentError(
            f"{file} was written, and has {PLACEHOLDER} in the place of what only you know ({', '.join(places)}); "
            f"edit it{f', or give {option} for the stimuli' if 'stimuli.inputs' in places else ''}."
        )


def _placeholders(content: Mapping[str, Any]) -> Iterator[str]:
    """Give the keys of an experiment's file whose values are yet to be given."""
    for table, values in content.items():
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if isinstance(value, list) and PLACEHOLDER in value:
                yield f"{table}.{key}"
