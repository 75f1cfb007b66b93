"""Targeted changes: the table against what judges say of the metamers, and what is found where it is known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tfmetamers.metamers.folder import read_metamer
from tfmetamers.networks import load_network
from tfmetamers.reproduce.catalogue import find_reproduction
from tfmetamers.reproduce.paper_2023.targeted import SOUNDS_EFFECTS, condition_of
from tfmetamers.reproduce.statistics import FOUND, NOT_FOUND

LAYERS = ["conv_1", "conv_4", "fc_intermediate"]
JUDGES = ["judge_a", "judge_b"]
CONDITIONS = ["standard", "random", "reduced_aliasing", "adversarial_waveform", "adversarial_cochleagram"]
STIMULI = [f"word_{number}" for number in range(10)]


def results(recognised):
    """Return what an experiment has made where judges recognise metamers at known rates.

    Args:
        recognised: from a condition and the depth of a layer to the share of stimuli whose metamers are recognised.
    """
    networks = [f"{condition}_{seed}" for condition in CONDITIONS for seed in (10, 11)]
    decisions = [
        {"judge": judge, "network": network, "layer": layer, "depth": depth, "stimulus": stimulus, "included": True,
         "correct_label": number < len(STIMULI) * recognised(condition_of(network), depth), "agrees": True}
        for judge in JUDGES for network in networks for depth, layer in enumerate(LAYERS)
        for number, stimulus in enumerate(STIMULI)
    ]  # fmt: skip
    natural = [
        {"judge": judge, "network": "", "layer": "natural", "depth": -1, "stimulus": stimulus, "included": None,
         "correct_label": True, "agrees": True}
        for judge in JUDGES for stimulus in STIMULI
    ]  # fmt: skip
    metamers = pd.DataFrame(decisions).query("judge == 'judge_a'").assign(same_label=True)
    definition = SimpleNamespace(judges=[])
    return {
        "targeted_sounds": SimpleNamespace(
            judges=JUDGES,
            decisions=pd.DataFrame(natural + decisions),
            metamers=metamers,
            layers=dict.fromkeys(networks, LAYERS),
            null=lambda network: object(),
            experiment=SimpleNamespace(definition=definition),
        )
    }


def as_in_the_paper(condition, depth):
    late = {"adversarial_waveform": 0.5, "adversarial_cochleagram": 1.0}
    middle = {**late, "reduced_aliasing": 0.8}
    return (0.9, middle.get(condition, 0.3), late.get(condition, 0.0))[depth]


def test_effects_are_found_where_they_are_and_not_where_they_are_not():
    reproduction = find_reproduction("2023/targeted-sounds")
    made = results(as_in_the_paper)
    findings = reproduction.judge(reproduction.tabulate(made), made)
    assert [finding.verdict for finding in findings] == [FOUND] * len(SOUNDS_EFFECTS)

    made = results(lambda condition, depth: {"random": 0.5}.get(condition, 1.0))
    findings = reproduction.judge(reproduction.tabulate(made), made)
    verdicts = {effect.claim: finding.verdict for effect, finding in zip(SOUNDS_EFFECTS, findings, strict=True)}
    assert verdicts.pop("reduced aliasing hardly changes the last stage") == FOUND
    assert set(verdicts.values()) == {NOT_FOUND}


def test_proportions_are_drawn_and_compared_with_published_ones():
    reproduction = find_reproduction("2023/targeted-sounds")
    made = results(as_in_the_paper)
    table = reproduction.tabulate(made)
    comparison = reproduction.compare(table).set_index("networks")
    assert comparison.loc["adversarial, cochleagram"].to_list() == pytest.approx([0.784, 1.0, 0.216], abs=6e-4)
    assert comparison.loc["standard", "published"] == pytest.approx(0.298, abs=6e-4)
    curves, last = reproduction.draw(table, made).axes
    drawn = {each.get_label(): each.lines[0].get_ydata() for each in curves.containers}
    assert drawn["reduced aliasing"] == pytest.approx([1.0, 0.9, 0.8, 0.0])
    assert sorted(each.lines[0].get_ydata()[0] for each in last.containers) == pytest.approx([0.0, 0.0, 0.0, 0.5, 1.0])


@pytest.mark.slow
def test_the_command_shows_what_the_judges_say_of_the_metamers(reproduce):
    made = reproduce("2023/targeted-sounds")
    table = pd.read_csv(made.folder / "table.csv", keep_default_na=False, na_values=[""])
    pooled = table[(table["networks"] == "all") & (table["who"] == "others") & (table["metamers"] == "all")]
    judges = [name for name in made.results["targeted_sounds"].judges if name != "small_word_aliased"]
    folders = sorted(made.results["targeted_sounds"].metamers.query("network == 'small_word_aliased'")["folder"])
    assert len(judges) == 3 and len(folders) == 6
    metamers = [read_metamer(folder) for folder in folders]
    for layer, stage in (("conv_1", "first"), ("fc_intermediate", "middle")):
        own = [metamer for metamer in metamers if metamer.record.layer.name == layer]
        answers = [
            [each.label for each in load_network(judge).predict(np.stack([metamer.stimulus for metamer in own]))]
            for judge in judges
        ]
        right = np.asarray(answers) == [metamer.record.stimulus.label for metamer in own]
        row = pooled[(pooled["condition"] == "standard") & (pooled["layer"] == stage)]
        assert row["value"].item() == pytest.approx(right.mean())
    assert "Reduced aliasing makes metamers of the middle" in made.output and (made.folder / "figure.png").exists()
