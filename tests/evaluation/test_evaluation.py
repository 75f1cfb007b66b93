"""Every metamer is judged by the network that made it, once, and what cannot be judged is named."""

import csv
import json
import os

import numpy as np
import pytest
from scipy.stats import spearmanr

import tfmetamers as tm
from tfmetamers.cli import main as command_line
from tfmetamers.errors import ResultError
from tfmetamers.evaluation import evaluation
from tfmetamers.evaluation.evaluation import Failure, Judged, evaluate, read_verdict, summarize
from tfmetamers.evaluation.null import NullDistribution
from tfmetamers.recipes import find_recipe
from tfmetamers.results import read_metamer
from tfmetamers.runs import execute_run, plan_run
from tfmetamers.stimuli.collection import collect_stimuli

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
    without = {row["layer"]: row for row in summarize(list(evaluate(out, {})))}
    assert without["flat"]["passed"] == 0
    assert without["flat"]["failed"] + without["flat"]["not_judged"] == 2


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
        assert "Null distribution: 2 pairs" in output
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
        assert "no null distribution of their network and layer was given" in output

    def test_what_could_not_be_judged_ends_in_status_1(self, capsys, network, out, tmp_path):
        os.remove(tmp_path / "small.keras")
        status, _, errors = self.run(capsys, out, "--no-report")
        assert status == 1
        assert errors.count("small.keras is gone") == 4

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [(["--null", "nothing.npz"], "There is no file nothing.npz"), (["--look-in", "nowhere"], "does not exist")],
    )
    def test_bad_arguments_are_one_sentence(self, capsys, out, arguments, complaint):
        status, _, errors = self.run(capsys, out, *arguments)
        assert status in (1, 2)
        assert complaint in errors
