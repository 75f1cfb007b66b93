"""Metamers of a published network of words, and of YAMNet, shown to other published networks of words.

    python reproduce/scripts/networks_of_others.py --networks FOLDER --recordings FOLDER --output OUT

The networks are made by the code of docs/networks_of_others.md and docs/own_networks.md, from the files that these
name, in the folder of --networks. Recordings are folders of WAV files by word, as Speech Commands has them: the first
of each of ten words is a natural stimulus, and null distributions are of pairs of all. What is made is not made again.
"""

import os
import re
from pathlib import Path
from typing import Any

import click

import tfmetamers as tm
from tfmetamers.inclusion.evaluation import evaluate
from tfmetamers.recognition.decisions import recognize
from tfmetamers.recognition.summary import summarize_recognition
from tfmetamers.recognition.truth import Truth
from tfmetamers.report.recognition import write_recognition
from tfmetamers.stimuli.collection import collect_stimuli

DOCUMENTS = ("networks_of_others.md", "own_networks.md")

#: The words that all judges know.
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")

#: The networks that metamers are made for, by their names in the documents, and the layers.
LAYERS = {
    "ds_cnn": ("Mfcc", "MobileNet/conv_1/batch_norm/Relu", "MobileNet/conv_ds_3/pw_batch_norm/Relu",
               "MobileNet/conv_ds_5/pw_batch_norm/Relu"),
    "yamnet": ("log_mel", "layer3", "layer7", "layer14"),
}  # fmt: skip

JUDGES = ("ds_cnn", "cnn", "crnn", "network")

STEPS, PAIRS = 600, 20_000

_FOLDER = click.Path(file_okay=False, path_type=Path, resolve_path=True)


def published_networks(folder: Path) -> dict[str, Any]:
    """Run the code of the documents in the folder of the networks' files, from here on, and return its names."""
    documents = Path(__file__).resolve().parents[2] / "docs"
    names: dict[str, Any] = {}
    os.chdir(folder)
    for document in DOCUMENTS:
        text = (documents / document).read_text(encoding="utf-8")
        blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for block in blocks if document == DOCUMENTS[0] else blocks[:1]:
            exec(block, names)
    return names


@click.command()
@click.option("--networks", type=_FOLDER, required=True, help="Folder of the networks' files.")
@click.option("--recordings", type=_FOLDER, required=True, help="Folder of folders of WAV files, by word.")
@click.option("--output", type=_FOLDER, required=True, help="Folder to write to.")
def main(networks, recordings, output):
    """Make metamers of ten words, judge them, and show them to networks of words."""
    names = published_networks(networks)
    files = [file for file in collect_stimuli([recordings], (".wav",)) if not file.category.startswith("_")]
    waveforms = [names["ds_cnn"].domain.load(file.path, "centre") for file in files]
    first = {word: next(place for place, file in enumerate(files) if file.category == word) for word in WORDS}
    sounds = [waveforms[place] for place in first.values()]
    metamers = output / "metamers"
    for name, layers in LAYERS.items():
        network, null = names[name], output / f"{name}.npz"
        for layer in layers:
            done = output / "done" / f"{name}-{layer.replace('/', '-')}"
            if not done.exists():
                made = tm.synthesize_batch(network, sounds, layers=layer, ids=list(WORDS), steps=STEPS, progress=True)
                tm.save_metamers(made, metamers)
                done.parent.mkdir(parents=True, exist_ok=True)
                done.touch()
        if not null.exists():
            tm.NullDistribution.from_stimuli(network, waveforms, layers=list(layers), pairs=PAIRS).save(null)
    nulls = {output / f"{name}.npz": tm.NullDistribution.load(output / f"{name}.npz") for name in LAYERS}
    for judged in evaluate(metamers, nulls, networks=[names[name] for name in LAYERS]):
        click.echo(f"{os.path.relpath(judged.folder, metamers)}: {judged.verdict['array']['included']}")
    truth = {word: Truth(word, word) for word in WORDS}
    recognition = recognize(metamers, [names[judge] for judge in JUDGES], truth=truth)
    write_recognition(output, recognition, summarize_recognition(recognition))


if __name__ == "__main__":
    main()
