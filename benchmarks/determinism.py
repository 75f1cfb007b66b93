"""Whether a command writes the same bytes in every process, and what deterministic operations cost a step.

    python benchmarks/determinism.py versions --processes 20 --killed 5 -- \
        synth --network small_word_aliased --layer conv_2 --steps 60 human.wav --fit centre
    python benchmarks/determinism.py cost vgg_19:random conv5_4

`versions` runs a command of tfmetamers that takes --output in so many processes, one after another, kills some of
them once or more and has the same command continue them, and prints how many versions there are of each file but
run.json. It ends with status 1 if there is more than one of any.

`cost` measures a step with and without deterministic operations, in processes that take turns.
"""

import collections
import hashlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from tabulate import tabulate
from workers import Worker, alternate, median_ratio

#: States are saved after each call, so that what is killed is continued from the middle and not from its start.
PROGRAM = """
from tfmetamers.synthesis import runs
runs.SECONDS_BETWEEN_SAVES = 0.0
from tfmetamers.cli.main import main
main()
"""
COMMAND = [sys.executable, "-c", PROGRAM]

#: Networks, and a layer of each, that `cost` measures where none is given.
CASES = [
    ("small_word_aliased", "conv_2"),
    ("small_word_reduced_aliasing", "conv_2"),
    ("small_category_reduced_aliasing", "conv_2"),
    ("small_word_and_category_reduced_aliasing", "conv_2"),
    ("small_word_reduced_aliasing_seed_1", "conv_2"),
    ("vgg_19:random", "conv1_2"),
    ("vgg_19:random", "conv5_4"),
    ("inception_v3:random", "Mixed_6e"),
    ("resnet_v2_101:random", "block4"),
    ("word_aliased:random", "conv_2"),
    ("vggish@1s:random", "conv4_2"),
    ("deepspeech@1s:random", "rnn"),
]


@click.group()
def main():
    """Measure determinism."""


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--processes", default=20, show_default=True)
@click.option("--killed", default=0, show_default=True, help="How many of them are killed on the way.")
@click.option("--kills", default=2, show_default=True, help="How often each of these is killed.")
@click.option("--seed", default=0, show_default=True, help="Of the moments of the kills.")
@click.argument("command", nargs=-1, required=True)
def versions(processes, killed, kills, seed, command):
    """Count the versions of each file that COMMAND writes in several processes."""
    moments = random.Random(seed)
    found: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    interruptions = 0
    with tempfile.TemporaryDirectory() as folder:
        longest = 0.0
        for number in range(processes):
            arguments = [*COMMAND, *command, "--output", str(Path(folder, str(number)))]
            started = time.monotonic()
            if 0 < number <= killed:  # The first tells how long it takes.
                for _ in range(kills):
                    interruptions += interrupt(arguments, moments.uniform(0.3, 0.95) * longest)
            subprocess.run(arguments, check=True, capture_output=True)
            longest = max(longest, time.monotonic() - started)
            for path in Path(folder, str(number)).rglob("*"):
                if path.is_file() and path.name != "run.json":
                    name = path.relative_to(Path(folder, str(number))).as_posix()
                    found[name][hashlib.sha256(path.read_bytes()).hexdigest()] += 1
    rows = [[name, sum(counted.values()), len(counted)] for name, counted in sorted(found.items())]
    print(tabulate(rows, ["file", "written", "versions"]))
    print(
        f"\n{processes} processes, {interruptions} kills; {len(found)} files, {max(row[2] for row in rows)} version(s)."
    )
    sys.exit(any(row[1:] != [processes, 1] for row in rows))


def interrupt(arguments: list[str], seconds: float) -> bool:
    """Start a command, kill it after a time, and return whether it was still at work."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


@main.command()
@click.option("--pairs", default=7, show_default=True, help="Alternations to take medians of.")
@click.option("--steps", default=5, show_default=True, help="Steps in a row.")
@click.argument("case", nargs=2, required=False)
def cost(pairs, steps, case):
    """Measure a step of CASE, a network and a layer, with and without deterministic operations."""
    rows = []
    for network, layer in [case] if case else CASES:
        workers = {way: Worker(build, network, layer, way) for way in (True, False)}
        seconds = alternate({way: partial(worker.seconds, steps) for way, worker in workers.items()}, pairs)
        medians = [f"{statistics.median(seconds[way]) / steps:.4f}" for way in (True, False)]
        rows.append([network, layer, *medians, f"{median_ratio(seconds[True], seconds[False]):.3f}"])
        for worker in workers.values():
            worker.peak_memory()  # Which ends it.
        print(f"{network} {layer} done", file=sys.stderr)
    print(
        tabulate(
            rows, ["network", "layer", "deterministic, s a step", "fast, s a step", "ratio"], disable_numparse=True
        )
    )


def build(name: str, layer: str, deterministic: bool):
    """Return a function that does so many steps."""
    from tfmetamers.networks import load_network
    from tfmetamers.recipes import find_recipe
    from tfmetamers.stimuli.noise import stimulus_digest
    from tfmetamers.synthesis.loop import Synthesis

    network = load_network(name)
    natural = network.domain.noise(find_recipe(network.recipe), "", "natural", 1)
    synthesis = Synthesis(network, layer=layer, recipe=find_recipe(network.recipe), deterministic=deterministic)
    start = synthesis.start([stimulus_digest(natural)], seed=0)
    targets = synthesis.targets(np.stack([natural]))
    return lambda steps: synthesis.advance(targets, start, steps)


if __name__ == "__main__":
    main()
