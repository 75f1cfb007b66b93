"""The published VGG-19 notebook, run again: its picture, its layers, its loss trace beside ours.

    python reproduce/scripts/vgg_19_notebook.py pocketwatch.jpg --checkpoint vgg_19.ckpt --steps 2000

The picture is `assets/pocketwatch.jpg` of the released code (github jenellefeather/model_metamers), whose
notebook printed the losses below every 1000 steps. Our noise has another seed, so ratios near 1 are expected,
not equality.
"""

import sys
from pathlib import Path

import click
from tabulate import tabulate

from tfmetamers.cli.main import run
from tfmetamers.published import find_published


@click.command()
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), help="vgg_19.ckpt [default: the fetched one].")
@click.option("--layer", "layers", multiple=True, default=["conv1_2"], show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=15000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("vgg_19_notebook"), show_default=True)
def main(picture, checkpoint, layers, steps, seed, output):
    """Make the notebook's metamers of PICTURE and print the published losses, ours, and their ratio."""
    options = ["--steps", steps, "--seed", seed, "--output", output]
    options += [word for layer in layers for word in ("--layer", layer)]
    options += ["--checkpoint", checkpoint] if checkpoint else []
    command = ["synth", "--network", "vgg_19", *map(str, options), str(picture)]
    if status := run(command):
        sys.exit(status)
    from tfmetamers.metamers import load_metamers

    made = {
        metamer.record.layer.name: metamer
        for metamer in load_metamers(output)
        if (metamer.record.seed, metamer.record.recipe.steps) == (seed, steps)
    }
    for layer in layers:
        compare(made[layer])


def compare(metamer) -> None:
    """Print the published losses of a metamer's layer beside ours at every step that is published and was reached."""
    record, layer = metamer.record, metamer.record.layer.name
    ours = dict(zip(metamer.steps.tolist(), metamer.losses.tolist(), strict=True))
    table = find_published("losses_2019").read()
    published = table[table["layer"] == layer].set_index("step")["loss"]
    rows = [
        [step, f"{loss:.6g}", f"{ours[step]:.6g}", f"{ours[step] - loss:+.3g}", f"{ours[step] / loss:.3f}"]
        for step, loss in published.items()
        if step in ours
    ]
    print(f"\n{layer}, {record.network.describe_weights()}, seed {record.seed}")
    if rows:
        print(tabulate(rows, ["step", "published", "ours", "difference", "ratio"], disable_numparse=True))
    else:
        print(f"No loss of {layer} is published; ours went from {ours[0]:.6g} to {metamer.losses[-1]:.6g}.")
    correlation = record.correlation
    published = " (published: 0.9999 after 15000 steps)" if layer == "conv1_2" else ""
    print(f"Spearman's correlation of the activations: {correlation and round(correlation, 4)}{published}")


if __name__ == "__main__":
    main()
