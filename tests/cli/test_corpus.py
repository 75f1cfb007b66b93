"""`tfmetamers corpus` as a user runs it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tfmetamers.cli import main as command_line
from tfmetamers.training.corpora import check_recordings, read_backgrounds, read_words
from tfmetamers.training.corpus_choices import SPLITS


@pytest.fixture
def corpus(capsys):
    """Run a command of the group and return its status, output and errors."""

    def run(*arguments):
        return command_line.run(["corpus", *map(str, arguments)]), *capsys.readouterr()

    return run


@pytest.fixture
def spoken(tmp_path):
    """Options for six speakers who say three words in turn, a second apart, aligned in CTM."""
    lines = []
    for speaker in "abcdef":
        path = tmp_path / "recordings" / f"speaker_{speaker}" / f"{speaker}1.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, np.zeros(8000 * 20), 8000)
        lines += [f"{speaker}1 1 {second} 0.4 {('ONE', 'two,', '<unk>', 'three')[second % 4]}" for second in range(20)]
    (tmp_path / "aligned.ctm").write_text("\n".join(lines), encoding="utf-8")
    return ["--alignments", tmp_path / "aligned.ctm", "--recordings", tmp_path / "recordings"]


@pytest.fixture
def sounds(tmp_path):
    """Options for twelve sounds of AudioSet."""
    lists = {"balanced_train_segments.csv": range(9), "eval_segments.csv": range(9, 13)}
    for name, numbers in lists.items():
        lines = [f'video____{number:02d}, 30.000, 40.000, "/m/a,/m/b"' for number in numbers]
        (tmp_path / name).write_text("# YTID, start_seconds\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "sounds").mkdir()
    for number in range(12):
        soundfile.write(tmp_path / "sounds" / f"Yvideo____{number:02d}.wav", np.zeros(10_000), 1000)
    (tmp_path / "labels.csv").write_text(
        'index,mid,display_name\n0,/m/a,Car\n1,/m/b,"Bell, church"\n', encoding="utf-8"
    )
    options = [option for name in lists for option in ("--segments", tmp_path / name)]
    return [*options, "--sounds", tmp_path / "sounds", "--labels", tmp_path / "labels.csv"]


def table(output, header):
    """Return the rows of a printed table."""
    lines = output[output.index(f"\n{header}") + 1 :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.split("  ") if cell] for line in lines]


def test_words(corpus, spoken, tmp_path):
    manifest = tmp_path / "words.csv"
    status, output, errors = corpus("words", *spoken, "--output", manifest, "--split-by", "speaker", "--test", 0.3)
    assert status == 0, errors
    assert "120 words in 6 recordings" in output and f"Wrote {manifest}." in output
    dropped = table(output, "dropped")
    assert dropped[0][0] == "30" and dropped[0][2:] == ["0", "0", "'<unk>' at 2 s in a1"]
    assert [row[0] for row in dropped] == ["30", "6", "6"]
    assert table(output, "kept") == [
        ["train", "39", "3", "3"],
        ["validation", "13", "3", "1"],
        ["test", "26", "3", "2"],
        ["all", "78", "3", "6"],
    ]
    words = read_words(manifest, needed=SPLITS)
    assert set(words["word"]) == {"one", "two", "three"} and set(words["speaker"]) == {f"speaker_{s}" for s in "abcdef"}
    check_recordings(words, 2.0)
    assert (
        manifest.read_text(encoding="utf-8")
        .splitlines()[1]
        .startswith("recordings/speaker_a/a1.wav,0.2,two,speaker_a,")
    )


def test_backgrounds(corpus, sounds, tmp_path):
    manifest = tmp_path / "backgrounds.csv"
    status, output, errors = corpus("backgrounds", *sounds, "--output", manifest, "--validation", 0.3)
    assert status == 0, errors
    assert "13 segments in 2 lists" in output and f"Wrote {manifest}." in output
    assert table(output, "dropped") == [["1", "without a sound", "video____12 of eval_segments.csv"]]
    assert table(output, "kept") == [
        ["train", "6", "2"],
        ["validation", "3", "2"],
        ["test", "3", "2"],
        ["all", "12", "2"],
    ]
    backgrounds = read_backgrounds(manifest, needed=SPLITS)
    assert set(backgrounds["categories"]) == {"Bell, church;Car"}
    check_recordings(backgrounds, 10.0)


def test_short_recordings_are_padded_where_that_is_asked_for(corpus, tmp_path):
    """Each recording is one word, with a clip of two seconds around it."""
    (tmp_path / "recordings").mkdir()
    lines = []
    for number in range(12):
        soundfile.write(tmp_path / f"recordings/{number}.wav", np.full(4000, 0.1), 8000)
        lines.append(f"{number} 1 0.1 0.3 {'one' if number % 2 else 'two'}")
    (tmp_path / "aligned.ctm").write_text("\n".join(lines), encoding="utf-8")
    words = ["words", "--alignments", tmp_path / "aligned.ctm", "--recordings", tmp_path / "recordings"]
    words += ["--output", tmp_path / "words.csv", "--test", 0.3, "--validation", 0.3]
    status, _, errors = corpus(*words)
    assert (status, "--pad" in errors, (tmp_path / "words.csv").exists()) == (1, True, False)
    status, output, _ = corpus(*words, "--pad", "--json")
    assert status == 0
    assert [row["clips"] for row in json.loads(output)][-1] == 12
    manifest = read_words(tmp_path / "words.csv", needed=SPLITS)
    assert set(manifest["start"]) == {-0.75} and manifest["pad"].all()
    check_recordings(manifest, 2.0)


@pytest.mark.parametrize(
    ("options", "status", "fault"),
    [
        (["--recordings", "missing"], 2, "--recordings"),
        (["--seconds", "nan"], 2, "seconds"),
        (["--min-clips", "100"], 1, "100 clips"),
        (["--test", "0.6", "--validation", "0.5"], 2, "validation and test"),
    ],
)
def test_unusable_options_for_words_write_nothing(corpus, spoken, tmp_path, options, status, fault):
    returned, _, errors = corpus("words", *spoken, "--output", tmp_path / "words.csv", *options)
    assert returned == status and fault in errors and "Traceback" not in errors
    assert not (tmp_path / "words.csv").exists()


@pytest.mark.parametrize(
    ("options", "status", "fault"),
    [
        (["--segments", "labels.csv"], 2, "labels.csv"),
        (["--labels", "eval_segments.csv"], 1, "eval_segments.csv"),
        (["--seconds", "11"], 1, "1 clip without a sound; 12 clips"),
    ],
)
def test_unusable_options_for_backgrounds_write_nothing(corpus, sounds, tmp_path, options, status, fault, monkeypatch):
    monkeypatch.chdir(tmp_path)
    returned, _, errors = corpus("backgrounds", *sounds, "--output", "backgrounds.csv", *options)
    assert returned == status and fault in errors and "Traceback" not in errors
    assert not (tmp_path / "backgrounds.csv").exists()


def test_what_is_read_is_not_overwritten(corpus, spoken, sounds, tmp_path):
    commands = {"words": (spoken, ["aligned.ctm"]), "backgrounds": (sounds, ["eval_segments.csv", "labels.csv"])}
    for command, (options, names) in commands.items():
        for name in names:
            before = (tmp_path / name).read_bytes()
            status, _, errors = corpus(command, *options, "--output", tmp_path / "sounds" / ".." / name)
            assert status == 2 and "--output" in errors and name in errors
            assert (tmp_path / name).read_bytes() == before


def test_output_that_cannot_be_written_is_refused(corpus, spoken, tmp_path):
    (tmp_path / "file").touch()
    status, _, errors = corpus("words", *spoken, "--output", tmp_path / "file" / "words.csv")
    assert status == 1 and "words.csv" in errors
    assert corpus("words", *spoken, "--output", tmp_path)[0] == 2


def test_help_imports_nothing_heavy():
    code = """
import sys
from tfmetamers.cli.main import run
assert run(["corpus", "words", "--help"]) == 0
print([name for name in ("tensorflow", "scipy", "pandas", "praatio", "numpy") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.splitlines()[-1] == "[]"
