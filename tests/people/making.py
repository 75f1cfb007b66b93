"""Small metamers with verdicts, a page of one file, and sites of both."""

import dataclasses
from pathlib import Path

import numpy as np

from tests.making import give_verdict
from tests.metamers.examples import a_metamer, a_network_record, a_record
from tfmetamers.metamers.folder import save_metamers
from tfmetamers.metamers.record import LayerRecord
from tfmetamers.networks.categories import CATEGORIES
from tfmetamers.people.build_record import Design
from tfmetamers.people.site import build_site
from tfmetamers.people.texts import Texts
from tfmetamers.stimuli.domains import Sounds

NETWORKS = ("vgg_19:random:3", "vgg_19:random:4")
LAYERS = ("conv1_2", "conv2_2")


def write_metamers(out: Path, stimuli: int, *, networks=NETWORKS, layers=LAYERS, failed=(), source="random") -> Path:
    """Write a metamer of each stimulus at each layer of each network, all included but those of `failed` stimuli.

    Stimulus 0 is an airplane, 1 a bear, and so on, over and over.
    """
    for network in networks:
        for layer in layers:
            for number in range(stimuli):
                folder = write_metamer(out, network, layer, number, source)
                give_verdict(folder, number not in failed)
    return out


def write_metamer(out: Path, network: str, layer: str, number: int, source: str = "random") -> Path:
    category = CATEGORIES[number % 16]
    metamer = a_metamer(steps=10 + number)
    seed = (number, LAYERS.index(layer) if layer in LAYERS else 9, len(network))
    metamer.stimulus[:] = np.random.default_rng(seed).integers(0, 256, metamer.stimulus.shape) / 255
    record = a_record(
        stimulus={"id": f"{category}/{number}", "category": category, "sha256": f"{number:064x}"},
        network=a_network_record(network, digest=network, source=source),
        layer=LayerRecord(layer, f"{layer}:0", (6, 8, 64), "straight-through (1 ReLU)", ("Relu",)),
    )
    [folder] = save_metamers(dataclasses.replace(metamer, record=record), out)
    return folder


#: Words of sounds; the first ones are spoken.
WORDS = ("about", "account", "don't", "market", "people", "price", "water", "year")


def write_sound_metamers(out: Path, sounds: int) -> Path:
    """Write a metamer of each sound, of a quarter of a second, at two layers of one network; all are included."""
    domain = Sounds(8000, 2000)
    for layer in LAYERS:
        for number in range(sounds):
            natural, made = np.random.default_rng([number, LAYERS.index(layer)]).normal(0, 0.1, (2, domain.samples))
            record = a_record(
                stimulus={"id": f"{WORDS[number]}/{number}", "label": WORDS[number], "category": None,
                          "sha256": f"{number:064x}"},
                network=a_network_record("vgg_19:random:5", domain, digest="sounds", recipe="feather2019-audio"),
                layer=LayerRecord(layer, f"{layer}:0", (6, 8, 64), "straight-through (1 ReLU)", ("Relu",)),
            )  # fmt: skip
            metamer = dataclasses.replace(
                a_metamer(), stimulus=made.astype("f4"), original=natural.astype("f4"), record=record
            )
            [folder] = save_metamers(metamer, out)
            give_verdict(folder, True)
    return out


def write_page(folder: Path) -> Path:
    """Write a page that loads nothing of jsPsych."""
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><html><head><title>page</title></head></html>")
    return folder


TEXTS = Texts(title="A study", consent="I agree.", debrief="Thank you.")


def build(metamers: Path, out: Path, page: Path, **design):
    """Build a small experiment of images."""
    numbers = {"lists": 4, "trials": 3, "practice": 2, **design}
    return build_site(metamers, out, Design("images", "feather2019", **numbers), TEXTS, page=page)
