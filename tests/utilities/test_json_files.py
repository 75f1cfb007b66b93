"""JSON that somebody altered is noticed, and whatever it is, reading it ends."""

import dataclasses
import json
from collections.abc import Mapping
from typing import TypedDict

import pytest

from tfmetamers.utilities.json_files import check_seal, other_format, parse_json, read_json, sealed, typed

CONTENT = {"name": "größe", "numbers": [1, 2.5, 1e-300, -1e300, 2**63], "nested": {"a": None, "b": [True, {}]}}


class TestReading:
    def test_what_was_written_comes_back(self, tmp_path):
        (tmp_path / "file.json").write_text(json.dumps(CONTENT), encoding="utf-8-sig")
        assert read_json(tmp_path / "file.json") == CONTENT

    @pytest.mark.parametrize("depth", [65, 1000, 100_000])
    def test_lists_nested_deeply(self, depth):
        with pytest.raises(ValueError, match="nested"):
            parse_json("[" * depth + "]" * depth)
        assert parse_json("[" * 60 + "]" * 60)

    @pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 30, "-" + "9" * 300, "9" * 10_000])
    def test_numbers_that_no_field_can_hold(self, number):
        with pytest.raises(ValueError):
            parse_json(f'{{"a": [{number}]}}')

    @pytest.mark.parametrize("text", ['["\\ud800"]', '{"\\ud800": 1}', b"\xff", b"", b'{"a": ', b"{'a': 1}"])
    def test_what_is_no_text_or_no_json(self, text):
        with pytest.raises(ValueError):
            parse_json(text)

    def test_a_file_that_is_much_too_large(self, tmp_path):
        with (tmp_path / "file.json").open("wb") as stream:
            stream.truncate(2**40)
        with pytest.raises(OSError, match="more than"):
            read_json(tmp_path / "file.json")


class TestTypes:
    @dataclasses.dataclass(frozen=True)
    class Part:
        name: str
        shape: tuple[int, ...]
        columns: Mapping[str, float | None]

    class Whole(TypedDict):
        part: "TestTypes.Part"

    def test_a_dataclass_is_made_of_lists_and_objects(self):
        part = typed({"name": "a", "shape": [1, 2], "columns": {"x": 1, "y": None}, "further": 3}, self.Part)
        assert part == self.Part("a", (1, 2), {"x": 1.0, "y": None})

    @pytest.mark.parametrize(
        ("change", "at_fault"),
        [
            ({"name": 3}, r"\$\.name"),
            ({"shape": "12"}, r"\$\.shape"),
            ({"shape": [1, 2.5]}, r"\$\.shape\[1\]"),
            ({"shape": [True]}, r"\$\.shape\[0\]"),
            ({"columns": {"x": "1"}}, r"\$\.columns"),
        ],
    )
    def test_where_a_part_has_another_type_is_said(self, change, at_fault):
        with pytest.raises(ValueError, match=at_fault):
            typed({"name": "a", "shape": [], "columns": {}} | change, self.Part)

    def test_a_part_that_is_missing_is_named(self):
        with pytest.raises(ValueError, match="shape"):
            typed({"name": "a", "columns": {}}, self.Part)


class TestSeal:
    def test_holds_however_the_file_is_laid_out(self):
        content = sealed(CONTENT)
        for options in ({}, {"indent": 2}, {"sort_keys": True, "ensure_ascii": False}):
            check_seal(json.loads(json.dumps(content, **options)))

    def test_any_single_bit_that_changes_the_content_breaks_it(self):
        """Of all bits of the file; some change nothing, as those of a space."""
        written = json.dumps(sealed(CONTENT)).encode()
        noticed = unchanged = 0
        for bit in range(8 * len(written)):
            changed = bytearray(written)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                content = parse_json(bytes(changed))
                check_seal(content)
            except (ValueError, AttributeError):
                noticed += 1
            else:
                assert content == sealed(CONTENT)
                unchanged += 1
        assert noticed > 100 * unchanged

    @pytest.mark.parametrize("change", [{"sha256": None}, {"sha256": "0" * 64}, {"name": "x"}, {"further": 1}])
    def test_breaks_with_the_hash_or_the_rest(self, change):
        with pytest.raises(ValueError, match="hash"):
            check_seal(sealed(CONTENT) | change)
        with pytest.raises(ValueError, match="hash"):
            check_seal(CONTENT)


def test_a_later_format_is_read_by_a_later_version():
    for found, remedy in ((4, "update tfmetamers"), (2, "make it again"), ("4", "make it again")):
        error = str(other_format("a.json", found, 3, "make it again"))
        assert "a.json" in error and repr(found) in error and error.endswith(f"; {remedy}.")
