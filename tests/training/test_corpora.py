"""Manifests of words and backgrounds: what is read, what is refused and where, and what a million rows cost."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tfmetamers.errors import CorpusError, ResultError
from tfmetamers.training.corpora import (
    SPLITS,
    category_names,
    check_recordings,
    read_backgrounds,
    read_words,
    write_manifest,
)

HEADER = "file,start,word,speaker,split\n"
WORDS = HEADER + "a.wav,0,one,ann,train\na.wav,1.5,two,ann,train\nb.wav,0.25,one,bob,validation\nc.wav,0,two,,test\n"


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest and return its path."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "manifest.csv"
        path.write_text(text, encoding=encoding, newline="")
        return path

    return write


def save(path, seconds=3.0, rate=8000):
    soundfile.write(path, np.zeros(round(seconds * rate)), rate)


def test_words_are_read(manifest, tmp_path):
    words = read_words(manifest(WORDS), needed=SPLITS)
    assert list(words["file"]) == [str(tmp_path / name) for name in ("a.wav", "a.wav", "b.wav", "c.wav")]
    assert words["start"].dtype == np.float64 and list(words["start"]) == [0, 1.5, 0.25, 0]
    assert list(words["word"]) == ["one", "two", "one", "two"]
    assert list(words["speaker"]) == ["ann", "ann", "bob", ""]
    assert list(words["split"]) == ["train", "train", "validation", "test"]
    assert list(words["split"].cat.categories) == list(SPLITS)
    assert list(words.index) == [2, 3, 4, 5]


def test_words_that_look_like_missing_values_are_words(manifest):
    text = HEADER + "a.wav,0,null,NA,train\na.wav,1,nan,None,train\nb.wav,0,nan,,test\n"
    words = read_words(manifest(text))
    assert list(words["word"]) == ["null", "nan", "nan"] and list(words["speaker"]) == ["NA", "None", ""]


def test_other_columns_order_space_empty_lines_and_byte_order_marks_do_not_matter(manifest, tmp_path):
    text = 'split, word,note,start ,speaker,file\r\n\r\ntrain, one,"two\nlines",0,ann,/x/a.wav\r\n'
    text += "train,two,,1,ann,sub/../a.wav\r\ntest ,one,,2,ann,a.wav\r\n"
    words = read_words(manifest(text, "utf-8-sig"))
    assert list(words.columns) == ["file", "start", "word", "speaker", "split", "pad"] and not words["pad"].any()
    assert list(words["file"]) == ["/x/a.wav", str(tmp_path / "a.wav"), str(tmp_path / "a.wav")]
    assert list(words["word"]) == ["one", "two", "one"] and list(words["split"]) == ["train", "train", "test"]
    assert list(words.index) == [4, 5, 6]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("file,start,word,speaker\na.wav,0,one,ann\n", "split"),
        ("file,start,word,speaker,split,word\na,0,one,ann,train,one\n", "word"),
        (WORDS + "a.wav,0,one\n", "line 6: 3 cells"),
        (WORDS + "a.wav,0,one,ann,train,\n", "line 6: 6 cells"),
        (WORDS.replace("1.5", "soon"), "line 3: 'soon'"),
        (WORDS.replace("1.5", "nan"), "line 3: 'nan'"),
        (WORDS.replace("one,bob", ",bob"), "word is empty (line 4"),
        (WORDS.replace(",test", ",Test"), "line 5: 'Test'"),
        (WORDS + "x/../a.wav,0.0,one,ann,train\n", "line 6: 0 s in "),
        (WORDS + "a.wav,2,three,ann,test\n", "line 6: 'three' in test"),
        (WORDS.replace("two", "one"), "1 word "),
        (WORDS.replace("validation", "train").replace("test", "train"), "validation or test"),
        (WORDS + '"a.wav,0,one,ann,train\n', "CSV"),
    ],
)
def test_unusable_manifests_are_refused_and_the_line_is_named(manifest, text, fault):
    with pytest.raises(CorpusError) as error:
        read_words(manifest(text), needed=SPLITS)
    assert fault in str(error.value) and "manifest.csv" in str(error.value)


def test_at_most_three_rows_are_shown_and_all_are_counted(manifest):
    text = HEADER + "".join(f"a.wav,{-row},one,ann,train\n" for row in range(1, 1001))
    with pytest.raises(CorpusError, match=r"1,000 rows .*\(line 2: '-1'; line 3: '-2'; line 4: '-3'\)"):
        read_words(manifest(text))


def test_lines_are_those_of_an_editor(manifest):
    text = 'note,file,start,word,speaker,split\n"a\nb",a.wav,0,one,ann,train\n\n\nx,a.wav,never,two,ann,train\n'
    with pytest.raises(CorpusError, match="line 6: 'never'"):
        read_words(manifest(text))


def test_files_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "latin.csv").write_bytes(WORDS.replace("one", "été").encode("latin-1"))
    for path in (tmp_path / "latin.csv", tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(CorpusError, match=str(path)):
            read_words(path)


def test_backgrounds_are_read_with_and_without_start_and_split(manifest):
    backgrounds = read_backgrounds(manifest("file,categories\na.wav,rain; wind;rain\nb.wav,hum\n"))
    assert list(backgrounds["categories"]) == ["rain;wind", "hum"]
    assert list(backgrounds["start"]) == [0, 0] and list(backgrounds["split"]) == ["train", "train"]
    assert category_names(backgrounds) == ["hum", "rain", "wind"]
    text = "file,categories,start,split\na.wav,rain,1.5,train\na.wav,hum,3,train\na.wav,hum;rain,5,test\n"
    backgrounds = read_backgrounds(manifest(text), needed=("train", "test"))
    assert list(backgrounds.columns) == ["file", "start", "categories", "split"]
    assert list(backgrounds["start"]) == [1.5, 3, 5] and list(backgrounds["split"]) == ["train", "train", "test"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("file\na.wav\n", "categories"),
        ("file,categories\na.wav, ;\nb.wav,hum\n", "categories is empty (line 2"),
        ("file,categories\na.wav,hum\nb.wav,hum\n", "'hum'"),
        ("file,categories\na.wav,hum\na.wav,rain\n", "line 3"),
        ("file,categories,split\na.wav,hum;rain,train\nb.wav,wind;hum,test\n", "line 3: 'hum;wind' in test"),
    ],
)
def test_unusable_backgrounds_are_refused(manifest, text, fault):
    with pytest.raises(CorpusError) as error:
        read_backgrounds(manifest(text))
    assert fault in str(error.value) and "manifest.csv" in str(error.value)


def test_recordings_are_checked(manifest, tmp_path):
    words = read_words(manifest(WORDS), needed=SPLITS)
    for name in ("a.wav", "b.wav", "c.wav"):
        save(tmp_path / name, seconds=3.5)
    check_recordings(words, 2.0)
    save(tmp_path / "a.wav", seconds=3.5 - 1 / 8000)
    check_recordings(words, 2.0)
    save(tmp_path / "a.wav", seconds=3.5 - 2 / 8000)
    with pytest.raises(CorpusError, match=r"1 row .*\(line 3: from 1.5 s in \S+a\.wav"):
        check_recordings(words, 2.0)
    (tmp_path / "a.wav").write_bytes(b"RIFF no sound")
    (tmp_path / "b.wav").unlink()
    (tmp_path / "c.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"3 rows .*line 2: .*a\.wav.*; line 4: .*b\.wav.*; line 5: .*c\.wav"):
        check_recordings(words, 2.0)
    check_recordings(words[:0], 2.0)


def test_clips_that_are_padded_may_reach_beyond_their_recording_but_not_miss_it(manifest, tmp_path):
    header, rest = HEADER.replace("\n", ",pad\n"), "a.wav,0,one,ann,train,\na.wav,0.5,two,ann,train,no\n"
    save(tmp_path / "a.wav", seconds=2.5)
    words = read_words(manifest(header + rest + "a.wav,-1.5,one,ann,test,yes\na.wav,2.25,two,ann,test,yes\n"))
    assert words["pad"].tolist() == [False, False, True, True] and list(words["start"]) == [0, 0.5, -1.5, 2.25]
    check_recordings(words, 2.0)
    write_manifest(words, tmp_path / "again.csv")
    assert read_words(tmp_path / "again.csv").equals(words)
    for row, fault in (
        ("a.wav,-1.5,one,ann,test,", "line 4: '-1.5'"),
        ("a.wav,-1.5,one,ann,test,no", "line 4: '-1.5'"),
        ("a.wav,-1.5,one,ann,test,maybe", r"pad is not yes or no \(line 4: 'maybe'"),
        ("a.wav,nan,one,ann,test,yes", "line 4: 'nan'"),
    ):
        with pytest.raises(CorpusError, match=fault):
            read_words(manifest(f"{header}{rest}{row}\n"))
    for start in (-2, 2.6):
        outside = read_words(manifest(f"{header}{rest}a.wav,{start},one,ann,test,yes\n"))
        with pytest.raises(CorpusError, match=r"nothing of its recording \(line 4"):
            check_recordings(outside, 2.0)


def test_manifests_are_written_and_read_again(manifest, tmp_path):
    text = HEADER + 'sub/a.wav,0.1,"one, two",ann,train\n/x/b.wav,0.30000000000000004,été,ann,train\n'
    words = read_words(manifest(text + "b.wav,1,été,,test\n"))
    write_manifest(words, tmp_path / "sub" / "again.csv")
    lines = (tmp_path / "sub" / "again.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("a.wav,") and lines[2].startswith("/x/b.wav,")
    assert lines[3].startswith(f"{tmp_path / 'b.wav'},")
    assert read_words(tmp_path / "sub" / "again.csv").equals(words)
    backgrounds = read_backgrounds(manifest("file,start,categories\na.wav,0.5,rain;wind\nb.wav,0,hum\n"))
    write_manifest(backgrounds, tmp_path / "again.csv")
    assert read_backgrounds(tmp_path / "again.csv").equals(backgrounds)
    (tmp_path / "file").touch()
    with pytest.raises(ResultError, match=r"again\.csv"):
        write_manifest(words, tmp_path / "file" / "again.csv")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peak memory is read from /proc")
def test_a_million_rows_take_seconds_and_less_than_a_gigabyte(tmp_path):
    """Processor time and the peak of memory, in a process of its own; every file is another one."""
    with (tmp_path / "manifest.csv").open("w", encoding="utf-8") as stream:
        stream.write(HEADER)
        for row in range(1_000_000):
            split = ("test", "validation", *["train"] * 8)[row // 800 % 10]
            stream.write(
                f"speaker_{row % 400}/recording_{row}.flac,{row * 1e-3:.3f},word{row % 800},{row % 400},{split}\n"
            )
    code = f"""
import time
from pathlib import Path
from tfmetamers.training.corpora import read_words
from tfmetamers.training.corpus_choices import SPLITS
began = time.process_time()
words = read_words({str(tmp_path / "manifest.csv")!r}, needed=SPLITS)
seconds = time.process_time() - began
# Of this process alone; getrusage would begin with the memory of the one that started it.
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(len(words), seconds, int(peak.split()[1]) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows, seconds, megabytes = map(float, done.stdout.split())
    assert rows == 1_000_000 and seconds < 10 and megabytes < 1000
