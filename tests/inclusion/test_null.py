"""Null distributions: the pairs that were asked for, SciPy's coefficients, and nothing lost."""

import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import soundfile
from PIL import Image, ImageOps
from scipy import stats

from tfmetamers.errors import ArgumentError, ResultError, StimulusError, TfmetamersWarning
from tfmetamers.inclusion import null_construction
from tfmetamers.inclusion.measures import snr
from tfmetamers.inclusion.null import NullDistribution, NullStimulus
from tfmetamers.inclusion.null_construction import build_null, examine_stimuli, plan_null
from tfmetamers.inclusion.null_merging import merge_nulls
from tfmetamers.inclusion.pairs import draw_pairs
from tfmetamers.inclusion.row_tables import LayerTable
from tfmetamers.metrics import centred_ranks, pearson, signal_to_noise_ratio
from tfmetamers.networks import from_keras, load_architecture
from tfmetamers.networks.network import Network
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.stimuli.images import SUFFIXES

LAYERS = ("first", "block", "logits")


@pytest.fixture(scope="module")
def network(small_model):
    return from_keras(small_model, labels=list("abcdefghij"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of nine pictures of noise of different coarseness."""
    folder = tmp_path_factory.mktemp("stimuli")
    generator = np.random.default_rng(5)
    for number in range(9):
        side = 4 * 2 ** (number % 4)
        picture = Image.fromarray(generator.integers(0, 256, (side, side, 3), np.uint8))
        picture.resize((32, 32)).save(folder / f"s{number}.png")
    return folder


@pytest.fixture(scope="module")
def stimuli(network, folder):
    return examine_stimuli(network, collect_stimuli([folder], SUFFIXES))


def plan(network, stimuli, out, layers=LAYERS, **options):
    return plan_null(network, layers, stimuli, **{"pairs": 36, "seed": 0, "out": out, **options})


@pytest.fixture
def passes(monkeypatch):
    """A list that grows by an item with each pass through a network."""
    passes = []
    together = Network.activations_together

    def counted(network, layers):
        function = together(network, layers)
        return lambda batch: passes.append(layers) or function(batch)

    monkeypatch.setattr(Network, "activations_together", counted)
    return passes


@pytest.fixture(scope="module")
def built(network, stimuli, tmp_path_factory):
    """All 36 pairs of nine pictures, and the file."""
    out = tmp_path_factory.mktemp("built") / "null.npz"
    return build_null(plan(network, stimuli, out)), out


# Pairs.


def every_pair(count):
    return {(first, second) for second in range(count) for first in range(second)}


@pytest.mark.parametrize("stimuli", [2, 33])
@pytest.mark.parametrize("design", ["blocks", "independent"])
def test_any_number_of_pairs_up_to_all_can_be_drawn_and_none_is_drawn_twice(stimuli, design):
    most = stimuli // 2 if design == "independent" else stimuli * (stimuli - 1) // 2
    for count in {1, most // 2 or 1, most}:
        drawn = draw_pairs(stimuli, count, 3, design)
        pairs = [tuple(pair) for pair in drawn.pairs.tolist()]
        assert len(pairs) == len(set(pairs)) == count
        assert set(pairs) <= every_pair(stimuli)
        assert pairs == sorted(pairs)
        blocks_of = [set(drawn.blocks[(drawn.pairs == number).any(axis=1)]) for number in range(stimuli)]
        assert max(map(len, blocks_of)) == 1
        if design == "independent":
            assert np.bincount(drawn.pairs.ravel()).max() == 1
    with pytest.raises(ArgumentError, match=rf"{most + 1} pairs? .*{stimuli} stimuli .*{most} "):
        draw_pairs(stimuli, most + 1, 3, design)


def test_the_seed_decides_which_pairs_and_blocks_are_no_larger_than_they_need_be():
    first, again, other = (draw_pairs(500, 1000, seed).pairs for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    # 100 blocks of five stimuli have 1,000 pairs, 125 blocks of four have 750.
    assert set(np.bincount(first.ravel(), minlength=500)) == {4}


def test_every_pair_is_equally_likely():
    counts = np.zeros((6, 6))
    for seed in range(2000):
        for first, second in draw_pairs(6, 4, seed).pairs:
            counts[first, second] += 1
    drawn = counts[np.triu_indices(6, 1)]
    assert drawn.sum() == 8000
    assert stats.chisquare(drawn).pvalue > 1e-4


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((207, 0, 0), "number of pairs"), ((1, 1, 0), "number of stimuli"), ((207, 1, 0, "block"), "'block'.*blocks")],
)
def test_pairs_that_cannot_be_drawn_are_refused(arguments, named):
    with pytest.raises(ArgumentError, match=named):
        draw_pairs(*arguments)


# Coefficients.


def test_products_of_ranks_are_exact_whatever_is_read_at_once(tmp_path):
    activations = np.random.default_rng(1).normal(size=(5, 150_000)).astype(np.float32)
    with LayerTable(tmp_path / "layer", 150_000, list("abcde")) as table:
        for row, values in enumerate(activations):
            table.write(row, values)
        found = [table.rank_products(slab_bytes) for slab_bytes in (1, 10**6, 10**9)]
        file = tmp_path / "layer.ranks"
        os.truncate(file, file.stat().st_size - 100)
        with pytest.raises(ResultError, match=str(file)):
            table.rank_products(10**9)
        table.remove()
    ranks = np.stack([centred_ranks(values) for values in activations]).astype(np.int64)
    np.testing.assert_allclose(found[0], ranks @ ranks.T, rtol=1e-13)
    for products in found[1:]:
        np.testing.assert_array_equal(products, found[0])
    assert not list(tmp_path.iterdir())


def test_every_measure_is_that_of_the_two_activations(tmp_path):
    generator = np.random.default_rng(2)
    activations = (3 + generator.normal(size=(8, 5000)) * generator.uniform(0.1, 4, (8, 1))).astype(np.float32)
    activations[3] = activations[2] * np.float32(1 + 3e-4)  # A match of about 35 dB.
    activations[4], activations[5], activations[6], activations[7] = 0, 1.5, activations[0], np.inf
    pairs = np.array(sorted(every_pair(8)))
    chosen = pairs[np.arange(len(pairs)), generator.integers(0, 2, len(pairs))]
    with LayerTable(tmp_path / "layer", 5000, list("abcdefgh")) as table:
        for row, values in enumerate(activations):
            table.write(row, values)
        found = [table.compare(pairs, chosen, slab_bytes) for slab_bytes in (1, 10**9)]
    for number, (pair, origin) in enumerate(zip(pairs, chosen, strict=True)):
        first, second = activations[pair].astype(np.float64)
        other = activations[pair.sum() - origin].astype(np.float64)
        with np.errstate(invalid="ignore"):
            expected = {"pearson": pearson(first, second), "snr": snr(activations[origin].astype(np.float64), other)}
        if 7 in pair:
            expected["snr"] = None if origin == 7 else found[0]["snr"][number]
        for measure, value in expected.items():
            value = np.nan if value is None else value
            np.testing.assert_allclose(found[0][measure][number], value, atol=1e-7, err_msg=f"{measure} of {pair}")
    for measure, numbers in found[0].items():
        np.testing.assert_array_equal(numbers, found[1][measure])
    assert np.isnan(found[0]["snr"]).sum() == np.isin(chosen, (4, 7)).sum() > 0
    assert found[0]["snr"][pairs.tolist().index([0, 6])] == 60


def test_the_released_ratio_is_half_the_usual_one_and_does_not_exceed_60():
    first, second = np.random.default_rng(3).normal(size=(2, 50))
    assert snr(first, second) == pytest.approx(10 * np.log10(np.linalg.norm(first) / np.linalg.norm(first - second)))
    assert snr(first, second) == signal_to_noise_ratio(first, second) / 2
    assert snr(first, first) == snr(first, first + 1e-9) == 60
    assert snr(0 * first, first) is None


def test_coefficients_are_scipys_of_the_networks_activations(network, stimuli, built):
    null, _ = built
    pictures = np.stack([network.domain.load(file.path) for file in stimuli.files])
    assert null.pairs.tolist() == [list(pair) for pair in sorted(every_pair(9))]
    for layer in LAYERS:
        function = network.activations(layer)
        activations = function(pictures).numpy().reshape(9, -1)
        expected = [stats.spearmanr(activations[first], activations[second]).statistic for first, second in null.pairs]
        np.testing.assert_allclose(null.layers[layer], expected, atol=1e-5)  # A batch of nine rounds otherwise.
        single = [function(picture[None]).numpy().ravel() for picture in pictures]
        expected = [stats.spearmanr(single[first], single[second]).statistic for first, second in null.pairs]
        np.testing.assert_allclose(null.layers[layer], expected, atol=1e-12)
        digest = [stimulus.sha256 for stimulus in null.stimuli]
        for (first, second), correlation, ratio in zip(
            null.pairs, null.values("pearson")[layer], null.values("snr")[layer], strict=True
        ):
            assert correlation == pytest.approx(pearson(single[first], single[second]), abs=1e-9)
            origin, other = sorted((first, second), key=lambda each: digest[each])
            assert ratio == pytest.approx(snr(single[origin], single[other]), abs=1e-9)


@pytest.mark.parametrize("design", ["blocks", "independent"])
def test_a_pair_has_the_same_coefficient_in_every_design(network, stimuli, built, tmp_path, design):
    null, _ = built
    some = build_null(plan(network, stimuli, tmp_path / "some.npz", pairs=4, seed=7, design=design))
    place = {tuple(pair): number for number, pair in enumerate(null.pairs.tolist())}
    rows = [place[tuple(pair)] for pair in some.pairs.tolist()]
    for layer in LAYERS:
        np.testing.assert_array_equal(some.layers[layer], null.layers[layer][rows])
        for measure in null.further:
            np.testing.assert_allclose(some.values(measure)[layer], null.values(measure)[layer][rows], rtol=1e-9)


@pytest.mark.parametrize(("memory", "at_once"), [(1, [1, 1, 1]), (1_700_000, [1, 2])])
def test_the_file_does_not_depend_on_the_memory_or_on_its_name(
    network, stimuli, built, tmp_path, passes, memory, at_once
):
    """Memory decides how many layers share a pass, and so how many have ranks on disk at once."""
    out = tmp_path / "other.npz"
    on_disk = []

    def progress(done, total):
        on_disk.append(len(list(out.with_name("other.npz.unfinished").glob("*.ranks"))))

    build_null(plan(network, stimuli, out, memory_bytes=memory), progress=progress)
    assert len(passes) == 9 * len(at_once)
    assert on_disk == [count for group in at_once for count in [*[group] * 9, 0]]
    assert out.read_bytes() == built[1].read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["other.npz"]


def test_arrays_in_memory_give_what_files_do(network, stimuli, built):
    null, _ = built
    pictures = [network.domain.load(file.path) for file in stimuli.files]
    ids = [file.id for file in stimuli.files]
    found = NullDistribution.from_stimuli(network, [*pictures, pictures[0]], layers=LAYERS, ids=[*ids, "copy"])
    assert found.left_out == {"duplicates": ["copy"], "broken": []}
    assert found.metadata() == {**null.metadata(), "left_out": found.left_out}
    np.testing.assert_array_equal(found.pairs, null.pairs)
    for layer in LAYERS:
        for measure in null.measures:
            np.testing.assert_array_equal(found.values(measure)[layer], null.values(measure)[layer])
    found.check_applies(network.describe().to_json(), "block", "none")
    for given, options, named in (
        (pictures[:1] * 2, {}, "1 different stimulus"),
        (pictures[:2], {"ids": ["a"]}, "1 ids"),
        (pictures[:2], {"pairs": 2}, "2 pairs"),
        (pictures[:2], {"layers": ["blok"]}, "'blok'"),
    ):
        with pytest.raises(ArgumentError, match=named):
            NullDistribution.from_stimuli(network, given, **{"layers": ["logits"], **options})


def test_constant_activations_are_counted_as_undefined(tmp_path):
    generator = np.random.default_rng(6)
    for number, lowest in enumerate((0, 0, 0, 100, 100)):
        picture = generator.integers(lowest, 256, (32, 32, 3)).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    stimulus = keras.Input((32, 32, 3))
    # Pictures without anything dark give zeros alone.
    dark = keras.layers.Lambda(lambda x: keras.ops.relu(0.1 - x), output_shape=(32, 32, 3), name="dark")(stimulus)
    model = from_keras(keras.Model(stimulus, dark, name="dark"))
    stimuli = examine_stimuli(model, collect_stimuli([tmp_path], SUFFIXES))
    null = build_null(plan(model, stimuli, tmp_path / "null.npz", layers=["dark"], pairs=10))
    expected = (null.pairs > 2).any(axis=1)
    assert expected.sum() == 7
    np.testing.assert_array_equal(np.isnan(null.layers["dark"]), expected)
    assert null.undefined("dark") == 7
    assert len(null.coefficients("dark")) == 3
    assert null.maximum("dark") == np.nanmax(null.layers["dark"])


def test_an_auditory_network_has_a_null_with_its_exact_front_end(small_architecture, tmp_path):
    network = load_architecture(small_architecture, random_seed=0)
    generator = np.random.default_rng(3)
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", 0.1 * generator.normal(size=2000 - 200 * (number == 2)), 4000)
    files = collect_stimuli([tmp_path], network.domain.suffixes)
    stimuli = examine_stimuli(network, files)
    assert [id_ for id_, _ in stimuli.broken] == ["2"]
    null = build_null(plan(network, stimuli, tmp_path / "null.npz", layers=list(network.layers), pairs=1))
    assert (null.front_end, null.network["name"], null.network["seed"]) == ("exact", "small", 0)
    sounds = [network.domain.load(file.path)[None] for file in stimuli.files]
    for layer, coefficients in null.layers.items():
        pair = [network.activations(layer)(sound).numpy().ravel() for sound in sounds]
        assert coefficients[0] == pytest.approx(stats.spearmanr(*pair).statistic, abs=1e-12)
    assert len(examine_stimuli(network, files, fit="pad").files) == 3


# Stimuli.


def test_copies_and_broken_files_are_left_out_and_named(network, folder, tmp_path):
    for path in folder.glob("s[0-3].png"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    Image.open(folder / "s0.png").save(tmp_path / "other_file.bmp")  # The same picture in another file.
    (tmp_path / "broken.png").write_bytes((folder / "s5.png").read_bytes()[:60])
    stimuli = examine_stimuli(network, collect_stimuli([tmp_path], SUFFIXES))
    assert [file.id for file in stimuli.files] == ["other_file", "s1", "s2", "s3"]
    assert stimuli.duplicates == [("s0", "other_file")]
    [(id_, reason)] = stimuli.broken
    assert id_ == "broken" and "broken.png" in reason
    null = build_null(plan(network, stimuli, tmp_path / "null.npz", pairs=6, layers=["logits"]))
    assert null.distinct_stimuli == 4
    assert null.left_out == {"duplicates": ["s0"], "broken": ["broken"]}
    for path in tmp_path.glob("s[1-3].png"):
        path.unlink()
    with pytest.raises(StimulusError, match=r"broken\.png"):
        examine_stimuli(network, collect_stimuli([tmp_path], SUFFIXES))


def test_a_picture_that_changes_while_the_run_is_at_work_is_refused(network, folder, tmp_path):
    for name in ("s0.png", "s1.png"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    stimuli = examine_stimuli(network, collect_stimuli([tmp_path], SUFFIXES))
    (tmp_path / "s1.png").write_bytes((folder / "s2.png").read_bytes())
    with pytest.raises(ResultError, match=r"s1\.png"):
        build_null(plan(network, stimuli, tmp_path / "null.npz", pairs=1))


def test_activations_that_are_nan_name_the_stimulus_and_the_layer(folder, tmp_path):
    stimulus = keras.Input((32, 32, 3))
    root = keras.layers.Lambda(lambda x: keras.ops.sqrt(x - 0.001), output_shape=(32, 32, 3), name="root")(stimulus)
    network = from_keras(keras.Model(stimulus, root, name="rooted"))
    stimuli = examine_stimuli(network, collect_stimuli([folder], SUFFIXES))
    with pytest.raises(ResultError, match=r"s\d .*root of rooted"):
        build_null(plan(network, stimuli, tmp_path / "null.npz", layers=["root"]))


def test_layers_must_be_the_networks(network, stimuli, tmp_path):
    for layers, named in ((["blok"], "'blok'"), ([], "layer")):
        with pytest.raises(ArgumentError, match=named):
            plan(network, stimuli, tmp_path / "null.npz", layers=layers)


# Interruption.


class Stop(KeyboardInterrupt):
    """Ctrl-C at a moment that the test chooses."""


def interrupt(planned, after=1):
    def progress(done, total):
        if done == after:
            raise Stop

    with pytest.raises(Stop):
        build_null(planned, progress=progress)


@pytest.mark.slow
def test_interrupted_at_any_moment_it_repeats_one_pass_at_most_and_ends_with_the_same_bytes(
    network, folder, tmp_path, passes, monkeypatch
):
    monkeypatch.setattr("tfmetamers.inclusion.pairs.WORKED_TOGETHER", 1)
    stimuli = examine_stimuli(network, collect_stimuli(sorted(folder.glob("s[0-5].png")), SUFFIXES))

    def wanted(out):
        return plan(network, stimuli, out, pairs=6, layers=["first", "logits"], memory_bytes=1)

    build_null(wanted(tmp_path / "whole.npz"))
    assert len(passes) == 12  # Two blocks of three stimuli, one layer at a time.
    calls_left = 0

    def stops(function):
        def stopping(*arguments, **options):
            nonlocal calls_left
            calls_left -= 1
            if calls_left == 0:
                raise Stop
            return function(*arguments, **options)

        return stopping

    for owner, name in (
        (null_construction, "_keep"),
        (LayerTable, "write"),
        (LayerTable, "compare"),
        (null_construction, "_write_block"),
        (LayerTable, "remove"),
        (NullDistribution, "save"),
        (null_construction.shutil, "rmtree"),  # After each file that was written, and at the end.
    ):
        monkeypatch.setattr(owner, name, stops(getattr(owner, name)))
    moment, was_stopped = 0, True
    while was_stopped:
        moment += 1
        out = tmp_path / f"stopped_{moment}.npz"
        calls_left, was_stopped = moment, False
        passes.clear()
        try:
            build_null(wanted(out))
        except Stop:
            was_stopped = True
            build_null(wanted(out))
        assert len(passes) in (12, 13)
        assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()
        assert not out.with_name(f"{out.name}.unfinished").exists()
    assert moment > 12 + 12 + 4 + 4 + 4 + 1 + 6


#: A process that builds a null distribution and notes each pass.
BUILDING = """
import signal, sys, time
import keras
from tfmetamers.inclusion.null_construction import build_null, examine_stimuli, plan_null
from tfmetamers.networks import from_keras
from tfmetamers.networks.network import Network
from tfmetamers.stimuli.collection import collect_stimuli

signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background job would ignore Ctrl-C.
model, folder, out, notes = sys.argv[1:]
network = from_keras(keras.models.load_model(model), labels=list("abcdefghij"))
function = network.activations_together(["first", "logits"])

def noted(batch):
    with open(notes, "a") as file:
        file.write(".")
    time.sleep(0.1)
    return function(batch)

Network.activations_together = lambda network, layers: noted
stimuli = examine_stimuli(network, collect_stimuli([folder], network.domain.suffixes))
build_null(plan_null(network, ["first", "logits"], stimuli, pairs=36, seed=0, out=out))
"""


@pytest.mark.slow
def test_stopped_by_signals_it_repeats_the_pass_in_work_and_ends_with_the_same_bytes(
    network, stimuli, small_model, folder, tmp_path, passes
):
    small_model.save(tmp_path / "small.keras")
    out, notes, delays = tmp_path / "null.npz", tmp_path / "notes", np.random.default_rng(int(time.time()))
    notes.touch()
    stops = 0
    for noted, sent in ((2, signal.SIGKILL), (4, signal.SIGINT), (6, signal.SIGKILL)):
        command = [sys.executable, "-c", BUILDING, tmp_path / "small.keras", folder, out, notes]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while notes.stat().st_size < noted and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(delays.uniform(0, 0.12))
        process.send_signal(sent)
        _, errors = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        stops += 1
        assert process.returncode == -sent, errors
    assert stops, "the run was over before it could be stopped"
    build_null(plan(network, stimuli, out, layers=["first", "logits"]))
    assert 9 <= notes.stat().st_size + len(passes) <= 9 + stops
    build_null(plan(network, stimuli, tmp_path / "whole.npz", layers=["first", "logits"]))
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert not out.with_name("null.npz.unfinished").exists()


ROW = 4 * 6 * 32 * 32 + 32  # The ranks of the layer "first", and their digest.


def swapped(content):
    return content[ROW : 2 * ROW] + content[:ROW] + content[2 * ROW :]


def altered(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "repeated"),
    [
        (lambda content: content + b"of an earlier block", 0),
        (lambda content: content[: 4 * ROW + 100], 5),
        (lambda content: altered(content, 3 * ROW - 1), 1),
        (swapped, 2),
        (None, 9),
    ],
)
def test_ranks_that_are_cut_short_altered_or_elsewhere_are_made_again(
    network, stimuli, built, tmp_path, passes, damage, repeated
):
    out = tmp_path / "null.npz"
    interrupt(plan(network, stimuli, out), after=9)
    ranks = out.with_name("null.npz.unfinished") / "layer_0.ranks"
    assert ranks.stat().st_size == 9 * ROW
    if damage:
        ranks.write_bytes(damage(ranks.read_bytes()))
    else:
        ranks.unlink()
    passes.clear()
    build_null(plan(network, stimuli, out))
    assert len(passes) == repeated
    assert out.read_bytes() == built[1].read_bytes()


def test_ranks_of_something_else_are_made_again(network, stimuli, built, folder, small_model, tmp_path, passes):
    def other(name, network=network, stimuli=stimuli, **options):
        return plan(network, stimuli, tmp_path / name, **options)

    for path in folder.iterdir():
        ImageOps.invert(Image.open(path)).save(tmp_path / path.name)
    inverted = examine_stimuli(network, collect_stimuli([tmp_path], SUFFIXES))
    earlier = other("earlier.npz")
    earlier.settings["versions"] = {"tfmetamers": "0.1"}
    weights = from_keras(keras.models.clone_model(small_model), labels=list("abcdefghij"))
    for number, (found, repeated) in enumerate(
        [
            (other("weights.npz", weights), 9),
            (other("inverted.npz", stimuli=inverted), 9),
            (other("layers.npz", layers=("normalized", "block", "logits")), 9),  # Of the same size as the first.
            (earlier, 9),
            (other("pairs.npz", seed=1, pairs=35), 0),  # Of the same stimuli.
        ]
    ):
        interrupt(found, after=9)
        out = tmp_path / f"null_{number}.npz"
        interrupt(plan(network, stimuli, out), after=1)
        for file in found.unfinished.glob("layer_*"):
            file.replace(out.with_name(f"{out.name}.unfinished") / file.name)
        passes.clear()
        build_null(plan(network, stimuli, out))
        assert len(passes) == repeated, found.out.name
        assert out.read_bytes() == built[1].read_bytes()


def test_a_disk_that_fills_up_is_named_and_what_is_there_is_kept(network, stimuli, built, tmp_path, passes):
    """A limit on the size of files stands in for a full disk: the same system call fails."""
    out = tmp_path / "null.npz"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def progress(done, total):
        if done == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (3 * ROW + 100, hard))

    try:
        with pytest.raises(ResultError, match=r"layer_0\.ranks: File too large"):
            build_null(plan(network, stimuli, out), progress=progress)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(passes) == 4
    build_null(plan(network, stimuli, out))
    assert len(passes) == 4 + 6
    assert out.read_bytes() == built[1].read_bytes()


def test_what_is_finished_is_not_built_again(network, stimuli, built):
    null, out = built
    before = out.stat().st_mtime_ns
    again = build_null(plan(network, stimuli, out), progress=lambda *_: pytest.fail("it was built again"))
    assert out.stat().st_mtime_ns == before
    np.testing.assert_array_equal(again.layers["block"], null.layers["block"])


def test_other_settings_stimuli_or_weights_under_the_same_name_are_refused(
    network, stimuli, built, folder, small_model, tmp_path, monkeypatch
):
    out = tmp_path / "null.npz"
    interrupt(plan(network, stimuli, out))
    fewer = examine_stimuli(network, collect_stimuli(sorted(folder.glob("s[1-8].png")), SUFFIXES))
    weights = from_keras(keras.models.clone_model(small_model), labels=list("abcdefghij"))
    for of, given, options, difference in (
        (network, stimuli, {"seed": 1}, r"seed: 0 instead of 1"),
        (network, stimuli, {"layers": ["first"]}, r"layers: first, block, logits instead of first"),
        (network, fewer, {"pairs": 28}, r"stimuli: s0"),
        (weights, stimuli, {}, r"network\.digest: \w+ instead of"),
    ):
        for path, shown in ((out, r"null\.npz\.unfinished"), (built[1], r"null\.npz")):
            with pytest.raises(ResultError, match=f"{shown} .*{difference}"):
                plan(of, given, path, **options)
    monkeypatch.setattr(null_construction, "describe_versions", lambda: {"tfmetamers": "9.9"})
    with pytest.raises(ResultError, match=r"versions: tfmetamers .* instead of tfmetamers 9\.9"):
        plan(network, stimuli, out)


def test_a_second_run_of_the_same_is_refused_while_the_first_is_at_work(network, stimuli, tmp_path):
    first, second = (plan(network, stimuli, tmp_path / "null.npz", pairs=3) for _ in range(2))

    def meddle(*_):
        with pytest.raises(ResultError, match=r"Another run .*null\.npz"):
            build_null(second)

    build_null(first, progress=meddle)
    build_null(second)
    assert [path.name for path in tmp_path.iterdir()] == ["null.npz"]


def test_a_block_that_is_damaged_or_has_gone_is_named(network, stimuli, tmp_path):
    out = tmp_path / "null.npz"
    unfinished = out.with_name("null.npz.unfinished")

    def stop(done, total):
        if done == total and list(unfinished.glob("block*")):
            raise Stop

    def lose(done, total):
        for block in unfinished.glob("block*"):
            block.unlink()

    with pytest.raises(Stop):
        build_null(plan(network, stimuli, out), progress=stop)
    [block] = unfinished.glob("block*")
    block.write_bytes(block.read_bytes()[:-30])
    with pytest.raises(ResultError, match=r"block_000000\.npz is damaged"):
        build_null(plan(network, stimuli, out))
    block.unlink()
    with pytest.raises(ResultError, match=r"block_000000\.npz .*gone"):
        build_null(plan(network, stimuli, out), progress=lose)
    assert not out.exists()
    assert build_null(plan(network, stimuli, out)).pairs_count == 36


def test_a_null_distribution_is_the_same_wherever_the_weights_lie(network, stimuli, built, tmp_path, monkeypatch):
    elsewhere = dataclasses.replace(network.describe(), spec=network.spec.replace(definition={"file": "elsewhere"}))
    monkeypatch.setattr(type(network), "describe", lambda _: elsewhere)
    build_null(plan(network, stimuli, tmp_path / "there.npz"))
    assert (tmp_path / "there.npz").read_bytes() == built[1].read_bytes()


def test_an_output_that_cannot_be_written_is_named(network, stimuli, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match=r"null\.npz cannot be written"):
        build_null(plan(network, stimuli, tmp_path / "file" / "null.npz"))
    (tmp_path / "null.npz").write_text("something else")
    with pytest.raises(ResultError, match=r"null\.npz is damaged"):
        plan(network, stimuli, tmp_path / "null.npz")


# The file.


def test_a_file_comes_back_as_it_was(built, tmp_path):
    null, out = built
    loaded = NullDistribution.load(out)
    assert loaded.metadata() == null.metadata()
    np.testing.assert_array_equal(loaded.pairs, null.pairs)
    for layer in LAYERS:
        for measure in null.measures:
            np.testing.assert_array_equal(loaded.values(measure)[layer], null.values(measure)[layer])
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == out.read_bytes()
    metadata = json.loads(str(np.load(out)["metadata"]))
    assert metadata["network"]["name"] == "small"
    assert metadata["pairs"] == 36 and metadata["distinct_stimuli"] == 9
    assert {"tfmetamers", "tensorflow", "numpy"} <= metadata["versions"].keys()


def test_a_file_that_is_cut_short_altered_or_missing_is_named(built, tmp_path):
    content = built[1].read_bytes()
    path = tmp_path / "null.npz"
    spoilt = [content[:length] for length in np.linspace(0, len(content) - 1, 20).astype(int)]
    for each in [*spoilt, altered(content, len(content) // 2)]:
        path.write_bytes(each)
        with pytest.raises(ResultError, match=r"null\.npz is damaged"):
            NullDistribution.load(path)
    with pytest.raises(ResultError, match=r"missing\.npz"):
        NullDistribution.load(tmp_path / "missing.npz")


def test_a_file_of_spearmans_alone_is_read_and_says_which_measure_it_lacks(built, tmp_path):
    """As it was written before there were others."""
    arrays = {name: array for name, array in np.load(built[1]).items() if not name.startswith(("pearson", "snr"))}
    metadata = json.loads(str(arrays["metadata"]))
    del metadata["measures"]
    np.savez(tmp_path / "null.npz", **{**arrays, "metadata": np.array(json.dumps(metadata))})
    loaded = NullDistribution.load(tmp_path / "null.npz")
    assert loaded.measures == ["spearman"]
    np.testing.assert_array_equal(loaded.layers["block"], built[0].layers["block"])
    with pytest.raises(ResultError, match="not pearson"):
        loaded.maximum("block", "pearson")
    loaded.check_applies(loaded.network, "block", "none")
    with pytest.raises(ResultError, match="spearman, without pearson and snr"):
        loaded.check_applies(loaded.network, "block", "none", ["spearman", "pearson", "snr"])
    with pytest.raises(ResultError, match="measures: spearman, pearson, snr instead of spearman"):
        merge_nulls([built[0], loaded])


def with_metadata(arrays, **changes):
    return np.array(json.dumps({**json.loads(str(arrays["metadata"])), **changes}))


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda arrays: arrays["layer_0"].__setitem__(0, 1.1), "damaged.*first"),
        (lambda arrays: arrays["pairs"].__setitem__((0, 1), 9), "damaged.*9 stimuli"),
        (lambda arrays: arrays.update(pairs=arrays["pairs"][:, ::-1]), "damaged.*pairs"),
        (lambda arrays: arrays.pop("layer_1"), "damaged.*layer_1"),
        (lambda arrays: arrays["pearson_2"].__setitem__(0, -1.1), "damaged.*pearson of logits"),
        (lambda arrays: arrays["snr_0"].__setitem__(0, np.inf), "damaged.*snr of first"),
        (
            lambda arrays: arrays.update(metadata=with_metadata(arrays, measures={"snr": "20 log10"})),
            "damaged.*20 log10",
        ),
        (lambda arrays: arrays.update(layer_1=arrays["layer_1"][1:]), "damaged.*block"),
        (lambda arrays: arrays.update(metadata=with_metadata(arrays, network="vgg_19")), "damaged.*network"),
        (lambda arrays: arrays.update(metadata=with_metadata(arrays, format=2)), "format 2"),
    ],
)
def test_arrays_that_do_not_belong_together_and_a_later_format_are_refused(built, tmp_path, spoil, named):
    arrays = dict(np.load(built[1]))
    np.savez(tmp_path / "null.npz", **arrays)
    NullDistribution.load(tmp_path / "null.npz")
    spoil(arrays)
    np.savez(tmp_path / "null.npz", **arrays)
    with pytest.raises(ResultError, match=rf"null\.npz .*{named}"):
        NullDistribution.load(tmp_path / "null.npz")


# Judging.

DESCRIPTION = {"name": "net", "stimulus_shape": [8, 8, 3], "digest": "ab", "input_range": None, "architecture": None}


def a_null(coefficients, digests="abcd", pairs=((0, 1), (0, 2), (1, 2)), **changes):
    stimuli = tuple(NullStimulus(f"id {digest}", digest) for digest in digests)
    values = np.array(coefficients, np.float64)
    defaults = {"network": DESCRIPTION, "layers": {"conv": values}, "front_end": "none", "design": "blocks", "seed": 0}
    pairs = None if pairs is None else np.array(pairs, np.int32)
    return NullDistribution(**{**defaults, "pairs": pairs, "stimuli": stimuli, **changes})


def test_a_null_distribution_of_stimuli_that_barely_differ_is_warned_of(small_model, pictures):
    network = from_keras(small_model)
    nearly_black = 0.5 + pictures * 1e-5
    with pytest.warns(TfmetamersWarning, match="At block of small, natural stimuli barely differ"):
        NullDistribution.from_stimuli(network, nearly_black, layers=["block"])


def test_summaries_leave_undefined_pairs_out():
    null = a_null([0.1, np.nan, 0.5])
    assert (null.maximum("conv"), null.undefined("conv"), null.pairs_count) == (0.5, 1, 3)
    assert null.percentile("conv", 0.3) == 50
    assert null.percentile("conv", 0.1) == 0  # Below, not up to.
    assert null.percentile("conv", 0.6) == 100
    assert null.quantile("conv", 0.5) == pytest.approx(0.3)
    assert null.distinct_stimuli == 3
    assert null.claim("conv") == "3 overlapping pairs of 3 stimuli (1 of them without a coefficient)"
    assert repr(null) == "<NullDistribution of net at conv: 3 overlapping pairs of 3 stimuli>"


def test_a_layer_without_any_coefficient_has_no_maximum():
    null = a_null([np.nan] * 3)
    for ask in (null.maximum, lambda layer: null.percentile(layer, 0.5), lambda layer: null.quantile(layer, 0.5)):
        with pytest.raises(ResultError, match="3 has a coefficient at conv"):
            ask("conv")
    with pytest.raises(ArgumentError, match=r"'cnv'.*conv"):
        null.maximum("cnv")


@pytest.mark.parametrize(
    ("changes", "layer", "front_end", "difference"),
    [
        ({"digest": "cd"}, "conv", None, r"network\.digest: ab instead of cd"),
        ({"architecture": "ef"}, "conv", None, r"network\.architecture: none instead of ef"),
        ({}, "fc", None, r"layer: conv instead of fc"),
        ({}, "conv", "exact", r"front end: none instead of exact"),
    ],
)
def test_a_null_of_something_else_is_refused_naming_the_difference(changes, layer, front_end, difference):
    a_null([0.1] * 3).check_applies(DESCRIPTION, "conv", "none")
    a_null([0.1] * 3).check_applies({**DESCRIPTION, "file": "moved.ckpt"}, "conv")
    with pytest.raises(ResultError, match=difference):
        a_null([0.1] * 3).check_applies(DESCRIPTION | changes, layer, front_end)


# Merging.


def test_merging_unites_stimuli_by_their_hashes_in_any_order(tmp_path):
    first = a_null([0.1, 0.2, np.nan], "abc")
    second = a_null([0.4, 0.5], "dcb", pairs=((0, 1), (0, 2)), seed=1, left_out={"broken": ["x"]})
    merged = merge_nulls([first, second])
    found = {
        frozenset((merged.stimuli[i].sha256, merged.stimuli[j].sha256)): value
        for (i, j), value in zip(merged.pairs, merged.layers["conv"], strict=True)
    }
    expected = {"ab": 0.1, "ac": 0.2, "bc": np.nan, "dc": 0.4, "db": 0.5}
    assert found.keys() == {frozenset(pair) for pair in expected}
    for pair, value in expected.items():
        np.testing.assert_equal(found[frozenset(pair)], value)
    assert (merged.design, merged.seed, merged.distinct_stimuli) == ("blocks", None, 4)
    assert [part["pairs"] for part in merged.parts] == [2, 3]
    assert merged.left_out == {"broken": ["x"]}
    for name, nulls in {"ab": [first, second], "ba": [second, first]}.items():
        merge_nulls(nulls).save(tmp_path / name)
    assert (tmp_path / "ab").read_bytes() == (tmp_path / "ba").read_bytes()
    assert NullDistribution.load(tmp_path / "ab").metadata() == merged.metadata()


def test_what_was_merged_merges_again_and_is_independent_only_if_no_stimulus_is_in_two_pairs():
    single = [a_null([0.1 * number], pair, pairs=((0, 1),)) for number, pair in enumerate(("ab", "cd", "ef", "ga"))]
    independent = merge_nulls([merge_nulls(single[:2]), single[2]])
    assert (independent.design, len(independent.parts)) == ("independent", 3)
    assert independent.claim() == "3 independent pairs of 6 stimuli"
    assert merge_nulls([independent, single[3]]).design == "blocks"


@pytest.mark.parametrize(
    ("nulls", "difference"),
    [
        ([a_null([0.1] * 3, "abc", network=DESCRIPTION | {"digest": "cd"})], r"network\.digest: ab instead of cd"),
        ([a_null([0.1] * 3, "def", layers={"fc": np.zeros(3)})], r"layers: conv instead of fc"),
        ([a_null([0.1] * 3, "def", pairs=None, source="word.pckl")], r"word\.pckl"),
        # The same pairs, whatever their order and numbers.
        ([a_null([0.2, 0.3], "cba", pairs=((0, 2), (0, 1)))], "2 pairs are .*id a with id c"),
        ([], "1 null distribution "),
    ],
)
def test_what_cannot_be_merged_is_refused(nulls, difference):
    with pytest.raises(ResultError, match=difference):
        merge_nulls([a_null([0.1, 0.2, 0.3], "abc"), *nulls])


def test_layers_in_another_order_are_merged_and_the_order_of_the_nulls_does_not_matter(tmp_path):
    values = {"pool": [0.1, 0.2, 0.3], "conv": [0.4, 0.5, 0.6]}
    layers = {name: np.array(numbers) for name, numbers in values.items()}
    first = a_null([0.1] * 3, "abc", layers=layers)
    second = a_null([0.1] * 3, "def", layers=dict(reversed(layers.items())))
    for name, nulls in {"ab": [first, second], "ba": [second, first]}.items():
        merge_nulls(nulls).save(tmp_path / name)
    assert (tmp_path / "ab").read_bytes() == (tmp_path / "ba").read_bytes()
    merged = NullDistribution.load(tmp_path / "ab")
    assert {name: merged.layers[name].tolist() for name in layers} == {name: values[name] * 2 for name in layers}
    assert list(merge_nulls([first, a_null([0.1] * 3, "def", layers=layers)]).layers) == ["pool", "conv"]


def test_a_model_with_another_activation_is_another_network_and_names_of_weights_make_none():
    def model(activation, initializer="zeros"):
        dense = keras.layers.Dense(2, activation=activation, kernel_initializer=initializer, name="dense")
        built = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(name="flat"), dense], name="net")
        built.set_weights([np.ones((192, 2), np.float32), np.zeros(2, np.float32)])
        return from_keras(built).provenance.digest

    assert model("relu") == model("relu", "ones")
    assert len({model(activation) for activation in ("relu", "tanh", None)}) == 3


def test_reading_a_null_does_not_need_tensorflow():
    code = "import sys; from tfmetamers.inclusion import NullDistribution; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
