"""What is to be made and what has been made: told from specs and disk, without loading anything."""

import dataclasses
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import tfmetamers.metamers.spec as spec_module
import tfmetamers.synthesis.plan as plan_module
import tfmetamers.synthesis.request as request_module
from tests.synthesis.plans import RECIPE, ids, plan
from tfmetamers.errors import ArgumentError, ResultError, StimulusError
from tfmetamers.inclusion import NullDistribution
from tfmetamers.inclusion.evaluation import evaluate, summarize
from tfmetamers.metamers import index, read_record
from tfmetamers.networks import NetworkSpec, from_keras
from tfmetamers.networks.record import NetworkRecord
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli import domains, images, sounds
from tfmetamers.stimuli.collection import StimulusFile
from tfmetamers.synthesis import Request, execute_run, plan_request, plan_run
from tfmetamers.synthesis.plan import estimate_bytes
from tfmetamers.synthesis.request import find_outline


def make(network, stimuli, out, **options):
    return list(execute_run(plan(network, stimuli, out, **options), network))


def stop_at(step):
    def progress(batch, state):
        if state.step >= step:
            raise KeyboardInterrupt

    return progress


def interrupt(plan, network):
    with pytest.raises(KeyboardInterrupt):
        list(execute_run(plan, network, progress=stop_at(7)))


def unable(*_, **__):
    raise AssertionError("a network or a stimulus was loaded")


class TestWithoutLoading:
    """Planning hashes stimuli and reads records; it neither decodes the ones nor loads a network."""

    @pytest.fixture(autouse=True)
    def nothing_is_decoded(self, monkeypatch):
        for module, name in ((images, "load_image"), (sounds, "load_sound")):
            monkeypatch.setattr(module, name, unable)
        for domain in (domains.Images, domains.Sounds, domains.Cochleagrams, domains.Arrays):
            monkeypatch.setattr(domain, "load", unable)

    def request(self, text, layers, inputs, out, **options):
        return Request(NetworkSpec.parse(text), layers, [file.path for file in inputs], out, **options)

    def test_a_family_that_tells_its_layers_is_not_loaded(self, stimuli, tmp_path):
        for file in stimuli:
            file.path.write_bytes(b"not a picture")  # Which only making the metamer finds out.
        specs, outline, recipe = plan_request(self.request("vgg_19:random:3", ["all"], stimuli, tmp_path), unable)
        assert len(specs) == 8 * 3
        assert specs[0].relative_folder.as_posix() == "vgg_19~random-3/conv1_2/a/0"
        assert (outline.name, recipe) == ("vgg_19", find_recipe("feather2019-image"))
        assert plan_run(specs, tmp_path).waiting == 24

    def test_layers_are_matched_in_the_order_asked_for_each_once(self, stimuli, tmp_path):
        request = self.request("vgg_19:random", ["fc6", "conv1_2", "fc6"], stimuli[:1], tmp_path)
        assert [spec.layer for spec in plan_request(request, unable)[0]] == ["fc6", "conv1_2"]

    def test_fields_of_the_recipe_are_set_by_name(self, stimuli, tmp_path):
        options = {"recipe": "feather2019-image-text", "overrides": {"steps": "3"}}
        request = self.request("vgg_19:random", ["fc6"], stimuli[:1], tmp_path, **options)
        [spec] = plan_request(request, unable)[0]
        assert spec.recipe == find_recipe("feather2019-image-text").replace(steps=3)
        assert spec.relative_folder.parts[1] == "fc6~feather2019-image-text~steps-3"

    def test_a_file_that_is_missing_is_named(self, tmp_path):
        with pytest.raises(StimulusError, match=r"missing\.png"):
            request = self.request("vgg_19:random", ["fc6"], [StimulusFile("a", tmp_path / "missing.png")], tmp_path)
            plan_request(request, unable)

    def test_a_seed_that_cannot_be_used_is_named(self, stimuli, tmp_path):
        with pytest.raises(ArgumentError, match="-1"):
            plan_request(self.request("vgg_19:random", ["fc6"], stimuli, tmp_path, seed=-1), unable)


def test_planning_does_not_import_tensorflow(stimuli, tmp_path):
    script = f"""
import sys
from tfmetamers.networks import NetworkSpec
from tfmetamers.synthesis import Request, plan_request, plan_run
request = Request(NetworkSpec.parse("vgg_19:random"), ["all"], [{str(stimuli[0].path)!r}], {str(tmp_path)!r})
assert plan_run(plan_request(request, None)[0], {str(tmp_path)!r}).waiting == 8
print([name for name in ("tensorflow", "keras", "scipy", "matplotlib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


class TestOutlines:
    def test_a_model_is_told_from_a_metamer_of_it(self, small_model, stimuli, tmp_path):
        small_model.save(tmp_path / "mine.keras")
        spec, out = NetworkSpec.parse(tmp_path / "mine.keras"), tmp_path / "out"
        assert find_outline(spec, out) is None
        network = spec.load()
        make(network, stimuli[:1], out, recipe=RECIPE.replace(steps=1))
        found = find_outline(NetworkSpec.parse(tmp_path / "mine.keras"), out)
        assert (found.name, found.domain, found.layers) == ("mine", network.domain, tuple(network.layers))
        assert find_outline(spec.replace(input_range=(0, 255)), out) is None

    def test_a_damaged_metamer_tells_nothing(self, small_model, stimuli, tmp_path):
        small_model.save(tmp_path / "mine.keras")
        spec, out = NetworkSpec.parse(tmp_path / "mine.keras"), tmp_path / "out"
        [(job, _)] = make(spec.load(), stimuli[:1], out, recipe=RECIPE.replace(steps=1))
        (job.folder / "metamer.json").write_text("{")
        assert find_outline(spec, out) is None

    def test_a_tensor_is_one_layer_however_it_is_named(self, network, stimuli, tmp_path):
        tensor = network.layers["left"].tensor
        names = [f"tensor:{tensor}", f"tensor:{tensor.removesuffix(':0')}"]
        request = Request(network.spec, names, [file.path for file in stimuli[:1]], tmp_path)
        [spec] = plan_request(request, lambda: network)[0]
        assert spec.layer == names[0]


class TestFinished:
    def test_what_is_made_is_made_once_and_what_is_added_is_made(self, network, stimuli, tmp_path):
        make(network, stimuli[:2], tmp_path)
        planned = plan(network, stimuli, tmp_path)
        assert ids(planned.batches) == [["c"]]
        assert [job.spec.stimulus.id for job in planned.finished] == ["a", "b"]

    def test_the_record_has_the_folder_and_the_identity_of_its_spec(self, network, stimuli, tmp_path):
        [(job, metamer)] = make(network, stimuli[:1], tmp_path, seed=3)
        for record in (metamer.record, read_record(job.folder)):
            assert record.identity == job.spec.identity
            assert record.relative_folder == job.spec.relative_folder
            assert tmp_path / record.relative_folder == job.folder

    def test_recipes_gradients_seeds_and_networks_lie_side_by_side(self, small_model, stimuli, pictures, tmp_path):
        """They are made, tabulated and judged in one output folder."""
        network, other = (from_keras(small_model, input_range=white) for white in ((0, 1), (0, 255)))
        ours = {"recipe": RECIPE.replace(steps=2)}
        variants = [
            ({}, "block"),
            ({"seed": 1}, "block"),
            ({"recipe": RECIPE.replace(steps=3)}, "block~steps-3"),
            ({"recipe": RECIPE.replace(steps=2, relu_gradient="normal")}, "block~steps-2~normal-gradient"),
            ({"recipe": find_recipe("feather2019-image-text").replace(steps=2)}, "feather2019-image-text"),
        ]
        for options, _ in variants:
            make(network, stimuli[:1], tmp_path, **ours | options)
        make(other, stimuli[:1], tmp_path, **ours)
        table = index(tmp_path)
        assert len(table) == 6
        for options, part in variants:
            [job] = plan(network, stimuli[:1], tmp_path, **ours | options).finished
            assert part in job.folder.as_posix()
            assert job.folder.relative_to(tmp_path).as_posix() in set(table["folder"])
        assert sorted(table["seed"]) == [0, 0, 0, 0, 0, 1]
        assert {"steps=3", "steps=2; relu_gradient=normal"} <= set(table["deviations"])
        assert len({folder.split("/")[0] for folder in table["folder"]}) == 2
        null = NullDistribution.from_stimuli(network, pictures, layers=["block"], pairs=6)
        null.save(tmp_path / "null.npz")
        judged = list(evaluate(tmp_path, {tmp_path / "null.npz": null}, networks=[network, other]))
        assert {each.folder.relative_to(tmp_path).as_posix() for each in judged} == set(table["folder"])
        assert all((each.folder / "verdict.json").exists() for each in judged)
        assert sorted(row["metamers"] for row in summarize(judged)) == [1, 1, 1, 1, 2]

    def test_another_picture_under_the_same_name_is_refused(self, network, stimuli, tmp_path):
        make(network, stimuli[:1], tmp_path)
        Image.new("RGB", (32, 32), "red").save(stimuli[0].path)
        with pytest.raises(ResultError, match=r"a/0.*stimulus"):
            plan(network, stimuli[:1], tmp_path)

    def test_a_record_of_something_else_under_the_same_name_is_refused(self, network, stimuli, tmp_path):
        [(job, _)] = make(network, stimuli[:1], tmp_path)
        other = plan(network, stimuli[:1], tmp_path, recipe=RECIPE.replace(steps=9)).batches[0][0]
        job.folder.rename(tmp_path / "elsewhere")
        other.folder.parent.mkdir(parents=True)
        (tmp_path / "elsewhere").rename(other.folder)
        with pytest.raises(ResultError, match=r"recipe\.steps: 30 instead of 9"):
            plan(network, stimuli[:1], tmp_path, recipe=RECIPE.replace(steps=9))

    def test_a_corrected_label_does_not_make_finished_work_another(self, network, stimuli, tmp_path):
        make(network, stimuli[:1], tmp_path)
        corrected = dataclasses.replace(stimuli[0], label="bear", category="bear", columns={"source": "zoo"})
        assert plan(network, [corrected], tmp_path).batches == []

    def test_a_folder_in_the_way_is_named(self, network, stimuli, tmp_path):
        [job] = plan(network, stimuli[:1], tmp_path).batches[0]
        job.folder.mkdir(parents=True)
        with pytest.raises(ResultError, match="a/0"):
            plan(network, stimuli, tmp_path)


class TestMany:
    """What is the same for many metamers is told once, so that ten thousand files are planned in seconds."""

    def requested(self, stimuli, layers, out, progress=iter, **overrides):
        request = Request(
            NetworkSpec.parse("vgg_19:random"), layers, [file.path for file in stimuli], out, None, overrides
        )
        return plan_run(plan_request(request, unable, progress)[0], out, progress=progress)

    def test_a_variant_is_told_once_a_layer(self, stimuli, tmp_path, monkeypatch):
        told = []
        monkeypatch.setattr(spec_module, "layer_variant", lambda *given: told.append(given) or ["x"])
        assert self.requested(stimuli, ["conv1_2", "fc6"], tmp_path, steps=12347).waiting == 6
        assert len(told) == 2

    def test_a_layer_of_which_nothing_was_made_is_not_looked_into(self, stimuli, tmp_path, monkeypatch):
        looked = []
        monkeypatch.setattr(plan_module.Path, "exists", lambda path: looked.append(path) or False)
        assert self.requested(stimuli, ["conv1_2", "fc6"], tmp_path).waiting == 6
        assert len(looked) == 2

    def test_the_folder_of_a_metamer_is_worked_out_once_its_layer_was_begun(self, stimuli, tmp_path, monkeypatch):
        folder, worked_out = spec_module.MetamerSpec.folder, []
        monkeypatch.setattr(
            spec_module.MetamerSpec, "folder", lambda spec, out: worked_out.append(spec.layer) or folder(spec, out)
        )
        planned = self.requested(stimuli, ["conv1_2", "fc6"], tmp_path)
        assert worked_out == []
        planned.batches[-1][0].folder.parent.parent.mkdir(parents=True)
        worked_out.clear()
        assert self.requested(stimuli, ["conv1_2", "fc6"], tmp_path).waiting == 6
        assert set(worked_out) == {"fc6"}

    def test_a_network_that_records_share_is_read_once(self, network, stimuli, tmp_path, monkeypatch):
        make(network, stimuli, tmp_path, recipe=RECIPE.replace(steps=1))
        read, original = [], NetworkRecord.from_json
        monkeypatch.setattr(NetworkRecord, "from_json", lambda content: read.append(1) or original(content))
        read_record(make(network, stimuli[:1], tmp_path / "another", recipe=RECIPE.replace(steps=1))[0][0].folder)
        read.clear()
        assert len(plan(network, stimuli, tmp_path, recipe=RECIPE.replace(steps=1)).finished) == 3
        assert len(read) <= 1

    def test_a_file_of_many_stimuli_is_hashed_once_and_progress_is_shown(self, stimuli, tmp_path, monkeypatch):
        manifest, hashed, shown = tmp_path / "all.csv", [], []
        manifest.write_text("id,file\n" + "".join(f"{row},{stimuli[row % 3].path}\n" for row in range(300)))
        monkeypatch.setattr(request_module, "stimulus_file_digest", lambda path: hashed.append(path) or str(path))

        def progress(items):
            for item in items:
                shown.append(item)
                yield item

        request = Request(NetworkSpec.parse("vgg_19:random"), ["fc6"], [manifest], tmp_path)
        specs = plan_request(request, unable, progress)[0]
        assert sorted(hashed) == [file.path for file in stimuli]
        assert len(shown) == 300
        assert [spec.stimulus.sha256 for spec in specs] == [str(stimuli[row % 3].path) for row in range(300)]
        (tmp_path / specs[0].layer_folder).mkdir(parents=True)
        shown.clear()
        plan_run(specs, tmp_path, progress=progress)
        assert len(shown) == 300

    @pytest.mark.slow
    def test_a_hundred_thousand_are_planned_in_seconds(self, stimuli, tmp_path):
        manifest = tmp_path / "all.csv"
        rows = "".join(f"class_{row % 10}/{row},{stimuli[row % 3].path},a label,\n" for row in range(100_000))
        manifest.write_text("id,file,label,category\n" + rows)
        begun = time.process_time()
        request = Request(NetworkSpec.parse("vgg_19:random"), ["fc6"], [manifest], tmp_path)
        assert plan_run(plan_request(request, unable)[0], tmp_path).waiting == 100_000
        assert time.process_time() - begun < 20  # It takes about 3, and took more than 200.


class TestInterrupted:
    def test_a_batch_is_continued_as_that_batch(self, network, stimuli, tmp_path):
        interrupt(plan(network, stimuli, tmp_path, batch_size=2), network)
        assert ids(plan(network, stimuli, tmp_path, batch_size=1).batches) == [["a", "b"], ["c"]]

    def test_another_recipe_is_another_batch_and_leaves_it_alone(self, network, stimuli, tmp_path):
        interrupt(plan(network, stimuli, tmp_path, batch_size=2), network)
        other = plan(network, stimuli, tmp_path, recipe=RECIPE.replace(steps=2), batch_size=3)
        assert ids(other.batches) == [["a", "b", "c"]]
        list(execute_run(other, network))
        assert ids(plan(network, stimuli, tmp_path).batches) == [["a", "b"], ["c"]]

    def test_inputs_that_are_missing_are_named(self, network, stimuli, tmp_path):
        interrupt(plan(network, stimuli, tmp_path, batch_size=2), network)
        with pytest.raises(ResultError, match=r"state\.npz.* b\b"):
            plan(network, [stimuli[0], stimuli[2]], tmp_path)

    def test_another_picture_under_the_same_name_is_refused(self, network, stimuli, tmp_path):
        interrupt(plan(network, stimuli[:1], tmp_path), network)
        Image.new("RGB", (32, 32), "red").save(stimuli[0].path)
        with pytest.raises(ResultError, match=r"state\.npz.*stimulus"):
            plan(network, stimuli[:1], tmp_path)

    def test_a_state_that_is_cut_short_or_lacks_a_part_is_named(self, network, stimuli, tmp_path):
        interrupt(plan(network, stimuli[:1], tmp_path), network)
        [path] = tmp_path.rglob("state.npz")
        whole = path.read_bytes()
        with np.load(path) as archive:
            parts = dict(archive)
        path.write_bytes(whole[:100])
        with pytest.raises(ResultError, match=r"state\.npz is damaged"):
            plan(network, stimuli[:1], tmp_path)
        np.savez(path, **{name: part for name, part in parts.items() if name != "members"})
        with pytest.raises(ResultError, match=r"state\.npz is damaged"):
            plan(network, stimuli[:1], tmp_path)
        np.savez(path, **{name: part for name, part in parts.items() if name != "losses"})
        with pytest.raises(ResultError, match=r"state\.npz is damaged"):
            list(execute_run(plan(network, stimuli[:1], tmp_path), network))

    def test_overlapping_states_make_nothing_twice(self, network, stimuli, tmp_path):
        alone = plan(network, stimuli[1:2], tmp_path)
        interrupt(plan(network, stimuli[:2], tmp_path, batch_size=2), network)
        interrupt(alone, network)
        planned = plan(network, stimuli, tmp_path)
        assert ids(planned.batches) == [["a", "b"], ["c"]]
        assert sorted(job.spec.stimulus.id for job, _ in execute_run(planned, network)) == ["a", "b", "c"]
        assert not list(tmp_path.rglob("*unfinished*"))


def test_a_batch_size_that_cannot_be_used_is_named(network, stimuli, tmp_path):
    with pytest.raises(ArgumentError, match="batch size is 0"):
        plan(network, stimuli, tmp_path, batch_size=0)


def test_the_estimate_of_disk_space_is_an_upper_bound_and_not_a_wild_one(network, stimuli, tmp_path):
    planned = plan(network, stimuli, tmp_path / "out")
    estimate = estimate_bytes(planned, network.domain, snapshot_every=10)
    list(execute_run(planned, network, snapshot_every=10))
    used = sum(path.stat().st_size for path in tmp_path.joinpath("out").rglob("*") if path.is_file())
    assert used < estimate < 3 * used
