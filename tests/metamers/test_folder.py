"""A metamer's folder holds all of it or does not exist, and comes back as it was."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.metamers.examples import RUN, a_metamer, a_network_record, a_record
from tfmetamers.errors import ResultError
from tfmetamers.metamers import MetamerRecord, load_metamers, read_metamer, read_record, save_metamers
from tfmetamers.metamers import folder as folders
from tfmetamers.metamers.folder import (
    count_unfinished,
    find_damaged_files,
    find_half_written,
    find_metamers,
    read_run,
    read_saved,
)
from tfmetamers.stimuli.domains import Arrays, Images
from tfmetamers.utilities.json_files import sealed


def write_metamer(folder, metamer, snapshots=None):
    folders.write_metamer(folder, metamer, RUN, snapshots)


@pytest.fixture
def folder(tmp_path):
    """A finished metamer's folder."""
    path = tmp_path / "out" / "vgg_19" / "conv1_2" / "dog" / "1" / "0"
    write_metamer(path, a_metamer())
    return path


def reseal(folder: Path) -> MetamerRecord:
    """Write the record of a folder anew, with the hashes of the files that are there now."""
    names = [path.name for path in folder.iterdir() if path.name not in ("metamer.json", "run.json")]
    record = a_record(files={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names})
    (folder / "metamer.json").write_text(json.dumps(sealed(record.to_json())))
    return record


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


class TestWriting:
    def test_the_folder_holds_what_the_documentation_says(self, folder):
        assert sorted(path.name for path in folder.iterdir()) == [
            "metamer.json",
            "metamer.npy",
            "metamer.png",
            "original.png",
            "run.json",
            "trace.csv",
        ]

    def test_what_is_read_is_what_was_written(self, folder):
        written, read = a_metamer(), read_metamer(folder)
        assert (read.record, read.seconds, read_run(folder)) == (written.record, 1.5, RUN)
        for field in ("stimulus", "original"):
            np.testing.assert_array_equal(getattr(read, field), getattr(written, field))
            assert getattr(read, field).dtype == np.float32
        for field in ("losses", "learning_rates", "steps"):
            np.testing.assert_array_equal(getattr(read, field), getattr(written, field))

    def test_what_was_read_can_be_written_again(self, tmp_path):
        write_metamer(tmp_path / "first", a_metamer(steps=257))
        write_metamer(tmp_path / "second", read_metamer(tmp_path / "first"))
        for path in (tmp_path / "first").iterdir():
            assert (tmp_path / "second" / path.name).read_bytes() == path.read_bytes()

    def test_letters_of_any_language_come_back(self, tmp_path):
        record = a_record(stimulus={"id": "Größe", "label": "犬"})
        write_metamer(tmp_path / "folder", a_metamer(record=record))
        assert read_record(tmp_path / "folder") == record

    def test_an_original_that_8_bits_do_not_hold_comes_back_exactly(self, tmp_path):
        metamer = a_metamer()
        metamer.original[0, 0, 0] = 0.123456
        write_metamer(tmp_path / "folder", metamer)
        np.testing.assert_array_equal(read_metamer(tmp_path / "folder").original, metamer.original)

    def test_snapshots_come_along_where_there_are_some(self, tmp_path):
        snapshots = tmp_path / "unfinished" / "snapshots"
        write_metamer(tmp_path / "without", a_metamer(), snapshots=snapshots)
        assert not (tmp_path / "without" / "snapshots").exists()
        snapshots.mkdir(parents=True)
        (snapshots / "step_000010.png").write_bytes(b"picture")
        (snapshots / ".step_000020.png.abc.tfmetamers.partial").mkdir()  # What a killed run was just writing.
        write_metamer(tmp_path / "with", a_metamer(), snapshots=snapshots)
        assert (tmp_path / "with" / "snapshots" / "step_000010.png").read_bytes() == b"picture"
        assert [path.name for path in (tmp_path / "with" / "snapshots").iterdir()] == ["step_000010.png"]

    def test_what_is_made_in_memory_is_saved_where_synthesis_would_put_it(self, tmp_path):
        made = [a_metamer(), a_metamer(record=a_record(seed=1))]
        saved = save_metamers(made, tmp_path)
        assert saved == [tmp_path / "vgg_19~random-3" / "conv1_2~steps-20" / "dog" / "1" / seed for seed in "01"]
        assert [metamer.record for metamer in load_metamers(tmp_path)] == [metamer.record for metamer in made]
        assert str(saved[0]) in refusal(save_metamers, made, tmp_path)


class TestWholeOrNotAtAll:
    def test_a_finished_folder_is_not_written_over_and_snapshots_stay(self, folder, tmp_path):
        snapshots = tmp_path / "snapshots"
        snapshots.mkdir()
        (snapshots / "step_000010.png").write_bytes(b"picture")
        assert str(folder) in refusal(write_metamer, folder, a_metamer(steps=3), snapshots)
        assert len(read_metamer(folder).losses) == 21
        assert (snapshots / "step_000010.png").exists()
        assert list(folder.parent.iterdir()) == [folder]

    def test_a_record_that_cannot_be_written_leaves_nothing(self, tmp_path):
        with pytest.raises(TypeError):
            write_metamer(tmp_path / "folder", a_metamer(record=a_record(seed=object())))
        assert list(tmp_path.iterdir()) == []

    def test_a_path_below_a_file_is_refused(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        assert str(tmp_path / "file") in refusal(write_metamer, tmp_path / "file" / "folder", a_metamer())

    @pytest.mark.parametrize(
        ("limit", "reason"), [(100, "File too large"), (3000, "the disk may be full"), (12416, "")]
    )
    def test_a_full_disk_leaves_nothing_and_one_with_just_enough_room_is_enough(self, tmp_path, limit, reason):
        """No file may have more than so many bytes: the array has 12416."""
        script = f"""
import dataclasses, resource, sys
from pathlib import Path
import numpy as np
from tests.metamers.examples import RUN, a_metamer
from tfmetamers.errors import ResultError
from tfmetamers.metamers import write_metamer
metamer = dataclasses.replace(a_metamer(), stimulus=np.random.default_rng(0).random((32, 32, 3), np.float32))
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    write_metamer(Path({str(tmp_path / "folder")!r}), metamer, RUN)
except ResultError as error:
    sys.exit(str(error))
"""
        finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert (finished.returncode == 1) == bool(reason), finished.stderr
        if reason:
            assert str(tmp_path / "folder") in finished.stderr and reason in finished.stderr
            assert list(tmp_path.iterdir()) == []
        else:
            assert read_record(tmp_path / "folder") == a_record()


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
        [(1, []), (100, []), (101, [101]), (115, [110, 115]), (257, [*range(110, 251, 10), 257])],
    )
    def test_has_every_step_to_100_then_every_tenth_and_the_last(self, tmp_path, steps, after_100):
        kept = [int(row["step"]) for row in self.traced(tmp_path, steps)]
        assert kept == [*range(min(steps, 100) + 1), *after_100]

    def test_thinned_steps_keep_their_own_loss_and_are_read_back(self, tmp_path):
        losses = a_metamer(257).losses
        for row in self.traced(tmp_path, 257):
            assert float(row["loss"]) == losses[int(row["step"])]
        read = read_metamer(tmp_path / "folder")
        assert read.steps[[0, 100, 101, -1]].tolist() == [0, 100, 110, 257]
        np.testing.assert_array_equal(read.losses, losses[read.steps])


class TestDamagedFolders:
    """Damaged records are in test_record.py."""

    @pytest.mark.parametrize("name", ["metamer.npy", "original.png", "trace.csv"])
    @pytest.mark.parametrize("kept", [None, 0.0, 0.5, 0.999])
    def test_a_file_that_is_missing_or_cut_short_is_refused(self, folder, name, kept):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        if kept is not None:
            (folder / name).write_bytes(content[: int(len(content) * kept)])
        message = refusal(read_metamer, folder)
        assert f"{folder} is damaged" in message and name in message
        assert find_damaged_files(folder) == [name]

    def test_every_file_is_recorded_by_its_hash_and_any_changed_byte_is_noticed(self, folder):
        record = read_record(folder)
        assert set(record.files) == {path.name for path in folder.iterdir()} - {"metamer.json", "run.json"}
        assert find_damaged_files(folder) == []
        for name, digest in record.files.items():
            content = bytearray((folder / name).read_bytes())
            assert hashlib.sha256(content).hexdigest() == digest
            content[len(content) // 2] ^= 1
            (folder / name).write_bytes(content)
        assert find_damaged_files(folder) == list(record.files)
        for name in ("metamer", "original"):
            assert f"{name}.png" in refusal(read_saved, folder, name, record)
        assert "trace.csv" in refusal(read_metamer, folder)

    def test_what_later_commands_write_belongs_to_no_hash(self, folder):
        (folder / "verdict.json").write_text("{}")
        (folder / "run.json").write_text("{}")
        assert find_damaged_files(folder) == []

    def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(self, folder):
        (folder / "metamer.npy").unlink()
        os.mkfifo(folder / "metamer.npy")
        assert "metamer.npy" in refusal(read_metamer, folder)


class TestCraftedFolders:
    """What somebody made who knows the format, its hashes included."""

    @pytest.mark.parametrize(
        "trace", ["step,loss,learning_rate\n", "step,loss\n0,1\n1,2\n", "a,b,c\nx,y,z\n", "a\n0,1,nan"]
    )
    @pytest.mark.filterwarnings("ignore:loadtxt")
    def test_a_trace_without_its_columns_is_refused(self, folder, trace):
        (folder / "trace.csv").write_text(trace)
        reseal(folder)
        assert f"{folder} is damaged" in refusal(read_metamer, folder)

    @pytest.mark.parametrize("array", [np.zeros((6, 7, 3), np.float32), np.zeros((6, 8, 3), np.int32)])
    def test_an_array_of_another_shape_or_type_is_refused(self, folder, array):
        np.save(folder / "metamer.npy", array)
        reseal(folder)
        message = refusal(read_metamer, folder)
        assert str(folder) in message and "metamer.npy" in message and "(6, 8, 3)" in message

    def test_a_saved_picture_of_another_size_is_refused(self, folder):
        Images(8).save(np.zeros((8, 8, 3)), folder / "metamer")
        assert "8 x 8" in refusal(read_saved, folder, "metamer", reseal(folder))

    def test_a_picture_of_another_format_is_not_decoded(self, folder):
        (folder / "metamer.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n")
        assert f"{folder} is damaged" in refusal(read_saved, folder, "metamer", reseal(folder))

    def test_an_array_of_python_objects_is_never_loaded(self, folder):
        np.save(folder / "metamer.npy", np.array([{}], object), allow_pickle=True)
        reseal(folder)
        assert f"{folder} is damaged" in refusal(read_metamer, folder)
        record = a_record(network=a_network_record(domain=Arrays((6, 8, 3))))
        np.save(folder / "original.npy", np.array([{}], object), allow_pickle=True)
        record = record.replace(files=reseal(folder).files)
        assert f"{folder} is damaged" in refusal(read_saved, folder, "original", record)

    @pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"seconds": 1}'])
    def test_when_it_was_made_is_not_needed(self, folder, content):
        (folder / "run.json").unlink()
        if content is not None:
            (folder / "run.json").write_text(content)
        assert read_run(folder) is None
        assert read_metamer(folder).seconds == 0


class TestFinding:
    @pytest.fixture
    def left(self, folder):
        """What a killed run was just writing."""
        left = folder.parent / ".1.abc123.tfmetamers.partial" / "1"
        left.mkdir(parents=True)
        (left / "metamer.json").write_text("{")
        np.save(left / "metamer.npy", np.zeros(3))
        return left

    def test_what_a_killed_run_left_behind_is_passed_over(self, folder, left, tmp_path):
        assert find_metamers(tmp_path / "out") == [folder]
        assert find_half_written(tmp_path / "out") == []
        assert "no finished metamer" in refusal(find_metamers, left.parent.parent / "2")

    def test_a_metamer_without_its_record_is_half_written_and_a_saved_state_is_a_batch(self, folder, tmp_path):
        half, state = folder.with_name("1"), folder.with_name("2.unfinished")
        half.mkdir()
        np.save(half / "metamer.npy", np.zeros(3))
        state.mkdir()
        (state / "state.npz").write_bytes(b"")
        assert find_half_written(tmp_path / "out") == [half]
        assert count_unfinished(tmp_path / "out") == 1
        assert find_metamers(tmp_path / "out") == [folder]

    def test_a_name_that_only_sounds_like_a_leftover_is_found(self, tmp_path):
        for stimulus in ("sun.partial", ".sun.partial"):
            write_metamer(tmp_path / stimulus / "0", a_metamer())
        assert find_metamers(tmp_path) == [tmp_path / ".sun.partial" / "0", tmp_path / "sun.partial" / "0"]

    def test_the_folder_that_is_given_may_have_any_name(self, tmp_path):
        out = tmp_path / ".eclipse.tfmetamers.partial"
        write_metamer(out / "sun" / "0", a_metamer())
        assert find_metamers(out) == [out / "sun" / "0"]

    def test_the_record_is_readable_without_this_package(self, folder):
        content = json.loads((folder / "metamer.json").read_text(encoding="utf-8"))
        assert content["deviations"] == {"steps": [15000, 20]}
        assert content["network"]["spec"] == {"family": "slim", "name": "vgg_19", "random_seed": 3}
