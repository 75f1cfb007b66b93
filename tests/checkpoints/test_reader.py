"""Checkpoints of both formats, whole, cut, damaged and incomplete, and files that are not checkpoints."""

import gzip
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.utilities.files import file_digest

EXTRAS = ("global_step", "net/mean_rgb")

only_v2 = pytest.mark.parametrize("saved", ["V2"], indirect=True)


@pytest.fixture
def copied(saved, tmp_path):
    """A copy of the saved checkpoint that a test may damage; its last file is the one with the values."""
    for file in CheckpointFile(saved.path).files:
        shutil.copy(file, tmp_path)
    return CheckpointFile(tmp_path / "net.ckpt")


def test_values_shapes_and_dtypes(saved, network_variables):
    checkpoint = CheckpointFile(saved.path)
    assert checkpoint.format == saved.format
    assert {name: checkpoint.variables[name] for name in network_variables} == network_variables
    assert checkpoint.variables["global_step"] == ((), "int64")
    for name, value in saved.arrays.items():
        read = checkpoint.read(name)
        assert read.dtype == value.dtype
        np.testing.assert_array_equal(read, value)
    assert list(read_variables(checkpoint, network_variables, EXTRAS)) == list(network_variables)
    assert checkpoint.digest == file_digest(*checkpoint.files)


@only_v2
def test_an_unknown_variable_is_refused(saved, network_variables):
    with pytest.raises(CheckpointError, match="net/mean_rgb"):
        read_variables(CheckpointFile(saved.path), network_variables, ("global_step",))


@pytest.mark.parametrize(
    ("saved", "suffix"),
    [("V1", ".meta"), ("V2", ".index"), ("V2", ".data-00000-of-00001")],
    indirect=["saved"],
)
def test_any_of_the_files_names_the_checkpoint(suffix, copied):
    if suffix == ".meta":
        copied.path.with_name("net.ckpt.meta").touch()
    assert CheckpointFile(f"{copied.path}{suffix}").path == copied.path


@pytest.mark.parametrize("folder", ["a[1]b", "a*b"])
def test_path_with_characters_of_a_pattern(folder, copied, tmp_path):
    (tmp_path / folder).mkdir()
    for file in copied.files:
        shutil.copy(file, tmp_path / folder)
    CheckpointFile(tmp_path / folder / "net.ckpt").read("net/fc/biases")


@only_v2
@pytest.mark.parametrize("path", ["", "nowhere/net.ckpt"])
def test_path_without_a_checkpoint(path, copied):
    with pytest.raises(CheckpointError, match=str(copied.path.parent / path)):
        CheckpointFile(copied.path.parent / path)


@only_v2
def test_data_that_vanish_are_named(copied):
    copied.files[-1].unlink()
    with pytest.raises(CheckpointError, match=copied.files[-1].name):
        _ = copied.digest


@only_v2
def test_unknown_variable_lists_similar_ones(saved):
    with pytest.raises(ArgumentError, match="net/fc/weights"):
        CheckpointFile(saved.path).read("net/fc/weight")


@pytest.mark.parametrize(
    ("name", "content", "likeness"),
    [
        ("empty.ckpt", b"", "empty"),
        ("page.ckpt", b"\n<html><body>fr\xc3\xbch 404</body></html>", "text"),
        ("net.tar.gz", gzip.compress(b"0", mtime=0), "gzip"),
        ("net.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
        ("net.pb", b"\n\x1b\n\x05input\x12\x0bPlaceholder\xff\x00", "graph"),
        ("net.index", bytes(range(256)), "cut short"),
    ],
)
def test_other_files_are_named_for_what_they_are(name, content, likeness, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{name}.*{likeness}"):
        CheckpointFile(tmp_path / name)


def test_values_cut_in_half(copied, network_variables):
    values = copied.files[-1]
    values.write_bytes(values.read_bytes()[: values.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=r"net\.ckpt"):
        read_variables(CheckpointFile(copied.path), network_variables, EXTRAS)


@only_v2
def test_index_cut_in_half(copied):
    index = copied.files[0]
    index.write_bytes(index.read_bytes()[: index.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=r"net\.ckpt\.index"):
        CheckpointFile(copied.path)


@only_v2
def test_values_overwritten(copied, network_variables):
    values = copied.files[-1]
    content = bytearray(values.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    values.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"net\.ckpt"):
        read_variables(CheckpointFile(copied.path), network_variables, EXTRAS)


@only_v2
def test_missing_data_shard(copied):
    copied.files[1].unlink()
    with pytest.raises(CheckpointError, match=r"net\.ckpt\.data-00000-of-00001"):
        CheckpointFile(copied.path)
    copied.path.with_name("net.ckpt.data-00001-of-00002").touch()
    with pytest.raises(CheckpointError, match=r"net\.ckpt\.data-00000-of-00002"):
        CheckpointFile(copied.path)


@only_v2
def test_data_shard_without_its_index(copied):
    copied.files[0].unlink()
    with pytest.raises(CheckpointError, match=r"net\.ckpt\.index"):
        CheckpointFile(copied.files[1])


@only_v2
def test_both_formats_under_one_name(copied):
    copied.path.touch()
    with pytest.raises(CheckpointError, match=r"net\.ckpt and net\.ckpt\.index"):
        CheckpointFile(copied.path)


def test_object_based_checkpoint_is_named(tmp_path):
    import tensorflow as tf

    path = tf.train.Checkpoint(weights=tf.Variable([1.0])).save(str(tmp_path / "object"))
    with pytest.raises(CheckpointError, match=r"object-1.*Keras"):
        CheckpointFile(path)


def test_values_that_are_not_finite_are_counted(network_variables, arrays, save_checkpoint, tmp_path):
    diverged = {name: arrays[name].copy() for name in network_variables}
    diverged["net/fc/weights"][3, :7] = [np.nan, np.inf, -np.inf, *[np.nan] * 4]
    path = save_checkpoint(tmp_path / "net.ckpt", diverged, "V2")
    with pytest.raises(CheckpointError, match="7 of the 1200 values of net/fc/weights"):
        read_variables(CheckpointFile(path), network_variables)


READ_WHAT_IS_DAMAGED = """
import sys
from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.errors import CheckpointError
for folder in sys.argv[1:]:
    try:
        checkpoint = CheckpointFile(folder + "/net.ckpt")
        for name in checkpoint.variables:
            checkpoint.read(name)
    except CheckpointError as error:
        assert "\\n" not in str(error), error
print("SURVIVED")
"""


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return content that was cut somewhere, or in which a few bytes changed, often near its end."""
    content = bytearray(content)
    if chance.random() < 0.3:
        return bytes(content[: chance.randrange(len(content))])
    span = min(len(content), chance.choice([48, 300, len(content)]))
    for _ in range(chance.choice([1, 1, 5, 50])):
        content[-1 - chance.randrange(span)] = chance.randrange(256)
    return bytes(content)


@pytest.mark.slow
def test_no_damage_crashes_the_process(saved, tmp_path):
    chance = random.Random(0)
    folders = [tmp_path / str(number) for number in range(150)]
    files = CheckpointFile(saved.path).files
    for folder in folders:
        folder.mkdir()
        victim = chance.choice(files)
        for file in files:
            content = file.read_bytes()
            (folder / file.name).write_bytes(damaged(content, chance) if file == victim else content)
    command = [sys.executable, "-c", READ_WHAT_IS_DAMAGED, *map(str, folders)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0 and "SURVIVED" in finished.stdout, finished.stderr[-2000:]
