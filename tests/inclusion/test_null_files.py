"""The authors' null pickles are read, and nothing of them is executed."""

import io
import os
import pickle

import numpy as np
import pytest

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.null_files import load_null, load_released

VALUES = np.random.default_rng(2).uniform(-1, 1, 50)


class Harmful:
    """What calls a function when it is loaded in the usual way."""

    def __init__(self, path):
        self.call = os.system, (f"touch {path}",)

    def __reduce__(self):
        return self.call


@pytest.fixture
def pickled(tmp_path):
    """A function that writes something as a pickle and returns its path."""

    def write(content, protocol=2):
        path = tmp_path / "word_aliased_null_dist_spearman_r.pckl"
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
        return path

    return write


@pytest.mark.parametrize(
    "form",
    [
        lambda values: values.reshape(5, 10),
        lambda values: values.astype(np.float32),
        lambda values: values.astype(">f8"),
        lambda values: np.asfortranarray(values[:, None]),
        lambda values: list(values),
        lambda values: values.tolist(),
    ],
    ids=["table", "single", "big endian", "column", "numpy numbers", "plain numbers"],
)
def test_coefficients_come_back_however_they_were_pickled(pickled, form):
    content = {"pool_0_0": form(VALUES), "conv_4": form(-VALUES)}
    tolerance = 1e-7 if getattr(content["conv_4"], "dtype", None) == np.float32 else 0
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        null = load_null(pickled(content, protocol))
        np.testing.assert_allclose(null.layers["pool_0_0"], VALUES, atol=tolerance)
        np.testing.assert_allclose(null.layers["conv_4"], -VALUES, atol=tolerance)
        assert null.maximum("pool_0_0") == pytest.approx(VALUES.max())


def test_an_array_as_python_2_wrote_it():
    # Protocol 2 of Python 2 has raw bytes in a string of its own, SHORT_BINSTRING.
    from tfmetamers.inclusion import null_files
    from tfmetamers.utilities.pickles import Interpreter

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR(K\x01K\x02\x85cnumpy\ndtype\n"
        b"(U\x02f8K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10"
        + np.array([0.5, -0.25]).tobytes()
        + b"tb"
    )
    data = b"\x80\x02}U\x04conv" + array + b"s."
    assert pickle.loads(data, encoding="latin-1")["conv"].tolist() == [0.5, -0.25]
    content = Interpreter(null_files.KNOWN_GLOBALS, 1000, memory=10**6).run(io.BytesIO(data))
    assert content["conv"].values.tolist() == [0.5, -0.25]


def test_what_it_does_not_say_is_unknown_and_stays_so_on_disk(pickled, tmp_path):
    null = load_released(pickled({"conv": VALUES}))
    assert (null.network, null.pairs, null.stimuli, null.distinct_stimuli) == (None, None, None, None)
    assert null.claim() == "50 pairs of unrecorded stimuli"
    assert "word_aliased_null_dist_spearman_r.pckl" in null.network_name
    null.save(tmp_path / "null.npz")
    loaded = load_null(tmp_path / "null.npz")
    assert loaded.metadata() == null.metadata()
    assert loaded.source == "word_aliased_null_dist_spearman_r.pckl"
    np.testing.assert_array_equal(loaded.layers["conv"], VALUES)
    assert isinstance(loaded, NullDistribution)


def test_it_applies_to_its_layers_and_to_the_network_that_it_is_said_to_be_of(pickled):
    path = pickled({"conv": VALUES})
    load_released(path).check_applies({"name": "any", "digest": "ab"}, "conv", "exact")
    with pytest.raises(ResultError, match="layer: conv instead of fc"):
        load_released(path).check_applies({"name": "any"}, "fc")
    of_one = load_released(path, network={"name": "word_aliased"})
    of_one.check_applies({"name": "word_aliased", "digest": "ab"}, "conv")
    with pytest.raises(ResultError, match=r"network\.name: word_aliased instead of other"):
        of_one.check_applies({"name": "other"}, "conv")


@pytest.mark.parametrize("place", ["whole", "list"])
def test_a_pickle_that_names_another_function_is_refused_and_nothing_is_executed(pickled, tmp_path, place):
    harmful = Harmful(tmp_path / "victim")
    content = {"whole": harmful, "list": {"conv": [0.5, harmful]}}[place]
    for protocol in (0, 2, 4):
        with pytest.raises(ResultError, match=r"'\w+\.system'"):
            load_null(pickled(content, protocol))
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    "content",
    [{}, [], {"conv": []}, {"conv": VALUES * 3}, {"conv": ["a"]}, {"conv": VALUES, "fc": VALUES[1:]}, {3: VALUES}],
    ids=["empty", "a list", "no pair", "beyond 1", "text", "other lengths", "a number for a layer"],
)
def test_what_is_not_a_null_distribution_is_refused(pickled, content):
    with pytest.raises(ResultError, match=r"\.pckl is not a null distribution"):
        load_null(pickled(content, 4))


@pytest.mark.parametrize("content", [b"", b"<html>", pickle.dumps({"conv": VALUES}, 2)[:-40]])
def test_a_damaged_pickle_is_refused(pickled, content):
    with pytest.raises(ResultError, match=r"word_aliased_null_dist_spearman_r\.pckl"):
        load_null(pickled(content))


def test_a_shape_that_the_bytes_do_not_have_is_refused(pickled):
    content = pickle.dumps({"conv": VALUES}, 2)
    for length in (51, 2**31 - 1):
        altered = content.replace(b"K2\x85", b"J" + length.to_bytes(4, "little") + b"\x85", 1)
        assert altered != content
        with pytest.raises(ResultError, match="shape"):
            load_null(pickled(altered))


def test_a_missing_pickle_is_named(tmp_path):
    with pytest.raises(ResultError, match=r"missing\.pckl"):
        load_null(tmp_path / "missing.pckl")
