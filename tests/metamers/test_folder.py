"""A metamer's folder holds all of it or does not exist, and comes back as it was."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfmetamers.errors import ResultError
from tfmetamers.metamers import folder as results
from tfmetamers.metamers.folder import (
    FORMAT,
    INDEX_COLUMNS,
    Metamer,
    count_unfinished,
    find_half_written,
    find_metamers,
    metamer_folder,
    read_metamer,
    read_record,
    read_saved,
    settings_differences,
    write_index,
)
from tfmetamers.stimuli.domains import Images


def write_metamer(folder, metamer, snapshots=None):
    results.write_metamer(folder, metamer, Images(8), snapshots)


def a_record(**changes) -> dict:
    return {
        "format": FORMAT,
        "domain": "image",
        "network": {"name": "vgg_19", "digest": "ab12", "stimulus_shape": [6, 8, 3]},
        "layer": {"name": "conv1_2"},
        "stimulus": {"id": "dog/1", "label": "beagle", "category": "dog", "columns": {}, "sha256": "cd34"},
        "recipe": {"name": "feather2019-image", "steps": 20, "front_end": "none"},
        "seed": 0,
        "loss": {"initial": 100.0, "final": 0.5, "final_exact": 0.25},
        "correlation": 0.9,
        "prediction": {"original": {"label": "beagle"}, "metamer": {"label": "beagle, or nearly"}},
        "seconds": 1.5,
    } | changes


def a_metamer(steps: int = 20, record: dict | None = None) -> Metamer:
    generator = np.random.default_rng(steps)
    return Metamer(
        stimulus=generator.random((6, 8, 3), np.float32),
        original=(generator.integers(0, 256, (6, 8, 3)) / 255.0).astype(np.float32),
        losses=generator.random(steps + 1, np.float32) * 1e10,
        learning_rates=(1e-3 * 0.95 ** (np.arange(steps + 1) / 1000)).astype(np.float32),
        record=a_record() if record is None else record,
    )


@pytest.fixture
def folder(tmp_path):
    """A finished metamer's folder."""
    path = tmp_path / "out" / "vgg_19" / "conv1_2" / "dog" / "1" / "0"
    write_metamer(path, a_metamer())
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def refusal(function, *arguments) -> str:
    """The message, which is one line."""
    with pytest.raises(ResultError) as refused:
        function(*arguments)
    message = str(refused.value)
    assert "\n" not in message
    return message


class TestMetamerFolder:
    def test_is_network_layer_stimulus_seed(self):
        assert metamer_folder("out", "vgg_19", "conv5_4", "dog/1", 3) == Path("out/vgg_19/conv5_4/dog/1/3")

    @pytest.mark.parametrize(
        ("layer", "name"),
        [
            ("tensor:vgg_19/pool1/MaxPool:0", "tensor%3Avgg_19%2Fpool1%2FMaxPool%3A0"),
            ("Mixed_6e", "Mixed_6e"),
            ("block4", "block4"),
            ("a layer", "a%20layer"),
            ("../../etc", "..%2F..%2Fetc"),
        ],
    )
    def test_a_layers_name_is_one_folder(self, layer, name):
        assert metamer_folder("out", "net", layer, "dog", 0) == Path("out/net") / name / "dog/0"


class TestWriting:
    def test_the_folder_holds_what_the_documentation_says(self, folder):
        assert sorted(path.name for path in folder.iterdir()) == [
            "metamer.json",
            "metamer.npy",
            "metamer.png",
            "original.png",
            "trace.csv",
        ]

    def test_what_is_read_is_what_was_written(self, folder):
        written, read = a_metamer(), read_metamer(folder)
        assert read.record == written.record
        for field in ("stimulus", "original"):
            np.testing.assert_array_equal(getattr(read, field), getattr(written, field))
            assert getattr(read, field).dtype == np.float32
        for field in ("losses", "learning_rates", "traced_steps"):
            np.testing.assert_array_equal(getattr(read, field), getattr(written, field))

    def test_what_was_read_can_be_written_again(self, folder, tmp_path):
        write_metamer(tmp_path / "copy", read_metamer(folder))
        for path in folder.iterdir():
            assert (tmp_path / "copy" / path.name).read_bytes() == path.read_bytes()

    def test_a_thinned_trace_can_be_written_again(self, tmp_path):
        write_metamer(tmp_path / "first", a_metamer(steps=257))
        write_metamer(tmp_path / "second", read_metamer(tmp_path / "first"))
        assert (tmp_path / "first" / "trace.csv").read_text() == (tmp_path / "second" / "trace.csv").read_text()

    def test_letters_of_any_language_come_back(self, tmp_path):
        record = a_record(stimulus={"id": "Größe", "label": "犬", "sha256": "cd34"})
        write_metamer(tmp_path / "folder", a_metamer(record=record))
        assert read_record(tmp_path / "folder") == record

    def test_snapshots_come_along(self, tmp_path):
        snapshots = tmp_path / "unfinished" / "snapshots"
        snapshots.mkdir(parents=True)
        (snapshots / "step_000010.png").write_bytes(b"picture")
        write_metamer(tmp_path / "folder", a_metamer(), snapshots=snapshots)
        assert (tmp_path / "folder" / "snapshots" / "step_000010.png").read_bytes() == b"picture"

    def test_a_missing_folder_of_snapshots_is_none(self, tmp_path):
        write_metamer(tmp_path / "folder", a_metamer(), snapshots=tmp_path / "snapshots")
        assert not (tmp_path / "folder" / "snapshots").exists()


class TestWholeOrNotAtAll:
    def test_a_finished_folder_is_not_written_over_and_snapshots_stay(self, folder, tmp_path):
        snapshots = tmp_path / "snapshots"
        snapshots.mkdir()
        (snapshots / "step_000010.png").write_bytes(b"picture")
        message = refusal(write_metamer, folder, a_metamer(steps=3), snapshots)
        assert message.startswith(f"{folder} cannot be written")
        assert len(read_metamer(folder).losses) == 21
        assert (snapshots / "step_000010.png").exists()
        assert list(folder.parent.iterdir()) == [folder]

    def test_a_record_that_cannot_be_written_leaves_nothing(self, tmp_path):
        with pytest.raises(TypeError):
            write_metamer(tmp_path / "folder", a_metamer(record={"format": object()}))
        assert list(tmp_path.iterdir()) == []

    def test_a_path_below_a_file_is_refused(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        assert "cannot be written" in refusal(write_metamer, tmp_path / "file" / "folder", a_metamer())

    @staticmethod
    def written_with_limit(folder: Path, limit: int) -> subprocess.CompletedProcess:
        """Write a metamer where no file may have more than so many bytes: the array has 12416."""
        script = """
import resource, sys
from pathlib import Path
import numpy as np
from tfmetamers.metamers import folder as results
from tfmetamers.errors import ResultError
from tfmetamers.metamers.folder import Metamer, write_metamer
from tfmetamers.stimuli.domains import Images
noise = np.random.default_rng(0).random((32, 32, 3), np.float32)
metamer = Metamer(noise, noise, np.ones(1000), np.ones(1000), {"format": 1})
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write_metamer(Path(sys.argv[1]), metamer, Images(32))
except ResultError as error:
    sys.exit(str(error))
"""
        return subprocess.run([sys.executable, "-c", script, str(folder), str(limit)], capture_output=True, text=True)

    @pytest.mark.parametrize(("limit", "reason"), [(100, "File too large"), (3000, "the disk may be full")])
    def test_a_full_disk_leaves_nothing(self, tmp_path, limit, reason):
        finished = self.written_with_limit(tmp_path / "folder", limit)
        assert finished.returncode == 1
        assert finished.stderr.startswith(f"{tmp_path / 'folder'} cannot be written: {reason}")
        assert list(tmp_path.iterdir()) == []

    def test_a_disk_with_just_enough_room_is_enough(self, tmp_path):
        assert self.written_with_limit(tmp_path / "folder", 12416).returncode == 0
        assert (tmp_path / "folder" / "metamer.json").exists()


class TestTrace:
    @staticmethod
    def traced(tmp_path, steps: int) -> list[dict[str, str]]:
        write_metamer(tmp_path / "folder", a_metamer(steps))
        return rows_of(tmp_path / "folder" / "trace.csv")

    def test_columns_and_first_row(self, tmp_path):
        first = self.traced(tmp_path, 20)[0]
        assert list(first) == ["step", "loss", "learning_rate"]
        assert first["step"] == "0"
        assert np.float32(first["loss"]) == a_metamer(20).losses[0]
        assert np.float32(first["learning_rate"]) == np.float32(1e-3)

    @pytest.mark.parametrize(
        ("steps", "after_100"),
        [
            (1, []),
            (20, []),
            (100, []),
            (101, [101]),
            (110, [110]),
            (115, [110, 115]),
            (257, [*range(110, 251, 10), 257]),
        ],
    )
    def test_has_every_step_to_100_then_every_tenth_and_the_last(self, tmp_path, steps, after_100):
        kept = [int(row["step"]) for row in self.traced(tmp_path, steps)]
        assert kept == [*range(min(steps, 100) + 1), *after_100]

    def test_rows_keep_their_own_loss(self, tmp_path):
        losses = a_metamer(257).losses
        for row in self.traced(tmp_path, 257):
            assert float(row["loss"]) == losses[int(row["step"])]

    def test_thinned_steps_are_read_back(self, tmp_path):
        write_metamer(tmp_path / "folder", a_metamer(257))
        read = read_metamer(tmp_path / "folder")
        assert read.traced_steps[[0, 100, 101, -1]].tolist() == [0, 100, 110, 257]
        np.testing.assert_array_equal(read.losses, a_metamer(257).losses[read.traced_steps])


class TestDamagedFolders:
    @pytest.mark.parametrize("content", ["", "{", "[]", "3", '"format"', "{}", '{"format": ', "null"])
    def test_a_damaged_record_is_refused(self, folder, content):
        (folder / "metamer.json").write_text(content)
        assert f"{folder / 'metamer.json'} is missing or damaged" in refusal(read_record, folder)

    def test_a_record_that_is_not_text_is_refused(self, folder):
        (folder / "metamer.json").write_bytes(b"\x89PNG\xff\xfe")
        assert "is missing or damaged" in refusal(read_record, folder)

    def test_a_missing_record_is_refused(self, tmp_path):
        assert "is missing or damaged" in refusal(read_record, tmp_path / "nothing")

    @pytest.mark.parametrize("version", [FORMAT + 1, 0, "1", None])
    def test_another_format_is_refused(self, folder, version):
        (folder / "metamer.json").write_text(json.dumps(a_record(format=version)))
        message = refusal(read_record, folder)
        assert f"has format {version}; this version of tfmetamers reads format {FORMAT}" in message

    @pytest.mark.parametrize("name", ["metamer.npy", "original.png", "trace.csv"])
    def test_a_missing_file_is_refused(self, folder, name):
        (folder / name).unlink()
        assert f"{folder} is damaged" in refusal(read_metamer, folder)

    @pytest.mark.parametrize("name", ["metamer.npy", "original.png", "trace.csv"])
    @pytest.mark.parametrize("kept", [0.0, 0.5])
    @pytest.mark.filterwarnings("ignore:loadtxt")
    def test_a_file_that_is_cut_short_is_refused(self, folder, name, kept):
        content = (folder / name).read_bytes()
        end = int(len(content) * kept)
        if name == "trace.csv" and kept:
            # A trace that ends between two lines cannot be told from a short one.
            end = content.index(b",", end)
        (folder / name).write_bytes(content[:end])
        assert f"{folder} is damaged" in refusal(read_metamer, folder)

    @pytest.mark.parametrize("trace", ["step,loss,learning_rate\n", "step,loss\n0,1\n1,2\n", "a,b,c\nx,y,z\n"])
    @pytest.mark.filterwarnings("ignore:loadtxt")
    def test_a_trace_without_its_columns_is_refused(self, folder, trace):
        (folder / "trace.csv").write_text(trace)
        assert f"{folder} is damaged" in refusal(read_metamer, folder)

    @pytest.mark.parametrize(
        ("record", "lacking"),
        [
            ({"format": FORMAT}, "domain, network.name, network.stimulus_shape"),
            (a_record(network={"name": "vgg_19", "digest": "ab12"}), "network.stimulus_shape"),
            (a_record(recipe={"name": "feather2019-image"}), "recipe.front_end"),
            (a_record(seed=None), "seed"),
            (a_record(stimulus=["dog"]), "stimulus.sha256"),
            (a_record(domain="smell"), "domain, which is 'smell'"),
        ],
    )
    def test_a_record_without_what_every_metamer_has_is_refused(self, folder, record, lacking):
        (folder / "metamer.json").write_text(json.dumps(record))
        assert f"is damaged: it has no usable {lacking}" in refusal(read_record, folder)

    @pytest.mark.parametrize("array", [np.zeros((6, 7, 3), np.float32), np.zeros((6, 8, 3), np.int32)])
    def test_an_array_of_another_shape_or_type_is_refused(self, folder, array):
        np.save(folder / "metamer.npy", array)
        assert "(6, 8, 3) (float32) was expected" in refusal(read_metamer, folder)

    def test_a_saved_picture_that_is_missing_or_of_another_size_is_refused(self, folder):
        assert read_saved(folder, a_record()).shape == (6, 8, 3)
        Images(8).save(np.zeros((8, 8, 3)), folder / "metamer")
        assert "the saved metamer has shape (8, 8, 3)" in refusal(read_saved, folder, a_record())
        (folder / "metamer.png").unlink()
        assert f"{folder} is damaged" in refusal(read_saved, folder, a_record())

    def test_an_array_of_python_objects_is_never_loaded(self, folder):
        np.save(folder / "metamer.npy", np.array([{}], object), allow_pickle=True)
        assert f"{folder} is damaged" in refusal(read_metamer, folder)


class TestSettingsDifferences:
    def test_equal_settings_have_none(self):
        assert settings_differences(a_record(), a_record()) == []

    def test_names_the_setting_and_both_values(self):
        found, wanted = a_record(), a_record(recipe=a_record()["recipe"] | {"steps": 15000}, seed=4)
        assert settings_differences(found, wanted) == ["recipe.steps: 20 there, 15000 asked", "seed: 0 there, 4 asked"]

    def test_names_a_setting_by_all_that_it_lies_in(self):
        found, wanted = ({"network": {"stimulus_shape": [size, size, 3]}} for size in (224, 299))
        assert settings_differences(found, wanted) == [
            "network.stimulus_shape: [224, 224, 3] there, [299, 299, 3] asked"
        ]

    def test_what_is_missing_there_is_nothing(self):
        assert settings_differences({}, {"seed": 1}) == ["seed: nothing there, 1 asked"]

    def test_results_that_are_there_are_no_settings(self):
        assert settings_differences({"seed": 1, "loss": 3.0, "seconds": 2}, {"seed": 1}) == []

    def test_a_label_that_was_corrected_makes_no_difference(self):
        found, wanted = ({"stimulus": {"sha256": "1", "label": label}} for label in ("bare", "bear"))
        assert settings_differences(found, wanted) == []

    def test_the_name_of_a_file_or_stimulus_makes_no_difference(self):
        found = {"network": {"file": "a.ckpt", "digest": "1"}, "stimulus": {"id": "a", "file": "a.png"}}
        wanted = {"network": {"file": "b.ckpt", "digest": "1"}, "stimulus": {"id": "b", "file": "b.png"}}
        assert settings_differences(found, wanted) == []

    def test_other_weights_or_another_picture_make_a_difference(self):
        found = {"network": {"digest": "1"}, "stimulus": {"sha256": "2"}}
        wanted = {"network": {"digest": "3"}, "stimulus": {"sha256": "4"}}
        assert settings_differences(found, wanted) == [
            "network.digest: 1 there, 3 asked",
            "stimulus.sha256: 2 there, 4 asked",
        ]

    def test_survive_a_trip_through_json(self, folder):
        assert settings_differences(read_record(folder), a_record()) == []


class TestIndex:
    def test_has_a_row_for_each_metamer_in_the_order_of_their_folders(self, tmp_path):
        for seed in (1, 0):
            write_metamer(tmp_path / "vgg_19" / "conv1_2" / "dog" / str(seed), a_metamer(record=a_record(seed=seed)))
        rows = rows_of(write_index(tmp_path))
        assert [row["folder"] for row in rows] == ["vgg_19/conv1_2/dog/0", "vgg_19/conv1_2/dog/1"]
        assert [row["seed"] for row in rows] == ["0", "1"]

    def test_has_the_documented_columns(self, folder, tmp_path):
        (row,) = rows_of(write_index(tmp_path / "out"))
        assert row == {
            "network": "vgg_19",
            "weights": "ab12",
            "layer": "conv1_2",
            "stimulus": "dog/1",
            "label": "beagle",
            "category": "dog",
            "seed": "0",
            "recipe": "feather2019-image",
            "steps": "20",
            "initial_loss": "100.0",
            "final_loss": "0.5",
            "final_loss_exact": "0.25",
            "correlation": "0.9",
            "original_prediction": "beagle",
            "metamer_prediction": "beagle, or nearly",
            "seconds": "1.5",
            "folder": "vgg_19/conv1_2/dog/1/0",
        }
        assert list(row) == [*INDEX_COLUMNS, "folder"]

    def test_has_all_further_columns_of_manifests(self, tmp_path):
        for name, columns in (("a", {"block": "2"}), ("b", {"observer": "x, y", "block": "3"}), ("c", {})):
            record = a_record(stimulus={"id": name, "columns": columns, "sha256": "cd34"})
            write_metamer(tmp_path / name / "0", a_metamer(record=record))
        rows = rows_of(write_index(tmp_path))
        assert list(rows[0])[-3:] == ["folder", "block", "observer"]
        assert [(row["block"], row["observer"]) for row in rows] == [("2", ""), ("3", "x, y"), ("", "")]

    def test_no_two_columns_share_a_name(self, tmp_path):
        record = a_record(stimulus={"id": "a", "columns": {"seed": "mine", "folder": "mine too"}, "sha256": "cd34"})
        write_metamer(tmp_path / "a" / "0", a_metamer(record=record))
        (row,) = rows_of(write_index(tmp_path))
        assert (row["seed"], row["folder"]) == ("0", "a/0")
        assert (row["manifest_seed"], row["manifest_folder"]) == ("mine", "mine too")

    def test_what_a_record_does_not_have_is_an_empty_cell(self, tmp_path):
        record = a_record(correlation=None, stimulus={"id": "a", "sha256": "cd34"})
        write_metamer(tmp_path / "a" / "0", a_metamer(record=record))
        (row,) = rows_of(write_index(tmp_path))
        assert row["correlation"] == ""
        assert row["label"] == ""

    def test_may_be_written_elsewhere_and_again(self, folder, tmp_path):
        path = tmp_path / "tables" / "mine.csv"
        assert write_index(tmp_path / "out", path) == path
        first = path.read_bytes()
        write_index(tmp_path / "out", path)
        assert path.read_bytes() == first
        assert not (tmp_path / "out" / "index.csv").exists()

    def test_is_index_csv_in_the_folder_by_default(self, folder, tmp_path):
        assert write_index(str(tmp_path / "out")) == tmp_path / "out" / "index.csv"

    @pytest.mark.parametrize("name", ["", "missing"])
    def test_a_folder_without_metamers_is_refused(self, tmp_path, name):
        message = refusal(write_index, tmp_path / name)
        assert f"no finished metamer below {tmp_path / name};" in message
        assert list(tmp_path.iterdir()) == []

    def test_a_damaged_metamer_is_refused_by_name_and_the_older_index_stays(self, folder, tmp_path):
        before = write_index(tmp_path / "out").read_bytes()
        (folder / "metamer.json").write_text("{")
        assert str(folder) in refusal(write_index, tmp_path / "out")
        assert (tmp_path / "out" / "index.csv").read_bytes() == before


class TestFinding:
    def test_what_a_killed_run_left_behind_is_passed_over(self, folder, tmp_path):
        left = folder.parent / ".1.abc123.partial" / "1"
        left.mkdir(parents=True)
        (left / "metamer.json").write_text("{")
        assert find_metamers(tmp_path / "out") == [folder]

    def test_a_metamer_without_its_record_is_half_written_and_a_saved_state_is_a_batch(self, folder, tmp_path):
        half = folder.with_name("1")
        half.mkdir()
        np.save(half / "metamer.npy", np.zeros(3))
        left = folder.parent / ".1.abc123.partial" / "1"
        left.mkdir(parents=True)
        np.save(left / "metamer.npy", np.zeros(3))
        state = folder.with_name("2.unfinished")
        state.mkdir()
        (state / "state.npz").write_bytes(b"")
        assert find_half_written(tmp_path / "out") == [half]
        assert count_unfinished(tmp_path / "out") == 1
        assert find_metamers(tmp_path / "out") == [folder]

    def test_only_leftovers_are_no_metamer(self, tmp_path):
        left = tmp_path / ".0.abc123.partial" / "0"
        left.mkdir(parents=True)
        (left / "metamer.json").write_text("{}")
        assert "no finished metamer" in refusal(find_metamers, tmp_path)

    def test_a_name_that_only_sounds_like_a_leftover_is_found(self, tmp_path):
        for stimulus in ("sun.partial", ".sun"):
            write_metamer(tmp_path / stimulus / "0", a_metamer())
        assert find_metamers(tmp_path) == [tmp_path / ".sun" / "0", tmp_path / "sun.partial" / "0"]

    def test_the_folder_that_is_given_may_have_any_name(self, tmp_path):
        out = tmp_path / ".eclipse.partial"
        write_metamer(out / "sun" / "0", a_metamer())
        assert find_metamers(out) == [out / "sun" / "0"]
