"""Building an experiment: the site that participants see, and the key to it, which stays outside."""

import dataclasses
import hashlib
import hmac
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.metamers.tables import write_csv
from tfmetamers.networks.categories import CATEGORIES
from tfmetamers.people import assets
from tfmetamers.people.build_record import Build, Design
from tfmetamers.people.experiment_file import FORMAT, NAME, experiment_id, written
from tfmetamers.people.lists import ALGORITHM, Slots, make_lists, reserve
from tfmetamers.people.masks import make_mask
from tfmetamers.people.pool import NATURALS, Candidate, Condition, Pool, collect_pool
from tfmetamers.people.protocol import Protocol, find_protocol
from tfmetamers.people.texts import Texts
from tfmetamers.people.vocabulary import Vocabulary, choose_vocabulary
from tfmetamers.recognition.truth import Truth
from tfmetamers.stimuli.sounds import LISTENING_RMS
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.versions import describe_versions

#: The files of the page.
PAGE = Path(__file__).parent / "page"

#: Practice trials that are slower than the others, where images are shown.
SLOW_TRIALS = 8

#: The headphone check of Woods et al. (2017), as the 2023 page has it.
_HEADPHONES = {"trials": 6, "pass": 5, "on_fail": "end"}


@dataclass(frozen=True)
class _Drawn:
    """A stimulus in a trial, as it was drawn."""

    kind: str
    candidate: Candidate


def build_site(
    metamers: str | os.PathLike,
    out: str | os.PathLike,
    design: Design,
    texts: Texts,
    *,
    words: str | os.PathLike | None = None,
    truth: Mapping[str, Truth] | None = None,
    look_in: Sequence[str | os.PathLike] = (),
    jspsych: str | os.PathLike | None = None,
    page: Path = PAGE,
) -> Build:
    """Build an experiment from metamers: ``site/``, which participants see, and ``private/``, which has the answers.

    The same metamers and arguments give the same bytes in both.

    Args:
        metamers: the folder that synthesis wrote to.
        out: the folder to write; it must not exist.
        design: the task, the protocol, and the numbers of lists and trials.
        texts: what participants read.
        words: for sounds, a file with the words to choose from, one per line.
        truth: what natural stimuli truly are, by their ids, in place of what was recorded.
        look_in: folders to look in for networks' files that have moved.
        jspsych: a folder with jsPsych's files.
        page: the page's own files.

    Returns:
        What was built.

    Raises:
        ArgumentError: metamers do not fit the task, or the words lack one that is needed.
        ResultError: no metamer passed, too few did, `out` exists or cannot be written, or jsPsych is missing.
    """
    out = Path(out)
    if out.exists():
        raise ResultError(f"{out} already exists; give another folder, or move it away.")
    protocol = find_protocol(design.protocol, design.task)
    vendor = _vendor(page, jspsych)
    pool = collect_pool(metamers, design.task, truth=truth, look_in=look_in)
    vocabulary = None
    if protocol.words is not None:
        needed = {each.answer for each in pool.candidates}
        vocabulary = choose_vocabulary(protocol.words, words, pool.labels, needed)
    elif words is not None:
        raise ArgumentError("--words is for sounds; leave it out.")
    design = _completed(design, protocol, pool)
    drawn = _draw(design, protocol, pool)
    names = _opaque_names(pool, design)
    content = _content(design, protocol, texts, vocabulary, drawn, names)
    build = Build(
        format=FORMAT,
        experiment=content["id"],
        design=design,
        algorithm=ALGORITHM,
        versions=describe_versions(),
        stated=_stated(design, protocol, vocabulary, len(pool.conditions)),
        differences=(*protocol.differences, *_further_differences(design, protocol, vocabulary, pool)),
        conditions=tuple(
            {"network": each.network, "layer": each.layer, "place": each.place, "stimuli": count}
            for each, count in _counts(pool).items()
        ),
        left_out=dict(pool.left_out),
        words=vocabulary.source if vocabulary else None,
    )
    with atomic_write(out) as partial:
        _write_site(partial / "site", page, vendor, content, drawn, names, design)
        _write_private(partial / "private", build, drawn, names)
    return build


def _vendor(page: Path, jspsych) -> dict[str, Path]:
    """Return the files of jsPsych that the page loads."""
    index = page / "index.html"
    if not index.is_file():
        raise ResultError(f"{index} is missing; install tfmetamers again.")
    return {name: assets.find_file(name, jspsych) for name in assets.named_files(index.read_text("utf-8"))}


def _counts(pool: Pool) -> dict[Condition, int]:
    counts = dict.fromkeys(pool.conditions, 0)
    for each in pool.candidates:
        counts[each.condition] += 1
    return counts


def _completed(design: Design, protocol: Protocol, pool: Pool) -> Design:
    """Return a design with the protocol's numbers where none were given."""
    conditions = len(pool.conditions)
    trials = protocol.trials if protocol.total is None else max(1, protocol.total // conditions)
    trials = trials if design.trials is None else design.trials
    defaults = {
        "trials": trials,
        "natural_trials": trials,
        "practice": protocol.practice,
        "demo": protocol.demo,
        "catch": protocol.catch,
    }
    given = {key: value for key in defaults if (value := getattr(design, key)) is not None}
    return dataclasses.replace(design, **{**defaults, **given})


@dataclass(frozen=True)
class _Choice:
    """All that was drawn: the trials of each list, of practice, and of the demo."""

    lists: Sequence[Sequence[_Drawn]]
    practice: Sequence[Candidate]
    demo: Sequence[Candidate]

    @property
    def candidates(self) -> list[Candidate]:
        """Every candidate that is shown, once."""
        shown = [each.candidate for trials in self.lists for each in trials]
        return list(dict.fromkeys([*self.practice, *self.demo, *shown]))


def _draw(design: Design, protocol: Protocol, pool: Pool) -> _Choice:
    """Draw practice and demo trials, and the lists from what is left.

    For sounds, the unit is the word: two recordings of one word never come in one list.
    """
    is_images = design.task == "images"
    unit = {each: each.stimulus if is_images else each.answer for each in pool.candidates}
    units = sorted(set(unit.values()))
    answers = {unit[each]: each.answer for each in pool.candidates}
    kinds = np.array([CATEGORIES.index(answers[each]) for each in units]) if is_images else None
    conditions = pool.conditions
    members: dict[tuple[Condition, int], list[Candidate]] = {}
    for each in pool.candidates:
        members.setdefault((each.condition, units.index(unit[each])), []).append(each)
    available = np.array([[(each, place) in members for place in range(len(units))] for each in conditions])
    natural = np.array([(NATURALS, place) in members for place in range(len(units))])
    usable = available.sum(axis=0)
    usable[~natural] = 0
    practised = reserve(usable, kinds, design.practice, design.seed)
    usable[practised] = 0
    shown_first = reserve(np.where(usable > 1, usable, 0), kinds, design.demo, design.seed)
    available[:, [*practised, *shown_first]] = False
    slots = [
        Slots(each.name, design.trials if each.network else design.natural_trials, row)
        for each, row in zip(conditions, available, strict=True)
    ]
    slots.append(Slots("natural stimuli for catch trials", design.catch, available[conditions.index(NATURALS)]))
    used: dict[Candidate, int] = {}

    def drawn(condition: int, place: int) -> _Drawn:
        is_catch = condition == len(conditions)
        among = members[NATURALS if is_catch else conditions[condition], place]
        candidate = min(among, key=lambda each: used.get(each, 0))
        used[candidate] = used.get(candidate, 0) + 1
        return _Drawn("catch" if is_catch else "main", candidate)

    made = make_lists(slots, kinds, design.lists, design.seed)
    naturals, _ = protocol.demo_numbers(design.demo)
    demo = [
        members[NATURALS if number < naturals else _earliest(conditions, members, place), place][0]
        for number, place in enumerate(shown_first)
    ]
    return _Choice(
        [[drawn(*pair) for pair in trials] for trials in made],
        [members[NATURALS, place][0] for place in practised],
        demo,
    )


def _earliest(conditions: Sequence[Condition], members: Mapping, place: int) -> Condition:
    """Return the earliest layer at which there is a metamer of a stimulus, of which metamers are best recognised."""
    made = [each for each in conditions if each.network and (each, place) in members]
    return min(made, key=lambda each: each.place)


def _opaque_names(pool: Pool, design: Design) -> dict[Candidate, str]:
    """Return a name for each stimulus that says nothing about it.

    Names are keyed by a secret that follows from all metamers' records, so that who does not have the metamers cannot
    compute one, and the same metamers give the same names.
    """
    records = sorted(f"{each.folder} {each.record_sha256}" for each in pool.candidates)
    secret = hashlib.sha256("\n".join([str(design.seed), *records]).encode()).digest()
    names = {
        each: hmac.new(secret, f"{each.condition} {each.folder}".encode(), "sha256").hexdigest()[:16]
        for each in pool.candidates
    }
    if len(set(names.values())) < len(names):
        raise ResultError("Two stimuli have the same opaque name; give another --seed.")
    return names


def _content(
    design: Design,
    protocol: Protocol,
    texts: Texts,
    vocabulary: Vocabulary | None,
    drawn: _Choice,
    names: Mapping[Candidate, str],
) -> dict[str, Any]:
    is_images = design.task == "images"
    masks = _mask_numbers(drawn, design)
    practice = [
        {"stimulus": names[each], "answer": each.answer, "slow": is_images and number < SLOW_TRIALS,
         "mask": masks["practice"][number]}
        for number, each in enumerate(drawn.practice)
    ]  # fmt: skip
    demo = [
        {"stimulus": names[each], "answer": each.answer, "mask": masks["demo"][number]}
        for number, each in enumerate(drawn.demo)
    ]
    lists = [
        {"list": number, "trials": [
            {"trial": place, "kind": each.kind, "stimulus": names[each.candidate], "mask": masks[number][place]}
            for place, each in enumerate(trials)]}
        for number, trials in enumerate(drawn.lists)
    ]  # fmt: skip
    content = {
        "format": FORMAT,
        "task": design.task,
        "protocol": design.protocol,
        "title": texts.title,
        "language": texts.language,
        **protocol.conventions,
        "categories": list(CATEGORIES) if is_images else None,
        "words": list(vocabulary.words) if vocabulary else None,
        "practice": practice,
        "demo": {"trials": demo, "pass": protocol.demo_numbers(len(demo))[1]},
        "lists": lists,
        "headphones": _HEADPHONES if design.headphones and not is_images else None,
        "level": None if is_images else {"rms": LISTENING_RMS},
        "texts": {key: getattr(texts, key) for key in ("consent", "debrief", "instructions")},
        "save": {"kind": "server", "url": "api/v1"},
        "finish": {"redirect": None, "code": None},
    }
    return {"format": FORMAT, "id": experiment_id(content), **content}


def _mask_count(drawn: _Choice) -> int:
    return max(len(drawn.practice), len(drawn.demo), *map(len, drawn.lists))


def _mask_numbers(drawn: _Choice, design: Design) -> dict[str | int, list[int | None]]:
    """Return a mask for each trial; within a list, and within practice, none comes twice."""
    parts = {"practice": drawn.practice, "demo": drawn.demo, **dict(enumerate(drawn.lists))}
    if design.task != "images":
        return {name: [None] * len(trials) for name, trials in parts.items()}
    count = _mask_count(drawn)
    return {
        name: np.random.default_rng([design.seed, 2**31 + 2, number]).permutation(count)[: len(trials)].tolist()
        for number, (name, trials) in enumerate(parts.items())
    }


def _stated(design: Design, protocol: Protocol, vocabulary: Vocabulary | None, conditions: int) -> tuple[str, ...]:
    """Return what the paper states and is done so: a number that was changed is not among it."""
    trials = design.trials * (conditions - 1) + design.natural_trials
    changed = {
        "trials": trials != (protocol.total or (protocol.trials or 0) * conditions),
        "practice": design.practice != protocol.practice,
        "demo": design.demo != protocol.demo,
        "catch": design.catch != protocol.catch,
        "headphones": not design.headphones,
        "words": vocabulary is not None and not vocabulary.is_published,
    }
    return tuple(text for text, number in protocol.stated.items() if not changed.get(number))


def _further_differences(design: Design, protocol: Protocol, vocabulary: Vocabulary | None, pool: Pool) -> list[str]:
    found = [f"numbers of this build: {design.describe()}"]
    if design.demo and design.demo != protocol.demo:
        _, right = protocol.demo_numbers(design.demo)
        found.append(f"{right} of {design.demo} demo trials must be right: the share of the 2023 pages")
    if vocabulary is not None:
        found.append(f"words to choose from: {vocabulary.source}")
    if design.task == "sounds" and not design.headphones:
        found.append("no headphone check")
    if pool.left_out:
        found.append("left out: " + ", ".join(f"{count} {reason}" for reason, count in pool.left_out.items()))
    return found


def _write_site(site: Path, page: Path, vendor, content, drawn: _Choice, names, design: Design) -> None:
    shutil.copytree(page, site)
    (site / NAME).write_text(written(content), encoding="utf-8")
    (site / assets.FOLDER).mkdir(parents=True)
    for name, file in vendor.items():
        shutil.copyfile(file, site / assets.FOLDER / f"{name}.js")
    (site / "LICENSES.txt").write_text(assets.NOTICE, encoding="utf-8")
    (site / "stimuli").mkdir()
    for each in drawn.candidates:
        shutil.copyfile(each.file, site / "stimuli" / f"{names[each]}{each.file.suffix}")
    if design.task == "images":
        _write_masks(site / "masks", _mask_count(drawn), content["size_px"], design.seed)


def _write_masks(folder: Path, count: int, size: int, seed: int) -> None:
    from PIL import Image

    folder.mkdir()
    for number in range(count):
        mask = make_mask(size, np.random.default_rng([seed, 2**31 + 3, number]))
        Image.fromarray(mask).save(folder / f"{number:03d}.png")


def _write_private(folder: Path, build: Build, drawn: _Choice, names: Mapping[Candidate, str]) -> None:
    import pandas

    folder.mkdir(mode=0o700)
    rows = [
        {"id": names[each], "network": each.condition.network, "layer": each.condition.layer,
         "place": each.condition.place, "stimulus": each.stimulus, "answer": each.answer, "folder": each.folder,
         "sha256": each.sha256, "record_sha256": each.record_sha256}
        for each in drawn.candidates
    ]  # fmt: skip
    write_csv(pandas.DataFrame(rows), folder / "key.csv")
    (folder / "build.json").write_text(json.dumps(build.to_json(), indent=2) + "\n", encoding="utf-8")
