"""Clips cut from aligned recordings: where they lie, what is dropped and why, how they are split."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import soundfile

from tfmetamers.errors import ArgumentError, CorpusError
from tfmetamers.training.corpora import check_recordings, read_words, write_manifest
from tfmetamers.training.corpus_choices import SPLITS
from tfmetamers.training.word_alignments import COLUMNS
from tfmetamers.training.word_clips import ClipSettings, gather_clips, plain_word, summarize_words

SPEAKERS = [f"speaker_{number}" for number in range(10)]
VOCABULARY = ["zero", "one", "two", "three"]


def aligned(*words):
    return pd.DataFrame.from_records(words, columns=COLUMNS)


def save(path, seconds, rate=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(seconds * rate)), rate)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A minute of each speaker."""
    folder = tmp_path_factory.mktemp("recordings")
    for speaker in SPEAKERS:
        save(folder / speaker / f"{speaker}_a.wav", 60)
    return folder


@pytest.fixture(scope="module")
def alignments():
    """Forty words of each speaker, one a second from 2 s on, every word equally often."""
    return aligned(
        *(
            (f"{speaker}_a", 2.0 + place, 2.4 + place, VOCABULARY[place % 4], "")
            for speaker in SPEAKERS
            for place in range(40)
        )
    )


def test_words_are_folded_and_other_labels_are_empty():
    words = {
        "Hello,": "hello",
        "DON'T": "don't",
        "don\N{RIGHT SINGLE QUOTATION MARK}t": "don't",
        "\N{LEFT DOUBLE QUOTATION MARK}well-known\N{RIGHT DOUBLE QUOTATION MARK}": "well-known",
        ",COMMA": "comma",
        "Straße": "strasse",
        "e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}": "été",
        "1990": "1990",
        "ดี.": "ดี",
        "null": "null",
        **dict.fromkeys(["", " ... ", "<unk>", "[noise]", "{LG}", "(cough)", "sil", "SP", "!SIL", "("], ""),
    }
    assert {label: plain_word(label) for label in words} == words


def test_words_are_in_the_middle_of_clips(recordings, alignments, tmp_path):
    clips, dropped = gather_clips(alignments, recordings, ClipSettings())
    assert dropped == [] and len(clips) == 400
    first = clips[clips["file"] == str(recordings / "speaker_0" / "speaker_0_a.wav")]
    assert np.allclose(first["start"], 1.2 + np.arange(40), rtol=0, atol=1e-6)
    assert list(first["word"][:5]) == [*VOCABULARY, "zero"] and set(first["speaker"]) == {"speaker_0"}
    check_recordings(clips, 2.0)
    write_manifest(clips, tmp_path / "words.csv")
    assert read_words(tmp_path / "words.csv", needed=SPLITS).reset_index(drop=True).equals(clips)


def test_what_cannot_be_used_is_dropped_and_counted(tmp_path):
    save(tmp_path / "ann" / "a.wav", 10.0)
    (tmp_path / "ann" / "broken.wav").write_bytes(b"RIFF")
    words = aligned(
        *(("a", 1.0 + place, 2.0 + place, f"word{place % 2}", "") for place in range(8)),
        ("a", 0.8, 1.0, "early", ""),
        ("a", 9.5, 9.6, "late", ""),
        ("a", 1.0, 3.001, "long", ""),
        ("a", 1.0, 2.0, "Word0!", ""),
        ("a", 4.0, 5.0, "<unk>", ""),
        ("missing", 4.0, 5.0, "lost", ""),
        ("broken", 4.0, 5.0, "gone", ""),
    )
    clips, dropped = gather_clips(words, tmp_path, ClipSettings(validation=0.2, test=0.2))
    assert sorted(clips["start"]) == [0.5 + place for place in range(8)]
    assert [(drop.clips, drop.lost["word"]) for drop in dropped] == [
        *((1, 0), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 0)),
    ]
    reasons = ("unknown word", "of that name", "cannot be used", "2 s", "before the", "after the", "more than once")
    for drop, reason in zip(dropped, reasons, strict=True):
        assert reason in drop.reason
    assert dropped[0].example == "'<unk>' at 4 s in a"
    assert dropped[1].example == "'lost' at 4 s in missing"
    assert "broken.wav" in dropped[2].example


def test_clips_reach_to_both_ends_of_a_recording(tmp_path):
    """The last may end one sample late, because programs round differently."""
    save(tmp_path / "a.wav", 6.0)
    ends = [(0.9, 1.1), (0.89999, 1.09999), (4.9, 5.1), (4.9 + 1 / 8000, 5.1 + 1 / 8000), (4.9003, 5.1003)]
    words = aligned(
        *(("a", begin, end, "one", "") for begin, end in ends),
        *(("a", 2.0 + place / 10, 2.1 + place / 10, "two", "") for place in range(10)),
    )
    clips, _ = gather_clips(words, tmp_path, ClipSettings(validation=0.3, test=0.3))
    assert sorted(clips["start"][clips["word"] == "one"]) == [0.0, 4.0, 4.000125]


def test_clips_reach_beyond_a_recording_where_that_is_asked_for_but_words_do_not(tmp_path):
    save(tmp_path / "a.wav", 6.0)
    words = aligned(
        ("a", 0.0, 0.2, "one", ""),
        ("a", 5.8, 6.0, "one", ""),
        ("a", 5.9, 6.1, "one", ""),
        *(("a", 2.0 + place / 10, 2.1 + place / 10, ("two", "three")[place % 2], "") for place in range(20)),
    )
    options = {"validation": 0.3, "test": 0.3}
    _, dropped = gather_clips(words, tmp_path, ClipSettings(**options))
    assert [(drop.clips, "--pad" in drop.reason) for drop in dropped] == [(1, False), (1, True), (1, True)]
    clips, dropped = gather_clips(words, tmp_path, ClipSettings(pad=True, **options))
    assert [drop.example for drop in dropped] == ["'one' at 5.9 s in a"]
    assert sorted(clips["start"][clips["word"] == "one"]) == [-0.9, 4.9]
    assert clips["pad"].equals(clips["word"] == "one")
    check_recordings(clips, 2.0)


def test_starts_are_rounded_to_microseconds(recordings, alignments):
    clips, _ = gather_clips(alignments.assign(begin=alignments["begin"] + 1 / 3), recordings, ClipSettings())
    assert clips["start"].iloc[0] == 1.366667


def test_rare_words_and_speakers_are_dropped_until_none_is_left(recordings, alignments):
    settings = ClipSettings(min_clips=5, min_speakers=3, min_speaker_clips=30)
    more = aligned(
        *(("speaker_0_a", 20.0 + place / 2, 20.4 + place / 2, "few", "") for place in range(4)),
        *((f"speaker_{place % 2}_a", 20.1 + place / 2, 20.4 + place / 2, "local", "") for place in range(12)),
    )
    clips, dropped = gather_clips(pd.concat([alignments, more]), recordings, settings)
    assert set(clips["word"]) == set(VOCABULARY) and len(clips) == 400
    assert [(drop.clips, drop.lost["word"]) for drop in dropped] == [(4, 1), (12, 1)]
    assert "5 clips" in dropped[0].reason and "3 speakers" in dropped[1].reason

    # Speaker 9 has too few clips; without them the word of two speakers has too few speakers.
    some = alignments[(alignments["recording"] != "speaker_9_a") | (alignments["begin"] < 12)]
    both = aligned(*((f"speaker_{place}_a", 20.1, 20.4, "shared", "") for place in (7, 8, 9)))
    settings = dataclasses.replace(settings, min_clips=2)
    clips, dropped = gather_clips(pd.concat([some, both]), recordings, settings)
    assert summarize_words(clips)["all"] == {"clips": 360, "words": 4, "speakers": 9}
    assert [(drop.clips, drop.lost) for drop in dropped] == [
        (11, {"word": 0, "speaker": 1}),
        (2, {"word": 1, "speaker": 0}),
    ]


def test_splitting_by_clip_spreads_every_word(recordings, alignments):
    clips, _ = gather_clips(alignments, recordings, ClipSettings(validation=0.15, test=0.1))
    counts = clips.groupby(["word", "split"], observed=True).size().unstack()
    assert (counts["test"] == 10).all() and (counts["validation"] == 15).all() and (counts["train"] == 75).all()


def test_shares_are_met_although_words_are_rare(recordings):
    """Words of three clips: a tenth of each is none, a tenth of all is not."""
    words = aligned(
        *((f"{speaker}_a", 2.0 + place, 2.4 + place, f"word{place + 40 * (number % 4)}", "")
          for number, speaker in enumerate(SPEAKERS) for place in range(40))
    )  # fmt: skip
    clips, _ = gather_clips(words, recordings, ClipSettings())
    summary = summarize_words(clips)
    assert 25 <= summary["test"]["clips"] <= 55 and 25 <= summary["validation"]["clips"] <= 55
    assert summary["train"]["words"] == 160


@pytest.mark.parametrize("split_by", ["clip", "speaker"])
def test_splits_come_from_the_seed_and_not_from_the_order(recordings, alignments, split_by):
    settings = ClipSettings(split_by=split_by, seed=3)
    clips, _ = gather_clips(alignments, recordings, settings)
    again, _ = gather_clips(alignments.sample(frac=1, random_state=1), recordings, settings)
    assert clips.equals(again)
    other, _ = gather_clips(alignments, recordings, dataclasses.replace(settings, seed=4))
    assert list(other["split"]) != list(clips["split"])


def test_splitting_by_speaker_puts_each_into_one_split(recordings, alignments):
    clips, _ = gather_clips(alignments, recordings, ClipSettings(split_by="speaker", validation=0.2, test=0.25))
    assert (clips.groupby("speaker", observed=True)["split"].nunique() == 1).all()
    summary = summarize_words(clips)
    assert [summary[split]["speakers"] for split in SPLITS] == [5, 2, 3]


def test_speakers_who_share_a_recording_are_in_one_split(tmp_path):
    """Their clips overlap, and a clip of one is heard with the other's voice."""
    for number in range(6):
        save(tmp_path / f"call_{number}.wav", 30)
    words = aligned(
        *((f"call_{number}", 2.0 + place, 2.4 + place, f"w{place % 3}", f"{number}-{'AB'[place % 2]}")
          for number in range(6) for place in range(20))
    )  # fmt: skip
    for seed in range(5):
        clips, _ = gather_clips(words, tmp_path, ClipSettings(split_by="speaker", seed=seed))
        assert (clips.groupby("file")["split"].nunique() == 1).all()
        assert [summarize_words(clips)[split]["speakers"] for split in SPLITS] == [8, 2, 2]
    one = words.assign(recording="call_0").drop_duplicates("begin")
    with pytest.raises(CorpusError, match="share a recording"):
        gather_clips(one, tmp_path, ClipSettings(split_by="speaker"))


def test_one_speaker_trains_however_large_the_other_shares_are(recordings, alignments):
    some = alignments[alignments["recording"].isin([f"{speaker}_a" for speaker in SPEAKERS[:3]])]
    clips, _ = gather_clips(some, recordings, ClipSettings(split_by="speaker", validation=0.45, test=0.45))
    assert [summarize_words(clips)[split]["speakers"] for split in SPLITS] == [1, 1, 1]


def test_words_that_training_lacks_are_in_no_other_split(recordings, alignments):
    own = aligned(*((f"{speaker}_a", 50.0, 50.4, f"only_{speaker}", "") for speaker in SPEAKERS))
    settings = ClipSettings(split_by="speaker", validation=0.2, test=0.2)
    clips, dropped = gather_clips(pd.concat([alignments, own]), recordings, settings)
    trained = set(clips["word"][clips["split"] == "train"])
    assert len(trained) == 10 and set(clips["word"]) == trained
    assert [drop.clips for drop in dropped] == [4] and "training" in dropped[0].reason


def test_one_clip_of_each_word_trains(recordings):
    words = aligned(
        *((f"{speaker}_a", 2.0 + place, 2.4 + place, f"word{number // 2}", "")
          for number, speaker in enumerate(SPEAKERS) for place in (0, 1))
    )  # fmt: skip
    for seed in range(20):
        clips, _ = gather_clips(words, recordings, ClipSettings(validation=0.45, test=0.45, seed=seed))
        assert summarize_words(clips)["train"]["words"] == 5


def test_recordings_are_found_by_path_and_by_name(tmp_path):
    for name in (
        "ann/a.wav",
        "bob/a.wav",
        "bob/b.flac",
        "bob/wsj.wav",
        "session.1.wav",
        "bob/session.1.wav",
        ".no/c.wav",
    ):
        save(tmp_path / name, 10)
    found = {
        "ann/a.wav": "ann/a.wav",
        "bob/a": "bob/a.wav",
        "elsewhere/wsj.wv1": "bob/wsj.wav",
        "b": "bob/b.flac",
        "session.1": "session.1.wav",
    }
    for name, file in found.items():
        words = aligned(*((name, 2.0 + place / 10, 2.4 + place / 10, f"w{place % 2}", "") for place in range(20)))
        clips, _ = gather_clips(words, tmp_path, ClipSettings(validation=0.3, test=0.3))
        assert set(clips["file"]) == {str(tmp_path / file)}
        assert set(clips["speaker"]) == {"bob" if file.startswith("bob") else "ann" if file.startswith("ann") else ""}
    with pytest.raises(CorpusError, match=r"ann.a\.wav and bob.a\.wav .*'a'"):
        gather_clips(aligned(("a", 2.0, 2.4, "one", "")), tmp_path, ClipSettings())
    with pytest.raises(CorpusError, match=f"{tmp_path} .*c;"):
        gather_clips(aligned(("c", 2.0, 2.4, "one", "")), tmp_path, ClipSettings())


def test_a_missing_recording_is_not_taken_for_another_of_its_name(tmp_path):
    """Ann's words, at Ann's times, are not in Bob's recording."""
    save(tmp_path / "bob" / "session.wav", 60)
    words = aligned(
        *((f"{speaker}/session", 2.0 + place, 2.4 + place, f"w{place % 2}", "")
          for speaker in ("ann", "bob") for place in range(40))
    )  # fmt: skip
    clips, dropped = gather_clips(words, tmp_path, ClipSettings())
    assert len(clips) == 40
    assert [(drop.clips, drop.example) for drop in dropped] == [(40, "'w0' at 2 s in ann/session")]
    (tmp_path / "bob").rename(tmp_path / "cleo")
    with pytest.raises(CorpusError, match=r"'ann/session' and 'bob/session' .*cleo"):
        gather_clips(words, tmp_path, ClipSettings())


def test_names_that_are_not_in_utf_8_are_refused(tmp_path):
    """No manifest can have them."""
    save(tmp_path / "a.wav", 1)
    try:
        (tmp_path / "a.wav").rename(tmp_path / "caf\udce9.wav")
    except OSError:
        pytest.skip("the file system has no such names")
    with pytest.raises(CorpusError, match=r"caf\\udce9\.wav"):
        gather_clips(aligned(("caf", 0, 1, "one", "")), tmp_path, ClipSettings())


def test_speakers_that_are_named_are_kept(recordings):
    words = aligned(
        *(("speaker_0_a", 2.0 + place, 2.4 + place, f"w{place % 2}", "ann" if place % 3 else "") for place in range(30))
    )
    clips, _ = gather_clips(words, recordings, ClipSettings())
    assert clips["speaker"].value_counts().to_dict() == {"ann": 20, "speaker_0": 10}


def test_speakers_are_needed_where_they_count(tmp_path):
    save(tmp_path / "a.wav", 60)
    words = aligned(*(("a", 2.0 + place, 2.4 + place, f"w{place % 2}", "") for place in range(40)))
    gather_clips(words, tmp_path, ClipSettings())
    for setting in ({"split_by": "speaker"}, {"min_speakers": 1}, {"min_speaker_clips": 1}):
        with pytest.raises(CorpusError, match="40 of 40"):
            gather_clips(words, tmp_path, ClipSettings(**setting))


def test_what_leaves_nothing_to_train_on_is_refused(recordings, alignments, tmp_path):
    few = alignments[alignments["recording"].isin(["speaker_0_a", "speaker_1_a"])]
    cases = [
        (alignments, {"min_clips": 101}, "400 clips of a word with fewer than 101 clips"),
        (alignments, {"seconds": 0.1}, "0.1 s"),
        (alignments.assign(word="<unk>"), {}, "400 clips of silence"),
        (few, {"split_by": "speaker"}, "there are 2"),
        (alignments[:2], {}, "validation or test"),
        (alignments[alignments["word"] == "one"], {}, "1 word "),
    ]
    for words, setting, fault in cases:
        with pytest.raises(CorpusError, match=fault):
            gather_clips(words, recordings, ClipSettings(**setting))
    for folder in (tmp_path / "missing", tmp_path):
        with pytest.raises(CorpusError, match=str(folder)):
            gather_clips(alignments, folder, ClipSettings())


@pytest.mark.parametrize(("name", "value"), [("min_speakers", 1.5), ("split_by", "word"), ("test", 0.9)])
def test_unusable_settings_are_refused(name, value):
    with pytest.raises(ArgumentError, match="split clips by" if name == "split_by" else name):
        ClipSettings(**{name: value})
