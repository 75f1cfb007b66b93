"""What an experiment's file stands for, and what may be changed in it once something is made."""

import json
import os
import subprocess
import sys

import pytest

from tests.experiments.making import write_checkpoint, write_experiment, write_files
from tfmetamers.errors import ArgumentError, CheckpointError, ResultError, StimulusError
from tfmetamers.experiments.collection import collect
from tfmetamers.experiments.experiment import Experiment, numbered_shard
from tfmetamers.experiments.items import EvaluationItem, NullItem, RecognitionItem, SynthesisItem
from tfmetamers.experiments.speeds import estimate
from tfmetamers.experiments.status import survey
from tfmetamers.networks import write_architecture
from tfmetamers.utilities.json_files import SEAL, sealed

TWO = {"small_word_aliased": ["conv_0", "conv_2"], "small_word_reduced_aliasing": ["conv_2"]}


@pytest.fixture
def file(tmp_path):
    write_files(tmp_path / "sounds", 5)
    return write_experiment(tmp_path / "mine.toml", TWO, batch_size=2)


def pretend(experiment, items=None):
    """Have the folders of metamers be there, as if they were made."""
    experiment.keep()
    for item in experiment.items if items is None else items:
        if isinstance(item, SynthesisItem):
            for spec in item.specs:
                folder = spec.folder(experiment.metamers)
                folder.mkdir(parents=True)
                (folder / "metamer.json").write_text("{}")


def of_pictures(file):
    """Make it an experiment of pictures, by VGG-19 with the weights mine.ckpt and with random ones."""
    write_files(file.parent / "pictures", 3, ".png")
    text = file.read_text().replace('"small_word_aliased"', '"vgg_19=mine.ckpt"').replace("conv_0", "fc6")
    text = text.replace("conv_2", "fc7").replace("small_word_reduced_aliasing", "vgg_19:random")
    file.write_text(text.replace("sounds", "pictures").replace('fit = "centre"\n', ""))


def kinds(experiment):
    return [item.kind for item in experiment.items]


class TestItems:
    def test_batches_of_each_network_and_layer_then_their_evaluations(self, file):
        experiment = Experiment.plan(file)
        assert kinds(experiment) == ["metamers"] * 6 + ["evaluation"] * 2 + ["metamers"] * 3 + ["evaluation"]
        first = experiment.items[0]
        assert [stimulus.id for stimulus in first.stimuli] == ["00000", "00001"]
        assert [len(item.stimuli) for item in experiment.items[:3]] == [2, 2, 1]
        folders = [spec.folder(experiment.metamers).as_posix() for spec in first.specs]
        assert list(first.folders(str(experiment.out))) == folders
        assert experiment.out == file.parent / "mine"

    def test_every_key_is_one(self, file):
        experiment = Experiment.plan(file)
        assert len({item.key for item in experiment.items}) == len(experiment.items)

    def test_keys_are_the_same_in_another_process_and_folder(self, file, tmp_path):
        other = tmp_path / "elsewhere"
        other.mkdir()
        write_files(other / "sounds", 5)
        copy = write_experiment(other / "mine.toml", TWO, batch_size=2)
        assert [item.key for item in Experiment.plan(file).items[:6]] == [
            item.key for item in Experiment.plan(copy).items[:6]
        ]

    def test_a_null_distribution_a_network_and_judges_at_the_end(self, file, tmp_path):
        file.write_text(
            file.read_text()
            + '[null]\nstimuli = ["sounds"]\npairs = 3\n'
            + '[recognition]\njudges = ["small_word_aliased"]\nrules = ["max", "mean"]\n'
        )
        experiment = Experiment.plan(file)
        nulls = [item for item in experiment.items if isinstance(item, NullItem)]
        assert [null.layers for null in nulls] == [("conv_0", "conv_2"), ("conv_2",)]
        assert experiment.items[0] is nulls[0]
        assert [item.rule for item in experiment.items[-2:]] == ["max", "mean"]
        evaluation = next(item for item in experiment.items if isinstance(item, EvaluationItem))
        required = experiment.requirements(evaluation)
        assert required == [*experiment.items[1:4], nulls[0]]
        assert all(isinstance(each, EvaluationItem) for each in experiment.requirements(experiment.items[-1]))
        assert isinstance(experiment.items[-1], RecognitionItem)

    def test_a_null_distribution_of_all_layers_where_all_are_compared(self, file):
        file.write_text(file.read_text() + '[null]\nstimuli = ["sounds"]\npairs = 3\n[evaluation]\nlayers = "all"\n')
        [first, *_] = Experiment.plan(file).items
        assert "logits" in first.layers and len(first.layers) > 3

    def test_a_shard_begins_with_its_part_and_leaves_nothing_out(self, file):
        items = Experiment.plan(file).items
        parts = [numbered_shard(items, number, 3) for number in (1, 2, 3)]
        assert [part[0] for part in parts] == [items[0], items[4], items[8]]
        assert all(sorted(item.key for item in part) == sorted(item.key for item in items) for part in parts)


class TestStimuli:
    def test_so_many_of_each_category_are_drawn_by_the_seed(self, tmp_path):
        for category in ("cat", "dog"):
            write_files(tmp_path / "sounds" / category, 8)

        def drawn(further, categories=("cat", "dog")):
            file = write_experiment(tmp_path / "mine.toml", {"small_word_aliased": ["conv_0"]})
            file.write_text(file.read_text().replace('inputs = ["sounds"]', f'inputs = ["sounds"]\n{further}'))
            return [stimulus.id for stimulus in Experiment.plan(file).definition.stimuli]

        chosen = drawn("per_category = 3")
        assert [id_[:3] for id_ in chosen] == ["cat"] * 3 + ["dog"] * 3
        assert chosen == drawn("per_category = 3\nseed = 0") != drawn("per_category = 3\nseed = 1")
        write_files(tmp_path / "sounds" / "bee", 3)
        assert drawn("per_category = 3")[3:] == chosen
        with pytest.raises(ArgumentError, match=r"bee has 3 stimuli.*per_category is 4"):
            drawn("per_category = 4")

    def test_categories_are_needed_to_draw_of_each(self, file):
        file.write_text(file.read_text().replace('inputs = ["sounds"]', 'inputs = ["sounds"]\nper_category = 3'))
        with pytest.raises(ArgumentError, match="no category"):
            Experiment.plan(file)

    def test_data_sets_come_with_the_package(self, file):
        file.write_text(file.read_text().replace('inputs = ["sounds"]', 'data_set = "sample_word"'))
        [stimulus] = Experiment.plan(file).definition.stimuli
        assert (stimulus.id, stimulus.label, stimulus.fit) == ("human", "human", "centre")
        file.write_text(file.read_text().replace('"sample_word"', '"sample_words"'))
        labels = [stimulus.label for stimulus in Experiment.plan(file).definition.stimuli]
        assert (len(labels), len(set(labels))) == (60, 30)

    def test_stimuli_of_another_kind_are_refused(self, file, tmp_path):
        write_files(tmp_path / "pictures", 1, ".png")
        text = file.read_text()
        file.write_text(text.replace('["sounds"]', '["pictures"]'))
        with pytest.raises(StimulusError, match=r"pictures.*\.wav"):
            Experiment.plan(file)
        file.write_text(text.replace('["sounds"]', '["pictures/00000.png"]'))
        with pytest.raises(StimulusError, match=r"00000\.png.*another kind"):
            Experiment.plan(file)

    def test_networks_of_another_kind_are_refused(self, tmp_path):
        write_files(tmp_path / "sounds", 1)
        file = write_experiment(
            tmp_path / "mine.toml", {"small_word_aliased": ["conv_0"], "vgg_19:random": ["conv1_2"]}
        )
        with pytest.raises(ArgumentError, match=r"small_word_aliased.*vgg_19"):
            Experiment.plan(file)


class TestNetworks:
    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ('"conv_0", "conv_2"', '"conv_0", "conv_22"'),
            ('"small_word_aliased"', '"small_word_aliasd"'),
            ("steps = 3", "stepps = 3"),
            ("settings =", 'recipe = "feather2019"\nsettings ='),
            ('"small_word_aliased"', '"small_word_aliased=missing.ckpt"'),
        ],
    )
    def test_what_is_not_there_is_named(self, file, text, named):
        file.write_text(file.read_text().replace(text, named))
        wrong = named.split('"')[-2] if '"' in named else named.split()[0]
        with pytest.raises((ArgumentError, CheckpointError), match=wrong.split("=")[-1]):
            Experiment.plan(file)

    def test_paths_start_in_the_folder_of_the_file(self, file, tmp_path, monkeypatch):
        checkpoint = write_checkpoint(tmp_path / "mine.ckpt", b"weights")
        of_pictures(file)
        monkeypatch.chdir("/")
        network = Experiment.plan(file).definition.networks[0]
        assert network.spec.checkpoint == str(checkpoint)
        assert network.spec.digest

    def test_networks_are_found_in_the_folder_of_the_file(self, tmp_path, small_architecture, monkeypatch):
        write_architecture(small_architecture, tmp_path / "small.json")
        write_files(tmp_path / "sounds" / "3", 1)
        file = write_experiment(tmp_path / "mine.toml", {"small.json:random:1": ("conv_1",)})
        monkeypatch.chdir("/")
        network = Experiment.plan(file).definition.networks[0]
        assert network.spec.file == str(tmp_path / "small.json")

    def test_the_same_metamers_twice_are_refused(self, file):
        again = '[[networks]]\nnetwork = "small_word_aliased"\nlayers = ["conv_2"]\nsettings = { steps = 3 }\n'
        file.write_text(file.read_text() + again)
        with pytest.raises(ArgumentError, match=r"2 times.*conv_2"):
            Experiment.plan(file)
        file.write_text(file.read_text().replace(again, again.replace("3", "4")))
        Experiment.plan(file)

    def test_a_judge_of_another_domain_is_refused(self, file):
        file.write_text(file.read_text() + '[recognition]\njudges = ["vgg_19:random"]\n')
        with pytest.raises(ArgumentError, match=r"judge vgg_19:random.*another"):
            Experiment.plan(file)

    def test_right_answers_to_none_of_the_stimuli_are_refused(self, file):
        file.write_text(file.read_text() + '[recognition]\njudges = ["small_word_aliased"]\ntruth = "truth.csv"\n')
        truth = file.with_name("truth.csv")
        truth.write_text("id,label\nanother,cat\n")
        with pytest.raises(ArgumentError, match=r"truth\.csv.*00000"):
            Experiment.plan(file)
        truth.write_text("id,label\n00001,cat\n")
        assert Experiment.plan(file).items[-1].truth == str(truth)

    def test_a_network_with_weights_is_told_from_the_same_with_random_ones(self, file):
        write_checkpoint(file.parent / "mine.ckpt", b"weights")
        of_pictures(file)
        experiment = Experiment.plan(file)
        titles = {"vgg_19~" + experiment.definition.networks[0].spec.digest[:8], "vgg_19~random-0"}
        assert {row.network for row in survey(experiment).rows} == titles
        assert {row.network for row in estimate(experiment)} == titles
        assert len({item.describe() for item in experiment.items}) == len(experiment.items)

    def test_the_fast_front_end_is_chosen(self, file):
        file.write_text(file.read_text().replace("settings", 'front_end = "fast"\nsettings'))
        [first, *_] = Experiment.plan(file).items
        assert first.condition.recipe.front_end == "fast"
        write_checkpoint(file.parent / "mine.ckpt", b"weights")
        of_pictures(file)
        with pytest.raises(ArgumentError, match="no front end"):
            Experiment.plan(file)


class TestChanges:
    def test_what_is_kept_is_what_was_planned(self, file):
        experiment = Experiment.plan(file)
        experiment.keep()
        assert Experiment.recall(file).definition == experiment.definition
        assert Experiment.plan(file).definition == experiment.definition

    def test_a_change_that_would_lose_metamers_is_refused_with_the_difference(self, file):
        pretend(Experiment.plan(file))
        file.write_text(file.read_text().replace("steps = 3", "steps = 4", 1))
        with pytest.raises(ResultError, match=r"steps: 4 instead of 3.*--fork") as refused:
            Experiment.plan(file)
        assert "15 metamers were made, of which 10" in str(refused.value)

    def test_a_stimulus_that_was_changed_is_such_a_change(self, file):
        pretend(Experiment.plan(file))
        (file.parent / "sounds" / "00003.wav").write_bytes(b"another")
        with pytest.raises(ResultError, match=r"stimuli\.00003"):
            Experiment.plan(file)

    def test_what_is_not_made_yet_may_be_changed(self, file):
        before = Experiment.plan(file)
        pretend(before, before.items[:3])  # conv_0 of the first network.
        file.write_text(file.read_text().replace('"conv_0", "conv_2"', '"conv_0", "conv_3"'))
        file.write_text("seeds = [0, 1]\n" + file.read_text())
        after = Experiment.plan(file)
        after.keep()
        assert sum(map(after.is_done, after.items[:3])) == 3

    def test_before_anything_is_made_everything_may_be_changed(self, file):
        Experiment.plan(file).keep()
        file.write_text(file.read_text().replace("steps = 3", "steps = 4"))
        assert Experiment.plan(file).items[0].condition.recipe.steps == 4

    def test_two_experiments_with_one_output_are_refused(self, file):
        file.write_text('output = "out"\n' + file.read_text())
        Experiment.plan(file).keep()
        other = file.with_name("other.toml")
        other.write_text(file.read_text())
        for look in (Experiment.plan, Experiment.recall):
            with pytest.raises(ResultError, match=r"mine\.toml.*other\.toml"):
                look(other)

    def test_another_version_does_not_go_on_with_what_is_made(self, file, monkeypatch):
        pretend(Experiment.plan(file))
        monkeypatch.setattr("tfmetamers.experiments.definition.__version__", "99.0")
        with pytest.raises(ResultError, match=r"99\.0"):
            Experiment.plan(file)

    def test_a_checkpoint_that_is_gone_does_not_keep_from_planning_the_rest(self, file, tmp_path):
        checkpoint = write_checkpoint(tmp_path / "mine.ckpt", b"weights")
        of_pictures(file)
        before = Experiment.plan(file)
        before.keep()
        checkpoint.unlink()
        assert [item.key for item in Experiment.plan(file).items] == [item.key for item in before.items]
        write_checkpoint(checkpoint, b"others")
        assert Experiment.plan(file).items[0].key != before.items[0].key

    def test_what_is_kept_and_damaged_is_named(self, file):
        experiment = Experiment.plan(file)
        experiment.keep()
        path = experiment.out / "ledger" / "experiment.json"
        kept = json.loads(path.read_text())
        altered = {**kept, "seeds": [7]}
        rest = {key: value for key, value in kept.items() if key != SEAL}
        crafted = [sealed({**rest, **part}) for part in ({"seeds": ["a"]}, {"batch_size": 0})]
        for content in ("{", *map(json.dumps, ({"format": 99}, altered, *crafted))):
            path.write_text(content)
            with pytest.raises(ResultError, match=r"experiment\.json"):
                Experiment.plan(file)


SCALE = """
import resource, sys, time
from pathlib import Path
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.speeds import estimate
from tfmetamers.experiments.status import survey
started = time.perf_counter()
experiment = Experiment.plan(sys.argv[1])
assert sum(row.metamers for row in estimate(experiment)) == int(sys.argv[2])
planned = time.perf_counter() - started
experiment.keep()
started = time.perf_counter()
status = survey(Experiment.recall(sys.argv[1]))
assert sum(row.waiting for row in status.rows) >= int(sys.argv[2])
print(planned, time.perf_counter() - started)
assert "tensorflow" not in sys.modules
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(peak.split()[1]) / 1e6)
"""


def measure(tmp_path, stimuli, seeds):
    write_files(tmp_path / "sounds", stimuli)
    layers = ["cochleagram", "conv_0", "conv_2", "fc_intermediate", "logits"]
    file = write_experiment(tmp_path / "mine.toml", {"small_word_aliased": layers}, seeds=list(range(seeds)))
    count = str(stimuli * seeds * len(layers))
    done = subprocess.run([sys.executable, "-c", SCALE, file, count], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(map(float, done.stdout.split()))


def test_ten_thousand_items_are_planned_and_surveyed_in_seconds_without_tensorflow(tmp_path):
    planning, surveying, _ = measure(tmp_path, stimuli=500, seeds=4)
    assert planning < 10 and surveying < 5


@pytest.mark.slow
def test_a_hundred_thousand_items_fit_into_a_gigabyte(tmp_path):
    assert measure(tmp_path, stimuli=1000, seeds=20)[2] < 1


def test_tables_of_recognition_that_cannot_be_read_are_named(file):
    file.write_text(file.read_text() + '[recognition]\njudges = ["small_word_aliased"]\n')
    experiment = Experiment.plan(file)
    pretend(experiment, [])
    [item] = [item for item in experiment.items if isinstance(item, RecognitionItem)]
    table = item.folder(experiment.out) / "recognition.csv"
    table.parent.mkdir(parents=True)
    for damage in (lambda: table.write_text('a,b\n"1,2\n'), lambda: (table.unlink(), os.mkfifo(table))):
        damage()
        with pytest.raises(ResultError, match=r"recognition\.csv"):
            collect(experiment)
