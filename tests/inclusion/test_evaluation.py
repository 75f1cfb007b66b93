"""Every metamer is judged by the network that made it, once, and what cannot be judged is named."""

import dataclasses
import functools
import importlib
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from scipy.stats import spearmanr

import tfmetamers as tm
from tests.making import folder_of, make_metamers, rewrite
from tfmetamers.cli import main as command_line
from tfmetamers.errors import CheckpointError, ResultError, TfmetamersWarning
from tfmetamers.inclusion import judgement
from tfmetamers.inclusion.evaluation import Failure, evaluate, summarize
from tfmetamers.inclusion.measures import TITLES, snr
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.null_construction import build_null, examine_stimuli, plan_null
from tfmetamers.inclusion.verdict import judge
from tfmetamers.inclusion.verdict_file import FORMAT, read_verdict
from tfmetamers.inclusion.verdict_table import verdict_table, verdicts, write_table
from tfmetamers.metamers.folder import find_metamers, read_metamer
from tfmetamers.metamers.tables import index
from tfmetamers.networks import from_keras, load_architecture, load_network, write_architecture
from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.networks.record import NetworkRecord
from tfmetamers.stimuli import sample_photograph, sample_word
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.stimuli.images import load_image
from tfmetamers.utilities import files
from tfmetamers.utilities.json_files import sealed

LABELS = list("abcdefghij")


@pytest.fixture(scope="module")
def made(small_model, tmp_path_factory):
    """A folder with a model, two pictures, and their metamers at two layers after a few steps."""
    root = tmp_path_factory.mktemp("evaluation")
    small_model.save(root / "small.keras")
    (root / "pictures").mkdir()
    for name, picture in zip("ab", np.random.default_rng(4).random((2, 32, 32, 3), np.float32), strict=True):
        tm.save_image(picture, root / "pictures" / f"{name}.png")
    network = load_network(root / "small.keras", labels=LABELS)
    make_metamers(network, ["block", "flat"], pictures_of(root), root / "out", steps=20)
    return root


@pytest.fixture(scope="module")
def network(made):
    return load_network(made / "small.keras", labels=LABELS)


@pytest.fixture
def out(made, tmp_path):
    """The output folder of a copy of `made` in the test's own folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    for folder in find_metamers(tmp_path / "out"):
        rewrite(folder, lambda content: content["network"]["spec"].update(file=str(tmp_path / "small.keras")))
    return tmp_path / "out"


@pytest.fixture
def loads(monkeypatch):
    """A list that grows by the name of each network that is loaded to judge metamers."""
    loads, load = [], NetworkRecord.load
    monkeypatch.setattr(NetworkRecord, "load", lambda self, *others: loads.append(self.name) or load(self, *others))
    return loads


def pictures_of(root):
    return collect_stimuli([root / "pictures"], (".png",))


def a_null(network, low=-0.9, **layers):
    """A null distribution of the network with these coefficients."""
    layers = layers or {"block": [low, low - 0.1], "flat": [low]}
    longest = max(map(len, layers.values()))
    padded = {name: np.array([*values, *[np.nan] * (longest - len(values))]) for name, values in layers.items()}
    return NullDistribution(network=network.describe().to_json(), layers=padded, front_end="none")


def save(null, path):
    null.save(path)
    return {path: NullDistribution.load(path)}


def null_of(judged):
    return (judged.verdict["basis"]["null"] or {}).get("file")


def failures(found):
    return [each for each in found if isinstance(each, Failure)]


@pytest.fixture(scope="module")
def judged(made, network, tmp_path_factory):
    """What was judged of a copy of `made`."""
    null = save(a_null(network), tmp_path_factory.mktemp("null") / "null.npz")
    return list(evaluate(shutil.copytree(made / "out", tmp_path_factory.mktemp("judged") / "out"), null))


class TestVerdicts:
    def test_each_is_written_beside_its_metamer_and_rests_on_scipys_coefficient(self, judged, network):
        assert [(each.layer, each.record.stimulus.id) for each in judged] == [
            (layer, id_) for layer in ("block", "flat") for id_ in "ab"
        ]
        for each in judged:
            assert read_verdict(each.folder) == each.verdict
            metamer, array, saved = read_metamer(each.folder), each.verdict["array"], each.verdict["saved"]
            original, exact, shown = (
                network.activations(each.layer)(np.float32(stimulus)[None]).numpy().ravel()
                for stimulus in (metamer.original, metamer.stimulus, np.rint(metamer.stimulus * 255) / 255)
            )
            assert array["correlation"] == pytest.approx(spearmanr(original, exact).statistic, abs=1e-6)
            assert saved["correlation"] == pytest.approx(spearmanr(original, shown).statistic, abs=1e-6)
            assert saved["correlation"] != array["correlation"]
            assert array["included"] is array["same_label"]
            assert null_of(each) == "null.npz"
            assert len(each.verdict["scatter"]["original"]) == min(400, len(original))

    def test_the_summary_has_a_row_for_each_layer_in_the_order_of_the_network_and_counts_why_none_passed(self, judged):
        def with_array(each, correlation, metamer_index):
            labels = {"index": 0, "label": "a"}, {"index": metamer_index, "label": "b"}
            null = NullDistribution(None, {"block": np.array([0.5])})
            array = judge("block", *labels, correlation, null).as_json()
            return dataclasses.replace(each, verdict=each.verdict | {"array": array, "saved": array})

        cases = [(0.9, 0), (0.4, 1), (None, 0), (0.7, 1)]
        changed = [with_array(judged[0], *case) for case in cases]
        first, second = summarize([judged[2], *changed])
        assert (first["layer"], second["layer"], second["metamers"]) == ("block", "flat", 1)
        assert {name: first[name] for name in ("metamers", "passed", "failed", "not_judged")} == {
            "metamers": 4,
            "passed": 1,
            "failed": 3,
            "not_judged": 0,
        }
        assert (first["other_label"], first["low_correlation"], first["undefined"]) == (2, 1, 1)
        assert (first["median_correlation"], first["min_margin"]) == (0.7, pytest.approx(-0.1))

    def test_networks_of_one_name_have_rows_of_their_own(self, judged):
        record = judged[0].record
        other = record.replace(network=dataclasses.replace(record.network, digest="0" * 64))
        rows = summarize([judged[0], dataclasses.replace(judged[0], record=other)])
        assert [row["network"] for row in rows] == [f"small ({record.network.digest[:8]})", "small (00000000)"]


def test_a_saved_picture_that_does_not_pass_is_counted(network, out, tmp_path):
    folder = folder_of(out, "flat", "a")
    metamer = read_metamer(folder)
    # The original passes as a metamer of itself, its negative does not, where the null's maximum is near 1.
    np.save(folder / "metamer.npy", metamer.original)
    tm.save_image(1 - metamer.original, folder / "metamer.png")
    rewrite(folder)
    judged = list(evaluate(out, save(a_null(network, low=0.999), tmp_path / "null.npz")))
    [spoilt] = [each for each in judged if each.folder == folder]
    assert (spoilt.verdict["array"]["included"], spoilt.verdict["saved"]["included"]) == (True, False)
    assert {row["layer"]: row["saved_failed"] for row in summarize(judged)} == {"block": 0, "flat": 1}


def test_all_layers_are_compared_on_request(network, out, tmp_path):
    null = a_null(network, block=[0.1, 0.2], flat=[0.9], linear=[0.3], left=[np.nan])
    [first, *_] = evaluate(out, save(null, tmp_path / "null.npz"), all_layers=True)
    layers, metamer = first.verdict["layers"], read_metamer(first.folder)
    assert list(layers) == list(network.layers)
    assert layers["block"]["correlation"] == first.verdict["array"]["correlation"]
    pair = network.activations("linear")(np.stack([metamer.original, metamer.stimulus])).numpy().reshape(2, -1)
    assert layers["linear"]["correlation"] == pytest.approx(spearmanr(*pair).statistic, abs=1e-6)
    # A layer that the null distribution lacks, or of which it has no coefficient, has no maximum.
    assert [layers[name]["null_maximum"] for name in ("linear", "left", "pooled")] == [0.3, None, None]
    assert layers["left"]["percentile"] is None


class TestNothingTwice:
    def test_a_group_is_planned_once_its_files_are_read_once_and_each_is_judged_as_if_alone(
        self, made, network, out, tmp_path, monkeypatch
    ):
        make_metamers(
            load_network(tmp_path / "small.keras", labels=LABELS), ["first", "logits"], pictures_of(tmp_path), out
        )
        alone = {}
        for layer in ("first", "block", "flat", "logits"):
            folder = folder_of(out, layer, "a")
            [judged] = evaluate(folder, {})
            alone[folder] = judged.verdict
            (folder / "verdict.json").unlink()
        plans, plan, read, digest = [], FrozenFunction.__init__, [], files._digest.__wrapped__
        monkeypatch.setattr(FrozenFunction, "__init__", lambda *a, **o: plans.append(a[0]) or plan(*a, **o))
        counted = functools.lru_cache(maxsize=None)(lambda key: read.extend(path for path, *_ in key) or digest(key))
        monkeypatch.setattr(files, "_digest", counted)
        judged = list(evaluate(out, {}))
        assert len(judged) == 8 and len(plans) == 1
        assert {path: read.count(path) for path in read} == dict.fromkeys(read, 1)
        assert str(tmp_path / "small.keras") in read
        for each in (each for each in judged if each.folder in alone):
            together, before = each.verdict.copy(), alone[each.folder].copy()
            for which in ("array", "saved"):
                first, second = together.pop(which), before.pop(which)
                # One pass for several layers may round otherwise.
                assert first.pop("correlation") == pytest.approx(second.pop("correlation"), abs=1e-6)
                assert first == second
            for measure in ("pearson", "signal_to_noise_ratio"):
                assert together.pop(measure) == pytest.approx(before.pop(measure), rel=1e-4)
            first, second = together.pop("scatter"), before.pop("scatter")
            for part in ("original", "metamer"):
                np.testing.assert_allclose(first[part], second[part], rtol=1e-3, atol=1e-4)
            assert together == before

    def test_what_was_judged_is_not_judged_again_unless_something_changed(self, network, out, tmp_path, loads):
        first = list(evaluate(out, {}))
        assert loads == ["small"]
        assert [each.verdict for each in evaluate(out, {})] == [each.verdict for each in first]
        assert loads == ["small"]
        (folder_of(out, "flat", "b") / "verdict.json").unlink()
        (folder_of(out, "flat", "a") / "verdict.json").write_text("{")
        without = {"format": FORMAT, **{key: value for key, value in first[0].verdict.items() if key != "array"}}
        (folder_of(out, "block", "a") / "verdict.json").write_text(json.dumps(sealed(without)))
        altered = folder_of(out, "block", "b") / "verdict.json"
        altered.write_text(altered.read_text().replace('"included": false', '"included": true '))
        assert [each.verdict for each in evaluate(out, {})] == [each.verdict for each in first]
        assert len(loads) == 2
        judged = list(evaluate(out, save(a_null(network), tmp_path / "null.npz")))
        assert all(each.verdict["array"]["pairs"] for each in judged)
        assert len(loads) == 3

    def test_a_verdict_on_another_file_is_none(self, out, loads):
        files = dict(
            zip(find_metamers(out), ["metamer.npy", "metamer.png", "original.png", "metamer.json"], strict=True)
        )
        first = {each.folder: each.verdict for each in evaluate(out, {})}
        for folder, name in files.items():
            other = folder_of(out, "flat", "a")
            if name == "original.png":
                (folder / name).write_bytes(uncompressed(folder / name))  # Another one is refused: other bytes of it.
            elif name != "metamer.json":
                (folder / name).write_bytes((other / name).read_bytes())
            version = {"tfmetamers": "later"} if name == "metamer.json" else {}
            rewrite(folder, lambda content, version=version: content["versions"].update(version))
            again = {each.folder: each.verdict for each in evaluate(out, {})}
            assert [each for each in first if again[each] != first[each]] == [folder]
            assert again[folder]["basis"]["files"][name] != first[folder]["basis"]["files"][name]
            first = again

    def test_an_interrupted_call_has_kept_what_it_judged(self, out):
        judging = evaluate(out, {})
        next(judging)
        judging.close()
        assert len(list(out.rglob("verdict.json"))) == 1

    @pytest.mark.slow
    def test_a_killed_call_is_continued_by_the_same_one(self, out):
        command = [sys.executable, "-c", KILLED, "3", "evaluate", str(out), "--no-report"]
        killed = subprocess.run(command, capture_output=True, timeout=300)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        kept = {path: path.read_bytes() for path in out.rglob("verdict.json")}
        assert len(kept) == 2 and not (out / "verdicts.csv").exists()
        command[3] = "0"
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        assert {path: path.read_bytes() for path in kept} == kept
        assert len(pd.read_csv(out / "verdicts.csv")) == len(list(out.rglob("verdict.json"))) == 4
        assert not [path for path in out.rglob(".*") if path.suffix in (".partial", ".lock")]


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
left, judge = int(sys.argv.pop(1)), evaluation.judge_folder

def judge_or_die(*arguments):
    global left
    left -= 1
    verdict = judge(*arguments)
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return verdict

evaluation.judge_folder = judge_or_die
from tfmetamers.cli.main import main; main()
"""


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
            assert {null_of(each) for each in judged} == {"recorded.npz"}

    def test_two_that_apply_equally_are_refused(self, network, out, tmp_path):
        nulls = self.saved(tmp_path, a=self.null_of(network, 0.9), b=self.null_of(network, 0.8))
        with pytest.raises(ResultError, match=r"a\.npz and .*b\.npz"):
            list(evaluate(out, nulls))
        assert not list(out.rglob("verdict.json"))

    def test_without_one_a_metamer_is_refused_for_its_label_or_not_judged_and_it_is_said_why(
        self, network, out, tmp_path
    ):
        for each in evaluate(out, {}):
            array = each.verdict["array"]
            assert array["included"] is (None if array["same_label"] else False)
        for each in evaluate(out, self.saved(tmp_path, null=a_null(network, flat=[-0.9]))):
            says_why = any("null distribution" in reason for reason in each.verdict["array"]["reasons"])
            assert says_why is (each.layer == "block")

    def test_the_difference_of_the_null_of_another_model_is_a_reason(self, network, out, tmp_path):
        other = load_network(tmp_path / "small.keras", labels=LABELS, input_range=(0, 2))
        other_folders = make_metamers(other, ["flat"], pictures_of(tmp_path), out)
        judged = list(evaluate(out, self.saved(tmp_path, null=self.null_of(network, -0.9))))
        reasons = {each.folder: "; ".join(each.verdict["array"]["reasons"]) for each in judged}
        for folder in other_folders:
            assert all(part in reasons[folder] for part in ("null.npz", "input_range", "[0.0, 2.0]"))

    def test_a_verdict_by_a_null_is_kept_where_none_is_given(self, network, out, tmp_path, loads):
        null = self.saved(tmp_path, null=self.null_of(network, -0.9))
        first = list(evaluate(out, null))
        again = list(evaluate(out, {}))
        assert [each.verdict for each in again] == [each.verdict for each in first]
        assert all(each.is_kept for each in again) and not any(each.is_kept for each in first)
        compared = list(evaluate(out, {}, all_layers=True))
        assert [each.verdict["array"] for each in compared] == [each.verdict["array"] for each in first]
        assert {each.verdict["layers"]["flat"]["null_maximum"] for each in compared} == {None}
        assert len(loads) == 2
        for all_layers in (False, True):  # What has all layers serves both.
            found = list(evaluate(out, {}, all_layers=all_layers))
            assert [each.verdict for each in found] == [each.verdict for each in compared]
            assert all(each.is_kept for each in found)
        assert len(loads) == 2
        with_null = list(evaluate(out, null, all_layers=True))
        assert {each.verdict["layers"]["flat"]["null_maximum"] for each in with_null} == {-0.9}
        assert [each.verdict for each in evaluate(out, null)] == [each.verdict for each in with_null]
        assert len(loads) == 3
        changed = folder_of(out, "block", "a")
        np.save(changed / "metamer.npy", read_metamer(changed).original)
        rewrite(changed)
        for each in evaluate(out, {}):
            assert (each.is_kept, null_of(each)) == ((False, None) if each.folder == changed else (True, "null.npz"))

    def test_a_default_null_is_used_layer_by_layer_where_no_other_applies(self, network, out, tmp_path):
        default = save(a_null(network), tmp_path / "default.npz")
        foreign = of_other_weights(a_null(network))
        unlike = save(foreign, tmp_path / "unlike.npz")
        given = save(a_null(network, flat=[0.0]), tmp_path / "given.npz")
        assert {null_of(each) for each in evaluate(out, {}, defaults=unlike)} == {None}
        assert {null_of(each) for each in evaluate(out, {}, defaults=default)} == {"default.npz"}
        used = {each.layer: null_of(each) for each in evaluate(out, given, defaults=default)}
        assert used == {"block": "default.npz", "flat": "given.npz"}
        kept = {each.layer: (null_of(each), each.is_kept) for each in evaluate(out, {}, defaults=default)}
        assert kept == {"block": ("default.npz", False), "flat": ("given.npz", True)}

    def test_one_of_another_network_is_refused_naming_the_difference(self, network, out, tmp_path):
        other = dataclasses.replace(a_null(network), network={**network.describe().to_json(), "name": "other"})
        with pytest.raises(ResultError, match=r"null\.npz .*network\.name: other"):
            list(evaluate(out, save(other, tmp_path / "null.npz")))


def of_other_weights(null):
    return dataclasses.replace(null, network={**null.network, "digest": "0" * 64})


class TestTheNetwork:
    """The network is found where it is now, and is the one that made the metamer."""

    def test_one_that_moved_is_found_among_others_of_its_name(self, out, smooth_model, tmp_path):
        for folder in ("wrong", "right"):
            (tmp_path / folder).mkdir()
        (tmp_path / "small.keras").rename(tmp_path / "right/small.keras")
        for folder in ("wrong", "."):
            smooth_model.save(tmp_path / folder / "small.keras")
        assert len(failures(evaluate(out, {}))) == 4
        found = list(evaluate(out, {}, look_in=[tmp_path / "wrong", tmp_path / "right"]))
        assert len(found) == 4 and not failures(found)

    def test_one_that_is_gone_or_another_is_named_also_after_all_was_judged_and_others_go_on(
        self, network, out, smooth_model, tmp_path
    ):
        smooth_model.save(tmp_path / "smooth.keras")
        make_metamers(load_network(tmp_path / "smooth.keras"), ["second"], pictures_of(tmp_path), out)
        assert not failures(evaluate(out, {}))
        (tmp_path / "small.keras").write_bytes(b"another")
        for remains in (True, False):
            found = list(evaluate(out, {}))
            assert len(found) == 6
            assert [each.folder for each in failures(found)] == [
                folder_of(out, layer, id_) for layer in ("block", "flat") for id_ in "ab"
            ]
            assert all("small.keras" in each.reason and "--look-in" in each.reason for each in failures(found))
            if remains:
                (tmp_path / "small.keras").unlink()
        # One that is loaded already needs no file.
        assert not failures(evaluate(out, {}, networks=[network]))

    def test_one_that_cannot_be_loaded_is_tried_once(self, out, monkeypatch):
        tries = []

        def load(*arguments):
            tries.append(arguments)
            raise CheckpointError("It cannot be read.")

        monkeypatch.setattr(NetworkRecord, "load", load)
        assert [each.reason for each in evaluate(out, {})] == ["It cannot be read."] * 4
        assert len(tries) == 1

    def test_a_model_in_memory_is_judged_where_it_is_given(self, small_model, out, tmp_path):
        shutil.rmtree(out)
        network = from_keras(small_model, labels=LABELS, name="mine")
        made = make_metamers(network, ["block"], pictures_of(tmp_path), out)
        without = failures(evaluate(out, {}))
        assert [each.folder for each in without] == made
        assert all("mine" in each.reason and "networks=" in each.reason for each in without)
        other = from_keras(keras.models.clone_model(small_model), labels=LABELS, name="mine")
        assert len(failures(evaluate(out, {}, networks=[other]))) == 2
        found = list(evaluate(out, {}, networks=[other, network]))
        assert not failures(found)
        for each in found:
            metamer = read_metamer(each.folder)
            pair = network.activations("block")(np.stack([metamer.original, metamer.stimulus])).numpy()
            expected = spearmanr(*pair.reshape(2, -1)).statistic
            assert each.verdict["array"]["correlation"] == pytest.approx(expected, abs=1e-6)
        assert not failures(evaluate(out, {}))  # What was judged is read.
        a_null(network).save(tmp_path / "null.npz")
        table = verdicts(out, str(tmp_path / "null.npz"), networks=network)
        assert table["folder"].tolist() == [each.relative_to(out).as_posix() for each in made]
        assert set(table["null"]) == {"null.npz"}
        with pytest.raises(ResultError, match=str(made[0])):
            verdicts(out, networks=[other], all_layers=True)

    def test_checkpoints_and_random_weights_of_architectures(self, small_architecture, sounds, tmp_path):
        """The file of the layers stays where it was, and its checkpoint moves."""
        write_architecture(small_architecture, tmp_path / "small.json")
        prefix = write_checkpoint(load_architecture(small_architecture, random_seed=5), tmp_path / "weights")
        for text in (f"{tmp_path / 'small.json'}={prefix}", f"{tmp_path / 'small.json'}:random:3"):
            make_metamers(load_network(text), ["conv_1"], sounds[:1], tmp_path / "out")
        assert not failures(evaluate(tmp_path / "out", {}))
        for verdict in (tmp_path / "out").rglob("verdict.json"):
            verdict.unlink()
        (tmp_path / "weights").rename(tmp_path / "moved")
        [failure] = failures(evaluate(tmp_path / "out", {}))
        assert str(prefix) in failure.reason
        found = list(evaluate(tmp_path / "out", {}, look_in=[tmp_path / "moved"]))
        assert not failures(found)
        assert {each.record.network.source for each in found} == {"checkpoint", "random"}

    def test_a_bundled_network_is_found_by_its_name(self, tmp_path):
        network = load_network("small_word_aliased")
        word = collect_stimuli([sample_word()], network.domain.suffixes)
        make_metamers(network, ["conv_0"], word, tmp_path / "out")
        [judged] = evaluate(tmp_path / "out", {})
        assert (judged.record.network.name, judged.verdict["array"]["original_label"]) == (
            "small_word_aliased",
            "human",
        )


def write_checkpoint(network, folder):
    """Write an auditory network's weights as a TensorFlow checkpoint, and return its prefix."""
    import tensorflow as tf

    folder.mkdir()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = {
            name: tf.compat.v1.get_variable(name, initializer=value.numpy()) for name, value in network._weights.items()
        }
        session.run(tf.compat.v1.global_variables_initializer())
        return tf.compat.v1.train.Saver(variables).save(session, str(folder / "network.ckpt"))


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Three sounds of half a second."""
    folder = tmp_path_factory.mktemp("sounds")
    for number in range(3):
        soundfile.write(folder / f"{number}.wav", np.random.default_rng(number).normal(0, 0.1, 2000), 4000)
    return collect_stimuli([folder], (".wav",))


def test_sounds_and_cochleagrams_are_judged_by_the_null_of_their_network(small_architecture, sounds, tmp_path):
    network, other = (load_architecture(small_architecture, random_seed=seed) for seed in (3, 4))
    without = network.without_front_end()
    for which in (network, without):
        make_metamers(which, ["conv_1"], sounds[:1], tmp_path / "out", steps=2)
    stimuli = examine_stimuli(network, sounds)
    built = build_null(plan_null(network, ["conv_1"], stimuli, pairs=3, seed=0, out=tmp_path / "null.npz"))
    judged = list(evaluate(tmp_path / "out", {tmp_path / "null.npz": built}))
    assert [each.record.domain.name for each in judged] == ["sound", "cochleagram"]
    assert [row["network"] for row in summarize(judged)] == ["small", "small from the cochleagram"]
    for each in judged:
        assert each.verdict["array"]["pairs"] == 3
        assert each.verdict["array"]["correlation"] == pytest.approx(each.record.correlation, abs=1e-6)
        # Sounds are saved exactly; items of a batch may round otherwise.
        assert each.verdict["saved"]["correlation"] == pytest.approx(each.verdict["array"]["correlation"], abs=1e-6)
        assert each.verdict["saved"]["included"] is each.verdict["array"]["included"]
    originals = np.stack([without.domain.prepare(without.domain.load(sound.path)) for sound in sounds])
    np.testing.assert_array_equal(originals[0], read_metamer(judged[1].folder).original)
    activations = without.activations("conv_1")(originals).numpy().reshape(3, -1)
    pairs = [spearmanr(activations[first], activations[second]).statistic for first, second in ((0, 1), (0, 2), (1, 2))]
    assert judged[1].verdict["array"]["null_maximum"] == pytest.approx(max(pairs), abs=1e-6)
    for unlike, difference in (
        (dataclasses.replace(built, network=other.describe().to_json()), "network.digest"),
        (dataclasses.replace(built, front_end="fast"), "front end: fast"),
    ):
        with pytest.raises(ResultError, match=difference):
            list(evaluate(tmp_path / "out", save(unlike, tmp_path / "unlike.npz")))


def test_recipes_gradients_and_seeds_lie_side_by_side(network, out, tmp_path):
    shutil.rmtree(out)
    pictures = pictures_of(tmp_path)
    make_metamers(network, ["block"], pictures, out, steps=3)
    make_metamers(network, ["block"], pictures, out, steps=3, seed=1)
    make_metamers(network, ["block"], pictures, out, steps=3, relu_gradient="normal")
    make_metamers(network, ["block"], pictures, out, steps=3, recipe="feather2019-image-text")
    judged = list(evaluate(out, save(a_null(network), tmp_path / "null.npz")))
    assert len(judged) == 8 and not failures(judged)
    write_table(judged, out, tmp_path / "verdicts.csv")
    table = pd.read_csv(tmp_path / "verdicts.csv")
    expected = {
        ("feather2019-image", "steps=3", 0),
        ("feather2019-image", "steps=3", 1),
        ("feather2019-image", "steps=3; relu_gradient=normal", 0),
        ("feather2019-image-text", "steps=3", 0),
    }
    for rows in (table, index(out)):
        assert set(zip(rows["recipe"], rows["deviations"], rows["seed"], strict=True)) == expected
        assert set(rows["layer"]) == {"block"}
    assert table["folder"].nunique() == 8
    summary = {row["layer"]: row["metamers"] for row in summarize(judged)}
    assert summary == {"block": 4, "block (feather2019-image-text)": 2, "block (normal-gradient)": 2}


class TestWhatCannotBeJudged:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("metamer.png", b"PNG"),
            ("trace.csv", None),
            ("metamer.npy", b"\x93NUMPY\1\0"),
            ("metamer.json", b'{"format": 3}'),
            ("metamer.json", b"[" * 100_000),
            ("metamer.json", None),
        ],
    )
    def test_a_damaged_folder_is_named_and_the_others_go_on(self, out, name, content):
        damaged = folder_of(out, "block", "a")
        (damaged / name).unlink() if content is None else (damaged / name).write_bytes(content)
        found = list(evaluate(out, {}))
        assert len(found) == 4
        [failure] = failures(found)
        assert failure.folder == damaged
        assert str(damaged) in failure.reason or name in failure.reason

    @pytest.mark.parametrize("array", [np.zeros((31, 32, 3)), np.full((32, 32, 3), np.nan)])
    def test_an_array_that_the_network_cannot_be_given_is_named(self, out, array):
        damaged = folder_of(out, "block", "a")
        np.save(damaged / "metamer.npy", array.astype(np.float32))
        rewrite(damaged)
        [failure] = failures(evaluate(out, {}))
        assert str(damaged) in failure.reason

    @pytest.mark.parametrize("error", [MemoryError(), RecursionError("deep"), KeyError("x"), ZeroDivisionError()])
    def test_whatever_one_metamer_raises_spares_the_others(self, network, out, monkeypatch, error):
        damaged, check = folder_of(out, "flat", "a"), judgement.check_original

        def raises(folder, metamer):
            if folder == damaged:
                raise error
            check(folder, metamer)

        monkeypatch.setattr(judgement, "check_original", raises)
        found = list(evaluate(out, {}, networks=[network]))
        [failure] = failures(found)
        assert (failure.folder, len(found)) == (damaged, 4)
        assert type(error).__name__ in failure.reason

    def test_ctrl_c_is_not_taken_for_damage(self, network, out, monkeypatch):
        def stop(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(judgement, "check_original", stop)
        with pytest.raises(KeyboardInterrupt):
            list(evaluate(out, {}, networks=[network]))

    @pytest.mark.parametrize("place", ["pipe", "/dev/zero"])
    def test_a_record_that_names_what_is_no_file_is_named(self, out, tmp_path, place):
        """Neither is read: that would wait, or go on, for ever."""
        os.mkfifo(tmp_path / "pipe")
        damaged = folder_of(out, "block", "a")
        rewrite(damaged, lambda content: content["network"]["spec"].update(file=str(tmp_path / place)))
        [failure] = failures(evaluate(out, {}))
        assert failure.folder == damaged

    @pytest.mark.parametrize("name", ["original.png", "metamer.json"])
    def test_an_original_that_the_metamer_was_not_made_of_is_named(self, out, name):
        folder, other = folder_of(out, "block", "a"), folder_of(out, "block", "b")
        (folder / name).write_bytes((other / name).read_bytes())
        rewrite(folder)
        [failure] = failures(evaluate(out, {}))
        assert failure.folder == folder
        assert "original" in failure.reason

    def test_labels_by_logits_that_are_no_numbers_are_named(self, small_model, tmp_path, monkeypatch):
        spoilt = keras.models.clone_model(small_model)
        logits = spoilt.get_layer("logits")
        logits.set_weights([np.full_like(each, np.nan) for each in logits.get_weights()])
        network = from_keras(spoilt, labels=LABELS)
        (tmp_path / "pictures").mkdir()
        tm.save_image(np.random.default_rng(0).random((32, 32, 3)), tmp_path / "pictures/a.png")
        with monkeypatch.context() as patched:  # Which synthesis refuses itself.
            answers = lambda network, logits, criterion: [None] * len(logits)  # noqa: E731
            patched.setattr("tfmetamers.synthesis.loop.describe_predictions", answers)
            make_metamers(network, ["block"], pictures_of(tmp_path), tmp_path / "out")
        [failure] = evaluate(tmp_path / "out", save(a_null(network), tmp_path / "null.npz"), networks=[network])
        assert "logits" in failure.reason

    def test_a_folder_without_metamers_is_refused(self, tmp_path):
        with pytest.raises(ResultError, match=str(tmp_path)):
            list(evaluate(tmp_path, {}))


class TestWarnings:
    """Of layers at which a match says little."""

    def test_they_are_issued_and_kept_and_in_the_table(self, out, network):
        null = a_null(network, block=[0.96, 0.97, 0.99], flat=[0.1, 0.2, 0.9995])
        with pytest.warns(TfmetamersWarning) as caught:
            judged = list(evaluate(out, save(null, out / "null.npz")))
        issued = {str(each.message) for each in caught if each.category is TfmetamersWarning}
        assert len(issued) == 2
        for each in judged:
            [text] = each.verdict["array"]["warnings"]
            assert text in issued and each.layer in text
            assert read_verdict(each.folder)["saved"]["warnings"] == [text]
        assert set(verdict_table(judged, out)["warnings"]) == issued

    def test_a_verdict_has_those_of_its_metamer(self, out):
        for folder in find_metamers(out):
            rewrite(folder, lambda content: content.update(warnings=["It sees black alone."]))
        with pytest.warns(TfmetamersWarning, match="black alone"):
            judged = list(evaluate(out))
        assert [each.verdict["array"]["warnings"] for each in judged] == [["It sees black alone."]] * 4


class TestOf2023:
    """Metamers of a recipe of 2023 are judged by three measures."""

    @pytest.fixture
    def of_2023(self, made, network, tmp_path):
        """The metamers of a picture at two layers, and the null distribution of other pictures."""
        make_metamers(
            network, ["block", "flat"], pictures_of(made), tmp_path / "new", recipe="feather2023-image", steps=3
        )
        pictures = np.random.default_rng(8).random((5, 32, 32, 3), np.float32)
        null = NullDistribution.from_stimuli(network, pictures, layers="all")
        null.save(tmp_path / "full.npz")
        return tmp_path / "new", tmp_path / "full.npz"

    def test_each_measure_is_compared_with_its_own_null(self, of_2023, network):
        out, file = of_2023
        null, judged = NullDistribution.load(file), list(evaluate(out, file, networks=network))
        for each in judged:
            array, metamer = each.verdict["array"], read_metamer(each.folder)
            pair = [
                network.activations(each.layer)(stimulus[None]).numpy().ravel()
                for stimulus in (metamer.original, metamer.stimulus)
            ]
            values = {"pearson": np.corrcoef(*pair)[0, 1], "snr": snr(*pair)}
            assert array["further"].keys() == values.keys()
            for name, found in array["further"].items():
                assert found["value"] == pytest.approx(values[name], abs=1e-5)
                assert found["null_maximum"] == null.maximum(each.layer, name)
                assert found["margin"] == found["value"] - found["null_maximum"]
                assert any(TITLES[name] in reason for reason in array["reasons"]) is (found["margin"] < 0)
            assert each.verdict["saved"]["further"]["snr"]["value"] != array["further"]["snr"]["value"]
            by_record = tm.include(metamer, null)
            assert by_record.included is array["included"] and by_record.reasons == tuple(array["reasons"])
            assert by_record.as_json()["further"]["snr"]["value"] == pytest.approx(values["snr"], abs=1e-5)
        table = verdict_table(judged, out)
        assert table["snr_null_maximum"].tolist() == [null.maximum(layer, "snr") for layer in table["layer"]]
        assert set(table["criterion"]) == {"feather2023"}
        low = [sum(each.verdict["array"]["further"]["snr"]["margin"] < 0 for each in judged[start : start + 2])
               for start in (0, 2)]  # fmt: skip
        assert [row["low_snr"] for row in summarize(judged)] == low

    def test_pictures_are_resized_and_saved_as_the_recipe_says(self, network, tmp_path):
        photograph = collect_stimuli([sample_photograph()], (".jpg",))
        options = {"recipe": "feather2023-image", "rounding": "floor"}
        [folder] = make_metamers(network, ["block"], photograph, tmp_path / "out", **options)
        metamer = read_metamer(folder)
        assert metamer.record.recipe.resampling == "bicubic"
        np.testing.assert_array_equal(metamer.original, load_image(sample_photograph(), 32, resampling="bicubic"))
        with Image.open(folder / "metamer.png") as saved:
            np.testing.assert_array_equal(saved, np.floor(metamer.stimulus * np.float32(255)))
        [judged] = evaluate(tmp_path / "out", networks=network)
        assert judged.verdict["saved"]["correlation"] is not None

    def test_a_null_of_spearmans_alone_does_not_apply_and_says_what_it_lacks(self, of_2023, network, tmp_path):
        out, _ = of_2023
        alone = save(a_null(network), tmp_path / "alone.npz")
        with pytest.raises(ResultError, match=r"alone\.npz .*spearman, without pearson and snr"):
            list(evaluate(out, alone, networks=network))
        for each in evaluate(out, defaults=alone, networks=network):
            assert each.verdict["array"]["included"] is not True

    def test_the_command_and_the_report_show_them(self, of_2023, made, capsys):
        out, file = of_2023
        for folder in find_metamers(out):
            rewrite(folder, lambda content: content["network"]["spec"].update(file=str(made / "small.keras")))
        assert command_line.run(["evaluate", str(out), "--null", str(file)]) == 0
        assert "SNR" in capsys.readouterr().out
        page = (out / "report.html").read_text()
        assert all(f"{layer}: signal-to-noise ratio in dB" in page for layer in ("block", "flat"))


class TestOnTheCommandLine:
    @pytest.fixture
    def run(self, capsys, out):
        def run(*arguments):
            return command_line.run(["evaluate", str(out), *map(str, arguments)]), *capsys.readouterr()

        return run

    def test_a_table_a_csv_verdicts_and_a_report(self, run, network, out, tmp_path):
        a_null(network).save(tmp_path / "null.npz")
        status, output, _ = run("--null", tmp_path / "null.npz")
        assert status == 0
        assert "null.npz: 2 pairs" in output and "1 unfinished" not in output
        rows = pd.read_csv(out / "verdicts.csv", dtype=str, keep_default_na=False)
        assert rows["folder"].tolist() == [each.relative_to(out).as_posix() for each in find_metamers(out)]
        for column in ("included", "same_label", "saved_included"):
            assert set(rows[column]) <= {"True", "False"}
        for _, row in rows.iterrows():
            verdict = json.loads((out / row["folder"] / "verdict.json").read_text())["array"]
            assert float(row["correlation"]) == verdict["correlation"]
            assert (row["included"], row["pairs"]) == (str(verdict["included"]), str(verdict["pairs"]))
        assert "4 metamers" in (out / "report.html").read_text()
        # Without the null distribution, its verdicts are kept, and so is the name of its file.
        status, output, errors = run("--json")
        assert (status, "4 metamers keep their verdicts" in errors) == (0, True)
        assert "null.npz" in (out / "report.html").read_text()
        assert [(row["layer"], row["metamers"]) for row in json.loads(output)] == [("block", 2), ("flat", 2)]

    def test_that_no_null_was_given_and_that_a_batch_is_unfinished_is_said(self, run, out):
        (out / "small/block/c/0.unfinished").mkdir(parents=True)
        (out / "small/block/c/0.unfinished/state.npz").write_bytes(b"")
        status, output, _ = run("--no-report")
        assert status == 0
        assert "No null distribution was given" in output and "1 unfinished batch" in output
        rows = pd.read_csv(out / "verdicts.csv", dtype=str, keep_default_na=False)
        assert set(rows["pairs"]) == {""} and set(rows["included"]) <= {"", "False"}

    def test_what_could_not_be_judged_ends_in_status_1_and_no_table_of_an_earlier_command_is_left(
        self, run, out, tmp_path
    ):
        assert run()[0] == 0
        (tmp_path / "small.keras").unlink()
        status, _, errors = run()
        assert status == 1
        assert sum("small.keras" in line for line in errors.splitlines()) == 4
        assert pd.read_csv(out / "verdicts.csv").empty
        assert f"{out / 'report.html'} is from an earlier command" in errors

    def test_a_null_can_be_given_with_the_name_of_its_network(self, run, network, tmp_path):
        pickled, null = tmp_path / "word_null.pckl", tmp_path / "null.npz"
        pickled.write_bytes(pickle.dumps({"block": np.array([-0.9]), "flat": np.array([-0.9])}))
        a_null(network).save(null)
        status, output, _ = run("--null", f"small={pickled}", "--no-report")
        assert (status, "word_null.pckl" in output) == (0, True)
        for arguments, expected, named in (
            (["--null", f"other={pickled}"], 1, "other"),
            (["--null", f"other={null}"], 1, "null.npz is for small"),
            (["--null", pickled, "--null", f"small={pickled}"], 2, "word_null.pckl"),
            (["--null", "nothing.npz"], 1, "nothing.npz"),
            (["--look-in", "nowhere"], 2, "nowhere"),
        ):
            status, _, errors = run(*arguments, "--no-report")
            assert (status, named in errors) == (expected, True), errors

    def test_the_report_leaves_out_what_cannot_be_read(self, run, out):
        assert run("--no-report")[0] == 0
        damaged = folder_of(out, "block", "a")
        (damaged / "trace.csv").write_text("a,b,c\nx,y,z\n")
        status, _, errors = run()
        assert (status, f"Not in the report: {damaged}" in errors) == (1, True)
        assert "3 metamers of 1 network" in (out / "report.html").read_text()

    def test_the_null_that_comes_with_a_network_is_used_and_named(self, run, network, out, tmp_path, monkeypatch):
        folders = {name: tmp_path / "bundled" / name for name in ("mine", "without", "other")}
        for folder in folders.values():
            folder.mkdir(parents=True)
        a_null(network).save(folders["mine"] / "null.npz")
        of_other_weights(a_null(network)).save(folders["other"] / "null.npz")
        module = importlib.import_module("tfmetamers.inclusion.bundled")
        monkeypatch.setattr(module, "bundled_networks", lambda: folders)
        status, output, _ = run()
        assert (status, "comes with mine: 2 pairs" in output) == (0, True)
        assert "with other" not in output and "No null distribution" not in output
        assert "2 pairs" in (out / "report.html").read_text(encoding="utf-8")
        status, output, _ = run("--null", folders["mine"] / "null.npz", "--no-report")
        assert (status, "comes with" in output) == (0, False)
