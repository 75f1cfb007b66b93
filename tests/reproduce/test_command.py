"""``tfmetamers reproduce``: what it lists, the files that it writes, and what it refuses."""

import json

import pytest
import tomlkit
from click.testing import CliRunner

from tfmetamers.cli.main import tfmetamers
from tfmetamers.errors import ArgumentError, ResultError, TfmetamersError
from tfmetamers.experiments.file import read_experiment_file
from tfmetamers.reproduce.catalogue import find_reproduction, published_experiments, reproductions
from tfmetamers.reproduce.experiments import SETTINGS, adapted, experiment_text
from tfmetamers.reproduce.page import claim_folder
from tfmetamers.stimuli import sample_words


def run(*arguments):
    done = CliRunner().invoke(tfmetamers, ["reproduce", *map(str, arguments)])
    if isinstance(done.exception, TfmetamersError):
        raise done.exception
    return done


def test_without_a_name_it_lists_all():
    rows = json.loads(run("--json").stdout)
    assert [row["name"] for row in rows] == [each.full_name for each in reproductions()]
    assert all(row["section"] and row["shows"] and row["quick"] and row["full"] for row in rows)


def test_every_section_is_in_the_readme():
    from tests.golden import GOLDEN

    readme = (GOLDEN.parents[1] / "reproduce" / "README.md").read_text(encoding="utf-8")
    for each in reproductions():
        number = each.name.removeprefix("figure-s")
        name = each.name if each.paper == "2019" else each.full_name
        is_listed = f"`{name}`" in readme or (number.isdigit() and "`figure-s1` to `figure-s" in readme)
        assert is_listed, each.name


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_experiment_is_a_file_that_can_be_read_and_is_described(setting, tmp_path):
    for each in reproductions():
        for name in each.experiments:
            text = experiment_text(each.paper, name, setting)
            assert text is not None or each.setting(setting).unavailable, (each.name, name)
            if text is not None:
                (tmp_path / f"{name}.toml").write_text(text)
                read_experiment_file(tmp_path / f"{name}.toml")
                assert name in published_experiments(each.paper)


def test_a_name_is_short_or_has_the_paper():
    assert find_reproduction("figure-6") is find_reproduction("2019/figure-6")
    with pytest.raises(ArgumentError, match="figure-6"):
        find_reproduction("figure-7")


def test_yours_take_the_places_of_the_papers(tmp_path):
    text = experiment_text("2019", "sounds", "quick")
    document = tomlkit.parse(adapted(text, ["small_word_reduced_aliasing:random:3", "mine.keras"], [sample_words()]))
    first, second = document["networks"]
    theirs = tomlkit.parse(text)["networks"][0]
    assert first["network"] == "small_word_reduced_aliasing:random:3" and first["layers"] == theirs["layers"]
    assert second["layers"] == "all" and second["settings"] == theirs["settings"]
    assert document["recognition"]["judges"] == ["small_word_reduced_aliasing:random:3", "mine.keras"]
    assert document["stimuli"]["inputs"] == [str(sample_words())] and "data_set" not in document["stimuli"]


def test_a_folder_without_participants_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ResultError, match=r"conditions\.csv"):
        run("figure-3d", "--quick", "--output", tmp_path / "out", "--write-only", "--people", tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_file_that_was_edited_is_kept_and_one_of_other_networks_refused(tmp_path):
    file = tmp_path / "2019" / "quick" / "aliased.toml"
    run("figure-3c", "--quick", "--output", tmp_path, "--write-only")
    file.write_text(file.read_text().replace("steps = 1200", "steps = 7"))
    run("figure-3d", "--quick", "--output", tmp_path, "--write-only")
    assert "steps = 7" in file.read_text()
    with pytest.raises(ResultError, match=r"aliased\.toml.*--output"):
        run("figure-3c", "--quick", "--output", tmp_path, "--write-only", "--networks", "small_word_aliased:random:0")


@pytest.mark.parametrize(
    "arguments, match",
    [
        (["figure-6"], "--quick or --full"),
        (["notebook", "--quick"], "VGG-19.*--full"),
        (["figure-6", "--quick", "--pictures", "."], "--pictures"),
        (["figure-3d", "--full"], r"aliased\.toml.*PATH.*stimuli\.inputs"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, match, tmp_path):
    with pytest.raises(ArgumentError, match=match):
        run(*arguments, "--output", tmp_path)


def test_what_is_no_experiment_prints_commands():
    done = run("section-3.3", "--full")
    assert done.exit_code == 0 and "tfmetamers train --architecture word_aliased" in done.output


class TestFolder:
    def test_of_another_figure(self, tmp_path):
        claim_folder(tmp_path / "folder", find_reproduction("figure-6"), "quick")
        claim_folder(tmp_path / "folder", find_reproduction("figure-6"), "quick")
        with pytest.raises(ResultError, match=r"2019/figure-6.*2019/figure-2a"):
            claim_folder(tmp_path / "folder", find_reproduction("figure-2a"), "quick")

    def test_of_something_else(self, tmp_path):
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(ResultError, match="not those of a figure"):
            claim_folder(tmp_path, find_reproduction("figure-6"), "quick")

    def test_with_a_damaged_marker(self, tmp_path):
        (tmp_path / "reproduction.json").write_text("[")
        with pytest.raises(ResultError, match="damaged"):
            claim_folder(tmp_path, find_reproduction("figure-6"), "quick")
