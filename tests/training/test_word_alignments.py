"""Word alignments in CSV, TextGrid and CTM, whole and damaged."""

import numpy as np
import pytest
from praatio import textgrid

from tfmetamers.errors import ArgumentError, CorpusError
from tfmetamers.training.corpus_choices import FORMATS
from tfmetamers.training.word_alignments import read_alignments

CSV = "file,start,end,word,speaker\nann/a.wav,0.5,0.9,One,ann\nann/a.wav,1.0,1.4,two,\n"
CTM = ";; made up\n\na 1 0.5 0.4 One 0.98\na 1 1.0 0.4 two\nb A 0.25 0.5 ONE\nb B 0.30 0.5 two -6.7 lex\n"


def save_grid(path, tiers, length=3.0, form="long_textgrid"):
    grid = textgrid.Textgrid(0, length)
    for name, entries in tiers.items():
        grid.addTier(textgrid.IntervalTier(name, entries, 0, length))
    path.parent.mkdir(parents=True, exist_ok=True)
    grid.save(str(path), form, includeBlankSpaces=True)
    return path


def rows(alignments):
    return [(*row[:1], round(row[1], 6), round(row[2], 6), *row[3:]) for row in alignments.itertuples(index=False)]


def test_csv_is_read(tmp_path):
    (tmp_path / "words.csv").write_text(CSV, encoding="utf-8")
    expected = [("ann/a.wav", 0.5, 0.9, "One", "ann"), ("ann/a.wav", 1.0, 1.4, "two", "")]
    assert rows(read_alignments(tmp_path / "words.csv")) == expected
    (tmp_path / "words.txt").write_text(CSV.replace(",speaker", "").replace(",ann\n", "\n").replace(",\n", "\n"))
    read = read_alignments(tmp_path / "words.txt", "csv")
    assert list(read["speaker"]) == ["", ""] and list(read["word"]) == ["One", "two"]


def test_ctm_is_read_and_channels_of_one_recording_are_speakers(tmp_path):
    (tmp_path / "words.ctm").write_text(CTM, encoding="utf-8")
    assert rows(read_alignments(tmp_path / "words.ctm")) == [
        ("a", 0.5, 0.9, "One", ""),
        ("a", 1.0, 1.4, "two", ""),
        ("b", 0.25, 0.75, "ONE", "b-A"),
        ("b", 0.3, 0.8, "two", "b-B"),
    ]


@pytest.mark.parametrize(("form", "encoding"), [("long_textgrid", "utf-8-sig"), ("short_textgrid", "utf-16")])
def test_grids_are_read_in_every_form_of_praat(tmp_path, form, encoding):
    entries = [(0.5, 0.9, 'Oné "x"'), (1.0, 1.4, "two")]
    path = save_grid(tmp_path / "ann" / "a.TextGrid", {"words": entries, "phones": [(0.5, 0.6, "w")]}, form=form)
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    expected = [("ann/a", 0.5, 0.9, 'Oné "x"', ""), ("ann/a", 1.0, 1.4, "two", "")]
    assert rows(read_alignments(tmp_path)) == expected
    assert rows(read_alignments(path)) == [("a", *row[1:]) for row in expected]


def test_tiers_of_several_speakers_are_read(tmp_path):
    tiers = {
        "ann b - words": [(0.5, 0.9, "one")],
        "ann b - phones": [(0.5, 0.6, "w")],
        "bob - words": [(0.6, 1.0, "two")],
    }
    path = save_grid(tmp_path / "a.TextGrid", tiers)
    assert rows(read_alignments(path)) == [("a", 0.5, 0.9, "one", "ann b"), ("a", 0.6, 1.0, "two", "bob")]


def test_folders_are_read_in_order_and_only_one_format(tmp_path):
    for name in ("b", "a", "sub/c"):
        save_grid(tmp_path / f"{name}.TextGrid", {"words": [(0.5, 0.9, name[-1])]})
    seen = []

    def progress(files):
        seen.extend(files)
        return files

    assert list(read_alignments(tmp_path, progress=progress)["word"]) == ["a", "b", "c"]
    assert len(seen) == 3
    (tmp_path / "sub" / "._c.TextGrid").write_bytes(b"\x00\x05\x16\x07")
    assert list(read_alignments(tmp_path)["word"]) == ["a", "b", "c"]
    (tmp_path / "alignment_analysis.csv").write_text("file,begin\nx,0\n")
    with pytest.raises(CorpusError, match="csv, textgrid"):
        read_alignments(tmp_path)
    assert list(read_alignments(tmp_path, "textgrid")["word"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.csv", CSV.replace("1.4", "1.0"), "line 3: 1 to 1 s"),
        ("a.csv", CSV.replace("One,ann", "ann"), "line 2: 4 cells"),
        ("a.ctm", CTM + "a 1 2.0 0.1\n", "line 7: 'a 1 2.0 0.1'"),
        ("a.ctm", CTM + "a 1 * * <ALT_BEGIN>\n", "line 7: <ALT_BEGIN>"),
        ("a.ctm", ";; nothing\n", "words"),
        ("a.TextGrid", "", "TextGrid"),
        ("a.txt", CTM, ".csv, .textgrid, .ctm"),
    ],
)
def test_unusable_files_are_refused(tmp_path, name, text, fault):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError) as error:
        read_alignments(tmp_path / name)
    assert fault in str(error.value) and name in str(error.value)


def test_grids_without_words_are_refused(tmp_path):
    path = save_grid(tmp_path / "a.TextGrid", {"phones": [(0.5, 0.6, "w")], "keywords": [(0.5, 0.6, "w")]})
    with pytest.raises(CorpusError, match=r"a\.TextGrid .*'phones', 'keywords'"):
        read_alignments(path)
    path = save_grid(tmp_path / "a.TextGrid", {"words": [(0, 3, " ")]})
    with pytest.raises(CorpusError, match=r"a\.TextGrid"):
        read_alignments(path)


def test_words_that_overlap_are_refused_in_one_line(tmp_path):
    path = save_grid(tmp_path / "a.TextGrid", {"words": [(0.5, 0.9, "one"), (1.0, 1.4, "two")]})
    path.write_text(path.read_text(encoding="utf-8").replace("xmax = 0.9", "xmax = 1.2"), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.TextGrid .*overlap") as error:
        read_alignments(path)
    assert "\n" not in str(error.value)


def test_damaged_grids_are_read_as_they_were_or_refused(tmp_path):
    """Cut anywhere, a file of words only has no tier, or a tier that its intervals do not fill, or is whole."""
    entries = [(number / 10, number / 10 + 0.05, f"word{number}") for number in range(1, 20)]
    path = save_grid(tmp_path / "a.TextGrid", {"words": entries})
    whole = path.read_bytes()
    expected = rows(read_alignments(path))
    for length in range(0, len(whole), 17):
        path.write_bytes(whole[:length])
        try:
            assert rows(read_alignments(path)) == expected
        except CorpusError:
            continue
    generator = np.random.default_rng(0)
    for _ in range(60):
        altered = bytearray(whole)
        altered[generator.integers(len(altered))] = generator.integers(256)
        path.write_bytes(bytes(altered))
        try:
            read_alignments(path)
        except CorpusError:
            continue


def test_what_does_not_exist_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="missing"):
        read_alignments(tmp_path / "missing")
    with pytest.raises(CorpusError, match=r"\.csv, \.textgrid, \.ctm"):
        read_alignments(tmp_path)
    with pytest.raises(ArgumentError, match="xml"):
        read_alignments(tmp_path, "xml")
    (tmp_path / "sound").write_bytes(b"RIFF\xff\xfe\x00")
    for name in FORMATS:
        with pytest.raises(CorpusError, match="sound"):
            read_alignments(tmp_path / "sound", name)
