"""Checkpoints come back as TensorFlow reads them, and crafted ones end nothing: they are refused."""

import google_crc32c
import numpy as np
import pytest

from tfmetamers.checkpoints.messages import read_fields, read_varints
from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.checkpoints.saved_variables import BundledVariables
from tfmetamers.checkpoints.tables import Table, _uncompressed, masked_checksum
from tfmetamers.errors import CheckpointError


@pytest.fixture(scope="module")
def many():
    """Arrays of every type and of many names, some of which Snappy compresses."""
    chance = np.random.default_rng(0)
    found = {f"scope_{place}/weights": chance.normal(size=(place % 7, 3)).astype(np.float32) for place in range(300)}
    found |= {
        "zeros": np.zeros((100, 1000), np.float32),
        "pattern": np.tile(np.arange(7, dtype=np.float64), 5000),
        "noise": chance.normal(size=(200, 300)).astype(np.float32),
        "double": chance.normal(size=3),
        "int": np.array([-5, 2**31 - 1, -(2**31)], np.int32),
        "long": np.array([-(2**63), 2**63 - 1, 0]),
        "byte": np.arange(256, dtype=np.uint8),
        "short": np.array([[-3], [4]], np.int16),
        "scalar": np.array(7),
    }
    return found


@pytest.mark.parametrize("file_format", ["V1", "V2"])
def test_variables_are_those_that_tensorflow_reads(many, file_format, save_checkpoint, tmp_path):
    import tensorflow as tf

    path = save_checkpoint(tmp_path / "many.ckpt", many, file_format)
    found, reader = CheckpointFile(path), tf.train.load_checkpoint(str(path))
    dtypes, shapes = reader.get_variable_to_dtype_map(), reader.get_variable_to_shape_map()
    assert found.variables == {name: (tuple(shapes[name]), dtypes[name].name) for name in shapes}
    for name, written in many.items():
        value = found.read(name)
        assert value.dtype == written.dtype and value.flags.writeable
        np.testing.assert_array_equal(value, reader.get_tensor(name))


def test_a_checkpoint_in_several_shards(save_checkpoint, tmp_path):
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default(), tf.Session() as session:
        variables = []
        for place, device in enumerate(("/cpu:0", "/cpu:0")):
            with tf.device(device):
                variables.append(tf.Variable(np.full(3, place, np.float32), name=f"v{place}", use_resource=False))
        session.run(tf.global_variables_initializer())
        tf.train.Saver(variables, sharded=True).save(session, str(tmp_path / "net.ckpt"), write_meta_graph=False)
    found = CheckpointFile(tmp_path / "net.ckpt")
    assert [found.read(name).tolist() for name in ("v0", "v1")] == [[0] * 3, [1] * 3]


def with_checksum(data: bytes, offset: int, size: int) -> bytes:
    """Return a table with the right checksum of a block."""
    checksum = masked_checksum(memoryview(data)[offset : offset + size + 1])
    return data[: offset + size + 1] + checksum.to_bytes(4, "little") + data[offset + size + 5 :]


class TestCraftedIndexes:
    @pytest.fixture
    def saved_v2(self, save_checkpoint, arrays, tmp_path):
        return save_checkpoint(tmp_path / "net.ckpt", arrays, "V2")

    @staticmethod
    def altered(path, old: bytes, new: bytes):
        """Replace bytes of the first block of an index, of the same length, and make its checksum right."""
        index = path.with_name(f"{path.name}.index")
        data = index.read_bytes()
        assert data.count(old) >= 1 and len(old) == len(new)
        (first, *_) = Table(index)._places
        data = data.replace(old, new, 1)
        index.write_bytes(with_checksum(data, first.offset, first.size))

    #: ``net/conv1/weights`` is a float32 of shape (3, 3, 3, 8), 864 bytes: type, shape, then where it is.
    SHAPE = bytes.fromhex("0801121012020803120208031202080312020808")

    @pytest.mark.parametrize(
        "changed",
        [
            SHAPE.replace(b"\x08\x08", b"\x08\x7f"),  # Larger than its bytes.
            SHAPE.replace(b"\x08\x01\x12\x10", b"\x08\x63\x12\x10"),  # Of a type that there is not.
            SHAPE.replace(b"\x12\x10", b"\x12\x7f"),  # Beyond the end of the message.
            SHAPE.replace(b"\x12\x10", b"\x10\x10"),  # No message at all.
            SHAPE[:-4] + b"\x18\x01\x18\x01",  # Of an unknown rank.
        ],
    )
    def test_an_entry_that_does_not_fit_is_refused(self, saved_v2, changed):
        """Each of these ends a process that has TensorFlow read it, or might."""
        self.altered(saved_v2, self.SHAPE, changed)
        with pytest.raises(CheckpointError, match="damaged"):
            CheckpointFile(saved_v2)

    def test_a_negative_length_is_refused(self):
        entry = bytes.fromhex("0801120d120b08" + "ff" * 9 + "01")
        assert read_varints(memoryview(b"\xff" * 9 + b"\x01"), 1) == [-1]
        from tfmetamers.checkpoints.saved_variables import _bundle_entry

        with pytest.raises(ValueError, match="shape"):
            _bundle_entry(read_fields(memoryview(entry)), [100])

    def test_a_block_with_another_checksum_is_refused(self, saved_v2):
        index = saved_v2.with_name("net.ckpt.index")
        data = bytearray(index.read_bytes())
        data[20] ^= 1
        index.write_bytes(data)
        with pytest.raises(CheckpointError, match="checksum"):
            CheckpointFile(saved_v2)

    def test_texts_are_as_long_as_they_say(self, tmp_path):
        import tensorflow as tf

        prefix = tf.train.Checkpoint(weights=tf.Variable([1.0])).save(str(tmp_path / "object"))
        index, data = (tmp_path / f"object-1.{ending}" for ending in ("index", "data-00000-of-00001"))
        BundledVariables(index, [data]).check_texts()
        content = bytearray(data.read_bytes())
        lengths = content.index(b"_CHECKPOINTABLE") if b"_CHECKPOINTABLE" in content else None
        assert lengths is None and prefix
        found = BundledVariables(index, [data])
        entry = found._entries["_CHECKPOINTABLE_OBJECT_GRAPH"]
        content[entry.offset] ^= 1
        data.write_bytes(content)
        with pytest.raises(ValueError, match="_CHECKPOINTABLE_OBJECT_GRAPH"):
            BundledVariables(index, [data]).check_texts()


class TestSnappy:
    def test_copies_may_overlap_what_they_make(self):
        # Ten bytes: "ab", and a copy of eight from two bytes before.
        assert bytes(_uncompressed(memoryview(b"\x0a\x04ab\x11\x02"))) == b"ababababab"

    @pytest.mark.parametrize(
        "data",
        [
            b"\xff\xff\xff\xff\x0f\x00a",  # Says four gigabytes.
            b"\x0a\x04ab\x11\x03",  # A copy from before the beginning.
            b"\x0a\x04ab",  # Too short.
            b"\x02\x04abcdef",  # An unfinished element.
            b"",
        ],
    )
    def test_what_is_damaged_is_refused(self, data):
        with pytest.raises(ValueError):
            _uncompressed(memoryview(data))


def test_a_checksum_is_that_of_all_parts():
    data = bytes(range(256)) * 10_000
    plain = google_crc32c.value(data)
    assert masked_checksum(bytearray(data)) == ((plain >> 15 | plain << 17) + 0xA282EAD8) & 0xFFFFFFFF
