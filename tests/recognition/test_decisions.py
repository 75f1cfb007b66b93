"""Judges are shown what they should be, and their decisions are counted by what is true."""

import dataclasses
import json
import shutil
import types
from itertools import pairwise

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from scipy.stats import bootstrap

from tests.making import folder_of, give_verdict, make_metamers, rewrite
from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.inclusion.verdict_file import read_verdict
from tfmetamers.metamers.folder import find_metamers, read_metamer, read_record
from tfmetamers.metamers.names import distinct_layers
from tfmetamers.networks import NetworkSpec, from_keras, load_architecture
from tfmetamers.networks.categories import decide
from tfmetamers.networks.record import distinct_names
from tfmetamers.plotting.recognition import plot_recognition
from tfmetamers.recognition.decisions import Decision, recognize, write_rows
from tfmetamers.recognition.exhibits import collect_exhibits
from tfmetamers.recognition.judges import Judge
from tfmetamers.recognition.summary import RecognitionRow, standard_error, summarize_recognition
from tfmetamers.recognition.truth import Truth
from tfmetamers.stimuli.collection import StimulusFile, collect_stimuli
from tfmetamers.stimuli.domains import Sounds
from tfmetamers.utilities.json_files import sealed

LABELS = list("abcdefghij")


def dense_model(classes: int, size: int, seed: int = 0, name: str = "dense"):
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((size, size, 3)), keras.layers.Flatten(), keras.layers.Dense(classes, name="logits")]
    return keras.Sequential(layers, name=name)


def changed(out, **stimulus):
    """Change what the records below a folder say of natural stimuli."""
    for folder in find_metamers(out):
        rewrite(folder, lambda content: content["stimulus"].update(stimulus))
    return out


@pytest.fixture(scope="module")
def small(small_model):
    return from_keras(small_model, labels=LABELS)


@pytest.fixture(scope="module")
def of_thousand():
    """A judge of 1000 classes that takes pictures of 20 pixels."""
    return from_keras(dense_model(1000, 20), labels=[str(number) for number in range(1000)], name="thousand")


@pytest.fixture(scope="module")
def of_thousand_and_one():
    labels = [str(number) for number in range(1001)]
    return from_keras(dense_model(1001, 32, seed=5), labels=labels, name="thousand_and_one")


@pytest.fixture(scope="module")
def made(small, tmp_path_factory):
    """Metamers of three pictures at two layers, the first layer with two seeds, of which half passed."""
    root = tmp_path_factory.mktemp("recognition")
    for number, name in enumerate(("x", "y", "z")):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(root / f"{name}.png")
    (root / "manifest.csv").write_text(
        "id,file,label,category\none,x.png,a,bear\ntwo,y.png,b,dog\nthree,z.png,unheard of,trombone\n"
    )
    stimuli = collect_stimuli([root / "manifest.csv"], (".png",))
    make_metamers(small, ["flat", "block"], stimuli, root / "out")
    make_metamers(small, ["block"], stimuli, root / "out", seed=1)
    for layer, stimulus, seed, included in [
        ("block", "one", 0, True),
        ("block", "two", 0, True),
        ("block", "three", 0, True),
        ("block", "one", 1, True),
        ("block", "two", 1, False),
        ("flat", "one", 0, None),
    ]:
        give_verdict(folder_of(root / "out", layer, stimulus, seed), included)
    return root / "out"


@pytest.fixture
def out(made, tmp_path):
    """A copy of `made` that a test may change."""
    return shutil.copytree(made, tmp_path / "out")


def chosen(recognition, **columns):
    return [row for row in recognition.decisions if all(getattr(row, name) == columns[name] for name in columns)]


class TestTruthToldLater:
    def test_it_takes_the_place_of_what_was_recorded_of_metamers_and_natural_stimuli(self, out, small):
        changed(out, label=None, category=None)
        for folder in find_metamers(out):
            give_verdict(folder, True)
        with pytest.raises(ResultError, match="--truth"):
            recognize(out, [small])
        recognition = recognize(out, [small], truth={"one": Truth("c", "cat"), "two": Truth(label="d")})
        truths = {row.stimulus: row.truth_label for row in recognition.decisions}
        assert truths == {"one": "c", "two": "d", "three": None}
        assert {row.layer for row in chosen(recognition, truth_label="c")} == {"natural", "block", "flat"}
        assert all(row.correct_label == (row.decision_label == "c") for row in chosen(recognition, stimulus="one"))

    def test_one_that_is_told_of_no_stimulus_is_refused(self, out, small):
        with pytest.raises(ResultError, match=r"uno and 1 more.*one and 2 more"):
            recognize(out, [small], truth={"uno": Truth("c"), "due": Truth("d")})


class TestDecisions:
    def test_only_metamers_that_passed_are_shown_and_natural_stimuli_once(self, made, small):
        calls = []
        recognition = recognize(made, [small], progress=lambda *numbers: calls.append(numbers))
        assert [(row.layer, row.stimulus, row.seed, row.included) for row in recognition.decisions] == [
            ("natural", "one", None, None),
            ("natural", "three", None, None),
            ("natural", "two", None, None),
            ("block", "one", 0, True),
            ("block", "one", 1, True),
            ("block", "three", 0, True),
            ("block", "two", 0, True),
        ]
        assert [recognition.count(state) for state in ("passed", "failed", "not judged")] == [4, 1, 4]
        assert calls[-1] == (7, 7)

    def test_labels_are_those_of_the_exact_array_and_of_the_original_and_the_truth_is_the_manifests(self, made, small):
        recognition = recognize(made, [small], include_failed=True)
        assert len(chosen(recognition, network="small")) == 9
        assert {row.included for row in recognition.decisions} == {True, False, None}
        truths = {"one": "a", "two": "b", "three": None}
        for row in recognition.decisions:
            metamer = read_metamer(made / row.folder)
            shown = metamer.original if row.layer == "natural" else metamer.stimulus
            assert row.decision_label == small.predict(shown[None])[0].label
            assert (row.judge_weights, row.truth_label) == (small.provenance.digest, truths[row.stimulus])
            assert row.correct_label == (None if row.stimulus == "three" else row.decision_label == row.truth_label)
            assert (row.size_made, row.size_shown, row.resized) == ("32 x 32 x 3", "32 x 32 x 3", False)
            assert (row.truth_category, row.decision_category, row.correct_category) == (None, None, None)

    def test_a_judge_that_always_says_the_same_is_right_where_that_is_true(self, made):
        model = dense_model(10, 32)
        model.layers[-1].set_weights([np.zeros((3072, 10)), np.eye(10)[1]])
        decisions = recognize(made, [from_keras(model, labels=LABELS)], include_failed=True).decisions
        assert {(row.stimulus, row.correct_label) for row in decisions} == {
            ("one", False),
            ("two", True),
            ("three", None),
        }

    def test_a_category_serves_as_label_where_the_judge_has_no_such_label(self, out, small_model):
        judge = from_keras(small_model, labels=["trombone", "dog", *LABELS[2:]], name="judge")
        truths = {row.stimulus: row.truth_label for row in recognize(out, [judge]).decisions}
        assert truths == {"one": None, "two": "dog", "three": "trombone"}
        judge = from_keras(small_model, labels=["b", "dog", *LABELS[2:]], name="judge")
        truths = {row.stimulus: row.truth_label for row in recognize(out, [judge]).decisions}
        assert truths == {"one": None, "two": "b", "three": None}  # A label of the manifest comes first.

    def test_what_a_network_predicts_for_the_original_is_no_truth(self, out, small):
        with pytest.raises(ResultError, match="bear, dog, trombone"):
            recognize(changed(out, label=None), [small], include_failed=True)

    @pytest.mark.parametrize("name", ["metamer.json", "metamer.png"])
    def test_a_metamer_without_a_verdict_or_with_one_on_an_older_metamer_was_not_judged(self, out, small, name):
        older, without = folder_of(out, "block", "one", 1), folder_of(out, "block", "two")
        basis = read_verdict(older)["basis"]
        give_verdict(older, True, basis=basis | {"files": basis["files"] | {name: "0" * 64}})
        (without / "verdict.json").unlink()
        included = {out / row.folder: row.included for row in recognize(out, [small], include_failed=True).decisions}
        assert included[older] is included[without] is None
        shown = {out / row.folder for row in recognize(out, [small]).decisions if row.network}
        assert shown == {folder_of(out, "block", id_) for id_ in ("one", "three")}


class TestJudgesOfPictures:
    @pytest.mark.parametrize("rule", ["max", "mean"])
    @pytest.mark.parametrize("name", ["of_thousand", "of_thousand_and_one"])
    def test_pictures_are_resized_and_judges_of_imagenets_classes_choose_a_category(self, made, request, name, rule):
        judge = request.getfixturevalue(name)
        decisions = recognize(made, [judge], rule=rule).decisions
        truths = {row.stimulus: row.truth_category for row in decisions}
        assert truths == {"one": "bear", "two": "dog", "three": None}
        for row in decisions:
            metamer = read_metamer(made / row.folder)
            shown = metamer.original if row.layer == "natural" else metamer.stimulus
            logits = judge.logits(judge.domain.adapt(shown)[None]).numpy()[0]
            assert row.decision_category == decide(logits, rule)
            assert row.decision_label == judge.labels[np.argmax(logits)]
            expected = None if row.truth_category is None else row.decision_category == row.truth_category
            assert (row.correct_category, row.rule) == (expected, rule)
            size = " x ".join(map(str, judge.stimulus_shape))
            assert (row.size_made, row.size_shown, row.resized) == ("32 x 32 x 3", size, size != "32 x 32 x 3")

    def test_resizing_is_that_of_loading_and_rounds_nothing(self, tmp_path, of_thousand):
        levels = np.random.default_rng(3).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(levels).save(tmp_path / "picture.png")
        resized = of_thousand.domain.adapt((levels / 255.0).astype(np.float32))
        assert resized.shape == (20, 20, 3)
        assert np.abs(resized - of_thousand.domain.load(tmp_path / "picture.png")).max() <= 1.01 / 255
        flat = of_thousand.domain.adapt(np.full((8, 8, 3), 0.50321, np.float32))
        np.testing.assert_allclose(flat, 0.50321, rtol=1e-6)


class TestSummary:
    def test_counts_what_was_shown_and_left_out_of_each_layer(self, made, small):
        rows = summarize_recognition(recognize(made, [small]))
        counted = [(row.layer, row.passed, row.failed, row.not_judged, row.left_out, row.shown) for row in rows]
        assert counted == [
            ("natural", None, None, None, 0, 3),
            ("block", 4, 1, 1, 2, 4),
            ("flat", 0, 0, 3, 3, 0),
        ]
        assert [(row.without_truth, row.decisions, row.stimuli) for row in rows] == [(1, 2, 2), (1, 3, 2), (0, 0, 0)]
        assert (rows[-1].correct, rows[-1].sem) == (None, None)

    def test_proportion_standard_error_and_chance_are_those_of_the_decisions(self, made, small, of_thousand):
        recognition = recognize(made, [small, of_thousand], include_failed=True)
        rows = summarize_recognition(recognition, seed=4)
        assert {(row.judge, row.task, row.chance) for row in rows} == {
            ("small", "label", 1 / 10),
            ("thousand", "category", 1 / 16),
        }
        for row in rows:
            made_of = chosen(recognition, judge=row.judge, layer=row.layer)
            known = [each for each in made_of if getattr(each, f"truth_{row.task}")]
            correct = [getattr(each, f"correct_{row.task}") for each in known]
            assert row.correct == np.mean(correct)
            assert row.sem == standard_error([each.stimulus_sha256 for each in known], correct, seed=4)

    def test_natural_stimuli_are_those_that_the_networks_metamers_match(self, out, small, tmp_path):
        smaller = from_keras(dense_model(10, 16), labels=LABELS, name="smaller")
        stimulus = StimulusFile("alone", tmp_path / "alone.png", label="c")
        Image.fromarray(np.random.default_rng(9).integers(0, 256, (16, 16, 3), np.uint8)).save(stimulus.path)
        make_metamers(smaller, ["logits"], [stimulus], out)
        recognition = recognize(out, [small], include_failed=True)
        shown = {(row.network, row.layer): row.shown for row in summarize_recognition(recognition)}
        assert (shown["small", "natural"], shown["smaller", "natural"]) == (3, 1)
        resized = {row.stimulus: row.resized for row in chosen(recognition, layer="natural")}
        assert resized == {"one": False, "two": False, "three": False, "alone": True}

    def test_metamers_made_in_different_ways_are_counted_apart(self, out, small, made):
        stimuli = collect_stimuli([made.parent / "manifest.csv"], (".png",))
        for folder in make_metamers(small, ["block"], stimuli, out, relu_gradient="normal"):
            give_verdict(folder, True)
        rows = summarize_recognition(recognize(out, [small]))
        assert [(row.layer, row.passed, row.shown) for row in rows] == [
            ("natural", None, 3),
            ("block", 4, 4),
            ("block (normal-gradient)", 3, 3),
            ("flat", 0, 0),
        ]

    def test_tables_hold_every_row_and_column_and_whole_numbers_stay_whole(self, made, small, of_thousand, tmp_path):
        recognition = recognize(made, [small, of_thousand], include_failed=True)
        for kind, rows in ((Decision, recognition.decisions), (RecognitionRow, summarize_recognition(recognition))):
            write_rows(tmp_path / "rows.csv", kind, rows)
            table = pd.read_csv(tmp_path / "rows.csv", dtype=str, keep_default_na=False)
            assert list(table.columns) == [column.name for column in dataclasses.fields(kind)]
            for row, written in zip(rows, table.to_dict("records"), strict=True):
                assert written == {name: "" if value is None else str(value) for name, value in vars(row).items()}
            assert {"True", "False", ""} <= set(table["included"]) if kind is Decision else "" in set(table["passed"])


class TestStandardError:
    def test_is_that_of_scipy_and_of_a_proportion(self):
        correct = np.random.default_rng(0).random(80) < 0.7
        found = standard_error([str(number) for number in range(80)], correct)
        expected = bootstrap((correct,), np.mean, n_resamples=9999, random_state=1).standard_error
        assert found == pytest.approx(expected, rel=0.03)
        assert found == pytest.approx(np.sqrt(correct.mean() * (1 - correct.mean()) / 80), rel=0.03)

    def test_several_seeds_of_one_stimulus_add_nothing_where_they_agree(self):
        stimuli = [str(number) for number in range(50)]
        correct = np.arange(50) < 20
        assert standard_error(stimuli * 4, np.tile(correct, 4)) == pytest.approx(standard_error(stimuli, correct))

    def test_depends_on_the_seed_and_is_none_for_one_stimulus_and_zero_where_all_agree(self):
        stimuli, correct = list("abcde"), [True, False, True, True, False]
        assert standard_error(stimuli, correct, 1) == standard_error(stimuli, correct, 1)
        assert standard_error(stimuli, correct, 1) != standard_error(stimuli, correct, 2)
        assert standard_error(["a", "a"], [True, False]) is None
        assert standard_error(["a", "b"], [True, True]) == 0


class TestNames:
    def test_the_same_architecture_with_other_weights_is_told_apart(self, made, small_model, small):
        other = from_keras(keras.models.clone_model(small_model), labels=LABELS)
        recognition = recognize(made, [small, other])
        names = [f"small ({judge.provenance.digest[:8]})" for judge in (small, other)]
        assert list(recognition.chances) == names
        assert recognition.generators[0].name == names[0]

    def test_networks_are_named_by_weights_then_by_input_then_by_a_number(self, small):
        def networks(*changes):
            record = dataclasses.replace(small.describe(), name="a", digest="1234567890")
            return [dataclasses.replace(record, **each) for each in changes]

        assert distinct_names(networks({"name": "a"}, {"name": "b"})) == ["a", "b"]
        random = [{"digest": str(seed), "source": "random", "seed": seed} for seed in (3, 4, 3)]
        seeds = [f"a (random, seed {seed})" for seed in (3, 4, 3)]
        assert distinct_names(networks(*random)) == seeds
        sizes = networks({"stimulus_shape": (32, 32, 3)}, {"stimulus_shape": (64, 64, 3)})
        assert distinct_names(sizes) == ["a (12345678, 32 x 32 x 3)", "a (12345678, 64 x 64 x 3)"]
        ranges = networks({"input_range": (0, 1)}, {"input_range": (0, 255)})
        assert distinct_names(ranges) == ["a (12345678, 32 x 32 x 3)", "a (12345678, 32 x 32 x 3) #2"]

    def test_layers_are_named_by_what_is_not_common_to_all_metamers_of_the_network(self, made):
        record = read_record(folder_of(made, "block", "one"))

        def of(name="small", **changes):
            network = dataclasses.replace(record.network, name=name)
            return record.replace(network=network, recipe=record.recipe.replace(**changes))

        # All have one step; another network's metamers do not matter.
        assert distinct_layers([of(), of(), of("other", steps=2)]) == ["block"] * 3
        found = distinct_layers([of(), of(relu_gradient="normal"), of(steps=2)])
        assert found == ["block (steps-1)", "block (steps-1, normal-gradient)", "block (steps-2)"]


class TestFigure:
    def test_has_a_panel_for_each_network_and_task_with_natural_stimuli_first(self, made, small, of_thousand):
        recognition = recognize(made, [small, of_thousand], include_failed=True)
        figure = plot_recognition(summarize_recognition(recognition))
        upper, lower = figure.axes
        for axes in (upper, lower):
            assert [text.get_text() for text in axes.get_xticklabels()] == ["natural", "block", "flat"]
        assert [bars.get_label() for bars in upper.containers] == ["small"]
        assert [bars.get_label() for bars in lower.containers] == ["thousand"]

    def test_lines_bars_and_chance_are_those_of_the_table_and_a_layer_that_was_not_shown_is_a_gap(self, made, small):
        rows = summarize_recognition(recognize(made, [small], include_failed=True))
        [axes] = plot_recognition(rows).axes
        [(line, _, [bars])] = axes.containers
        assert line.get_ydata().tolist() == [row.correct for row in rows]
        heights = [segment[1, 1] - segment[0, 1] for segment in bars.get_segments()]
        np.testing.assert_allclose(heights, [2 * row.sem for row in rows])
        dashed = [each for each in axes.lines if each.get_linestyle() == "--"]
        assert [each.get_ydata()[0] for each in dashed] == [0.1]
        [axes] = plot_recognition(summarize_recognition(recognize(made, [small]))).axes
        assert np.isnan(axes.containers[0][0].get_ydata()).tolist() == [False, False, True]


@pytest.fixture(scope="module")
def words(small_architecture):
    return load_architecture(small_architecture, random_seed=1, labels=LABELS)


@pytest.fixture(scope="module")
def sounds(words, tmp_path_factory):
    """Metamers of two sounds at two layers, and of their cochleagrams at one."""
    root = tmp_path_factory.mktemp("sounds")
    for word in "ab":
        (root / "in" / word).mkdir(parents=True)
        noise = np.random.default_rng(ord(word)).normal(0, 0.1, 2000)
        soundfile.write(root / "in" / word / "0.wav", noise, 4000)
    stimuli = collect_stimuli([root / "in"], (".wav",))
    make_metamers(words, ["conv_1", "conv_0"], stimuli, root / "sounds")
    make_metamers(words.without_front_end(), ["conv_1"], stimuli, root / "cochleagrams")
    shutil.copytree(root / "sounds", root / "out")
    shutil.copytree(root / "cochleagrams", root / "out", dirs_exist_ok=True)
    return root


class TestSounds:
    def test_words_and_metamers_of_cochleagrams_are_judged(self, sounds, words):
        recognition = recognize(sounds / "out", [words], include_failed=True)
        layers = {each.name: each.layers for each in recognition.generators}
        assert layers == {"small": ["conv_0", "conv_1"], "small from the cochleagram": ["conv_1"]}
        assert {row.truth_label for row in recognition.decisions} == {"a", "b"}
        from_cochleagram = words.without_front_end()
        for row in recognition.decisions:
            metamer = read_metamer(sounds / "out" / row.folder)
            shown = metamer.original if row.layer == "natural" else metamer.stimulus
            network = from_cochleagram if shown.ndim == 3 else words
            assert row.decision_label == network.predict(shown[None])[0].label
            assert (row.size_made == row.size_shown, row.resized) == (True, False)
        shown = {(row.network, row.layer): row.shown for row in summarize_recognition(recognition)}
        assert shown["small from the cochleagram", "natural"] == shown["small", "natural"] == 2
        # A judge that takes cochleagrams itself is shown those of its own front end, and no sounds.
        assert len(recognize(sounds / "cochleagrams", [from_cochleagram], include_failed=True).decisions) == 4
        with pytest.raises(ArgumentError, match=r"cochleagram.*2000 samples"):
            recognize(sounds / "sounds", [from_cochleagram], include_failed=True)

    def test_another_length_front_end_or_kind_of_stimulus_is_refused(
        self, sounds, made, words, small, small_architecture
    ):
        settings = small_architecture.cochleagram
        for changes, folder, named in [
            ({"samples": 4000}, "sounds", "4000 samples at 4000 Hz .*2000 samples"),
            ({"low_limit": 60}, "cochleagrams", "cochleagram"),
        ]:
            other = dataclasses.replace(small_architecture, cochleagram=settings.replace(**changes))
            judge = load_architecture(other, random_seed=0, labels=LABELS)
            with pytest.raises(ArgumentError, match=named):
                recognize(sounds / folder, [words, judge], include_failed=True)
        for folder, judge in ((sounds / "sounds", small), (made, words)):
            with pytest.raises(ArgumentError, match=r"32 x 32 x 3.*2000 samples|2000 samples.*32 x 32 x 3"):
                recognize(folder, [judge], include_failed=True)

    def test_a_judge_of_any_duration_is_named_with_the_one_that_would_do(self):
        def refusal(shown):
            network = types.SimpleNamespace(
                name="deepspeech",
                spec=NetworkSpec.parse("deepspeech"),
                domain=Sounds(16_000, 32_000),
                logits=len,
                labels=["a"],
                front_end_domain=None,
            )
            exhibit = types.SimpleNamespace(record=types.SimpleNamespace(domain=shown), folders=["FOLDER"])
            with pytest.raises(ArgumentError, match="FOLDER") as refused:
                Judge(network, "deepspeech").check(exhibit)
            return str(refused.value)

        assert "deepspeech@1.5s" in refusal(Sounds(16_000, 24_000))
        assert "@" not in refusal(Sounds(20_000, 30_000))  # Another rate is not mended by another duration.


class TestRefusals:
    def test_no_judge_the_same_twice_one_without_labels_and_an_unknown_rule(self, made, small, small_model):
        for judges, rule, named in [
            ([], "max", "judge"),
            ([small, small], "max", "small was given 2 times"),
            ([from_keras(small_model)], "max", "small has no labels"),
            ([small], "median", "'median'"),
        ]:
            with pytest.raises(ArgumentError, match=named):
                recognize(made, judges, rule=rule)

    def test_metamers_that_were_not_judged_are_no_reason_to_show_none(self, out, small, tmp_path):
        for verdict in out.rglob("verdict.json"):
            verdict.unlink()
        with pytest.raises(ResultError, match=f"tfmetamers evaluate {out}"):
            recognize(out, [small])

    def test_truths_that_no_judge_can_say_are_listed(self, made, small_model):
        judge = from_keras(small_model, labels=list("ABCDEFGHIJ"))
        with pytest.raises(ResultError, match="a, b, bear"):
            recognize(made, [judge])

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("metamer.json", {"format": 3}),
            ("metamer.npy", ""),
            ("metamer.npy", np.full((32, 32, 3), np.nan, np.float32)),
            ("verdict.json", []),
            ("verdict.json", {"format": 2}),
            ("verdict.json", sealed({"format": 2, "array": {"included": True}})),
        ],
    )
    def test_a_broken_folder_is_named_and_the_others_are_shown(self, out, small, name, content):
        broken = folder_of(out, "block", "one")
        if isinstance(content, np.ndarray):
            np.save(broken / name, content)
            rewrite(broken)
        else:
            (broken / name).write_text(content if isinstance(content, str) else json.dumps(content))
        recognition = recognize(out, [small])
        [(folder, reason)] = recognition.problems
        assert folder == broken and str(broken) in reason
        assert len(chosen(recognition, network="small")) == 3
        assert len(chosen(recognition, layer="natural")) == 3

    @pytest.mark.filterwarnings("ignore:loadtxt")
    def test_folders_that_are_all_broken_are_refused(self, out, small):
        for folder in find_metamers(out):
            (folder / "trace.csv").write_text("")
        with pytest.raises(ResultError, match=str(out)):
            recognize(out, [small])
        for folder in find_metamers(out):
            (folder / "metamer.json").write_text("{")
        with pytest.raises(ResultError, match=str(out)):
            recognize(out, [small])
        with pytest.raises(ResultError, match="nothing"):
            recognize(out / "nothing", [small])


@pytest.mark.parametrize("spoilt", [None, "two"])
def test_a_natural_stimulus_whose_copy_is_damaged_or_another_is_read_from_another_metamer(out, spoilt):
    content = (folder_of(out, "block", spoilt) / "original.png").read_bytes() if spoilt else b""
    (folder_of(out, "block", "one") / "original.png").write_bytes(content)
    natural = next(each for each in collect_exhibits(out).naturals if each.record.stimulus.id == "one")
    assert len(natural.folders) == 3
    assert all(first < second for first, second in pairwise(natural.folders))
    np.testing.assert_array_equal(natural.load(), read_metamer(natural.folders[1]).original)
