"""What a verification finds of good and of spoilt checkpoints."""

import numpy as np
import pytest

from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.checkpoints.verify import Probe, verify

EXTRAS = ("global_step", "net/mean_rgb")


def results(rows) -> dict[str, bool | None]:
    return {row.check: row.ok for row in rows}


PROBE = Probe("4 variables", lambda arrays: (f"{len(arrays)} variables", len(arrays) == 4))


def verified(path, variables, extras=EXTRAS, **settings):
    """Verify against a probe that expects four variables."""
    return verify(path, variables, extras, **{"probe": PROBE, **settings})


def test_good_checkpoint_passes(saved, network_variables):
    rows = verified(saved.path, network_variables, recorded_digest=CheckpointFile(saved.path).digest)
    assert results(rows) == dict.fromkeys(
        [
            "readable",
            "SHA-256",
            "variables filled",
            "shapes and dtypes",
            "no unknown variable",
            "values finite",
            "probe",
        ],
        True,
    )
    found = {row.check: row.found for row in rows}
    assert found["readable"] == f"{saved.format}, 6 variables"
    assert found["no unknown variable"] == "known extras: global_step, net/mean_rgb"
    assert found["probe"] == "4 variables"


def test_without_record_and_probe(saved, network_variables):
    rows = verify(saved.path, network_variables, EXTRAS)
    assert [row.ok for row in rows] == [True] * 6 + [None]
    assert len(rows[1].found) == 64


def test_hash_other_than_recorded(saved, network_variables):
    rows = verified(saved.path, network_variables, recorded_digest="0" * 64)
    assert [check for check, ok in results(rows).items() if ok is False] == ["SHA-256"]


def test_unreadable_file(tmp_path, network_variables):
    (tmp_path / "net.ckpt").write_text("hello")
    rows = verified(tmp_path / "net.ckpt", network_variables)
    assert results(rows) == {"readable": False}
    assert "a text file" in rows[0].found


def test_missing_unknown_and_wrong_variables(arrays, network_variables, save_checkpoint, tmp_path):
    spoilt = dict(arrays)
    del spoilt["net/conv1/biases"]
    spoilt["net/fc/biases"] = np.zeros(7, np.float32)
    path = save_checkpoint(tmp_path / "net.ckpt", spoilt, "V2")
    rows = verified(path, network_variables, ("global_step",))
    assert [row.ok for row in rows] == [True, True, False, False, False, None, None]
    found = {row.check: row.found for row in rows}
    assert found["variables filled"] == "3 of 4; missing net/conv1/biases"
    assert found["shapes and dtypes"] == "net/fc/biases is float32 [7] in place of float32 [30]"
    assert found["no unknown variable"] == "known extras: global_step; unknown: net/mean_rgb"


def test_checkpoint_of_another_network(saved):
    rows = verified(saved.path, {"other/weights": ((1,), "float32")}, ())
    assert rows[2].found.startswith("0 of 1; its names are such as global_step, net/conv1/biases")
    assert results(rows)["values finite"] is results(rows)["probe"] is None


def test_value_that_is_not_finite(arrays, network_variables, save_checkpoint, tmp_path):
    spoilt = {**arrays, "net/fc/biases": np.full(30, np.nan, np.float32)}
    rows = verified(save_checkpoint(tmp_path / "net.ckpt", spoilt, "V1"), network_variables)
    assert [row.ok for row in rows[-2:]] == [False, None]
    assert "30 of the 30 values of net/fc/biases" in rows[-2].found


@pytest.mark.parametrize("saved", ["V2"], indirect=True)
def test_values_cut_off(saved, network_variables, tmp_path):
    for file in CheckpointFile(saved.path).files:
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(content[:1000] if "data" in file.name else content)
    rows = verified(tmp_path / "net.ckpt", network_variables)
    assert [row.ok for row in rows[-2:]] == [False, None]


@pytest.mark.parametrize(("answer", "ok"), [("a dog", False), ("not run: no picture", None)])
def test_probe_that_is_wrong_or_cannot_be_run(answer, ok, saved, network_variables):
    rows = verified(saved.path, network_variables, probe=Probe("a cat", lambda arrays: (answer, ok)))
    assert [row.ok for row in rows[:-1]] == [True] * 6
    assert rows[-1] == ("probe", "a cat", answer, ok)
