"""PyTorch's files are read as PyTorch reads them, and nothing in them is executed."""

import pickle
import sys
import types

import numpy as np
import pytest

from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.torch_files import read_state_dict

KERNEL = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)


class Storage:
    def __init__(self, key, numbers):
        self.key, self.numbers = key, numbers


class Tensor:
    """Is pickled as PyTorch pickles a tensor (``torch/_tensor.py``, ``__reduce_ex__``)."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (*self.arguments, False, {})


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Return a function that writes tensors as PyTorch 1.5 did (``torch/serialization.py``, ``_legacy_save``)."""
    utils, torch = types.ModuleType("torch._utils"), types.ModuleType("torch")
    for module, name in ((utils, "_rebuild_tensor_v2"), (utils, "_harmful"), (torch, "FloatStorage")):
        function = types.FunctionType((lambda: None).__code__, {}, name)
        function.__module__, function.__qualname__ = module.__name__, name
        setattr(module, name, function)
    torch._utils = utils
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def save(tensors, storages, header=(0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})):
        class Pickler(pickle.Pickler):
            def persistent_id(self, value):
                if isinstance(value, Storage):
                    return "storage", torch.FloatStorage, value.key, "cpu", len(value.numbers), None
                return None

        path = tmp_path / "weights.pth"
        with path.open("wb") as stream:
            for part in (*header, tensors, [storage.key for storage in storages]):
                Pickler(stream, protocol=2).dump(part)
            for storage in storages:
                stream.write(len(storage.numbers).to_bytes(8, "little") + storage.numbers.tobytes())
        return path

    return save


def read(path):
    return read_state_dict(path, max_bytes=10**6, error_type=CheckpointError)


def test_shapes_strides_and_offsets_are_those_that_were_saved(saved):
    storage = Storage("7", KERNEL.ravel())
    tensors = {
        "kernel": Tensor(storage, 0, (2, 3, 4), (12, 4, 1)),
        "transposed": Tensor(storage, 0, (4, 2, 3), (1, 12, 4)),
        "second": Tensor(storage, 12, (3, 4), (4, 1)),
        "number": Tensor(storage, 5, (), ()),
    }
    found = read(saved(tensors, [storage]))
    np.testing.assert_array_equal(found["kernel"], KERNEL)
    np.testing.assert_array_equal(found["transposed"], KERNEL.transpose(2, 0, 1))
    np.testing.assert_array_equal(found["second"], KERNEL[1])
    assert found["number"] == KERNEL[0, 1, 1]


@pytest.mark.parametrize("place", [(0, (25,), (1,)), (20, (2, 3), (3, 1)), (0, (2, 2), (-1, 1)), (0, (10**9,), (0,))])
def test_a_tensor_beyond_its_storage_is_refused(saved, place):
    storage = Storage("7", KERNEL.ravel())
    with pytest.raises(CheckpointError, match=r"weights\.pth"):
        read(saved({"kernel": Tensor(storage, *place)}, [storage]))


def test_what_is_cut_short_or_something_else_is_refused(saved):
    storage = Storage("7", KERNEL.ravel())
    tensors = {"kernel": Tensor(storage, 0, (24,), (1,))}
    path = saved(tensors, [storage])
    whole = path.read_bytes()
    for length in (0, 10, 200, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"weights\.pth"):
            read(path)
    for changed in (
        saved(tensors, [storage], header=(0, 1001, {"little_endian": True})),
        saved(tensors, [Storage("8", KERNEL.ravel())]),
        saved([1, 2], [storage]),
        path.with_name("absent.pth"),
    ):
        with pytest.raises(CheckpointError, match=changed.name):
            read(changed)


def test_other_functions_are_never_called(saved, tmp_path):
    class Harmful:
        def __reduce__(self):
            return sys.modules["torch._utils"]._harmful, ()

    with pytest.raises(CheckpointError, match="_harmful"):
        read(saved({"kernel": Harmful()}, []))
