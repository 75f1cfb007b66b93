"""Experiments' files: what is in them, what is left out, and what is wrong with them."""

import os
import re
from pathlib import Path

import pytest

from tfmetamers.errors import ArgumentError
from tfmetamers.experiments.file import experiment_schema, read_experiment_file

DOCS = Path(__file__).resolve().parents[2] / "docs"

GOOD = """
[stimuli]
inputs = ["sounds"]
[[networks]]
network = "vgg_19"
layers = ["conv1_2"]
"""


def read(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return read_experiment_file(file)


def test_what_is_left_out_is_the_papers(tmp_path):
    content = read(tmp_path, GOOD + '[null]\nstimuli = ["natural"]\n[recognition]\njudges = ["vgg_19"]\n')
    assert (content["seeds"], content["batch_size"], content["evaluation"]) == ([0], 1, {"layers": "matched"})
    assert content["networks"] == [{"network": "vgg_19", "layers": ["conv1_2"], "settings": {}}]
    assert content["null"] == {"stimuli": ["natural"], "pairs": 1_000_000, "design": "blocks", "seed": 0}
    assert content["recognition"]["rules"] == ["max"]
    assert "recipe" not in content["networks"][0] and "recognition" not in read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (GOOD.replace("layers =", "layer ="), r"'layer'.*networks\[0\].*layers"),
        (GOOD.replace("network =", "netwrok ="), r"'netwrok'.*networks\[0\].*network"),
        ("sedes = [1]\n" + GOOD, "'sedes'.*seeds"),
        (GOOD + "[nul]\npairs = 3\n", "'nul'.*null"),
        (GOOD.replace('["conv1_2"]', "3"), r"3 for networks\[0\]\.layers; a list of names"),
        ('seeds = ["a"]\n' + GOOD, r"'a' for seeds\[0\]; a whole number from 0"),
        ("seeds = [0, 0]\n" + GOOD, "for seeds; a list of different"),
        ("batch_size = 0\n" + GOOD, "0 for batch_size; a whole number from 1"),
        (GOOD.replace('network = "vgg_19"\n', ""), r"lacks networks\[0\]\.network"),
        ("[stimuli]\ninputs = ['sounds']\n", "lacks networks"),
        (GOOD + "[evaluation]\nlayers = 'some'\n", "'some' for evaluation.layers; .*all"),
        (GOOD + "[recognition]\njudges = [{ netwrok = 'vgg_19' }]\n", r"'netwrok'.*judges\[0\].*network"),
        (GOOD + "[recognition]\njudges = [3]\n", r"3 for recognition\.judges\[0\]; a network"),
        (GOOD.replace("[[networks]]", "[networks]"), r"networks; a list of tables \[\[networks\]\]"),
        (GOOD.replace("inputs", "per_category = 3\n# inputs"), r"\[stimuli\].*inputs or data_set"),
        (GOOD + "[null]\nstimuli = ['a']\nfiles = ['b']\n", r"\[null\].*stimuli.*files"),
        ("seeds = [\n" + GOOD, "not TOML"),
    ],
)
def test_a_fault_is_named_by_its_place(tmp_path, text, named):
    with pytest.raises(ArgumentError, match=named) as refused:
        read(tmp_path, text)
    assert "mine.toml" in str(refused.value)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ArgumentError, match=r"none\.toml.*experiment new"):
        read_experiment_file(tmp_path / "none.toml")


def test_the_schema_is_one_and_says_of_every_key_what_is_expected():
    import jsonschema

    schema = experiment_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    keys = dict(_keys(schema))
    assert len(keys) > 30
    assert [
        key for key, each in keys.items() if "$ref" not in each and not {"title", "description"} <= each.keys()
    ] == []


def test_every_key_is_documented_in_the_section_of_its_table():
    sections = re.split(r"^`\[+(\w+)\]+`", (DOCS / "experiments.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    described = {"": sections[0], **dict(zip(sections[1::2], sections[2::2], strict=True))}
    tables = experiment_schema()["properties"]
    for table, each in tables.items():
        keys = each.get("items", each).get("properties", {})
        missing = [key for key in keys if f"`{key}`" not in described[table]] if keys else []
        assert not missing, f"docs/experiments.md does not describe {missing} of {table}"
        assert keys or f"`{table}`" in described[""]


def test_what_is_no_file_or_is_nested_without_end_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ArgumentError, match=r"pipe\.toml"):
        read_experiment_file(tmp_path / "pipe.toml")
    for text in ("seeds = " + "[" * 5000, "seeds = [" + "9" * 5000 + "]"):
        with pytest.raises(ArgumentError, match=r"mine\.toml"):
            read(tmp_path, text)


@pytest.mark.parametrize("document", ["experiments.md", "cluster.md"])
def test_files_in_documents_are_as_the_schema_says(tmp_path, document):
    blocks = re.findall(r"^```toml\n(.*?)^```", (DOCS / document).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert read(tmp_path, block)["networks"]


def _keys(part):
    """Give each key that a table can have, and what the schema says of it."""
    if isinstance(part, dict):
        yield from part.get("properties", {}).items()
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _keys(each)
