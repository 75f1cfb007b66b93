"""Published numbers are read from one place, and stand in no other."""

import re

import pandas as pd
import pytest

from tests.golden import GOLDEN
from tfmetamers.errors import ArgumentError
from tfmetamers.published import find_published, published_tables

ROOT = GOLDEN.parents[1]


def test_each_table_has_a_source_and_numbers():
    for table in published_tables():
        assert table.source and table.reading and table.about
        assert find_published(table.name).read().select_dtypes("number").notna().any().all()


def test_layers_are_those_of_the_networks_here():
    from tfmetamers.networks import NetworkSpec

    recognition = find_published("recognition_2019").read()
    for network, rows in recognition.groupby("network"):
        spec = NetworkSpec.parse(network)
        outline = spec.network_family.outline(spec)
        if outline is not None:
            assert set(rows["layer"]) - {"natural"} <= set(outline.layers), network


def test_no_published_number_stands_elsewhere():
    """Numbers of five digits or more, which nothing else has by chance."""
    numbers = {
        re.escape(f"{number:.10g}")
        for table in published_tables()
        for number in pd.to_numeric(table.read().select_dtypes("number").stack())
        if len(f"{number:.10g}".replace(".", "")) >= 5 and number % 1000
    }
    assert len(numbers) > 10
    pattern = re.compile(rf"(?<![\d.])(?:{'|'.join(numbers)})(?:\.0+)?(?![\d.])")
    for folder in ("tfmetamers", "cli", "checkpoints", "reproduce"):
        for path in (ROOT / folder).rglob("*.py"):
            found = pattern.search(path.read_text(encoding="utf-8").replace("_", ""))
            assert found is None, (path, found)


def test_a_table_that_is_not_there_lists_near_ones():
    with pytest.raises(ArgumentError, match="losses_2019"):
        find_published("losses_2018")
