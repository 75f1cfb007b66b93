"""One table of everything that was made."""

import csv
import json
from tokenize import TokenError

import pandas
import pytest

from tests.metamers.examples import RUN, a_metamer, a_record
from tfmetamers.errors import ResultError
from tfmetamers.metamers import index, tables, tabulate, write_index, write_metamer
from tfmetamers.metamers.tables import COLUMNS, gather
from tfmetamers.utilities.json_files import sealed


def write(folder, **changes):
    write_metamer(folder, a_metamer(record=a_record(**changes)), RUN)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_has_a_row_for_each_metamer_in_the_order_of_their_folders(tmp_path):
    for seed in (1, 0):
        write(tmp_path / "vgg_19" / "conv1_2" / "dog" / str(seed), seed=seed)
    rows = rows_of(write_index(tmp_path))
    assert [row["folder"] for row in rows] == ["vgg_19/conv1_2/dog/0", "vgg_19/conv1_2/dog/1"]
    assert [row["seed"] for row in rows] == ["0", "1"]


def test_has_the_documented_columns(tmp_path):
    write(tmp_path / "dog" / "0")
    (row,) = rows_of(write_index(tmp_path))
    assert row == {
        "network": "vgg_19",
        "weights": "ab12",
        "layer": "conv1_2",
        "stimulus": "dog/1",
        "label": "beagle",
        "category": "dog",
        "seed": "0",
        "recipe": "feather2019-image",
        "deviations": "steps=20",
        "steps": "20",
        "kernels": "quick",
        "initial_loss": "100.0",
        "final_loss": "0.5",
        "final_loss_exact": "0.25",
        "correlation": "0.9",
        "original_prediction": "beagle",
        "metamer_prediction": "beagle, or nearly",
        "folder": "dog/0",
    }
    assert list(row) == [*COLUMNS, "folder"], "without wall times: the same metamers give the same bytes"


def test_is_a_table_in_python_and_of_metamers_in_memory_too(tmp_path):
    write(tmp_path / "dog" / "0")
    table = index(tmp_path)
    assert (table.loc[0, "correlation"], table.loc[0, "seconds"]) == (0.9, 1.5)
    in_memory = tabulate([a_metamer()])
    pandas.testing.assert_frame_equal(in_memory, table[in_memory.columns])
    assert list(tabulate([]).columns) == [*COLUMNS, "seconds"]


def test_has_all_further_columns_of_manifests(tmp_path):
    for name, columns in (("a", {"block": "2"}), ("b", {"observer": "x, y", "block": "3"}), ("c", {})):
        write(tmp_path / name / "0", stimulus={"id": name, "columns": columns})
    rows = rows_of(write_index(tmp_path))
    assert list(rows[0])[-3:] == ["folder", "block", "observer"]
    assert [(row["block"], row["observer"]) for row in rows] == [("2", ""), ("3", "x, y"), ("", "")]


def test_no_two_columns_share_a_name(tmp_path):
    write(tmp_path / "a" / "0", stimulus={"columns": {"seed": "mine", "folder": "mine too"}})
    (row,) = rows_of(write_index(tmp_path))
    assert (row["seed"], row["folder"]) == ("0", "a/0")
    assert (row["manifest_seed"], row["manifest_folder"]) == ("mine", "mine too")


def test_what_a_record_does_not_have_is_an_empty_cell(tmp_path):
    without = {"original": None, "metamer": None}
    write(tmp_path / "a" / "0", correlation=None, prediction=without, stimulus={"label": None})
    (row,) = rows_of(write_index(tmp_path))
    assert row["correlation"] == row["label"] == row["metamer_prediction"] == ""


def test_may_be_written_elsewhere_and_again(tmp_path):
    write(tmp_path / "out" / "dog" / "0")
    path = tmp_path / "tables" / "mine.csv"
    assert write_index(tmp_path / "out", path) == path
    first = path.read_bytes()
    write_index(tmp_path / "out", path)
    assert path.read_bytes() == first
    assert not (tmp_path / "out" / "index.csv").exists()
    assert write_index(str(tmp_path / "out")) == tmp_path / "out" / "index.csv"


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_folder_without_metamers_is_refused(tmp_path, name):
    with pytest.raises(ResultError, match=str(tmp_path / name)):
        write_index(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_metamer_is_refused_by_name_and_the_older_index_stays(tmp_path):
    write(tmp_path / "dog" / "0")
    before = write_index(tmp_path).read_bytes()
    (tmp_path / "dog" / "0" / "metamer.json").write_text("{")
    with pytest.raises(ResultError, match="dog/0"):
        write_index(tmp_path)
    assert (tmp_path / "index.csv").read_bytes() == before


def test_what_can_be_used_is_gathered_and_what_cannot_is_named(tmp_path):
    for name in "abc":
        write(tmp_path / name / "0", stimulus={"id": name})
    (tmp_path / "a" / "0" / "metamer.json").write_text("{")
    (tmp_path / "c" / "0" / "metamer.png").write_bytes(b"")
    table, failures = gather(tmp_path)
    assert (list(table["stimulus"]), [failure.folder for failure in failures]) == (["b", "c"], [tmp_path / "a" / "0"])
    table, failures = gather(tmp_path, check=True)
    assert list(table["stimulus"]) == ["b"]
    assert "metamer.json" in failures[0].reason and "metamer.png" in failures[1].reason


@pytest.mark.parametrize("damage", [lambda text: text.replace("true", "false"), lambda text: "[1]", lambda text: "{}"])
def test_a_verdict_that_is_not_what_was_written_is_named(tmp_path, damage):
    folder = tmp_path / "a" / "0"
    write(folder)
    verdict = json.dumps(sealed({"format": 2, "included": True}))
    (folder / "verdict.json").write_text(verdict)
    assert gather(tmp_path, check=True)[1] == []
    (folder / "verdict.json").write_text(damage(verdict))
    assert len(gather(tmp_path)[0]) == 1
    [failure] = gather(tmp_path, check=True)[1]
    assert str(folder / "verdict.json") in failure.reason


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("deep"), KeyError("x"), TokenError("x", (1, 1))])
def test_whatever_one_metamer_raises_spares_the_others(tmp_path, monkeypatch, error):
    for name in "ab":
        write(tmp_path / name / "0", stimulus={"id": name})
    read_run = tables.read_run

    def raises(folder):
        if folder.parent.name == "a":
            raise error
        return read_run(folder)

    monkeypatch.setattr(tables, "read_run", raises)
    table, [failure] = gather(tmp_path)
    assert list(table["stimulus"]) == ["b"]
    assert (failure.folder, type(error).__name__ in failure.reason) == (tmp_path / "a" / "0", True)


def test_ctrl_c_is_not_taken_for_damage(tmp_path, monkeypatch):
    write(tmp_path / "a" / "0")

    def stop(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "read_run", stop)
    with pytest.raises(KeyboardInterrupt):
        gather(tmp_path)
