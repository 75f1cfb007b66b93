"""Judges are shown what they should be, and their decisions are counted by what is true."""

import csv
import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.inclusion.verdict_file import judged_files
from tfmetamers.metamers.folder import find_metamers, read_metamer, read_record
from tfmetamers.networks import load_architecture
from tfmetamers.networks.distinct_names import distinct_names
from tfmetamers.networks.own.keras import from_keras
from tfmetamers.plotting.recognition import plot_recognition
from tfmetamers.recipes import find_recipe
from tfmetamers.recognition.categories import decide
from tfmetamers.recognition.decisions import Decision, recognize, write_rows
from tfmetamers.recognition.exhibits import collect_exhibits
from tfmetamers.recognition.judges import resize_picture
from tfmetamers.recognition.layer_order import ordered_layers
from tfmetamers.recognition.summary import RecognitionRow, standard_error, summarize_recognition
from tfmetamers.stimuli.collection import StimulusFile, collect_stimuli
from tfmetamers.stimuli.images import load_image
from tfmetamers.synthesis.runs import execute_run, plan_run

LABELS = list("abcdefghij")


def make_metamers(network, layers, stimuli, out, seed=0):
    recipe = find_recipe(network.recipe).replace(steps=1)
    for layer in layers:
        run = plan_run(network, layer, stimuli, recipe=recipe, seed=seed, out=out, batch_size=len(stimuli))
        list(execute_run(run))


def give_verdict(folder, included, **further):
    verdict = {"format": 1, "array": {"included": included, "reasons": []}, "saved": {"included": included}}
    verdict["basis"] = {"files": judged_files(folder, read_record(folder))}
    (folder / "verdict.json").write_text(json.dumps(verdict | further))


def dense_model(classes: int, size: int, seed: int = 0, name: str = "dense"):
    import keras

    keras.utils.set_random_seed(seed)
    layers = [keras.Input((size, size, 3)), keras.layers.Flatten(), keras.layers.Dense(classes, name="logits")]
    return keras.Sequential(layers, name=name)


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
        give_verdict(root / "out" / "small" / layer / stimulus / str(seed), included)
    return root / "out"


@pytest.fixture
def out(made, tmp_path):
    """A copy of `made` that a test may change."""
    return shutil.copytree(made, tmp_path / "out")


def chosen(recognition, **columns):
    return [row for row in recognition.decisions if all(getattr(row, name) == columns[name] for name in columns)]


class TestDecisions:
    def test_only_metamers_that_passed_are_shown_and_natural_stimuli_once(self, made, small):
        recognition = recognize(made, [small])
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

    def test_all_are_shown_on_request(self, made, small):
        recognition = recognize(made, [small], include_failed=True)
        assert len(chosen(recognition, network="small")) == 9
        assert {row.included for row in recognition.decisions} == {True, False, None}

    def test_labels_are_those_of_the_exact_array_and_of_the_original(self, made, small):
        for row in recognize(made, [small], include_failed=True).decisions:
            metamer = read_metamer(made / row.folder)
            shown = metamer.original if row.layer == "natural" else metamer.stimulus
            assert row.decision_label == small.predict(shown[None])[0].label
            assert row.judge_weights == small.provenance.digest

    def test_truth_is_the_manifest_s_and_unknown_where_the_judge_has_no_such_label(self, made, small):
        decisions = recognize(made, [small], include_failed=True).decisions
        assert {(row.stimulus, row.truth_label) for row in decisions} == {("one", "a"), ("two", "b"), ("three", None)}
        for row in decisions:
            assert row.correct_label == (None if row.stimulus == "three" else row.decision_label == row.truth_label)

    def test_a_judge_that_always_says_the_same_is_right_where_that_is_true(self, made):
        model = dense_model(10, 32)
        model.layers[-1].set_weights([np.zeros((3072, 10)), np.eye(10)[1]])
        decisions = recognize(made, [from_keras(model, labels=LABELS)], include_failed=True).decisions
        assert {(row.stimulus, row.correct_label) for row in decisions} == {
            ("one", False),
            ("two", True),
            ("three", None),
        }

    def test_what_a_network_predicts_for_the_original_is_no_truth(self, out, small):
        for folder in find_metamers(out):
            record = json.loads((folder / "metamer.json").read_text())
            record["prediction"]["original"] = {"index": 2, "label": "c"}
            record["stimulus"]["label"] = None
            (folder / "metamer.json").write_text(json.dumps(record))
        with pytest.raises(ResultError, match="Of no stimulus is the truth known"):
            recognize(out, [small], include_failed=True)

    def test_a_class_folder_that_is_called_like_a_label_is_the_truth(self, made, small_model):
        judge = from_keras(small_model, labels=["dog", *LABELS[1:]])
        truths = {row.stimulus: row.truth_label for row in recognize(made, [judge]).decisions}
        assert truths == {"one": None, "two": "b", "three": None}  # A label of the manifest comes first.

    def test_a_category_serves_as_label_where_the_judge_has_no_such_label(self, made, small_model):
        judge = from_keras(small_model, labels=["trombone", *LABELS[1:]])
        truths = {row.stimulus: row.truth_label for row in recognize(made, [judge]).decisions}
        assert truths == {"one": None, "two": "b", "three": "trombone"}

    def test_a_category_serves_as_label_where_there_is_no_label(self, out, small_model):
        for folder in find_metamers(out):
            record = json.loads((folder / "metamer.json").read_text())
            record["stimulus"]["label"] = None
            (folder / "metamer.json").write_text(json.dumps(record))
        judge = from_keras(small_model, labels=["dog", *LABELS[1:]])
        truths = {row.stimulus: row.truth_label for row in recognize(out, [judge], include_failed=True).decisions}
        assert truths == {"one": None, "two": "dog", "three": None}

    @pytest.mark.parametrize("changed", ["metamer.json", "metamer.npy", "metamer.png", "original.png"])
    def test_a_metamer_without_a_verdict_or_with_one_on_an_older_metamer_was_not_judged(self, out, small, changed):
        current, older = out / "small/block/one/0", out / "small/block/one/1"
        give_verdict(current, True)
        give_verdict(older, True, basis={"files": judged_files(older, read_record(older)) | {changed: "0" * 64}})
        (out / "small/block/two/0/verdict.json").unlink()
        included = {row.folder: row.included for row in recognize(out, [small], include_failed=True).decisions}
        assert included["small/block/one/1"] is included["small/block/two/0"] is None
        shown = {row.folder for row in recognize(out, [small]).decisions if row.network}
        assert shown == {"small/block/one/0", "small/block/three/0"}

    def test_progress_ends_at_all(self, made, small):
        calls = []
        recognize(made, [small], progress=lambda *numbers: calls.append(numbers))
        assert calls[-1] == (7, 7)


class TestSizes:
    def test_metamers_and_natural_stimuli_are_resized_alike_and_it_is_recorded(self, made, of_thousand):
        for row in recognize(made, [of_thousand]).decisions:
            assert (row.size_made, row.size_shown, row.resized) == ("32 x 32 x 3", "20 x 20 x 3", True)
            metamer = read_metamer(made / row.folder)
            shown = metamer.original if row.layer == "natural" else metamer.stimulus
            expected = of_thousand.predict(resize_picture(shown, 20)[None])[0].label
            assert row.decision_label == expected

    def test_nothing_is_resized_for_a_judge_of_the_same_size(self, made, small):
        assert {(row.size_shown, row.resized) for row in recognize(made, [small]).decisions} == {("32 x 32 x 3", False)}

    @pytest.mark.parametrize("size", [7, 20, 32, 50])
    def test_resizing_is_that_of_loading_up_to_rounding(self, tmp_path, size):
        levels = np.random.default_rng(3).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(levels).save(tmp_path / "picture.png")
        resized = resize_picture((levels / 255.0).astype(np.float32), size)
        assert resized.shape == (size, size, 3)
        assert np.abs(resized - load_image(tmp_path / "picture.png", size)).max() <= 1.01 / 255

    def test_resizing_rounds_nothing(self):
        picture = np.full((8, 8, 3), 0.50321, np.float32)
        np.testing.assert_allclose(resize_picture(picture, 5), 0.50321, rtol=1e-6)


class TestCategories:
    @pytest.mark.parametrize("rule", ["max", "mean"])
    @pytest.mark.parametrize("judge_name", ["of_thousand", "of_thousand_and_one"])
    def test_judges_of_imagenet_s_classes_decide_for_a_category(self, made, request, judge_name, rule):
        judge = request.getfixturevalue(judge_name)
        decisions = recognize(made, [judge], rule=rule).decisions
        truths = {row.stimulus: row.truth_category for row in decisions}
        assert truths == {"one": "bear", "two": "dog", "three": None}
        for row in decisions:
            metamer = read_metamer(made / row.folder)
            shown = metamer.original if row.layer == "natural" else metamer.stimulus
            logits = judge.logits(resize_picture(shown, judge.input_size)[None]).numpy()[0]
            assert row.decision_category == decide(logits, rule)
            expected = None if row.truth_category is None else row.decision_category == row.truth_category
            assert (row.correct_category, row.rule) == (expected, rule)

    def test_other_judges_have_none(self, made, small, of_thousand):
        decisions = chosen(recognize(made, [small, of_thousand]), judge="small")
        assert {(row.truth_category, row.decision_category, row.correct_category) for row in decisions} == {
            (None, None, None)
        }

    def test_an_unknown_rule_is_refused(self, made, small):
        with pytest.raises(ArgumentError, match="decision rule"):
            recognize(made, [small], rule="median")


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

    def test_proportion_and_standard_error_are_those_of_the_decisions(self, made, small):
        recognition = recognize(made, [small], include_failed=True)
        for row in summarize_recognition(recognition, seed=4):
            known = [each for each in chosen(recognition, layer=row.layer) if each.truth_label]
            correct = [each.correct_label for each in known]
            assert row.correct == np.mean(correct)
            assert row.sem == standard_error([each.stimulus_sha256 for each in known], correct, seed=4)

    def test_chance_is_one_over_the_labels_or_categories(self, made, small, of_thousand):
        rows = summarize_recognition(recognize(made, [small, of_thousand]))
        assert {(row.judge, row.task, row.chance) for row in rows} == {
            ("small", "label", 1 / 10),
            ("thousand", "category", 1 / 16),
        }

    def test_natural_stimuli_are_those_that_the_network_s_metamers_match(self, out, small, small_model, tmp_path):
        smaller = from_keras(dense_model(10, 16), labels=LABELS, name="smaller")
        stimulus = StimulusFile("alone", tmp_path / "alone.png", label="c")
        Image.fromarray(np.random.default_rng(9).integers(0, 256, (16, 16, 3), np.uint8)).save(stimulus.path)
        make_metamers(smaller, ["logits"], [stimulus], out)
        recognition = recognize(out, [small], include_failed=True)
        shown = {(row.network, row.layer): row.shown for row in summarize_recognition(recognition)}
        assert shown[("small", "natural")] == 3
        assert shown[("smaller", "natural")] == 1
        resized = {row.stimulus: row.resized for row in chosen(recognition, layer="natural")}
        assert resized == {"one": False, "two": False, "three": False, "alone": True}

    def test_tables_hold_every_row_and_column(self, made, small, of_thousand, tmp_path):
        recognition = recognize(made, [small, of_thousand])
        write_rows(tmp_path / "decisions.csv", Decision, recognition.decisions)
        write_rows(tmp_path / "summary.csv", RecognitionRow, summarize_recognition(recognition))
        with (tmp_path / "decisions.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == len(recognition.decisions) == 14
        assert list(rows[0]) == list(Decision.__dataclass_fields__)
        assert {row["included"] for row in rows} == {"", "true"}
        assert {row["correct_label"] for row in rows if row["stimulus"] == "three"} == {""}
        with (tmp_path / "summary.csv").open(newline="") as stream:
            assert list(next(csv.DictReader(stream))) == list(RecognitionRow.__dataclass_fields__)


class TestStandardError:
    def test_is_that_of_a_proportion_where_each_stimulus_has_one_decision(self):
        correct = np.arange(200) < 60
        found = standard_error([str(number) for number in range(200)], correct)
        assert found == pytest.approx(np.sqrt(0.3 * 0.7 / 200), rel=0.03)

    def test_several_seeds_of_one_stimulus_add_nothing_where_they_agree(self):
        stimuli = [str(number) for number in range(50)]
        correct = np.arange(50) < 20
        assert standard_error(stimuli * 4, np.tile(correct, 4)) == pytest.approx(standard_error(stimuli, correct))

    def test_is_that_of_scipy(self):
        from scipy.stats import bootstrap

        correct = np.random.default_rng(0).random(80) < 0.7
        expected = bootstrap((correct,), np.mean, n_resamples=9999, random_state=1).standard_error
        assert standard_error([str(number) for number in range(80)], correct) == pytest.approx(expected, rel=0.03)

    def test_depends_on_the_seed_alone(self):
        stimuli, correct = list("abcde"), [True, False, True, True, False]
        assert standard_error(stimuli, correct, 1) == standard_error(stimuli, correct, 1)
        assert standard_error(stimuli, correct, 1) != standard_error(stimuli, correct, 2)

    def test_is_none_for_one_stimulus_and_zero_where_all_agree(self):
        assert standard_error(["a", "a"], [True, False]) is None
        assert standard_error(["a", "b"], [True, True]) == 0


class TestNames:
    def test_the_same_architecture_with_other_weights_is_told_apart(self, made, small_model, small):
        import keras

        other = keras.models.clone_model(small_model)
        judges = [small, from_keras(other, labels=LABELS)]
        names = list(recognize(made, judges).chances)
        assert names == [f"small ({judge.provenance.digest[:8]})" for judge in judges]
        assert recognize(made, judges).generators[0].name == names[0]

    def test_names_stay_plain_where_they_suffice(self):
        assert distinct_names([{"name": "a", "digest": "1"}, {"name": "b", "digest": "1"}]) == ["a", "b"]

    def test_random_weights_are_named_by_their_seed(self):
        networks = [{"name": "a", "digest": str(seed), "source": "random", "seed": seed} for seed in (3, 4, 3)]
        assert distinct_names(networks) == ["a (random, seed 3)", "a (random, seed 4)", "a (random, seed 3)"]

    def test_the_input_comes_next_and_then_a_number(self):
        network = {"name": "a", "digest": "1234567890"}
        networks = [network | {"stimulus_shape": [size, size, 3]} for size in (32, 64)]
        assert distinct_names(networks) == ["a (12345678, 32 x 32 x 3)", "a (12345678, 64 x 64 x 3)"]
        ranges = [networks[0] | {"input_range": [0, white]} for white in (1, 255)]
        assert distinct_names(ranges) == ["a (12345678, 32 x 32 x 3)", "a (12345678, 32 x 32 x 3) #2"]

    def test_layers_are_in_the_order_of_the_network(self, made, small):
        layers = ["flat", "tensor:b:0", "block", "first", "tensor:a:0"]
        record = read_metamer(made / "small/block/one/0").record
        expected = ["first", "block", "flat", "tensor:a:0", "tensor:b:0"]
        assert ordered_layers(record, layers, [small]) == expected

    def test_layers_of_published_networks_need_no_judge_of_that_name(self):
        record = {"network": {"name": "vgg_19"}}
        assert ordered_layers(record, ["fc8", "conv5_4", "fc6", "conv1_2"]) == ["conv1_2", "conv5_4", "fc6", "fc8"]
        record = {"network": {"name": "word_aliased_from_cochleagram"}}
        assert ordered_layers(record, ["logits", "conv_2", "conv_0"]) == ["conv_0", "conv_2", "logits"]

    def test_layers_of_a_network_that_is_gone_are_in_the_order_of_their_names(self):
        assert ordered_layers({"network": {"name": "gone"}}, ["b", "a"]) == ["a", "b"]


class TestFigure:
    def test_has_a_panel_a_network_and_task_with_natural_stimuli_first(self, made, small, of_thousand):
        recognition = recognize(made, [small, of_thousand], include_failed=True)
        figure = plot_recognition(summarize_recognition(recognition))
        upper, lower = figure.axes
        for axes in (upper, lower):
            assert [text.get_text() for text in axes.get_xticklabels()] == ["natural", "block", "flat"]
        assert [bars.get_label() for bars in upper.containers] == ["small"]
        assert [bars.get_label() for bars in lower.containers] == ["thousand"]

    def test_lines_bars_and_chance_are_those_of_the_table(self, made, small):
        rows = summarize_recognition(recognize(made, [small], include_failed=True))
        [axes] = plot_recognition(rows).axes
        [(line, _, [bars])] = axes.containers
        assert line.get_ydata().tolist() == [row.correct for row in rows]
        heights = [segment[1, 1] - segment[0, 1] for segment in bars.get_segments()]
        np.testing.assert_allclose(heights, [2 * row.sem for row in rows])
        dashed = [each for each in axes.lines if each.get_linestyle() == "--"]
        assert [each.get_ydata()[0] for each in dashed] == [0.1]

    def test_a_layer_of_which_nothing_was_shown_is_a_gap(self, made, small):
        [axes] = plot_recognition(summarize_recognition(recognize(made, [small]))).axes
        assert np.isnan(axes.containers[0][0].get_ydata()).tolist() == [False, False, True]


@pytest.fixture(scope="module")
def words(small_architecture):
    return load_architecture(small_architecture, weights="random", weights_seed=1, labels=LABELS)


@pytest.fixture(scope="module")
def sounds(words, tmp_path_factory):
    import soundfile

    root = tmp_path_factory.mktemp("sounds")
    for word in "ab":
        (root / "in" / word).mkdir(parents=True)
        noise = np.random.default_rng(ord(word)).normal(0, 0.1, 2000)
        soundfile.write(root / "in" / word / "0.wav", noise, 4000)
    stimuli = collect_stimuli([root / "in"], (".wav",))
    make_metamers(words, ["conv_1", "conv_0"], stimuli, root / "out")
    make_metamers(words.without_front_end(), ["conv_1"], stimuli, root / "out")
    return root / "out"


class TestSounds:
    def test_words_and_metamers_of_cochleagrams_are_judged(self, sounds, words):
        recognition = recognize(sounds, [words], include_failed=True)
        assert [(each.name, each.layers) for each in recognition.generators] == [
            ("small", ["conv_0", "conv_1"]),
            ("small_from_cochleagram", ["conv_1"]),
        ]
        assert {row.truth_label for row in recognition.decisions} == {"a", "b"}
        from_cochleagram = words.without_front_end()
        for row in recognition.decisions:
            metamer = read_metamer(sounds / row.folder)
            shown = metamer.original if row.layer == "natural" else metamer.stimulus
            network = from_cochleagram if shown.ndim == 3 else words
            assert row.decision_label == network.predict(shown[None])[0].label
        shown = {(row.network, row.layer): row.shown for row in summarize_recognition(recognition)}
        assert shown[("small_from_cochleagram", "natural")] == shown[("small", "natural")] == 2

    def test_another_length_or_front_end_is_refused(self, sounds, words, small_architecture):
        import dataclasses

        settings = small_architecture.cochleagram
        for changes, folder, complaint in [
            ({"samples": 4000}, sounds / "small", "takes 4000 samples at 4000 Hz (1 s)"),
            ({"low_limit": 60}, sounds / "small_from_cochleagram", "is a cochleagram of"),
        ]:
            changed = dataclasses.replace(small_architecture, cochleagram=settings.replace(**changes))
            judge = load_architecture(changed, weights="random", labels=LABELS)
            with pytest.raises(ArgumentError) as refused:
                recognize(folder, [words, judge], include_failed=True)
            assert complaint in str(refused.value)

    def test_sounds_are_no_pictures_nor_the_other_way_round(self, sounds, made, words, small):
        with pytest.raises(ArgumentError, match=r"takes 32 x 32 x 3, .* is a sound of 2000 samples at 4000 Hz"):
            recognize(sounds / "small", [small], include_failed=True)
        with pytest.raises(ArgumentError, match=r"takes 2000 samples .* is a picture of 32 x 32 x 3"):
            recognize(made, [words])


class TestRefusals:
    def test_no_judge_the_same_twice_and_one_without_labels(self, made, small, small_model):
        for judges, complaint in [
            ([], "No judge was given"),
            ([small, small], "given 2 times"),
            ([from_keras(small_model)], "has no labels"),
        ]:
            with pytest.raises(ArgumentError, match=complaint):
                recognize(made, judges)

    def test_metamers_that_were_not_judged_are_no_reason_to_show_none(self, out, small):
        for verdict in out.rglob("verdict.json"):
            verdict.unlink()
        with pytest.raises(ResultError, match=r"None of the 9 metamers .* run 'tfmetamers evaluate"):
            recognize(out, [small])

    def test_a_folder_without_metamers(self, tmp_path, small):
        with pytest.raises(ResultError, match="no finished metamer"):
            recognize(tmp_path, [small])

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("metamer.json", "{"),
            ("metamer.json", '{"format": 1}'),
            ("metamer.npy", ""),
            ("verdict.json", "[]"),
            ("verdict.json", '{"format": 7}'),
            ("verdict.json", '{"format": 1}'),
            ("verdict.json", '{"format": 1, "array": {"included": "yes"}}'),
        ],
    )
    def test_a_broken_folder_is_named_and_the_others_are_shown(self, out, small, name, content):
        broken = out / "small/block/one/0"
        (broken / name).write_text(content)
        recognition = recognize(out, [small])
        assert [folder for folder, _ in recognition.problems] == [broken]
        assert str(broken) in recognition.problems[0][1]
        assert len(chosen(recognition, network="small")) == 3
        assert len(chosen(recognition, layer="natural")) == 3

    def test_a_truth_that_is_no_text_is_named(self, out, small):
        path = out / "small/block/one/0/metamer.json"
        record = json.loads(path.read_text())
        record["stimulus"]["label"] = ["a"]
        path.write_text(json.dumps(record))
        assert [folder for folder, _ in recognize(out, [small]).problems] == [path.parent]

    def test_an_array_that_is_not_finite_or_of_another_shape_is_broken(self, out, small):
        np.save(out / "small/block/one/0/metamer.npy", np.full((32, 32, 3), np.nan, np.float32))
        np.save(out / "small/block/one/1/metamer.npy", np.zeros((31, 32, 3), np.float32))
        problems = dict(recognize(out, [small]).problems)
        assert problems.keys() == {out / "small/block/one/0", out / "small/block/one/1"}

    def test_only_broken_folders_are_refused(self, out, small):
        for folder in find_metamers(out):
            (folder / "metamer.json").write_text("{")
        with pytest.raises(ResultError, match="None of the 9 metamers"):
            recognize(out, [small])

    @pytest.mark.filterwarnings("ignore:loadtxt")
    def test_only_broken_arrays_are_refused(self, out, small):
        for folder in find_metamers(out):
            (folder / "trace.csv").write_text("")
        with pytest.raises(ResultError, match="No stimulus whose truth is known can be read"):
            recognize(out, [small])

    def test_truths_that_no_judge_can_say_are_listed(self, made, small_model):
        judge = from_keras(small_model, labels=list("ABCDEFGHIJ"))
        with pytest.raises(ResultError, match="they are called a, b, bear"):
            recognize(made, [judge])


@pytest.mark.parametrize("spoilt", ["", "small/block/two/0/original.png"])
def test_a_natural_stimulus_whose_copy_is_damaged_or_another_is_read_from_another_metamer(out, spoilt):
    content = (out / spoilt).read_bytes() if spoilt else b""
    (out / "small/block/one/0/original.png").write_bytes(content)
    natural = next(each for each in collect_exhibits(out).naturals if each.record["stimulus"]["id"] == "one")
    assert len(natural.folders) == 3
    assert all(first < second for first, second in pairwise(natural.folders))
    np.testing.assert_array_equal(natural.load(), read_metamer(natural.folders[1]).original)
