"""What stimuli truly are, told in a file of its own."""

import pytest

from tests.metamers.examples import a_record
from tfmetamers.errors import StimulusError
from tfmetamers.recognition import read_truth
from tfmetamers.recognition.truth import Truth


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_it_is_told_by_the_ids_of_results(tmp_path):
    file = written(tmp_path / "truth.csv", "id,file,label,category\ndog/1,x.png,beagle,dog\n犬,,,dog\nNA,,007,\n")
    assert read_truth(file) == {
        "dog/1": Truth("beagle", "dog"),
        "犬": Truth(None, "dog"),
        "NA": Truth("007", None),
    }
    assert read_truth(written(tmp_path / "labels.csv", "\ufeffid,label\na,b\na,b\n")) == {"a": Truth("b")}


def test_what_is_not_told_stays_as_it_was_recorded():
    stimulus = a_record().stimulus
    told = Truth(label="terrier").apply_to(stimulus)
    assert (told.label, told.category, told.id) == ("terrier", stimulus.category, stimulus.id)


@pytest.mark.parametrize(
    ("text", "at_fault"),
    [
        ("", "truth.csv"),
        ("id,file\na,b\n", "id, file"),
        ("label,category\na,b\n", "label, category"),
        ("id,label\na,b\na,c\n", "'a'"),
        ("id,label\na,b\nb,c,d\n", "line 3"),
        ("id,label\na,b,c\n", "header"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, text, at_fault):
    with pytest.raises(StimulusError, match=at_fault) as refused:
        read_truth(written(tmp_path / "truth.csv", text))
    assert "\n" not in str(refused.value)


def test_a_file_that_is_missing_or_not_text_is_named(tmp_path):
    with pytest.raises(StimulusError, match=r"none\.csv"):
        read_truth(tmp_path / "none.csv")
    with pytest.raises(StimulusError, match=r"truth\.csv"):
        read_truth(written(tmp_path / "truth.csv", "id,label\na,ä\n", "latin-1"))
