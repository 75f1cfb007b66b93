"""Backgrounds from AudioSet's lists, with sounds named as downloaders name them."""

import json

import numpy as np
import pytest
import soundfile

from tfmetamers.errors import ArgumentError, CorpusError
from tfmetamers.training.audioset import (
    SOUND_NAME,
    BackgroundSettings,
    gather_backgrounds,
    read_labels,
    read_segments,
    summarize_backgrounds,
)
from tfmetamers.training.corpora import check_recordings, read_backgrounds, write_manifest
from tfmetamers.training.corpus_choices import SPLITS

#: As the head of the published lists is.
HEAD = """# Segments csv created Sun Mar  5 10:54:25 2017
# num_ytids=20371, num_segs=20371, num_unique_labels=527, num_positive_labels=51804
# YTID, start_seconds, end_seconds, positive_labels
"""
NAMES = {"/m/03v3yw": "Keys jangling", "/m/0k4j": "Car", "/m/05zppz": "Male speech, man speaking"}
LABELS = "index,mid,display_name\n" + "".join(f'{row},{mid},"{NAMES[mid]}"\n' for row, mid in enumerate(NAMES))


def save(path, seconds=10.0, rate=1000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(seconds * rate)), rate)


def line(video, labels="/m/03v3yw,/m/0k4j", start=30.0):
    return f'{video}, {start:.3f}, {start + 10:.3f}, "{labels}"\n'


def lists(folder, train, evaluation):
    (folder / "balanced_train_segments.csv").write_text(HEAD + "".join(train), encoding="utf-8")
    (folder / "eval_segments.csv").write_text(HEAD + "".join(evaluation), encoding="utf-8")
    return read_segments([folder / "balanced_train_segments.csv", folder / "eval_segments.csv"])


@pytest.fixture
def corpus(tmp_path):
    """Ten segments for training and two for the test, with all of their sounds."""
    train, test = [f"train-vid_{number}" for number in range(10)], ["-eval-vid_0", "_eval-vid_1"]
    for name in train + test:
        save(tmp_path / "sounds" / f"{name}.wav")
    return lists(tmp_path, map(line, train), map(line, test)), tmp_path / "sounds"


def test_the_published_example_is_read(tmp_path):
    text = HEAD + '-0RWZT-miFs, 420.000, 430.000, "/m/03v3yw,/m/0k4j"\n--aE2O5G5WE, 0.000, 8.500, "/m/03fwl"\n'
    (tmp_path / "Eval_Segments.csv").write_text(text, encoding="utf-8")
    segments = read_segments([tmp_path / "Eval_Segments.csv"])
    assert list(segments["id"]) == ["-0RWZT-miFs", "--aE2O5G5WE"]
    assert list(segments["begin"]) == [420, 0] and list(segments["end"]) == [430, 8.5]
    assert list(segments["labels"]) == ["/m/03v3yw,/m/0k4j", "/m/03fwl"] and set(segments["split"]) == {"test"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD, "no segments"),
        (HEAD + "abc, 0.0, 10.0\n", "line 4: 'abc,0.0,10.0'"),
        (HEAD + line("a") + line("b").replace("30.000", "x"), "line 5: 'x'"),
    ],
)
def test_unusable_lists_are_refused(tmp_path, text, fault):
    (tmp_path / "eval_segments.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError) as error:
        read_segments([tmp_path / "eval_segments.csv"])
    assert fault in str(error.value) and "eval_segments.csv" in str(error.value)


def test_lists_whose_names_do_not_tell_their_purpose_are_refused(tmp_path):
    for name in ("segments.csv", "train_and_eval.csv"):
        (tmp_path / name).write_text(HEAD + line("a"))
        with pytest.raises(ArgumentError, match=name):
            read_segments([tmp_path / name])


def test_labels_are_read_from_either_file(tmp_path):
    (tmp_path / "class_labels_indices.csv").write_text(LABELS, encoding="utf-8")
    entries = [{"id": mid, "name": name, "child_ids": []} for mid, name in NAMES.items()]
    (tmp_path / "ontology.json").write_text(json.dumps(entries), encoding="utf-8")
    assert read_labels(tmp_path / "class_labels_indices.csv") == NAMES
    assert read_labels(tmp_path / "ontology.json") == NAMES


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "mid,display_name\n/m/1,Car; van\n"),
        ("ontology.json", '[{"id": "/m/1"}]'),
    ],
)
def test_unusable_labels_are_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=name):
        read_labels(tmp_path / name)


def test_names_of_sounds_are_recognised():
    names = {
        "-0RWZT-miFs": ("-0RWZT-miFs", None),
        "Y-0RWZT-miFs": ("-0RWZT-miFs", None),
        "YabcdefghiY": ("YabcdefghiY", None),
        "YYabcdefghiY": ("YabcdefghiY", None),
        "-0RWZT-miFs_420": ("-0RWZT-miFs", "420"),
        "-0RWZT-miFs_420.500_430.500": ("-0RWZT-miFs", "420.500"),
        "-0RWZT-miFs_420-430": ("-0RWZT-miFs", "420"),
        "short": None,
        "-0RWZT-miFs_temp": None,
        "-0RWZT-miF\u00e9": None,
    }
    found = {name: SOUND_NAME.fullmatch(name) for name in names}
    assert {name: match and (match["id"], match["start"]) for name, match in found.items()} == names


def test_backgrounds_are_gathered(corpus, tmp_path):
    clips, dropped = gather_backgrounds(corpus[0], NAMES, corpus[1], BackgroundSettings(validation=0.3))
    assert dropped == []
    assert clips.groupby("split", observed=True).size().to_dict() == {"train": 7, "validation": 3, "test": 2}
    assert set(clips["categories"]) == {"Car;Keys jangling"} and set(clips["start"]) == {0.0}
    assert set(clips["file"][clips["split"] == "test"]) == {
        str(corpus[1] / "-eval-vid_0.wav"),
        str(corpus[1] / "_eval-vid_1.wav"),
    }
    check_recordings(clips, 10.0)
    write_manifest(clips, tmp_path / "backgrounds.csv")
    assert read_backgrounds(tmp_path / "backgrounds.csv", needed=SPLITS).reset_index(drop=True).equals(clips)
    again, _ = gather_backgrounds(corpus[0], NAMES, corpus[1], BackgroundSettings(validation=0.3))
    assert again.equals(clips)
    other, _ = gather_backgrounds(corpus[0], NAMES, corpus[1], BackgroundSettings(validation=0.3, seed=1))
    assert list(other["split"]) != list(clips["split"])


def test_sounds_are_found_by_every_name_and_only_with_the_right_start(tmp_path):
    names = ["Yvideo_____0", "video_____1_30", "video_____2_30.0", "video_____3_30-40", "video_____4_30000"]
    for name in [*names, "deeper/down/video_____5_000030", "video_____6_31", "vid_eval__7", "vid_eval__8"]:
        save(tmp_path / "sounds" / f"{name}.flac")
    segments = lists(
        tmp_path, [line(f"video_____{number}") for number in range(7)], [line("vid_eval__7"), line("vid_eval__8")]
    )
    clips, dropped = gather_backgrounds(segments, NAMES, tmp_path / "sounds", BackgroundSettings())
    assert len(clips) == 8
    assert [(drop.reason, drop.clips, drop.example) for drop in dropped] == [
        ("without a sound", 1, "video_____6 of balanced_train_segments.csv")
    ]


def test_unusable_sounds_are_dropped_and_counted(corpus, tmp_path):
    _, sounds = corpus
    save(sounds / "train-vid_0.wav", 1.9)
    save(sounds / "train-vid_1.wav", 12.0)
    (sounds / "train-vid_2.wav").write_bytes(b"RIFF")
    (sounds / "train-vid_3.wav").unlink()
    train = [line(f"train-vid_{number}") for number in range(10)]
    evaluation = [line("-eval-vid_0"), line("train-vid_4"), line("train-vid_5", start=50.0)]
    segments = lists(tmp_path, train, evaluation)
    clips, dropped = gather_backgrounds(segments, NAMES, sounds, BackgroundSettings(validation=0.2))
    assert [drop.clips for drop in dropped] == [1] * 6
    reasons = "; ".join(drop.reason for drop in dropped)
    for expected in ("more than once", "without a sound", "another segment", "cannot be used", "2 s", "whole video"):
        assert expected in reasons
    assert set(clips["file"][clips["split"] == "test"]) == {
        str(sounds / f"{name}.wav") for name in ("-eval-vid_0", "train-vid_4", "train-vid_5")
    }
    assert clips["file"].is_unique


def test_rare_categories_are_dropped(corpus, tmp_path):
    _, sounds = corpus
    train = [line(f"train-vid_{number}", "/m/0k4j,/m/05zppz" if number else "/m/05zppz") for number in range(9)]
    train.append(line("train-vid_9", "/m/03v3yw"))
    evaluation = [line("-eval-vid_0", "/m/0k4j,/m/03v3yw"), line("_eval-vid_1", "/m/03v3yw")]
    segments = lists(tmp_path, train, evaluation)
    clips, dropped = gather_backgrounds(segments, NAMES, sounds, BackgroundSettings(min_clips=4))
    assert set(clips["categories"]) == {"Car", "Car;Male speech, man speaking", "Male speech, man speaking"}
    assert [drop.clips for drop in dropped] == [2] and "4 clips" in dropped[0].reason
    assert summarize_backgrounds(clips)["all"] == {"clips": 10, "categories": 2}
    assert summarize_backgrounds(clips)["test"] == {"clips": 1, "categories": 1}


def test_categories_that_training_lacks_are_dropped(corpus, tmp_path):
    _, sounds = corpus
    train = [line(f"train-vid_{number}") for number in range(10)]
    segments = lists(tmp_path, train, [line("-eval-vid_0", "/m/0k4j,/m/05zppz"), line("_eval-vid_1", "/m/05zppz")])
    clips, dropped = gather_backgrounds(segments, NAMES, sounds, BackgroundSettings())
    assert list(clips["categories"][clips["split"] == "test"]) == ["Car"]
    assert sum(drop.clips for drop in dropped) == 1


def test_what_leaves_nothing_to_train_on_is_refused(corpus, tmp_path):
    segments, sounds = corpus
    one = dict.fromkeys(NAMES, "Sound")
    save(tmp_path / "others" / "some.wav")
    cases = [
        (segments, NAMES, tmp_path / "missing", {}, "missing"),
        (segments, NAMES, tmp_path / "others", {}, r"-eval-vid_0\.wav"),
        (segments, {"/m/0k4j": "Car"}, sounds, {}, "/m/03v3yw"),
        (segments, NAMES, sounds, {"min_clips": 13}, "12 clips without a category"),
        (segments, NAMES, sounds, {"seconds": 20.0}, "20 s"),
        (segments[segments["split"] == "train"], NAMES, sounds, {}, "split test"),
        (segments[8:], NAMES, sounds, {}, "split validation"),
        (segments, one, sounds, {}, "'Sound'"),
    ]
    for rows, names, folder, setting, fault in cases:
        with pytest.raises(CorpusError, match=fault):
            gather_backgrounds(rows, names, folder, BackgroundSettings(**setting))


@pytest.mark.parametrize(("name", "value"), [("seconds", float("inf")), ("validation", 1)])
def test_unusable_settings_are_refused(name, value):
    with pytest.raises(ArgumentError, match=name):
        BackgroundSettings(**{name: value})
