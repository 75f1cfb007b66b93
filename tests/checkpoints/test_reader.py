"""Checkpoints of both formats, whole, cut, damaged, incomplete, and files that are none."""

import gzip
import io
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


def test_read_variables_leaves_extras_out(saved, network_variables):
    values = read_variables(CheckpointFile(saved.path), network_variables, EXTRAS)
    assert list(values) == list(network_variables)


def test_read_variables_refuses_an_unknown_variable(saved, network_variables):
    with pytest.raises(CheckpointError, match=r"net/mean_rgb float32 \[3\] is no variable of the network"):
        read_variables(CheckpointFile(saved.path), network_variables, ("global_step",))


def test_checkpoint_without_extras(network_variables, arrays, save_checkpoint, tmp_path):
    only = {name: arrays[name] for name in network_variables}
    for file_format in ("V1", "V2"):
        path = save_checkpoint(tmp_path / file_format / "net.ckpt", only, file_format)
        assert set(read_variables(CheckpointFile(path), network_variables)) == set(only)


def test_digest_is_that_of_the_files(saved):
    checkpoint = CheckpointFile(saved.path)
    assert checkpoint.digest == file_digest(*checkpoint.files)


@pytest.mark.parametrize(
    ("saved", "suffix"),
    [("V1", ""), ("V1", ".meta"), ("V2", ""), ("V2", ".meta"), ("V2", ".index"), ("V2", ".data-00000-of-00001")],
    indirect=["saved"],
)
def test_any_of_the_files_names_the_checkpoint(suffix, copied):
    if suffix == ".meta":
        copied.path.with_name("net.ckpt.meta").touch()
    assert CheckpointFile(f"{copied.path}{suffix}").path == copied.path


def test_folder_is_none(copied):
    with pytest.raises(CheckpointError, match="is a folder"):
        CheckpointFile(copied.path.parent)


@pytest.mark.parametrize("folder", ["a[1]b", "a*b", "a?b", "a\\b", "ä b"])
def test_path_with_characters_of_a_pattern(folder, copied, tmp_path):
    (tmp_path / folder).mkdir()
    for file in copied.files:
        shutil.copy(file, tmp_path / folder)
    path = tmp_path / folder / "net.ckpt"
    if copied.format == "V2" and set(folder) & set("[\\"):
        with pytest.raises(CheckpointError, match="bracket or backslash"):
            CheckpointFile(path)
    else:
        CheckpointFile(path).read("net/fc/biases")


@pytest.mark.parametrize("path", ["nett.ckpt", "nowhere/net.ckpt", "net.ckpt/below"])
def test_missing_checkpoint(path, copied):
    with pytest.raises(CheckpointError, match=f"{path} is missing"):
        CheckpointFile(copied.path.parent / path)


def test_unreadable_data_are_named(copied):
    copied.files[-1].unlink()
    with pytest.raises(CheckpointError, match=f"{copied.files[-1].name} cannot be read"):
        _ = copied.digest


def test_unknown_variable_lists_near_ones(saved):
    with pytest.raises(ArgumentError, match="net/fc/weights"):
        CheckpointFile(saved.path).read("net/fc/weight")


def npz_bytes() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, weights=np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "likeness"),
    [
        ("empty.ckpt", b"", "an empty file"),
        ("text.ckpt", "früh am Morgen\n".encode() * 500, "a text file"),
        ("page.ckpt", b"\n<html><body>404</body></html>", "a text file, perhaps the page of a failed download"),
        ("net.tar.gz", gzip.compress(b"0"), "a gzip archive"),
        ("net.npz", npz_bytes(), r"a zip file such as \.npz or \.keras"),
        ("net.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
        ("net.pb", b"\n\x1b\n\x05input\x12\x0bPlaceholder\xff\x00", "a TensorFlow graph"),
        ("net.bin", bytes(range(256)), "cut short, or another kind of file"),
        ("net.index", b"text", "a text file"),
    ],
)
def test_other_files_are_named_for_what_they_are(name, content, likeness, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=likeness):
        CheckpointFile(tmp_path / name)


def test_checkpoint_cut_in_half(copied, network_variables):
    values = copied.files[-1]
    values.write_bytes(values.read_bytes()[: values.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=r"cut short|damaged"):
        read_variables(CheckpointFile(copied.path), network_variables, EXTRAS)


def test_index_cut_in_half(copied):
    index = copied.files[0]
    index.write_bytes(index.read_bytes()[: index.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="cut short"):
        CheckpointFile(copied.path)


def test_middle_overwritten(copied, network_variables):
    values = copied.files[-1]
    content = bytearray(values.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    values.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        read_variables(CheckpointFile(copied.path), network_variables, EXTRAS)


@pytest.mark.parametrize("saved", ["V2"], indirect=True)
def test_missing_data_shard(copied):
    copied.files[1].unlink()
    with pytest.raises(CheckpointError, match=r"net\.ckpt\.data-00000-of-00001 was expected"):
        CheckpointFile(copied.path)
    copied.path.with_name("net.ckpt.data-00001-of-00002").touch()
    with pytest.raises(CheckpointError, match=r"net\.ckpt\.data-00000-of-00002 was expected"):
        CheckpointFile(copied.path)


@pytest.mark.parametrize("saved", ["V2"], indirect=True)
def test_data_shard_without_its_index(copied):
    copied.files[0].unlink()
    with pytest.raises(CheckpointError, match=r"only a part of a checkpoint; net\.ckpt\.index"):
        CheckpointFile(copied.files[1])


def test_both_formats_under_one_name(copied):
    copied.path.with_name("net.ckpt").touch()
    copied.path.with_name("net.ckpt.index").touch()
    with pytest.raises(CheckpointError, match="another checkpoint of the same name"):
        CheckpointFile(copied.path)


def test_object_based_checkpoint_is_named(tmp_path):
    import tensorflow as tf

    path = tf.train.Checkpoint(weights=tf.Variable([1.0])).save(str(tmp_path / "object"))
    with pytest.raises(CheckpointError, match=r"object-based .* Keras"):
        CheckpointFile(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted(value, network_variables, arrays, save_checkpoint, tmp_path):
    spoilt = {name: arrays[name].copy() for name in network_variables}
    spoilt["net/fc/weights"][3, :7] = value
    path = save_checkpoint(tmp_path / "net.ckpt", spoilt, "V2")
    with pytest.raises(CheckpointError, match=r"7 of the 1200 values of net/fc/weights are NaN or infinite"):
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
