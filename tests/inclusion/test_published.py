"""The published numbers of the 2023 paper stand beside those of networks that are among its models."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import tfmetamers as tm
from tests.making import make_metamers
from tfmetamers.cli import main as command_line
from tfmetamers.inclusion.evaluation import evaluate, summarize
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.published import published_match, published_model
from tfmetamers.metamers import read_metamer
from tfmetamers.networks import NetworkSpec
from tfmetamers.published import find_published
from tfmetamers.report.page import write_report
from tfmetamers.stimuli.collection import collect_stimuli

STAGE = "conv_relu_0_1"


@pytest.fixture(scope="module")
def claiming(tmp_path_factory):
    """The file of a small model with the name of one of the paper's, a stage of it, and a layer that is none."""
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Conv2D(16, 3, activation="relu", name=STAGE),
        keras.layers.Conv2D(3, 3, activation="tanh", name="other"),
    ]
    file = tmp_path_factory.mktemp("claiming") / "vgg_19.keras"
    keras.Sequential([keras.Input((12, 12, 3)), *layers]).save(file)
    return file


@pytest.fixture(scope="module")
def made(claiming, tmp_path_factory):
    """Metamers of two pictures at both layers, and a null distribution."""
    root = tmp_path_factory.mktemp("made")
    network = tm.load_network(claiming)
    (root / "pictures").mkdir()
    for name, picture in zip("ab", np.random.default_rng(4).random((2, 12, 12, 3), np.float32), strict=True):
        tm.save_image(picture, root / "pictures" / f"{name}.png")
    stimuli = collect_stimuli([root / "pictures"], (".png",))
    make_metamers(network, [STAGE, "other"], stimuli, root / "out", steps=20)
    coefficients = {STAGE: np.array([0.25, -0.5]), "other": np.array([0.125, 0.0])}
    NullDistribution(network.describe().to_json(), coefficients, front_end="none").save(root / "null.npz")
    return root


def read_network(made):
    [first, *_] = evaluate(made / "out")
    return first.record.network


def test_the_summary_has_the_loss_and_the_published_numbers_beside_it(made, claiming):
    judged = list(evaluate(made / "out", made / "null.npz"))
    at_stage, at_other = summarize(judged)
    network = tm.load_network(claiming)
    losses = []
    for metamer in (read_metamer(each.folder) for each in judged if each.layer == STAGE):
        stimuli = np.float32(np.stack([metamer.original, metamer.stimulus]))
        target, reached = np.float64(network.activations(STAGE)(stimuli))
        losses.append(np.linalg.norm(reached - target) / np.linalg.norm(target))
    assert at_stage["median_loss"] == pytest.approx(np.median(losses), rel=1e-4)
    assert at_stage["spearman_null_maximum"] == 0.25
    assert at_stage["pearson_null_maximum"] is at_stage["snr_null_maximum"] is None  # The test of 2019 has none.
    losses, matching = (find_published(f"{name}_2023").read() for name in ("losses", "matching"))
    of_the_stage = "model == 'vgg_19' and stage == @STAGE"
    [loss] = losses.query(of_the_stage).to_dict("records")
    nulls = matching.query(of_the_stage).set_index("measure").to_dict("index")
    assert {key: value for key, value in at_stage.items() if key.startswith("published")} == {
        "published_model": "vgg_19",
        "published_loss": loss["median"],
        "published_loss_range": [loss["median_low"], loss["median_high"]],
        "published_correlation": nulls["spearman"]["metamer_median"],
        **{
            f"published_{measure}_null_maximum_range": [row["null_maximum_low"], row["null_maximum_high"]]
            for measure, row in nulls.items()
        },
    }
    assert len(nulls) == 3
    assert at_other["median_loss"] > 0
    assert {value for key, value in at_other.items() if key.startswith("published")} == {None}


def test_the_command_and_the_report_show_both(made, capsys):
    assert command_line.run(["evaluate", str(made / "out"), "--null", str(made / "null.npz")]) == 0
    shown = capsys.readouterr().out
    published = published_match(read_network(made), STAGE)
    low, high = published.loss_range
    assert "2023 paper" in shown and f"{low:.3g} to {high:.3g}" in shown
    assert shown.count("vgg_19") >= 4 and shown.count("other") == 2  # The layer that is no stage is in one table.
    page = (made / "out" / "report.html").read_text(encoding="utf-8")
    assert "2023 paper" in page and f"{low:.3g} to {high:.3g}" in page
    assert command_line.run(["evaluate", str(made / "out"), "--json", "--no-report"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["published_loss_range"] for row in rows] == [[low, high], None]


def test_a_report_of_other_networks_does_not_name_the_paper(made, tmp_path):
    judged = [each for each in evaluate(made / "out", made / "null.npz") if each.layer == "other"]
    write_report(made / "out", judged, {}, tmp_path / "report.html")
    assert "2023 paper" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_which_networks_are_models_of_the_paper(made):
    network = read_network(made)
    assert published_model(network).title == "VGG-19"
    assert published_match(network, STAGE).stage == STAGE
    assert published_model(dataclasses.replace(network, name="mine")) is None
    assert published_model(dataclasses.replace(network, source="random", seed=0)) is None
    fetched = dataclasses.replace(network, name="ResNet50", spec=NetworkSpec.parse("keras:ResNet50"))
    assert published_match(fetched, "layer4").model == "resnet50"
    assert published_match(fetched, "conv5_block3_out") is None
    unknown = dataclasses.replace(network, name="MobileNet", spec=NetworkSpec.parse("keras:MobileNet"))
    assert published_model(unknown) is None
    hmax = dataclasses.replace(network, name="hmax_standard")
    assert published_model(hmax).title == "HMAX" and published_match(hmax, "c2_out") is None


def test_null_maxima_are_of_each_measure_that_verdicts_have(made):
    [judged, *_] = evaluate(made / "out", made / "null.npz")
    further = {measure: {"null_maximum": value, "margin": None} for measure, value in (("pearson", 0.5), ("snr", 2.0))}
    verdict = {**judged.verdict, "array": {**judged.verdict["array"], "further": further}}
    [row] = summarize([dataclasses.replace(judged, verdict=verdict)])
    assert [row[f"{measure}_null_maximum"] for measure in ("spearman", "pearson", "snr")] == [0.25, 0.5, 2.0]


def test_losses_are_the_decibels_of_the_same_histograms():
    losses = find_published("losses_2023").read().set_index(["model", "stage"])
    matching = find_published("matching_2023").read()
    decibels = matching[matching["measure"] == "snr"].set_index(["model", "stage"]).loc[losses.index]
    for loss, column in (
        ("median", "metamer_median"),
        ("worst_included_at_most", "metamer_minimum_low"),
        ("best_null_at_least", "null_maximum_high"),
    ):
        np.testing.assert_allclose(losses[loss], 10 ** (-decibels[column] / 10), rtol=0.006)
    assert (losses["median_low"] <= losses["median"]).all() and (losses["median"] <= losses["median_high"]).all()
    assert losses.index.is_unique
