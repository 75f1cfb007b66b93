"""The words that participants choose from, and what they read."""

import pytest

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.people.texts import read_texts, template, write_template
from tfmetamers.people.vocabulary import choose_vocabulary


class TestVocabulary:
    def test_the_protocols_words(self):
        assert len(choose_vocabulary("kell2018", None, [], ["human"]).words) == 587
        assert len(choose_vocabulary("feather2023", None, [], ["human"]).words) == 793

    def test_networks_that_know_fewer_words_have_theirs_and_the_class_of_no_word_is_none(self):
        known = [["__nullSignal__", "human", "bird"], ["bird", "human", "zero"], ["music", "speech"]]
        chosen = choose_vocabulary("kell2018", None, known, ["human"])
        assert chosen.words == ("bird", "human", "zero") and "3 words" in chosen.source

    def test_a_file_takes_precedence(self, tmp_path):
        file = tmp_path / "words.txt"
        file.write_text("zero\n\n human \n")
        assert choose_vocabulary("kell2018", file, [["human"]], ["human"]).words == ("human", "zero")

    @pytest.mark.parametrize(
        ("text", "fault"), [("human\nbird\nhuman\n", "human"), ("\n", "no word"), ("bird\n", "human")]
    )
    def test_a_file_with_a_word_twice_or_without_a_needed_one_is_refused(self, tmp_path, text, fault):
        file = tmp_path / "words.txt"
        file.write_text(text)
        with pytest.raises(ArgumentError, match=fault):
            choose_vocabulary("kell2018", file, [], ["human"])


class TestTexts:
    def test_the_template_is_read_and_its_blanks_are_known(self):
        texts = read_texts(None)
        assert texts.language == "en" and "[institution]" in texts.blanks

    def test_the_template_is_written_once(self, tmp_path):
        write_template(tmp_path / "texts.toml")
        assert read_texts(tmp_path / "texts.toml") == read_texts(None)
        with pytest.raises(ResultError, match=r"texts\.toml"):
            write_template(tmp_path / "texts.toml")

    @pytest.mark.parametrize(
        "change", [("consent", "consents"), ('title = "Recognition study"', "title = 3"), ("=", "")]
    )
    def test_other_texts_are_refused(self, tmp_path, change):
        (tmp_path / "texts.toml").write_text(template().replace(*change))
        with pytest.raises(ArgumentError, match=r"texts\.toml"):
            read_texts(tmp_path / "texts.toml")
