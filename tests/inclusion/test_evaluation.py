"""Every metamer is judged by the network that made it, once, and what cannot be judged is named."""

import csv
import dataclasses
import io
import json
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

import tfmetamers as tm
from tfmetamers.cli import main as command_line
from tfmetamers.errors import CheckpointError, ResultError
from tfmetamers.inclusion import evaluation
from tfmetamers.inclusion.evaluation import Failure, Judged, evaluate, read_verdict, summarize, write_table
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.null_construction import build_null, examine_stimuli, plan_null
from tfmetamers.inclusion.verdict import judge
from tfmetamers.metamers.folder import find_metamers, read_metamer
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.synthesis.runs import execute_run, plan_run

LABELS = list("abcdefghij")


@pytest.fixture
def network(small_model, tmp_path):
    small_model.save(tmp_path / "small.keras")
    return tm.networks.load_keras(tmp_path / "small.keras", labels=LABELS)


@pytest.fixture
def out(network, pictures, tmp_path):
    """Metamers of two pictures at two layers, after a few steps."""
    (tmp_path / "pictures").mkdir()
    for name, picture in zip("ab", pictures, strict=False):
        tm.save_image(picture, tmp_path / "pictures" / f"{name}.png")
    make(network, tmp_path / "pictures", tmp_path / "out", ["block", "flat"])
    return tmp_path / "out"


def make(network, folder, out, layers, steps=20):
    stimuli = collect_stimuli([folder], network.domain.suffixes)
    recipe = find_recipe(network.recipe).replace(steps=steps)
    for layer in layers:
        list(execute_run(plan_run(network, layer, stimuli, recipe=recipe, seed=0, out=out)))


def a_null(network, low=-0.9, **layers):
    layers = layers or {"block": [low, low - 0.1], "flat": [low]}
    arrays = {layer: np.array(coefficients) for layer, coefficients in layers.items()}
    longest = max(map(len, arrays.values()))
    padded = {
        name: np.pad(values, (0, longest - len(values)), constant_values=np.nan) for name, values in arrays.items()
    }
    return NullDistribution(network=network.describe(), layers=padded, front_end="none")


def another_label(network, picture):
    """Return a picture that has another label."""
    [original] = network.predict(picture[None])
    others = np.random.default_rng(0).random((200, *picture.shape), np.float32) ** 4
    return next(
        other for other, found in zip(others, network.predict(others), strict=True) if found.index != original.index
    )


def save(null, path):
    null.save(path)
    return {path: NullDistribution.load(path)}


def test_each_gets_a_verdict_beside_it_by_activations_computed_anew(network, out, tmp_path):
    judged = list(evaluate(out, save(a_null(network), tmp_path / "null.npz")))
    assert [each.folder.relative_to(out).as_posix() for each in judged] == [
        "small/block/a/0",
        "small/block/b/0",
        "small/flat/a/0",
        "small/flat/b/0",
    ]
    for each in judged:
        assert read_verdict(each.folder) == each.verdict
        metamer = read_metamer(each.folder)
        activations = network.activations(metamer.record["layer"]["name"])
        first, second = (
            activations(stimulus[None]).numpy().ravel() for stimulus in (metamer.original, metamer.stimulus)
        )
        assert each.verdict["array"]["correlation"] == pytest.approx(spearmanr(first, second).statistic, abs=1e-6)
        assert each.verdict["array"]["included"] is (each.verdict["array"]["same_label"])
        assert each.verdict["basis"]["null"]["file"] == "null.npz"
        assert len(each.verdict["scatter"]["original"]) == min(400, len(first))


def test_the_saved_picture_is_judged_too(network, out):
    [first, *_] = evaluate(out, {})
    metamer = read_metamer(first.folder)
    levels = np.rint(metamer.stimulus * 255) / 255
    activations = network.activations("block")
    pair = [activations(np.float32(stimulus)[None]).numpy().ravel() for stimulus in (metamer.original, levels)]
    assert first.verdict["saved"]["correlation"] == pytest.approx(spearmanr(*pair).statistic, abs=1e-6)
    assert first.verdict["saved"]["correlation"] != first.verdict["array"]["correlation"]


def test_a_saved_picture_that_does_not_pass_is_counted(network, out, tmp_path):
    folder = out / "small/flat/a/0"
    metamer = read_metamer(folder)
    # The original passes as a metamer of itself, its negative does not, where the null's maximum is near 1.
    np.save(folder / "metamer.npy", metamer.original)
    tm.save_image(1 - metamer.original, folder / "metamer.png")
    judged = list(evaluate(out, save(a_null(network, low=0.999), tmp_path / "null.npz")))
    [spoilt] = [each for each in judged if each.folder == folder]
    assert spoilt.verdict["array"]["included"] is True
    assert spoilt.verdict["saved"]["included"] is False
    assert {row["layer"]: row["saved_failed"] for row in summarize(judged)} == {"block": 0, "flat": 1}


def test_all_layers_are_compared_on_request(network, out, tmp_path):
    null = a_null(network, block=[0.1, 0.2], flat=[0.9], linear=[0.3])
    [first, *_] = evaluate(out, save(null, tmp_path / "null.npz"), all_layers=True)
    layers = first.verdict["layers"]
    assert set(layers) == set(network.layers)
    assert layers["block"]["correlation"] == first.verdict["array"]["correlation"]
    assert layers["linear"]["null_maximum"] == 0.3
    assert layers["pooled"]["null_maximum"] is None


def test_what_was_judged_is_not_judged_again_unless_something_changed(network, out, tmp_path, monkeypatch):
    first = list(evaluate(out, {}))
    loads = []
    load = evaluation.load_recorded
    monkeypatch.setattr(evaluation, "load_recorded", lambda *arguments: loads.append(1) or load(*arguments))
    assert [each.verdict for each in evaluate(out, {})] == [each.verdict for each in first]
    assert not loads
    (out / "small/flat/b/0/verdict.json").unlink()
    (out / "small/flat/a/0/verdict.json").write_text("{")
    assert [each.verdict for each in evaluate(out, {})] == [each.verdict for each in first]
    assert len(loads) == 1
    judged = list(evaluate(out, save(a_null(network), tmp_path / "null.npz")))
    assert all(each.verdict["array"]["pairs"] for each in judged)
    assert len(loads) == 2


@pytest.mark.parametrize("name", ["metamer.npy", "metamer.png", "original.png", "metamer.json"])
def test_a_verdict_on_another_file_is_none(out, name):
    folder, other = out / "small/flat/a/0", out / "small/flat/b/0"
    first = {each.folder: each.verdict for each in evaluate(out, {})}
    content = {
        "metamer.json": (folder / name).read_bytes() + b"\n",
        "original.png": uncompressed(folder / "original.png"),  # Another one is refused, these are other bytes of it.
    }
    (folder / name).write_bytes(content.get(name) or (other / name).read_bytes())
    again = {each.folder: each.verdict for each in evaluate(out, {})}
    assert [each for each in first if again[each] != first[each]] == [folder]
    assert again[folder]["basis"]["files"][name] != first[folder]["basis"]["files"][name]


def uncompressed(path):
    content = io.BytesIO()
    with Image.open(path) as picture:
        picture.save(content, "PNG", compress_level=0)
    return content.getvalue()


#: Runs the command line; the process kills itself while it judges the metamer of this number, from 1.
KILLED = """
import signal; signal.signal(signal.SIGINT, signal.default_int_handler)
import os, sys
from tfmetamers.inclusion import evaluation

left, judge = int(sys.argv.pop(1)), evaluation._judge

def judge_or_die(*arguments):
    global left
    left -= 1
    verdict = judge(*arguments)
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return verdict

evaluation._judge = judge_or_die
from tfmetamers.cli.main import main; main()
"""


def test_a_killed_call_is_continued_by_the_same_one(out):
    command = [sys.executable, "-c", KILLED, "3", "evaluate", str(out), "--no-report"]
    killed = subprocess.run(command, capture_output=True, timeout=300)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    kept = {path: path.read_bytes() for path in out.rglob("verdict.json")}
    assert len(kept) == 2 and not (out / "verdicts.csv").exists()
    command[3] = "0"
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert {path: path.read_bytes() for path in kept} == kept
    assert len(list(csv.DictReader((out / "verdicts.csv").open()))) == len(list(out.rglob("verdict.json"))) == 4
    assert not list(out.rglob("*.partial"))


def test_an_interrupted_call_has_kept_what_it_judged(out):
    judging = evaluate(out, {})
    next(judging)
    judging.close()
    assert len(list(out.rglob("verdict.json"))) == 1


def test_the_summary_counts_a_row_a_network_and_layer(network, out, tmp_path):
    null = a_null(network, block=[-1.0], flat=[1.0])
    rows = {row["layer"]: row for row in summarize(list(evaluate(out, save(null, tmp_path / "null.npz"))))}
    assert (rows["flat"]["metamers"], rows["flat"]["passed"], rows["flat"]["failed"]) == (2, 0, 2)
    assert (rows["flat"]["low_correlation"], rows["flat"]["not_judged"]) == (2, 0)
    assert rows["flat"]["smallest_margin"] < 0 < rows["block"]["smallest_margin"]


def test_the_summary_counts_why_metamers_did_not_pass(network, out, tmp_path):
    judged = list(evaluate(out, save(a_null(network, block=[0.5], flat=[0.5]), tmp_path / "null.npz")))
    correlations = (0.9, 0.4, None, 0.7)
    arrays = [
        verdict_json(correlation, is_same, 0.5)
        for correlation, is_same in zip(correlations, (True, False, True, False), strict=True)
    ]
    one_layer = [
        dataclasses.replace(judged[0], verdict=judged[0].verdict | {"array": array, "saved": array}) for array in arrays
    ]
    [row] = summarize(one_layer)
    assert {name: row[name] for name in ("metamers", "passed", "failed", "not_judged")} == {
        "metamers": 4,
        "passed": 1,
        "failed": 3,
        "not_judged": 0,
    }
    assert (row["other_label"], row["low_correlation"], row["undefined"]) == (2, 1, 1)
    assert row["median_correlation"] == 0.7
    assert row["smallest_margin"] == pytest.approx(-0.1)


def verdict_json(correlation, is_same_label, maximum):
    labels = [{"index": 0, "label": "a"}, {"index": 0 if is_same_label else 1, "label": "a or b"}]
    return judge("block", *labels, correlation, NullDistribution(None, {"block": np.array([maximum])})).as_json()


def test_without_a_null_a_metamer_is_refused_for_its_label_or_not_judged(out):
    for each in evaluate(out, {}):
        array = each.verdict["array"]
        assert array["included"] is (None if array["same_label"] else False)
        assert array["reasons"][-1] == "no null distribution was given"


def test_layers_come_in_the_order_of_the_network_and_networks_of_one_name_apart(network, small_model, out, tmp_path):
    make(network, tmp_path / "pictures", out, ["pooled", "first"], steps=1)
    judged = list(evaluate(out, {}))
    assert [row["layer"] for row in summarize(judged)] == ["first", "block", "pooled", "flat"]
    other = dict(judged[0].record, network=judged[0].record["network"] | {"digest": "0" * 64})
    rows = summarize([*judged, dataclasses.replace(judged[0], record=other)])
    digest = judged[0].record["network"]["digest"][:8]
    assert [row["network"] for row in rows] == [f"small ({digest})"] * 4 + ["small (00000000)"]


class TestWhichNull:
    def null_of(self, of, value, **changes):
        return dataclasses.replace(a_null(of, block=[value], flat=[value]), **changes)

    def saved(self, tmp_path, **nulls):
        found = {}
        for name, null in nulls.items():
            found |= save(null, tmp_path / f"{name}.npz")
        return found

    def test_one_that_records_its_network_is_preferred_whatever_the_order(self, network, out, tmp_path):
        nulls = self.saved(
            tmp_path,
            unknown=self.null_of(network, 0.9, network=None),
            named=self.null_of(network, 0.8, network={"name": "small"}),
            recorded=self.null_of(network, 0.7),
        )
        for given in (nulls, dict(reversed(nulls.items()))):
            judged = list(evaluate(out, given))
            assert {each.verdict["array"]["null_maximum"] for each in judged} == {0.7}
            assert {each.verdict["basis"]["null"]["file"] for each in judged} == {"recorded.npz"}
        write_table(judged, out, tmp_path / "table.csv")
        rows = list(csv.DictReader((tmp_path / "table.csv").open()))
        assert {row["null"] for row in rows} == {"recorded.npz"}

    @pytest.mark.parametrize("known", [{"network": None}, {}])
    def test_two_that_apply_equally_are_refused(self, network, out, tmp_path, known):
        nulls = self.saved(tmp_path, a=self.null_of(network, 0.9, **known), b=self.null_of(network, 0.8, **known))
        with pytest.raises(ResultError, match=r"a\.npz and .*b\.npz apply equally to .*small/block/a/0; leave one"):
            list(evaluate(out, nulls))
        assert not list(out.rglob("verdict.json"))

    def test_a_layer_that_no_null_has_is_a_reason(self, network, out, tmp_path):
        judged = evaluate(out, self.saved(tmp_path, null=a_null(network, flat=[-0.9])))
        reasons = {each.layer: each.verdict["array"]["reasons"] for each in judged}
        assert reasons["block"][-1] == "no null distribution of its network and layer was given"
        assert not any("null distribution" in reason for reason in reasons["flat"])

    def test_the_difference_of_the_null_of_another_checkpoint_is_a_reason(self, small_model, network, out, tmp_path):
        other = tm.networks.load_keras(tmp_path / "small.keras", labels=LABELS, input_range=(0, 2))
        make(other, tmp_path / "pictures", tmp_path / "out/other", ["flat"], steps=1)
        judged = list(evaluate(out, self.saved(tmp_path, null=self.null_of(network, -0.9))))
        reasons = [each.verdict["array"]["reasons"] for each in judged if "other" in str(each.folder.relative_to(out))]
        assert len(reasons) == 2
        assert all(
            each[-1] == "the null distribution null.npz is of something else "
            "(network.input range: [0.0, 1.0] there, [0.0, 2.0] asked)"
            for each in reasons
        )

    def test_a_verdict_by_a_null_is_kept_where_none_is_given(self, network, out, tmp_path):
        null = self.saved(tmp_path, null=self.null_of(network, -0.9))
        first = list(evaluate(out, null))
        again = list(evaluate(out, {}))
        assert [each.verdict for each in again] == [each.verdict for each in first]
        assert all(each.is_kept for each in again) and not any(each.is_kept for each in first)
        compared = list(evaluate(out, {}, all_layers=True))
        assert [each.verdict["array"] for each in compared] == [each.verdict["array"] for each in first]
        assert all(each.is_kept and set(each.verdict["layers"]) == set(network.layers) for each in compared)
        assert [each.verdict for each in evaluate(out, {})] == [each.verdict for each in compared]
        np.save(out / "small/block/a/0/metamer.npy", read_metamer(out / "small/block/a/0").original)
        changed, *others = evaluate(out, {})
        assert changed.verdict["basis"]["null"] is None and not changed.is_kept
        assert all(each.is_kept for each in others)

    def test_all_layers_compared_without_the_null_are_compared_again_with_it(self, network, out, tmp_path, monkeypatch):
        null = self.saved(tmp_path, null=self.null_of(network, -0.9))
        first = list(evaluate(out, null))
        compared = list(evaluate(out, {}, all_layers=True))
        assert {each.verdict["layers"]["flat"]["null_maximum"] for each in compared} == {None}
        again = list(evaluate(out, null, all_layers=True))
        assert {each.verdict["layers"]["flat"]["null_maximum"] for each in again} == {-0.9}
        assert [each.verdict["array"] for each in again] == [each.verdict["array"] for each in first]

    def test_all_layers_compared_without_the_null_are_not_compared_again_without_it(
        self, network, out, tmp_path, monkeypatch
    ):
        list(evaluate(out, self.saved(tmp_path, null=self.null_of(network, -0.9))))
        compared = list(evaluate(out, {}, all_layers=True))
        monkeypatch.setattr(evaluation, "load_recorded", None)
        assert [each.verdict for each in evaluate(out, {}, all_layers=True)] == [each.verdict for each in compared]

    def test_a_verdict_with_all_layers_serves_a_plain_request(self, network, out, tmp_path, monkeypatch):
        null = self.saved(tmp_path, null=self.null_of(network, -0.9))
        first = list(evaluate(out, null, all_layers=True))
        monkeypatch.setattr(evaluation, "load_recorded", None)
        assert [each.verdict for each in evaluate(out, null)] == [each.verdict for each in first]

    def test_a_layer_without_any_coefficient_has_no_maximum_among_all_layers(self, network, out, tmp_path):
        null = self.saved(tmp_path, null=a_null(network, block=[0.1], flat=[0.1], linear=[np.nan]))
        found = list(evaluate(out, null, all_layers=True))
        assert [each.verdict["layers"]["linear"]["null_maximum"] for each in found] == [None] * 4
        assert [each.verdict["layers"]["linear"]["percentile"] for each in found] == [None] * 4
        assert [each.verdict["layers"]["flat"]["null_maximum"] for each in found] == [0.1] * 4


def test_sounds_and_cochleagrams_are_judged_by_their_networks(small_architecture, tmp_path):
    import soundfile

    (tmp_path / "sounds").mkdir()
    soundfile.write(tmp_path / "sounds" / "a.wav", np.random.default_rng(0).normal(0, 0.1, 2000), 4000)
    network = tm.load_architecture(small_architecture, weights="random", weights_seed=3)
    for which in (network, network.without_front_end()):
        make(which, tmp_path / "sounds", tmp_path / "out", ["conv_1"])
    judged = list(evaluate(tmp_path / "out", {}))
    assert [each.record["domain"] for each in judged] == ["sound", "cochleagram"]
    for each in judged:
        assert each.verdict["array"]["correlation"] == pytest.approx(each.record["correlation"], abs=1e-6)
        assert each.verdict["array"] == each.verdict["saved"]


def test_cochleagrams_are_judged_by_the_null_of_their_network_with_its_front_end(small_architecture, tmp_path):
    import soundfile

    (tmp_path / "sounds").mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 0.1, 2000)
        soundfile.write(tmp_path / "sounds" / f"{number}.wav", noise, 4000)
    network, other = (tm.load_architecture(small_architecture, weights="random", weights_seed=seed) for seed in (3, 4))
    without = network.without_front_end()
    make(without, tmp_path / "sounds", tmp_path / "out", ["conv_1"], steps=2)
    stimuli = examine_stimuli(network, collect_stimuli([tmp_path / "sounds"], network.domain.suffixes))
    built = build_null(plan_null(network, ["conv_1"], stimuli, pairs=3, seed=0, out=tmp_path / "null.npz"))
    judged = list(evaluate(tmp_path / "out", {tmp_path / "null.npz": built}))
    assert {each.verdict["array"]["pairs"] for each in judged} == {3}
    originals = np.stack([read_metamer(each.folder).original for each in judged])
    activations = without.activations("conv_1")(originals).numpy().reshape(3, -1)
    pairs = [spearmanr(activations[first], activations[second]).statistic for first, second in ((0, 1), (0, 2), (1, 2))]
    assert judged[0].verdict["array"]["null_maximum"] == pytest.approx(max(pairs), abs=1e-6)
    for unlike, difference in (
        (dataclasses.replace(built, network=other.describe()), "network.digest"),
        (dataclasses.replace(built, front_end="fast"), "front end: fast there"),
    ):
        with pytest.raises(ResultError, match=difference):
            list(evaluate(tmp_path / "out", save(unlike, tmp_path / "unlike.npz")))


class TestWhatCannotBeJudged:
    def test_a_model_that_is_gone_is_named_and_the_others_go_on(self, network, out, smooth_model, tmp_path):
        tm.save_image(np.zeros((16, 16, 3)), tmp_path / "pictures" / "a.png")
        smooth_model.save(tmp_path / "smooth.keras")
        smooth = tm.networks.load_keras(tmp_path / "smooth.keras")
        make(smooth, tmp_path / "pictures", out, ["second"], steps=2)
        (tmp_path / "small.keras").rename(tmp_path / "elsewhere.keras")
        found = list(evaluate(out, {}))
        failures = [each for each in found if isinstance(each, Failure)]
        assert len(failures) == 4
        assert all("small.keras is gone; give the folder" in each.reason for each in failures)
        assert sum(isinstance(each, Judged) for each in found) == 2

    def test_a_model_that_moved_is_found(self, network, out, tmp_path):
        (tmp_path / "moved").mkdir()
        (tmp_path / "small.keras").rename(tmp_path / "moved" / "small.keras")
        assert all(isinstance(each, Judged) for each in evaluate(out, {}, look_in=[tmp_path / "moved"]))

    def test_the_model_that_it_was_is_taken_among_several_of_its_name(self, smooth_model, network, out, tmp_path):
        for folder in ("wrong", "right"):
            (tmp_path / folder).mkdir()
        (tmp_path / "small.keras").rename(tmp_path / "right/small.keras")
        for folder in ("wrong", "."):
            smooth_model.save(tmp_path / folder / "small.keras")
        found = list(evaluate(out, {}, look_in=[tmp_path / "wrong", tmp_path / "right"]))
        assert len(found) == 4 and all(isinstance(each, Judged) for each in found)

    def test_a_model_that_is_gone_is_noticed_although_all_was_judged_before(self, network, out, tmp_path):
        assert all(isinstance(each, Judged) for each in evaluate(out, {}))
        (tmp_path / "small.keras").write_bytes(b"another")
        assert {type(each) for each in evaluate(out, {})} == {Failure}
        (tmp_path / "small.keras").unlink()
        assert all("is gone" in each.reason for each in evaluate(out, {}))

    def test_a_model_that_cannot_be_loaded_is_tried_once(self, network, out, monkeypatch):
        tries = []

        def load(*arguments):
            tries.append(arguments)
            raise CheckpointError("It cannot be read.")

        monkeypatch.setattr(evaluation, "load_recorded", load)
        assert [each.reason for each in evaluate(out, {})] == ["It cannot be read."] * 4
        assert len(tries) == 1

    @pytest.mark.parametrize(
        "loading",
        [{}, {"by": "load_keras"}, 3, {"by": "load_network"}, [], {"by": "load_keras", "file": 300 * "a" + ".keras"}],
    )
    def test_a_record_that_does_not_say_how_the_network_was_loaded_is_named(self, network, out, loading):
        path = out / "small/block/a/0/metamer.json"
        record = json.loads(path.read_text())
        record["network"]["loading"] = loading
        path.write_text(json.dumps(record))
        [failure] = [each for each in evaluate(out, {}) if isinstance(each, Failure)]
        assert "How small was loaded cannot be read from metamer.json" in failure.reason

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("metamer.png", None),
            ("metamer.png", b"PNG"),
            ("original.png", None),
            ("trace.csv", None),
            ("metamer.npy", None),
            ("metamer.json", b'{"format": 1}'),
        ],
    )
    def test_a_damaged_folder_is_named_and_the_others_go_on(self, out, name, content):
        damaged = out / "small/block/a/0"
        (damaged / name).unlink() if content is None else (damaged / name).write_bytes(content)
        found = list(evaluate(out, {}))
        assert [each.folder for each in found if isinstance(each, Failure)] == [damaged]
        assert len(found) == 4

    def test_an_array_of_another_shape_is_named(self, out):
        np.save(out / "small/block/a/0/metamer.npy", np.zeros((31, 32, 3), np.float32))
        [failure] = [each for each in evaluate(out, {}) if isinstance(each, Failure)]
        assert "metamer.npy has shape (31, 32, 3)" in failure.reason

    def test_a_metamer_without_its_record_is_unfinished(self, out):
        (out / "small/block/a/0/metamer.json").unlink()
        [failure] = [each for each in evaluate(out, {}) if isinstance(each, Failure)]
        assert failure.folder == out / "small/block/a/0"
        assert "unfinished" in failure.reason and "run synth again" in failure.reason

    def test_a_model_that_has_changed_is_named(self, small_model, network, out, tmp_path):
        weights = small_model.get_weights()
        try:
            small_model.set_weights([weight * 1.01 for weight in weights])
            small_model.save(tmp_path / "small.keras")
        finally:
            small_model.set_weights(weights)
        [first, *_] = evaluate(out, {})
        assert "small is not what it was when the metamer was made: its digest changed" in first.reason

    def test_a_model_in_memory_cannot_be_loaded_again(self, small_model, out, tmp_path):
        network = tm.networks.from_keras(small_model, name="memory")
        make(network, tmp_path / "pictures", tmp_path / "other", ["block"], steps=2)
        [first, _] = evaluate(tmp_path / "other", {})
        assert "memory was a model in memory" in first.reason

    def test_a_damaged_metamer_is_named(self, network, out):
        (out / "small/block/a/0/metamer.npy").write_bytes(b"damaged")
        (out / "small/block/b/0/metamer.json").write_text("{")
        found = list(evaluate(out, {}))
        assert sum(isinstance(each, Failure) for each in found) == 2
        assert {each.folder.relative_to(out).as_posix() for each in found if isinstance(each, Failure)} == {
            "small/block/a/0",
            "small/block/b/0",
        }

    @pytest.mark.parametrize("name", ["original.png", "metamer.json"])
    def test_an_original_that_the_metamer_was_not_made_of_is_named(self, out, name):
        folder, other = out / "small/block/a/0", out / "small/block/b/0"
        assert all(isinstance(each, Judged) for each in evaluate(out, {}))
        (folder / name).write_bytes((other / name).read_bytes())
        [failure] = [each for each in evaluate(out, {}) if isinstance(each, Failure)]
        assert failure.folder == folder
        assert "its original is not the natural stimulus that the metamer was made of" in failure.reason

    def test_labels_by_logits_that_are_no_numbers_are_named(self, small_model, tmp_path):
        weights = small_model.get_weights()
        try:
            logits = small_model.get_layer("logits")
            logits.set_weights([np.full_like(each, np.nan) for each in logits.get_weights()])
            small_model.save(tmp_path / "small.keras")
        finally:
            small_model.set_weights(weights)
        network = tm.networks.load_keras(tmp_path / "small.keras", labels=LABELS)
        (tmp_path / "pictures").mkdir()
        tm.save_image(np.random.default_rng(0).random((32, 32, 3)), tmp_path / "pictures/a.png")
        make(network, tmp_path / "pictures", tmp_path / "out", ["block"], steps=2)
        [failure] = evaluate(tmp_path / "out", save(a_null(network), tmp_path / "null.npz"))
        assert "its logits are not finite" in failure.reason

    @pytest.mark.parametrize("part", ["array", "layers", "scatter"])
    def test_a_verdict_that_lacks_a_part_is_made_again(self, out, part):
        first = list(evaluate(out, {}))
        path = first[0].folder / "verdict.json"
        path.write_text(json.dumps({key: value for key, value in first[0].verdict.items() if key != part}))
        assert [each.verdict for each in evaluate(out, {})] == [each.verdict for each in first]

    def test_activations_that_are_no_numbers_are_named(self, network, out):
        np.save(out / "small/block/a/0/metamer.npy", np.full((32, 32, 3), np.nan, np.float32))
        [first, *_] = evaluate(out, {})
        assert "activations at block are not finite" in first.reason

    def test_a_null_of_another_network_is_refused_naming_the_difference(self, network, out, tmp_path):
        other = NullDistribution(
            network={**network.describe(), "name": "other"}, layers={"block": np.array([0.1])}, front_end="none"
        )
        with pytest.raises(ResultError, match=r"null\.npz cannot judge any .*network\.name: other there, small asked"):
            list(evaluate(out, save(other, tmp_path / "null.npz")))

    def test_a_folder_without_metamers_is_refused(self, tmp_path):
        with pytest.raises(ResultError, match="no finished metamer below"):
            list(evaluate(tmp_path, {}))


class TestOnTheCommandLine:
    def run(self, capsys, *arguments):
        return command_line.run(["evaluate", *map(str, arguments)]), *capsys.readouterr()

    def test_a_table_a_csv_and_verdicts(self, capsys, network, out, tmp_path):
        a_null(network).save(tmp_path / "null.npz")
        status, output, _ = self.run(capsys, out, "--null", tmp_path / "null.npz", "--no-report")
        assert status == 0
        assert "Null distribution null.npz: 2 pairs" in output
        rows = list(csv.DictReader((out / "verdicts.csv").open()))
        assert [row["folder"] for row in rows] == [
            f"small/{layer}/{name}/0" for layer in ("block", "flat") for name in "ab"
        ]
        assert {row["included"] for row in rows} <= {"True", "False"}
        verdict = json.loads((out / rows[0]["folder"] / "verdict.json").read_text())
        assert float(rows[0]["correlation"]) == verdict["array"]["correlation"]

    def test_that_no_null_was_given_is_said(self, capsys, out):
        status, output, _ = self.run(capsys, out, "--no-report")
        assert status == 0
        assert "No null distribution was given" in output

    def test_that_no_null_was_given_is_said_where_all_have_another_label(self, capsys, network, out):
        for folder in find_metamers(out):
            np.save(folder / "metamer.npy", another_label(network, read_metamer(folder).original))
        status, output, _ = self.run(capsys, out, "--no-report")
        assert (status, "not judged:" in output) == (0, False)
        assert "No null distribution was given" in output

    def test_each_null_is_named(self, capsys, network, out, tmp_path):
        a_null(network, block=[-0.9]).save(tmp_path / "early.npz")
        a_null(network, flat=[-0.9, -0.8]).save(tmp_path / "late.npz")
        _, output, _ = self.run(capsys, out, "--null", tmp_path / "early.npz", "--null", tmp_path / "late.npz")
        assert "Null distribution early.npz: 1 pairs" in output and "Null distribution late.npz: 2 pairs" in output

    def test_tables_of_an_earlier_command_are_not_left_where_nothing_can_be_judged(
        self, capsys, network, out, tmp_path
    ):
        assert self.run(capsys, out)[0] == 0
        os.remove(tmp_path / "small.keras")
        status, _, errors = self.run(capsys, out)
        assert status == 1
        assert list(csv.DictReader((out / "verdicts.csv").open())) == []
        assert f"{out / 'report.html'} is of an earlier command" in errors

    def test_what_could_not_be_judged_ends_in_status_1(self, capsys, network, out, tmp_path):
        os.remove(tmp_path / "small.keras")
        status, _, errors = self.run(capsys, out, "--no-report")
        assert status == 1
        assert errors.count("small.keras is gone") == 4

    def test_how_many_keep_the_verdict_of_an_earlier_null_is_said(self, capsys, network, out, tmp_path):
        a_null(network).save(tmp_path / "null.npz")
        assert "keep their verdict" not in self.run(capsys, out, "--null", tmp_path / "null.npz")[1]
        status, output, _ = self.run(capsys, out)
        assert status == 0
        assert "4 keep their verdict by an earlier null distribution" in output
        assert "null.npz" in (out / "report.html").read_text()

    def test_a_null_that_does_not_say_whose_it_is_can_be_given_with_a_name(self, capsys, out, tmp_path):
        pickled = tmp_path / "word_null.pckl"
        pickled.write_bytes(pickle.dumps({"block": np.array([-0.9]), "flat": np.array([-0.9])}))
        status, output, _ = self.run(capsys, out, "--null", f"small={pickled}", "--no-report")
        assert (status, "not judged:" in output) == (0, False)
        status, _, errors = self.run(capsys, out, "--null", f"other={pickled}", "--no-report")
        assert (status, "network.name: other there, small asked" in errors) == (1, True)
        status, _, errors = self.run(capsys, out, "--null", pickled, "--null", f"small={pickled}")
        assert (status, "was given twice" in errors) == (2, True)

    def test_a_null_given_with_another_name_than_it_records_is_refused(self, capsys, network, out, tmp_path):
        a_null(network).save(tmp_path / "null.npz")
        assert self.run(capsys, out, "--null", f"small={tmp_path / 'null.npz'}", "--no-report")[0] == 0
        status, _, errors = self.run(capsys, out, "--null", f"other={tmp_path / 'null.npz'}")
        assert (status, "null.npz is of small and was given for other" in errors) == (1, True)

    def test_unfinished_batches_are_counted_and_do_not_fail(self, capsys, out):
        (out / "small/block/c/0.unfinished").mkdir(parents=True)
        (out / "small/block/c/0.unfinished/state.npz").write_bytes(b"")
        status, output, _ = self.run(capsys, out, "--no-report")
        assert (status, "1 unfinished batches are not judged" in output) == (0, True)

    def test_the_report_leaves_out_what_cannot_be_read(self, capsys, out):
        assert self.run(capsys, out, "--no-report")[0] == 0
        (out / "small/block/a/0/trace.csv").write_text("a,b,c\nx,y,z\n")
        status, output, errors = self.run(capsys, out)
        assert status == 1
        assert f"Not in the report: {out / 'small/block/a/0'}" in errors
        assert "report.html" in output
        assert "3 metamers of 1 network" in (out / "report.html").read_text()

    @pytest.mark.parametrize(
        ("arguments", "status", "complaint"),
        [
            (["--null", "nothing.npz"], 1, "There is no file nothing.npz"),
            (["--look-in", "nowhere"], 2, "does not exist"),
        ],
    )
    def test_bad_arguments_are_one_sentence(self, capsys, out, arguments, status, complaint):
        found, _, errors = self.run(capsys, out, *arguments)
        assert (found, complaint in errors) == (status, True)


def of_other_weights(null):
    return dataclasses.replace(null, network={**null.network, "digest": "0" * 64})


def test_a_default_null_is_used_where_no_other_applies(network, out, tmp_path):
    default = save(a_null(network), tmp_path / "default.npz")
    given = save(a_null(network, low=-0.8), tmp_path / "given.npz")
    assert {null_of(each) for each in evaluate(out, {}, defaults=default)} == {"default.npz"}
    assert {null_of(each) for each in evaluate(out, given, defaults=default)} == {"given.npz"}
    kept = list(evaluate(out, {}, defaults=default))
    assert {(null_of(each), each.is_kept) for each in kept} == {("given.npz", True)}


def test_a_default_null_fills_in_layer_by_layer(network, out, tmp_path):
    default = save(a_null(network), tmp_path / "default.npz")
    given = save(a_null(network, flat=[0.0]), tmp_path / "f.npz")
    used = {each.layer: null_of(each) for each in evaluate(out, given, defaults=default)}
    assert used == {"block": "default.npz", "flat": "f.npz"}


def test_a_default_null_of_other_weights_is_not_used(network, out, tmp_path):
    default = save(of_other_weights(a_null(network)), tmp_path / "default.npz")
    for each in evaluate(out, {}, defaults=default):
        assert null_of(each) is None
        assert each.verdict["array"]["included"] is not True
        assert "no null distribution was given" in each.verdict["array"]["reasons"]


def null_of(judged):
    return (judged.verdict["basis"]["null"] or {}).get("file")


def test_the_command_uses_and_names_the_null_that_comes_with_a_network(network, out, tmp_path, monkeypatch, capsys):
    folders = {name: tmp_path / "bundled" / name for name in ("mine", "without", "other")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    a_null(network).save(folders["mine"] / "null.npz")
    of_other_weights(a_null(network)).save(folders["other"] / "null.npz")
    monkeypatch.setattr("tfmetamers.inclusion.bundled_nulls.bundled_networks", lambda: folders)
    assert command_line.run(["evaluate", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "Null distribution that comes with mine: 2 pairs" in printed
    assert "with other" not in printed and "No null distribution" not in printed
    assert "2 pairs" in (out / "report.html").read_text(encoding="utf-8")
    assert command_line.run(["evaluate", str(out), "--null", str(folders["mine"] / "null.npz")]) == 0
    assert "comes with" not in capsys.readouterr().out
    (folders["mine"] / "null.npz").unlink()
    for verdict in out.rglob("verdict.json"):
        verdict.unlink()
    assert command_line.run(["evaluate", str(out)]) == 0
    assert "No null distribution was given, and without one no metamer can pass" in capsys.readouterr().out
