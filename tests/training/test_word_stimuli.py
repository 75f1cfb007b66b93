"""Stimuli for experiments: one clip of each word of a list, cut from recordings."""

import csv

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from tfmetamers.cli.main import tfmetamers
from tfmetamers.errors import ArgumentError, CorpusError
from tfmetamers.stimuli.word_lists import word_list


@pytest.fixture
def manifest(tmp_path):
    """Recordings of ramps, so that a sample says where it comes from; two clips of a word, one of another."""
    for name in ("ann", "bob"):
        soundfile.write(tmp_path / f"{name}.wav", np.linspace(0, 0.9, 4000), 1000, subtype="FLOAT")
    rows = ["file,start,word,speaker,split", "ann.wav,0.5,water,ann,test", "bob.wav,1.5,water,bob,test",
            "ann.wav,2.0,about,ann,test", "bob.wav,0.0,about,bob,train", "bob.wav,1.0,bridge,bob,train",
            "bob.wav,2.5,water,bob,train"]  # fmt: skip
    (tmp_path / "words.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "words.csv"


def run(*arguments):
    done = CliRunner().invoke(tfmetamers, ["corpus", "stimuli", *map(str, arguments)])
    if isinstance(done.exception, ArgumentError | CorpusError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_one_clip_of_each_word_is_cut(manifest, tmp_path):
    (tmp_path / "list.txt").write_text("about\nwater\nbridge\n")
    options = ["--words", tmp_path / "list.txt", "--seconds", 1, "--sampling-rate", 1000, "--output", tmp_path / "out"]
    assert "1 word of 3 have no clip there: bridge" in run(manifest, *options)
    with (tmp_path / "out" / "stimuli.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["label"] for row in rows] == ["about", "water"] == [row["id"] for row in rows]
    waveform, rate = soundfile.read(tmp_path / "out" / rows[0]["file"])
    assert (rate, len(waveform)) == (1000, 1000)
    np.testing.assert_allclose(waveform, np.linspace(0, 0.9, 4000)[2000:3000], atol=1e-4)


def test_the_draw_depends_on_the_seed_alone(manifest, tmp_path):
    speakers = {}
    for seed in range(8):
        for words in (["water"], ["about", "water"]):
            (tmp_path / "list.txt").write_text("\n".join(words))
            out = tmp_path / f"{seed}_{len(words)}"
            run(manifest, "--words", tmp_path / "list.txt", "--seed", seed, "--seconds", 1, "--output", out)
            rows = (out / "stimuli.csv").read_text().splitlines()
            speakers.setdefault(seed, set()).add(rows[-1].split(",")[-1])
    assert all(len(found) == 1 for found in speakers.values())
    assert len(set().union(*speakers.values())) == 2


def test_what_cannot_be_chosen_is_refused(manifest, tmp_path):
    with pytest.raises(ArgumentError, match=r"feather2018.*feather2019"):
        run(manifest, "--words", "feather2018", "--output", tmp_path / "out")
    with pytest.raises(CorpusError, match="validation"):
        run(manifest, "--split", "validation", "--output", tmp_path / "out")
    (tmp_path / "out").mkdir()
    with pytest.raises(ArgumentError, match="out exists already"):
        run(manifest, "--output", tmp_path / "out")


def test_the_words_of_the_paper_are_among_those_of_the_released_networks():
    from tfmetamers.networks.auditory.word_cnn import word_labels

    assert set(word_list("feather2019")) == set(word_list("kell2018")) & set(word_labels())
