"""Targeted changes at small scale: what makes metamers recognisable to other networks, on networks of this package."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas

from tfmetamers.plotting.style import COLOURS
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import (
    PAGE,
    Role,
    legend_handles,
    name_ticks,
    new_figure,
    show_chance,
    show_proportions,
    styled,
)
from tfmetamers.reproduce.recognition import ALL, NATURAL, PASSED, chance, recognised, ticks_of
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.results import Results
from tfmetamers.reproduce.statistics import Finding, compare, match, summarize

#: What a network is, by its name without the number of its seed.
ROLES = {
    "standard": Role("standard", COLOURS["black"], "s"),
    "random": Role("random perturbations", COLOURS["grey"], "D"),
    "adversarial": Role("adversarial", COLOURS["blue"]),
    "adversarial_waveform": Role("adversarial, waveform", COLOURS["blue"]),
    "adversarial_cochleagram": Role("adversarial, cochleagram", COLOURS["vermilion"]),
    "reduced_aliasing": Role("reduced aliasing", COLOURS["green"], "^"),
    "released_standard": Role("released, standard", COLOURS["orange"], "s"),
    "released_adversarial": Role("released, adversarial", COLOURS["purple"]),
}

#: The bundled and the released networks that are some of these.
_KNOWN = {
    "small_word_aliased": "standard",
    "small_word_reduced_aliasing": "reduced_aliasing",
    "cifar10_large": "released_standard",
    "resnet_2b": "released_adversarial",
    "resnet_4b": "released_adversarial",
}

#: Who recognises metamers, in tables: the networks that judge, or the network that they were made for.
OTHERS, ITSELF = "others", "itself"

#: The stages that metamers were made at, by the layer's depth: networks of several kinds have other layers.
STAGES = ("first", "middle", "last")
FIRST, MIDDLE, LAST = range(len(STAGES))


@dataclass(frozen=True)
class Group:
    """Metamers of the networks of one condition at one stage, and who recognises them.

    Attributes:
        condition: one of `ROLES`.
        stage: the place in `STAGES`.
        who: `OTHERS` or `ITSELF`.
    """

    condition: str
    stage: int = LAST
    who: str = OTHERS


@dataclass(frozen=True)
class Effect:
    """An effect that is expected from the 2023 paper.

    Attributes:
        claim: the effect as a clause.
        first: the metamers that are recognised more often, or as often.
        second: those that they are compared with.
        is_difference: whether the first are recognised more often.
    """

    claim: str
    first: Group
    second: Group
    is_difference: bool = True


#: The effects that are expected of all networks, fixed before any was trained, as are those below.
_OF_ALL = (
    Effect(
        "at the last stage, a standard network recognises its own metamers and others do not",
        Group("standard", who=ITSELF),
        Group("standard"),
    ),
    Effect(
        "others recognise a standard network's metamers of the first stage more often than those of the last",
        Group("standard", FIRST),
        Group("standard"),
    ),
    Effect(
        "random perturbations of training do not make metamers of the last stage more recognisable",
        Group("random"),
        Group("standard"),
        is_difference=False,
    ),
)

#: Those of networks of sounds.
SOUNDS_EFFECTS = (
    *_OF_ALL,
    Effect(
        "adversarial training in the waveform makes metamers of the last stage more recognisable",
        Group("adversarial_waveform"),
        Group("standard"),
    ),
    Effect(
        "adversarial training in the cochleagram does",
        Group("adversarial_cochleagram"),
        Group("standard"),
    ),
    Effect(
        "adversarial training helps more in the cochleagram than in the waveform",
        Group("adversarial_cochleagram"),
        Group("adversarial_waveform"),
    ),
    Effect(
        "reduced aliasing makes metamers of the middle stage more recognisable",
        Group("reduced_aliasing", MIDDLE),
        Group("standard", MIDDLE),
    ),
    Effect(
        "reduced aliasing hardly changes the last stage",
        Group("reduced_aliasing"),
        Group("standard"),
        is_difference=False,
    ),
)

#: Those of networks of pictures.
PICTURES_EFFECTS = (
    *_OF_ALL,
    Effect(
        "adversarial training makes metamers of the last stage more recognisable",
        Group("adversarial"),
        Group("standard"),
    ),
    Effect(
        "those of released networks that were trained adversarially are more recognisable than those of a standard one",
        Group("released_adversarial"),
        Group("released_standard"),
    ),
)


def condition_of(network: str) -> str:
    """Return what a network was made to be, by its name.

    >>> condition_of("adversarial_waveform_10")
    'adversarial_waveform'
    >>> condition_of("small_word_aliased")
    'standard'
    """
    return _KNOWN.get(network, re.sub(r"_\d+$", "", network))


class TargetedChanges(Reproduction):
    """Recognition of metamers by other networks, by what the network was trained on and how it is built.

    Attributes:
        effects: the effects that are expected.
        domain: the domain in the published table: ``audio`` or ``vision``.
        models: the paper's models that differ as the conditions do, by condition.
        published_stage: the stage of these models that is most like the last stage here.
    """

    paper = "2023"
    section = "Results, Figures 4 to 6"
    caption = (
        "Left: proportion of metamers that other networks recognise, by the stage that they were made at, averaged "
        "over judges and over networks of each kind; 95 % intervals by bootstrap over stimuli. Dotted: all metamers; "
        "solid: those that passed the inclusion test. Right: the last stage, with each trained network as a point."
    )
    sources = f"Published: {find_published('network_recognition_2023').source}."
    effects: ClassVar[tuple[Effect, ...]]
    domain: ClassVar[str]
    models: ClassVar[Mapping[str, str]]
    published_stage: ClassVar[str]

    def tabulate(self, results):
        decisions = _decisions(results[self.experiments[0]])
        keys = ["condition", "layer", "depth", "who", "metamers"]
        rows = [summarize(decisions, keys, "correct").assign(networks="all")]
        passed = decisions[(decisions["metamers"] == PASSED) & (decisions["who"] == OTHERS)]
        made = passed[passed["layer"] != NATURAL]
        single = summarize(made, [*keys, "network"], "correct")
        return pandas.concat([*rows, single.rename(columns={"network": "networks"})], ignore_index=True)

    @styled
    def draw(self, table, results):
        figure = new_figure(PAGE, 3.6)
        curves, last = figure.subplots(1, 2, width_ratios=(1.4, 1))
        ticks = ticks_of(table)
        pooled = table[(table["networks"] == "all") & (table["who"] == OTHERS)]
        natural = pooled[(pooled["layer"] == NATURAL) & (pooled["metamers"] == PASSED)]
        roles = {name: ROLES[name] for name in ROLES if name in set(pooled["condition"])}
        for shift, (name, role) in zip(_shifts(len(roles), 0.12), roles.items(), strict=True):
            for shown in (PASSED, ALL):
                own = pooled[(pooled["condition"] == name) & (pooled["metamers"] == shown)]
                own = own if shown == ALL else pandas.concat([natural, own])
                _draw_intervals(curves, [ticks.index(each) + shift for each in own["layer"]], own, role, shown)
        name_ticks(curves, ticks)
        show_chance(curves, chance(results[self.experiments[0]]))
        show_proportions(curves, "recognised by other networks")
        final = table[(table["depth"] == LAST) & (table["metamers"] == PASSED) & (table["who"] == OTHERS)]
        for place, (name, role) in enumerate(roles.items()):
            own = final[final["condition"] == name]
            pool = own[own["networks"] == "all"]  # Empty where no metamer passed.
            _draw_intervals(last, [place] * len(pool), pool, role, PASSED)
            single = own.loc[own["networks"] != "all", "value"]
            last.plot(place + _shifts(len(single), 0.3), single, ".", color=role.colour, alpha=0.5)
        name_ticks(last, [role.title for role in roles.values()])
        show_proportions(last, "")
        last.set_title("last stage")
        figure.legend(handles=legend_handles([curves]), loc="outside upper center", ncols=3)
        return figure

    def compare(self, table):
        published = find_published("network_recognition_2023").read()
        published = published[(published["domain"] == self.domain) & (published["generator"] != published["judge"])]
        means = published[published["stage"] == self.published_stage].groupby("generator")["value"].mean()
        ours = table[(table["networks"] == "all") & (table["who"] == OTHERS) & (table["metamers"] == PASSED)]
        ours = ours[ours["depth"] == LAST].set_index("condition")["value"]
        rows = [
            {"networks": ROLES[name].title, "published": float(means[model]), "ours": float(ours[name])}
            for name, model in self.models.items()
            if name in ours
        ]
        compared = pandas.DataFrame(rows, columns=["networks", "published", "ours"])
        return compared.assign(difference=compared["ours"] - compared["published"])

    def judge(self, table, results):
        decisions = _decisions(results[self.experiments[0]])
        there = set(decisions["condition"])
        return [
            _judge(effect, decisions)
            for effect in self.effects
            if {effect.first.condition, effect.second.condition} <= there
        ]


class TargetedSounds(TargetedChanges):
    """Networks of words."""

    name = "targeted-sounds"
    title = "Recognition of sounds' metamers by other networks, after adversarial training and with less aliasing"
    claim = (
        "metamers of late stages become recognisable by adversarial training, in the cochleagram more than in the "
        "waveform, and not by random perturbations of the same size; with less aliasing, those of middle stages do."
    )
    experiments = ("targeted_sounds",)
    stimuli = "sounds"
    effects = SOUNDS_EFFECTS
    domain = "audio"
    published_stage = "relufc_fakerelu"
    models: ClassVar = {
        "standard": "kell2018",
        "random": "kell2018_l2_1_random_step_waveform",
        "adversarial_waveform": "kell2018_l2_1_robust_waveform",
        "adversarial_cochleagram": "kell2018_l2_1_robust_cochleagram",
    }
    quick = Setting(
        "nothing more",
        "15 minutes",
        differences=("Two of the bundled networks stand for standard and reduced aliasing; no other change is there.",),
    )
    full = Setting(
        "networks that reproduce/scripts/targeted_networks.py trains",
        "a day",
        differences=(
            "Networks a hundredth of the paper's size, thirty words, and one second at 8 kHz.",
            "Networks are the only ones who judge; people were not asked.",
        ),
    )


class TargetedPictures(TargetedChanges):
    """Networks of CIFAR-10."""

    name = "targeted-pictures"
    title = "Recognition of pictures' metamers by other networks, after adversarial training"
    claim = (
        "metamers of late stages become recognisable by adversarial training, and not by random perturbations of the "
        "same size."
    )
    experiments = ("targeted_pictures",)
    stimuli = "pictures"
    effects = PICTURES_EFFECTS
    domain = "vision"
    published_stage = "avgpool"
    models: ClassVar = {
        "standard": "resnet50",
        "random": "resnet50_random_l2_perturb",
        "adversarial": "resnet50_l2_3_robust",
    }
    quick = Setting(unavailable="no network of CIFAR-10 comes with the package; give --full.")
    full = Setting(
        "networks that reproduce/scripts/targeted_pictures.py trains and converts",
        "hours",
        differences=(
            "Networks of ten kinds of pictures of 32 x 32 pixels, trained on 3,600; people were not asked.",
            "The released networks were trained on all of CIFAR-10, and held-out pictures are among those.",
        ),
    )


def _judge(effect: Effect, decisions: "pandas.DataFrame") -> Finding:
    def rows(group: Group):
        # By the inclusion test, a network recognises all metamers that pass: for itself, all are counted.
        shown = ALL if group.who == ITSELF else PASSED
        own = {"condition": group.condition, "who": group.who, "depth": group.stage, "metamers": shown}
        return decisions[np.logical_and.reduce([decisions[column] == value for column, value in own.items()])]

    tell = compare if effect.is_difference else match
    return tell(effect.claim[0].upper() + effect.claim[1:], rows(effect.first), rows(effect.second), "correct")


def _decisions(results: Results) -> "pandas.DataFrame":
    """Return a row for each metamer, each who recognises it, and whether metamers that failed are left out.

    Natural stimuli have a row for each judge, and no condition.
    """
    tables = []
    for shown in (PASSED, ALL):
        for judge in results.judges:
            judged = recognised(results, judge, passed=shown == PASSED)
            tables.append(judged[judged["network"] != judge].assign(who=OTHERS, metamers=shown))
    own = results.metamers
    tables.append(own[own["same_label"].notna()].assign(correct=own["same_label"], who=ITSELF, metamers=ALL))
    columns = ["network", "layer", "depth", "stimulus", "who", "metamers", "correct"]
    decisions = pandas.concat([table[columns] for table in tables], ignore_index=True)
    names = {-1: NATURAL, **dict(enumerate(STAGES))}
    stages = decisions["depth"].map(lambda depth: names.get(depth, f"stage {depth + 1}"))
    return decisions.assign(condition=decisions["network"].map(condition_of), layer=stages)


def _draw_intervals(axes, places, table: "pandas.DataFrame", role: Role, shown: str) -> None:
    """Draw proportions with their intervals at some places; metamers that failed are dotted, without intervals."""
    values = table["value"].to_numpy(float)
    look = {"color": role.colour, "marker": role.marker}
    if shown == ALL:
        axes.plot(places, values, linestyle=":", markerfacecolor="none", alpha=0.6, **look)
        return
    errors = np.nan_to_num(np.abs(table[["low", "high"]].to_numpy(float).T - values))
    axes.errorbar(places, values, yerr=errors, label=role.title, **look)


def _shifts(count: int, width: float) -> np.ndarray:
    """Return how far points are moved apart that share a place."""
    return np.linspace(-width, width, count) if count > 1 else np.zeros(count)
