"""Whether a command writes the same bytes in every process, and what deterministic operations cost a step.

    python benchmarks/determinism.py versions --processes 20 --killed 5 --network vgg_19=vgg_19.ckpt -- \
        synth --layer conv5_4 --steps 20 pocketwatch.jpg
    python benchmarks/determinism.py cost vgg_19:random conv5_4

`versions` runs a command of tfmetamers in many processes, one after another, each with an output folder of its own;
kills some of them on the way and has the same command continue them; and counts the versions of every file but
run.json. It ends with status 1 where there is more than one of any.

`cost` measures a step with and without deterministic operations, in processes that take turns.
"""

import collections
import hashlib
import json
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

#: Runs commands one after another. States are saved after each call, so that what is killed is continued from there.
PROGRAM = """
import json, sys
from tfmetamers.synthesis import runs
runs.SECONDS_BETWEEN_SAVES = 0.0
from tfmetamers.cli.main import run
sys.exit(max(run(command) for command in json.loads(sys.argv[1])))
"""

#: How long a state is waited for before a kill, in seconds; where none appears, the process is left to finish.
PATIENCE = 600

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
    ("deepspeech@1s:random", "rnn_output"),
]


@click.group()
def main():
    """Measure determinism."""


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--processes", default=20, show_default=True)
@click.option("--killed", default=0, show_default=True, help="How many of them are killed on the way.")
@click.option("--kills", default=2, show_default=True, help="How often each of these is killed.")
@click.option("--seed", default=0, show_default=True, help="Seed of the times of the kills.")
@click.option(
    "--network",
    "networks",
    multiple=True,
    required=True,
    help="One command is run for each; can be given several times.",
)
@click.argument("command", nargs=-1, required=True)
def versions(processes, killed, kills, seed, networks, command):
    """Count the versions of each file that COMMAND writes in several processes."""
    moments, interruptions = random.Random(seed), 0
    found: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(processes):
            out = Path(folder, str(number))
            commands = [[*command, "--network", network, "--output", str(out)] for network in networks]
            arguments = [sys.executable, "-c", PROGRAM, json.dumps(commands)]
            for _ in range(kills if number < killed else 0):
                interruptions += interrupt(arguments, out, moments)
            subprocess.run(arguments, check=True, capture_output=True)
            for path in out.rglob("*"):
                if path.is_file() and path.name != "run.json":
                    digest = hashlib.sha256(path.read_bytes()).hexdigest()
                    found[path.relative_to(out).as_posix()][digest] += 1
            print(f"process {number}: at most {max(map(len, found.values()))} version(s)", file=sys.stderr, flush=True)
    names: dict[str, list[str]] = collections.defaultdict(list)
    for name in sorted(found):
        names[f"{name.split('/')[0]}: {Path(name).name}"].append(name)
    rows = [[name, len(each), max(len(found[file]) for file in each)] for name, each in names.items()]
    print(tabulate(rows, ["file", "metamers", "versions"]))
    most = max(row[2] for row in rows)
    print(f"\n{processes} processes, {interruptions} kills, {len(found)} files; at most {most} version(s) of one.")
    sys.exit(any(len(counted) > 1 or sum(counted.values()) != processes for counted in found.values()))


def interrupt(arguments: list[str], out: Path, moments: random.Random) -> bool:
    """Start a command, kill it some time after it has saved a state, and return whether it was still at work."""
    started, before = time.monotonic(), set(states(out))
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while set(states(out)) <= before and process.poll() is None and time.monotonic() - started < PATIENCE:
        time.sleep(0.01)
    try:
        process.wait(moments.uniform(0, 0.2) * (time.monotonic() - started))
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() != 0


def states(out: Path) -> list[tuple[Path, int]]:
    """Return the saved states, each with the time when it was saved."""
    found = []
    for path in out.rglob("*.unfinished/state.npz"):
        try:
            found.append((path, path.stat().st_mtime_ns))
        except FileNotFoundError:  # Just removed.
            continue
    return found


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
        print(*rows[-1], file=sys.stderr, flush=True)
    headers = ["network", "layer", "deterministic, s a step", "fast, s a step", "ratio"]
    print(tabulate(rows, headers, disable_numparse=True))


def build(name: str, layer: str, deterministic: bool):
    """Return a function that does so many steps."""
    from tfmetamers.networks import load_network
    from tfmetamers.recipes import find_recipe
    from tfmetamers.stimuli.noise import stimulus_digest
    from tfmetamers.synthesis.loop import Synthesis

    network = load_network(name)
    recipe = find_recipe(network.recipe)
    natural = network.domain.noise(recipe, "", "natural", 1)
    synthesis = Synthesis(network, layer=layer, recipe=recipe, deterministic=deterministic)
    start = synthesis.start([stimulus_digest(natural)], seed=0)
    targets = synthesis.targets(np.stack([natural]))
    return lambda steps: synthesis.advance(targets, start, steps)


if __name__ == "__main__":
    main()
