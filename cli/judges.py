"""How commands name the networks that judge: ``NAME``, ``NAME:random:SEED``, ``NAME=PATH``, ``FILE.keras`` ..."""

import inspect
import re
from collections.abc import Sequence
from pathlib import Path

from tfmetamers.cli.network_options import build_network
from tfmetamers.errors import ArgumentError

#: Every form that a judge can be given in, and what it is.
FORMS = {
    "NAME": "a network of 'tfmetamers networks', by the checkpoint that was fetched",
    "NAME=PATH": "with another checkpoint",
    "DIR": "a network that 'tfmetamers train' made, in place of a NAME",
    "NAME:random or NAME:random:SEED": "with random weights",
    "FILE.keras": "your own model",
    "release:DIR or release:DIR:NAME": "a word network of the authors' release",
    "FILE.json:random:SEED, FILE.json=PATH": "an auditory network of your own architecture (.json or .pckl)",
}

_WITH_WEIGHTS = re.compile(r"(?P<network>[^=:]+)(?:=(?P<checkpoint>.+)|:random(?::(?P<seed>\d+))?)?")

_OPTIONS = tuple(inspect.signature(build_network).parameters)


def build_judges(
    given: Sequence[str],
    labels: Path | None,
    input_range: tuple[float, float] | None,
    duration: float | None,
) -> list:
    """Return the networks that were given as judges.

    Args:
        given: each in one of `FORMS`.
        labels: a file of labels for every model and architecture of the user's own.
        input_range: what every Keras model takes for black and white.
        duration: of the sounds in seconds, for every network that takes any length.

    Raises:
        ArgumentError: one has none of the forms, names no network, or there is nothing for the labels, the input
            range or the duration to apply to.
        CheckpointError: weights are missing or do not fit.
    """
    judges = [parse_judge(each) for each in given]
    takes_range = [judge for judge in judges if "keras_model" in judge]
    takes_labels = takes_range + [judge for judge in judges if "architecture" in judge]
    if labels and not takes_labels:
        raise ArgumentError(
            "--labels is for a model or an architecture of your own, and no judge is one; leave it out."
        )
    if input_range and not takes_range:
        raise ArgumentError("--input-range is for Keras models, and no judge is one; leave it out.")
    _check_names(judges)
    if duration is not None:
        _set_duration(judges, duration)
    for judge in takes_labels:
        judge["labels"] = labels
    for judge in takes_range:
        judge["input_range"] = input_range
    return [build_network(**{option: judge.get(option) for option in _OPTIONS}) for judge in judges]


def _set_duration(judges: Sequence[dict], duration: float) -> None:
    from tfmetamers.networks.registry import takes_any_length

    of_any_length = [judge for judge in judges if "name" in judge and takes_any_length(judge["name"])]
    if not of_any_length:
        raise ArgumentError(
            "--duration is for networks that take sounds of any length, and no judge is one; leave it out."
        )
    for judge in of_any_length:
        judge["duration"] = duration


def parse_judge(text: str) -> dict:
    """Return the options of `tfmetamers.cli.network_options.build_network` that a judge stands for.

    Raises:
        ArgumentError: it has none of `FORMS`.
    """
    if text.startswith("release:"):
        return _release(text.removeprefix("release:"))
    if text.endswith(".keras"):
        return {"keras_model": Path(text)}
    match = _WITH_WEIGHTS.fullmatch(text)
    if match is None:
        raise ArgumentError(f"--by got {text!r}; one of {'; '.join(FORMS)} was expected.")
    is_architecture = Path(match["network"]).suffix.lower() in (".json", ".pckl")
    judge = {"architecture": Path(match["network"])} if is_architecture else {"name": match["network"]}
    if match["checkpoint"]:
        return {**judge, "checkpoint": Path(match["checkpoint"])}
    if ":random" in text:
        return {**judge, "weights": "random", "weights_seed": int(match["seed"] or 0)}
    return judge


def _release(text: str) -> dict:
    folder, colon, name = text.rpartition(":")
    if not colon or Path(text).is_dir():
        return {"release": Path(text)}
    return {"release": Path(folder), "name": name}


def _check_names(judges: Sequence[dict]) -> None:
    """Notice a misspelt name before the first network is loaded."""
    from tfmetamers.errors import unknown_name
    from tfmetamers.networks.auditory.trained_folder import is_trained_folder
    from tfmetamers.networks.registry import network_names

    for judge in judges:
        if "name" in judge and judge["name"] not in network_names() and not is_trained_folder(judge["name"]):
            raise unknown_name("network", judge["name"], network_names(), "'tfmetamers networks' lists them.")
