"""The main job, start to end: metamers of a spoken word by two networks that come with the package, and a report.

    make demo
"""

import shlex
import sys
from pathlib import Path

from tfmetamers.cli.main import run
from tfmetamers.stimuli import sample_word

#: Two networks that differ in how they downsample, matched in how well they recognise words.
NETWORKS = ("small_word_aliased", "small_word_reduced_aliasing")

#: An early, a middle and a late layer.
LAYERS = ("pool_0_0", "conv_2", "fc_intermediate")

STEPS = 4000
OUT = Path("demo") / "spoken_word"

ENDING = """
Open {report} in a browser, and listen with headphones: first to the natural sound, the word
"{word}", then to the metamers, from {early} to {late}.

To the network, at the layer, each metamer is the word that it was made of. To a person, those of early layers are too;
those of late layers were hardly ever recognised by the paper's listeners, whose metamers were made by larger networks
in more steps (Feather et al. 2019, section 4). Then compare the networks: small_word_reduced_aliasing blurs before it
downsamples, and in the paper that made metamers easier to recognise."""


def main() -> None:
    """Make the metamers, judge them, and say what to look at."""
    layers = [word for layer in LAYERS for word in ("--layer", layer)]
    for network in NETWORKS:
        options = ["--network", network, *layers, "--steps", str(STEPS), "--output", str(OUT)]
        execute(["synth", *options, str(sample_word())])
    execute(["evaluate", str(OUT), "--all-layers"])
    print(ENDING.format(report=OUT / "report.html", word=sample_word().stem, early=LAYERS[0], late=LAYERS[-1]))


def execute(command: list[str]) -> None:
    """Print a command and run it; where it fails, end with its status."""
    print(f"\n$ tfmetamers {shlex.join(command)}", flush=True)
    if status := run(command):
        sys.exit(status)


if __name__ == "__main__":
    main()
