"""The main job, start to end: metamers of a photograph at two early layers of VGG-19, and a figure of them.

    make demo

Uses the published weights where they have been fetched, and random ones otherwise.
"""

import shlex
import sys
from pathlib import Path

from tfmetamers.checkpoints.catalog import cached_checkpoint
from tfmetamers.cli.main import run
from tfmetamers.stimuli import sample_photograph

LAYERS = ("conv1_2", "conv2_2")
STEPS = 500


def main() -> None:
    """Run the command, then draw what it made."""
    weights = "checkpoint" if cached_checkpoint("vgg_19") else "random"
    if weights == "random":
        print(
            "The published weights of VGG-19 have not been fetched (tfmetamers checkpoints fetch vgg_19), "
            "so this demonstration uses random ones."
        )
    out = Path("demo") / weights
    layers = [word for layer in LAYERS for word in ("--layer", layer)]
    options = ["--network", "vgg_19", "--weights", weights, *layers, "--steps", str(STEPS), "--output", str(out)]
    command = ["synth", *options, str(sample_photograph())]
    print(f"$ tfmetamers {shlex.join(command)}")
    if status := run(command):
        sys.exit(status)
    draw(out, weights)


def draw(out: Path, weights: str) -> None:
    """Draw the photograph, the noise, the metamers and the loss curves."""
    from tfmetamers.figures import plot_metamers
    from tfmetamers.results import metamer_folder, read_metamer

    folders = [metamer_folder(out, "vgg_19", layer, sample_photograph().stem, seed=0) for layer in LAYERS]
    trained = "published" if weights == "checkpoint" else "random"
    title = f"VGG-19, {trained} weights: metamers after {STEPS} steps (a full run has 15000)"
    figure = plot_metamers([read_metamer(folder) for folder in folders], title)
    figure.savefig(out / "metamers.png", dpi=110)
    print(f"\nOpen {out / 'metamers.png'}: the photograph, the noise, the metamers and how the losses fell.")


if __name__ == "__main__":
    main()
