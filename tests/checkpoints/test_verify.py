"""What a verification finds of good and of spoilt checkpoints."""

import numpy as np
import pytest

from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.checkpoints.verify import verify
from tfmetamers.errors import ArgumentError

EXTRAS = ("global_step", "net/mean_rgb")


def results(verification) -> dict[str, bool | None]:
    return {row.check: row.ok for row in verification.rows}


def probe(arrays):
    return f"{len(arrays)} variables", True, "4 variables"


def test_good_checkpoint_passes(saved, network_variables):
    verification = verify(
        saved.path,
        network_variables,
        EXTRAS,
        probe,
        CheckpointFile(saved.path).digest,
        variables=4,
        parameters=216 + 8 + 1200 + 30,
    )
    assert verification.ok
    assert all(results(verification).values()) and len(verification.rows) == 10
    found = {row.check: row.found for row in verification.rows}
    assert found["readable"] == f"{saved.format}, 6 variables"
    assert found["no unknown variable"] == "known extras: global_step, net/mean_rgb"
    assert found["probe"] == "4 variables"


def test_without_record_and_probe(saved, network_variables):
    verification = verify(saved.path, network_variables, EXTRAS)
    assert verification.ok
    assert results(verification)["probe"] is None
    assert len(verification.rows[1].found) == 64


def test_hash_other_than_recorded(saved, network_variables):
    verification = verify(saved.path, network_variables, EXTRAS, probe, "0" * 64)
    assert not verification.ok
    assert [check for check, ok in results(verification).items() if ok is False] == ["SHA-256"]


def test_unreadable_file_marks_the_rest_as_not_run(tmp_path, network_variables):
    (tmp_path / "net.ckpt").write_text("hello")
    verification = verify(tmp_path / "net.ckpt", network_variables, EXTRAS, probe)
    assert not verification.ok
    assert list(results(verification).values()) == [False] + [None] * 7
    assert "a text file" in verification.rows[0].found


def test_missing_unknown_and_wrong_variables(arrays, network_variables, save_checkpoint, tmp_path):
    spoilt = dict(arrays)
    del spoilt["net/conv1/biases"]
    spoilt["net/fc/biases"] = np.zeros(7, np.float32)
    spoilt["net/conv1/weights"] = spoilt["net/conv1/weights"].astype(np.float64)
    path = save_checkpoint(tmp_path / "net.ckpt", spoilt, "V2")
    verification = verify(path, network_variables, ("global_step",), probe, variables=4)
    checks = results(verification)
    wrong = {"variables filled", "shapes", "dtypes", "no unknown variable"}
    assert {check for check, ok in checks.items() if ok is False} == wrong
    assert checks["values finite"] is True and checks["probe"] is None
    found = {row.check: row.found for row in verification.rows}
    assert found["variables filled"] == "3 of 4; missing net/conv1/biases"
    assert found["shapes"] == "net/fc/biases [7], not [30]"
    assert found["no unknown variable"] == "known extras: global_step; unknown: net/mean_rgb"


def test_counts_other_than_published(saved, network_variables):
    verification = verify(saved.path, network_variables, EXTRAS, variables=5, parameters=1)
    assert [row.ok for row in verification.rows if "as published" in row.check] == [False, False]


def test_checkpoint_of_another_network(saved):
    verification = verify(saved.path, {"other/weights": ((1,), "float32")}, (), probe)
    checks = results(verification)
    assert not verification.ok
    assert checks["shapes"] is checks["values finite"] is checks["probe"] is None


def test_value_that_is_not_finite(arrays, network_variables, save_checkpoint, tmp_path):
    spoilt = {**arrays, "net/fc/biases": np.full(30, np.nan, np.float32)}
    verification = verify(save_checkpoint(tmp_path / "net.ckpt", spoilt, "V1"), network_variables, EXTRAS, probe)
    checks = results(verification)
    assert checks["values finite"] is False and checks["probe"] is None
    assert "net/fc/biases (30 values)" in verification.rows[-2].found


@pytest.mark.parametrize("saved", ["V2"], indirect=True)
def test_values_cut_off(saved, network_variables, tmp_path):
    for file in CheckpointFile(saved.path).files:
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(content[:1000] if "data" in file.name else content)
    verification = verify(tmp_path / "net.ckpt", network_variables, EXTRAS, probe)
    assert results(verification)["values finite"] is False
    assert results(verification)["probe"] is None


@pytest.mark.parametrize("wrong", [lambda _: ("suit", False, "uniform"), None])
def test_probe_that_is_wrong_or_fails(wrong, saved, network_variables):
    def failing(_):
        raise ArgumentError("There is no such picture.")

    verification = verify(saved.path, network_variables, EXTRAS, wrong or failing)
    assert not verification.ok
    assert verification.rows[-1].found == ("suit" if wrong else "There is no such picture.")
