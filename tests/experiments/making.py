"""Experiments for tests: files, and stimuli that are never decoded or that are heard in milliseconds."""

import json
from pathlib import Path

import numpy as np
import soundfile

from tfmetamers.checkpoints.tables import MAGIC


def write_sounds(folder: Path, count: int, category: str = "3") -> Path:
    """Write sounds of one second, noise of different seeds, into a folder of their category.

    Networks without labels of their own call their classes by numbers, of which the category is one.
    """
    (folder / category).mkdir(parents=True)
    for number in range(count):
        noise = np.random.default_rng(number).normal(0, 0.05, 8000)
        soundfile.write(folder / category / f"{number}.wav", noise, 8000, subtype="PCM_16")
    return folder


def write_files(folder: Path, count: int, ending: str = ".wav") -> Path:
    """Write files that have the ending of a stimulus and are none; planning does not decode them."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:05d}{ending}").write_bytes(b"%d" % number)
    return folder


def write_checkpoint(file: Path, weights: bytes) -> Path:
    """Write a file that ends as a checkpoint does; planning does not read its weights."""
    file.write_bytes(weights + MAGIC)
    return file


def write_experiment(file: Path, networks: dict, *, steps: int = 3, further: str = "", **values) -> Path:
    """Write an experiment's file.

    Args:
        file: the file.
        networks: layers by network.
        steps: of the recipe.
        further: tables to add.
        values: further keys of the top level, as TOML has their values.
    """
    lines = [f"{key} = {value}" for key, value in values.items()]
    lines += ["[stimuli]", 'inputs = ["sounds"]', 'fit = "centre"']
    for network, layers in networks.items():
        lines += [
            "[[networks]]",
            f'network = "{network}"',
            f"layers = {json.dumps(list(layers))}",
            f"settings = {{ steps = {steps} }}",
        ]
    file.write_text("\n".join(lines) + "\n" + further, encoding="utf-8")
    return file


def contents(out: Path) -> dict[str, bytes]:
    """Return the bytes of everything in the folders of metamers but when and where they were made."""
    files = [path for path in (out / "metamers").rglob("*") if path.is_file() and path.name != "run.json"]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(files)}


def tables(out: Path) -> dict[str, bytes]:
    """Return the bytes of the tables that do not depend on who made what."""
    return {path.name: path.read_bytes() for path in (out / "tables").glob("*.csv") if path.name != "timings.csv"}
