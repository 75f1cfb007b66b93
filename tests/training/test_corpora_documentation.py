"""The programs and examples of docs/corpora.md, on distributions made up as their documentation describes them."""

import csv
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import soundfile

from tfmetamers.training.corpora import category_names, read_backgrounds, read_words
from tfmetamers.training.corpus_choices import SPLITS
from tfmetamers.training.word_alignments import read_alignments

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "corpora.md").read_text(encoding="utf-8")


def program(name):
    blocks = [
        textwrap.dedent(block)
        for block in re.findall(r"^ *```python\n(.*?)^ *```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    ]
    return next(block for block in blocks if block.startswith(f"# {name}:"))


def example(header):
    lines = [line.strip() for line in DOCUMENT.splitlines()]
    first = lines.index(header)
    return "\n".join(lines[first : lines.index("", first)])


def run(code, *arguments):
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True)


def test_the_manifests_are_read(tmp_path):
    (tmp_path / "words.csv").write_text(example("file,start,word,speaker,split"), encoding="utf-8")
    assert list(read_words(tmp_path / "words.csv", needed=SPLITS)["word"]) == ["water", "bridge", "water", "bridge"]
    (tmp_path / "backgrounds.csv").write_text(example("file,start,categories,split"), encoding="utf-8")
    assert category_names(read_backgrounds(tmp_path / "backgrounds.csv")) == ["Car", "Rain", "Speech"]


def test_labels_of_the_wall_street_journal_are_written(tmp_path):
    for name in ("wav/01a/01aa0101.wav", "wav/02b/02bc0202.wav"):
        (tmp_path / name).parent.mkdir(parents=True)
        soundfile.write(tmp_path / name, np.zeros(8), 16000)
    transcriptions = tmp_path / "wsj" / "si_tr_s" / "01a" / "01aa0100.dot"
    transcriptions.parent.mkdir(parents=True)
    transcriptions.write_text(
        "The *female* produces [door_slam] a litter\\, didn't she (01aa0101)\nOthers (01aa0102)\n", encoding="latin-1"
    )
    (tmp_path / "wsj" / "02BC0200.DOT").write_text("[lip_smack] <Dollars> ~ rose (02bc0202)\n", encoding="latin-1")
    run(program("wsj_labels.py"), tmp_path / "wsj", tmp_path / "wav")
    written = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "wav").rglob("*.lab")}
    assert written == {"01aa0101.lab": "The female produces a litter, didn't she", "02bc0202.lab": "Dollars rose"}


def test_alignments_of_the_spoken_wikipedia_are_written(tmp_path):
    token = '<t>{0}<n pronunciation="{0}" start="{1}" end="{2}"/></t>'
    texts = {
        "One": (
            ["audio.ogg"],
            [0.5],
            "user_name = Ann B \n",
            token.format("Hello", 1500, 1900) + "<t>,<n pronunciation=','/></t>",
        ),
        "Two": (
            ["audio1.ogg", "audio2.ogg"],
            [0, 60],
            "",
            token.format("one", 59000, 59400) + token.format("two", 61000, 61250),
        ),
        "Lost": (["audio.ogg"], [None], "", token.format("lost", 100, 200)),
    }
    for article, (_, offsets, described, tokens) in texts.items():
        folder = tmp_path / "swc" / article
        folder.mkdir(parents=True)
        files = [{} if offset is None else {"offset": offset} for offset in offsets]
        (folder / "info.json").write_text(json.dumps({"audio_files": files}), encoding="utf-8")
        (folder / "audiometa.txt").write_text(described, encoding="utf-8")
        text = f"<article><d><section><p><s>{tokens}</s></p></section></d></article>"
        (folder / "aligned.swc").write_text(text, encoding="utf-8")
    run(program("swc_alignments.py"), tmp_path / "swc", tmp_path / "swc.csv")
    with (tmp_path / "swc.csv").open(newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream))[1:] == [
            ["One/audio.ogg", "1.0", "1.4", "Hello", "Ann B"],
            ["Two/audio1.ogg", "59.0", "59.4", "one", "Two"],
            ["Two/audio2.ogg", "1.0", "1.25", "two", "Two"],
        ]
    assert len(read_alignments(tmp_path / "swc.csv")) == 3
