"""What a verification finds of good and of damaged checkpoints."""

import numpy as np
import pytest

from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.checkpoints.verify import Probe, verify

EXTRAS = ("global_step", "net/mean_rgb")
CHECKS = (
    *("readable", "SHA-256", "variables filled", "shapes and dtypes"),
    *("no unknown variables", "values finite", "probe"),
)
only_v2 = pytest.mark.parametrize("saved", ["V2"], indirect=True)
PROBE = Probe("4 variables", lambda arrays: (f"{len(arrays)} variables", len(arrays) == 4))


def results(rows) -> dict[str, bool | None]:
    return {row.check: row.ok for row in rows}


def verified(path, variables, extras=EXTRAS, **settings):
    """Verify against a probe that expects four variables."""
    return verify(path, variables, extras, **{"probe": PROBE, **settings})


def test_good_checkpoint_passes(saved, network_variables):
    rows = verified(saved.path, network_variables, recorded_digest=CheckpointFile(saved.path).digest)
    assert results(rows) == dict.fromkeys(CHECKS, True)
    found = {row.check: row.found for row in rows}
    assert found["readable"] == f"{saved.format}, 6 variables"
    assert "global_step, net/mean_rgb" in found["no unknown variables"]
    assert found["probe"] == "4 variables"


@only_v2
def test_hash_other_than_recorded_and_no_probe(saved, network_variables):
    rows = verify(saved.path, network_variables, EXTRAS, recorded_digest="0" * 64)
    assert results(rows) == {**dict.fromkeys(CHECKS, True), "SHA-256": False, "probe": None}
    assert rows[1].found == CheckpointFile(saved.path).digest


def test_unreadable_file(tmp_path, network_variables):
    (tmp_path / "net.ckpt").write_text("hello")
    rows = verified(tmp_path / "net.ckpt", network_variables)
    assert results(rows) == {"readable": False}
    assert "a text file" in rows[0].found


def test_missing_unknown_and_wrong_variables(arrays, network_variables, save_checkpoint, tmp_path):
    changed = dict(arrays)
    del changed["net/conv1/biases"]
    changed["net/fc/biases"] = np.zeros(7, np.float32)
    path = save_checkpoint(tmp_path / "net.ckpt", changed, "V2")
    rows = verified(path, network_variables, ("global_step",))
    assert [row.ok for row in rows] == [True, True, False, False, False, None, None]
    found = {row.check: row.found for row in rows}
    assert found["variables filled"].startswith("3 of 4") and "net/conv1/biases" in found["variables filled"]
    assert "net/fc/biases" in found["shapes and dtypes"]
    assert "net/mean_rgb" in found["no unknown variables"]


@only_v2
def test_checkpoint_of_another_network(saved):
    rows = verified(saved.path, {"other/weights": ((1,), "float32")}, ())
    assert rows[2].found.startswith("0 of 1") and "net/conv1/biases" in rows[2].found
    assert results(rows)["values finite"] is results(rows)["probe"] is None


def test_value_that_is_not_finite(arrays, network_variables, save_checkpoint, tmp_path):
    diverged = {**arrays, "net/fc/biases": np.full(30, np.nan, np.float32)}
    rows = verified(save_checkpoint(tmp_path / "net.ckpt", diverged, "V1"), network_variables)
    assert [row.ok for row in rows[-2:]] == [False, None]
    assert "30 of the 30 values of net/fc/biases" in rows[-2].found


@only_v2
@pytest.mark.parametrize(("answer", "ok"), [("a dog", False), ("not run: no picture", None)])
def test_probe_that_is_wrong_or_cannot_be_run(answer, ok, saved, network_variables):
    rows = verified(saved.path, network_variables, probe=Probe("a cat", lambda arrays: (answer, ok)))
    assert [row.ok for row in rows[:-1]] == [True] * 6
    assert rows[-1] == ("probe", "a cat", answer, ok)
