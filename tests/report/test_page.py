"""The report: what is in it, that it stands alone, and that it can be read on a phone and without JavaScript."""

import base64
import dataclasses
import html
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.making import make_metamers
from tfmetamers.errors import ResultError
from tfmetamers.inclusion.evaluation import Judged, evaluate
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.networks import load_architecture, load_network
from tfmetamers.plotting.style import LINE_COLOURS
from tfmetamers.report import page as page_module
from tfmetamers.report.figures import MANY_COLOR, draw_losses
from tfmetamers.report.media import embed_sound
from tfmetamers.report.page import find_unreadable, write_report
from tfmetamers.stimuli.collection import StimulusFile, collect_stimuli

HOSTILE = "<script>hostile"

#: Elements that have no closing tag.
VOID = {"meta", "img", "br", "link", "input", "wbr"}


class Page(HTMLParser):
    """The elements of a page with their attributes, its text, and whether elements are nested as they should be."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.words, self.open = [], [], []
        self.source = Path(path).read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def alts(self):
        return [attributes["alt"] for attributes in self.all("img")]


@pytest.fixture(scope="module")
def images(small_model, tmp_path_factory):
    """The folder, the judged metamers of two pictures at two layers with two seeds, and the null distributions."""
    folder = tmp_path_factory.mktemp("pictures")
    small_model.save(folder / "small.keras")
    network = load_network(folder / "small.keras", labels=[HOSTILE, *"bcdefghij"])
    stimuli = []
    for id_, picture in zip(("hen_10", HOSTILE), np.random.default_rng(4).random((2, 32, 32, 3)), strict=True):
        path = folder / f"{len(stimuli)}.png"
        Image.fromarray((picture * 255).astype(np.uint8)).save(path)
        stimuli.append(StimulusFile(id_, path, label="<b>bold", category="bird"))
    for seed in (0, 1):
        make_metamers(network, ["block", "logits"], stimuli, folder / "out", seed=seed, steps=20)
    generator = np.random.default_rng(6)
    layers = {name: generator.uniform(-0.4, 0.1, 50) for name in ("block", "logits")}
    null = NullDistribution(network=network.describe().to_json(), layers=layers, front_end="none")
    null.save(folder / "null.npz")
    nulls = {folder / "null.npz": null}
    judged = list(evaluate(folder / "out", nulls, all_layers=True))
    assert all(isinstance(each, Judged) for each in judged), judged
    return folder / "out", judged, nulls


@pytest.fixture(scope="module")
def sounds(small_architecture, tmp_path_factory):
    """The folder, and the judged metamers of a sound at two layers and of its cochleagram at one."""
    folder = tmp_path_factory.mktemp("sounds")
    network = load_architecture(small_architecture, random_seed=1)
    tone = np.sin(2 * np.pi * 440 * np.arange(2000) / 4000)
    noise = 0.05 * np.random.default_rng(5).standard_normal(2000)
    soundfile.write(folder / "tone.wav", 0.2 * tone + noise, 4000)
    stimuli = collect_stimuli([folder], network.domain.suffixes)
    make_metamers(network, ["conv_0", "conv_1"], stimuli, folder / "out", steps=10)
    make_metamers(network.without_front_end(), ["conv_1"], stimuli, folder / "out", steps=10)
    judged = list(evaluate(folder / "out", {}))
    assert all(isinstance(each, Judged) for each in judged), judged
    return folder / "out", judged


@pytest.fixture(scope="module")
def image_report(images, tmp_path_factory):
    out, judged, nulls = images
    return write_report(out, judged, nulls, tmp_path_factory.mktemp("report") / "images.html")


@pytest.fixture(scope="module")
def sound_report(sounds, tmp_path_factory):
    return write_report(*sounds, {}, tmp_path_factory.mktemp("report") / "sounds.html")


@pytest.fixture(params=["image_report", "sound_report"])
def each_report(request):
    return request.getfixturevalue(request.param)


def with_verdict(judged, **changes):
    """The same metamer with another verdict on its array."""
    return dataclasses.replace(judged, verdict=judged.verdict | {"array": judged.verdict["array"] | changes})


def test_it_lies_in_the_folder_unless_another_file_is_given_and_is_the_same_in_every_byte(
    images, sounds, image_report, sound_report, tmp_path
):
    out, judged, nulls = images
    path = write_report(out, judged, nulls)
    assert path == out / "report.html"
    assert path.read_bytes() == image_report.read_bytes()
    path.unlink()
    assert write_report(*sounds, {}, tmp_path / "b.html").read_bytes() == sound_report.read_bytes()


def test_a_page_says_what_was_judged_and_by_what(images, image_report):
    _, judged, nulls = images
    page = Page(image_report)
    assert "8 metamers of 1 network." in page.text
    [null] = nulls.values()
    assert null.claim() in page.text
    assert page.text.count("small.keras") == 1
    for each in judged:
        assert f"correlation {each.verdict['array']['correlation']:.4f}".replace("-", "\N{MINUS SIGN}") in page.text
        for reason in each.verdict["array"]["reasons"]:
            assert reason in page.text


def test_each_metamer_is_shown_once_with_its_verdict_and_each_original_once(images, image_report):
    _, judged, _ = images
    alts = Page(image_report).alts()
    for each in judged:
        word = {True: "passed", False: "failed"}[each.verdict["array"]["included"]]
        name = f"{each.record.stimulus.id} at {each.layer}, seed {each.record.seed}"
        assert alts.count(f"Metamer of {name}: {word}") == 1
    assert [alt for alt in alts if alt.startswith("Natural")] == [
        f"Natural stimulus {HOSTILE}",
        "Natural stimulus hen_10",
    ]


def test_drawings_of_losses_nulls_activations_and_all_layers(image_report):
    page = Page(image_report)
    starts = [alt.split(" ")[0] for alt in page.alts()]
    assert [starts.count(word) for word in ("Losses", "Histogram", "Activations", "Correlation")] == [2, 2, 8, 1]
    assert any(re.match(r"Histogram .* of block: 50 pairs, .* Above it: \d of 4 metamers", alt) for alt in page.alts())
    assert "Median correlation at every layer" in page.text


def test_lines_of_losses_are_told_by_their_colours(images, image_report):
    page = Page(image_report)
    samples = [attributes["style"] for attributes in page.all("span") if "style" in attributes]
    names = [f"{stimulus}, seed {seed}" for stimulus in (HOSTILE, "hen_10") for seed in (0, 1)]
    assert page.text.split("all layers share. ")[1].startswith(" ".join(names))
    assert samples == [f"border-color: {color}" for color in LINE_COLOURS[:4]]


def test_of_too_many_losses_to_tell_apart_the_median_stands_out(images, monkeypatch):
    drawn = []
    monkeypatch.setattr(page_module, "draw_losses", lambda curves, colors, *_: drawn.append((len(curves), colors)))
    by_layer = page_module._by_layer(images[1])
    assert list(page_module._losses(by_layer)["legend"].values()) == list(LINE_COLOURS[:4])
    assert [(count, sorted(colors)) for count, colors in drawn] == [(4, sorted(LINE_COLOURS[:4]))] * 2
    monkeypatch.setattr(page_module, "LINE_COLOURS", LINE_COLOURS[:3])
    assert list(page_module._losses(by_layer)["legend"]) == ["each metamer", "their median"]
    assert drawn[2:] == [(4, None)] * 2


def test_the_median_of_many_losses_is_drawn():
    steps = np.arange(5.0)
    picture = draw_losses([(steps, 2.0**-steps), (steps, 4.0**-steps), (steps, 8.0**-steps)], None, 1e-3, 1.0)
    drawing = base64.b64decode(picture.uri.split(",")[1]).decode()
    assert drawing.count(MANY_COLOR) == 3 and drawing.count("stroke-width: 1.6") == 1


def test_long_names_may_be_broken_between_their_words(images, tmp_path):
    out, judged, nulls = images
    record = judged[0].record
    network = dataclasses.replace(record.network, name="a_very_long_name/" * 6)
    longer = dataclasses.replace(judged[0], record=record.replace(network=network))
    source = write_report(out, [longer], nulls, tmp_path / "long.html").read_text(encoding="utf-8")
    broken = ("a_<wbr>very_<wbr>long_<wbr>name/<wbr>" * 6).strip()
    assert f'<th scope="row">{broken}</th>' in source and f">{broken}</h2>" in source


def test_only_some_activations_are_drawn_of_many_metamers_of_every_layer(images, tmp_path, monkeypatch):
    out, judged, nulls = images
    monkeypatch.setattr(page_module, "MAX_SCATTERS", 3)
    page = Page(write_report(out, judged[:6], nulls, tmp_path / "some.html"))
    drawn = [alt for alt in page.alts() if alt.startswith("Activations")]
    assert len(drawn) == 3 and sum("block" in alt for alt in drawn) == 2
    assert "3 of 6 metamers" in page.text


def test_names_and_labels_are_escaped(images, image_report, tmp_path):
    out, judged, nulls = images
    relabelled = [with_verdict(judged[0], same_label=False, metamer_label="<script>l", included=False)]
    for path in (image_report, write_report(out, relabelled, nulls, tmp_path / "labels.html")):
        page = Page(path)
        assert not page.all("script") and not page.all("b")
        assert "<b>bold" in page.text and HOSTILE in page.text
    assert "label <script>l, not" in page.text


def test_nothing_outside_the_page_is_referred_to(each_report):
    page = Page(each_report)
    for tag, attributes in page.elements:
        assert tag not in {"link", "script", "iframe", "object", "base"}
        for name in ("src", "href", "srcset", "poster", "action"):
            assert attributes.get(name, "#").startswith(("data:", "#"))
    assert "url(" not in page.source and "@import" not in page.source


def test_the_page_is_labelled_for_screen_readers(each_report):
    page = Page(each_report)
    assert page.all("html") == [{"lang": "en"}]
    assert all(alt.strip() for alt in page.alts())
    assert all(attributes["aria-label"] for attributes in page.all("audio"))
    assert len(page.all("table")) == len(page.all("caption")) >= 2
    assert all(attributes.get("scope") in {"row", "col"} for attributes in page.all("th"))
    assert all(attributes["tabindex"] == "0" for attributes in page.all("div") if attributes.get("role") == "region")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {attributes["href"][1:] for attributes in page.all("a")} <= set(ids)
    assert {len(page.all(tag)) for tag in ("header", "main", "nav", "footer", "h1")} == {1}


def test_without_a_null_distribution_it_says_so(sound_report):
    page = Page(sound_report)
    assert "No null distribution was given." in page.text
    assert "No null distribution was given for the layers of this network." in page.text
    assert not any(alt.startswith("Histogram") for alt in page.alts())


def test_sounds_have_players_and_cochleagrams(sound_report):
    page = Page(sound_report)
    assert [attributes["aria-label"] for attributes in page.all("audio")] == [
        "Natural sound tone",
        "Metamer of tone at conv_0, seed 0",
        "Metamer of tone at conv_1, seed 0",
    ]
    assert all(attributes["src"].startswith("data:audio/flac;base64,") for attributes in page.all("audio"))
    assert sum(alt.startswith("Cochleagrams of tone and of its metamer at conv_") for alt in page.alts()) == 3
    assert "small from the cochleagram" in page.text


def test_verdicts_of_every_kind_have_a_word_and_undefined_correlations_are_said_to_be_so(images, tmp_path):
    out, judged, nulls = images
    verdicts = [{"included": True}, {"included": False}, {"included": None}]
    verdicts.append({"included": False, "correlation": None, "margin": None, "percentile": None})
    changed = [with_verdict(each, **verdict) for each, verdict in zip(judged[:4], verdicts, strict=True)]
    saved = changed[0].verdict["saved"] | {"included": False}
    changed[0] = dataclasses.replace(changed[0], verdict=changed[0].verdict | {"saved": saved})
    page = Page(write_report(out, changed, nulls, tmp_path / "report.html"))
    for said in ("1 ✓ passed", "2 ✗ failed", "1 ? not judged", "fails as saved", "correlation undefined"):
        assert said in page.text


def test_many_pictures_are_scaled_down_and_the_page_says_so(images, sounds, sound_report, tmp_path, monkeypatch):
    out, judged, _ = images
    monkeypatch.setattr(page_module, "MAX_PICTURE_BYTES", 1000)
    monkeypatch.setattr(page_module, "THUMBNAIL", 16)
    page = Page(write_report(out, judged[:1], {}, tmp_path / "images.html"))
    assert "at most 16 pixels" in page.text
    shown = [each for each in page.all("img") if each["alt"].startswith(("Natural", "Metamer"))]
    assert all(each["src"].startswith("data:image/webp") and each["width"] == "16" for each in shown)
    smaller = write_report(*sounds, {}, tmp_path / "sounds.html")
    assert smaller.stat().st_size < sound_report.stat().st_size
    assert 'width="560"' in smaller.read_text()


def test_metamers_made_in_different_ways_have_columns_of_their_own(images, tmp_path):
    out, judged, nulls = images
    record = judged[0].record
    normal = dataclasses.replace(
        judged[0], record=record.replace(recipe=record.recipe.replace(relu_gradient="normal"), seed=7)
    )
    page = Page(write_report(out, [judged[0], normal], nulls, tmp_path / "two.html"))
    name = f"{record.stimulus.id} at block (normal-gradient), seed 7"
    assert sum(alt.startswith(f"Metamer of {name}") for alt in page.alts()) == 1
    for start in ("Losses", "Histogram", "Activations"):
        assert any(alt.startswith(start) and "block (normal-gradient)" in alt for alt in page.alts())
    assert not any("steps-20" in alt for alt in page.alts())  # What is common to all is not said of each.


def test_nothing_to_report_and_damaged_folders_are_refused_and_what_cannot_be_read_is_found(images, tmp_path):
    out, judged, nulls = images
    with pytest.raises(ResultError, match=str(out)):
        write_report(out, [], nulls)
    shutil.copytree(judged[0].folder, tmp_path / "out/0")
    damaged = dataclasses.replace(judged[0], folder=tmp_path / "out/0")
    assert find_unreadable([*judged, damaged]) == {}
    (tmp_path / "out/0/metamer.png").write_bytes(b"PNG")
    assert list(find_unreadable([*judged, damaged])) == [tmp_path / "out/0"]
    with pytest.raises(ResultError, match=r"metamer\.png"):
        write_report(tmp_path / "out", [damaged], nulls)
    assert not list(tmp_path.rglob("report.html"))
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(ResultError, match=r"pipe\.wav"):
        embed_sound(tmp_path / "pipe.wav")


def test_histograms_are_of_the_null_that_the_verdict_names(images, tmp_path):
    out, judged, nulls = images
    [(file, null)] = nulls.items()
    higher = dataclasses.replace(null, layers={name: values + 0.5 for name, values in null.layers.items()})
    higher.save(tmp_path / "higher.npz")
    both = {tmp_path / "higher.npz": higher, **nulls}
    shown = [judged[0], judged[-1]]
    page = Page(write_report(out, shown, both, tmp_path / "both.html"))
    drawn = [alt for alt in page.alts() if alt.startswith("Histogram")]
    assert len(drawn) == 2
    assert any(f"largest coefficient {null.maximum('block'):.3f}" in alt for alt in drawn)
    kept = Page(write_report(out, shown, {}, tmp_path / "kept.html"))
    assert not any(alt.startswith("Histogram") for alt in kept.alts())
    assert f"{file.name}, block, logits: " in kept.text
    assert f"{null.claim()} (of an earlier command)" in kept.text
    assert "No null distribution was given." not in kept.text


def test_networks_that_share_a_name_are_told_apart(images, tmp_path):
    out, judged, nulls = images
    record = judged[0].record
    network = dataclasses.replace(record.network, digest="0" * 64)
    other = dataclasses.replace(judged[0], record=record.replace(network=network))
    page = Page(write_report(out, [judged[0], other], nulls, tmp_path / "two.html"))
    assert "2 metamers of 2 networks" in page.text
    for digest in (record.network.digest[:8], "00000000"):
        assert page.text.count(f"small ({digest})") >= 3  # In the contents, the summary and the heading.


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """Show a page in headless Chromium, and return the document that it became and what the console said."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(names)} is on PATH, and CHROMIUM names none")
    profile = tmp_path_factory.mktemp("profile")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr"]

    def show(path, *more):
        command = [browser, *options, f"--user-data-dir={profile}", *more, "--dump-dom", path.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return show


#: A frame as wide as a phone, in which no script runs; when all has loaded, what is in it is written into the document.
PHONE = """<!DOCTYPE html><meta charset="utf-8">
<iframe sandbox="allow-same-origin" width="375" height="700" style="border:0" srcdoc="{page}"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {{
  const page = frame.contentDocument;
  const players = [...page.querySelectorAll("audio")];
  const isReady = (player) => player.readyState > 0 || player.error;
  const wait = () => {{
    if (!players.every(isReady)) return setTimeout(wait, 20);
    const measures = {{
      width: frame.clientWidth,
      excess: page.documentElement.scrollWidth - page.documentElement.clientWidth,
      durations: players.map((player) => player.duration),
      broken: [...page.images].filter((picture) => !picture.naturalWidth).length,
      beyond: [...page.querySelectorAll(".card img")].filter(
        (picture) => picture.getBoundingClientRect().right > page.documentElement.clientWidth).length,
      silent: [...page.querySelectorAll("table")].filter(
        (table) => !table.closest("details") && table.scrollWidth > table.parentElement.clientWidth
          && !table.querySelector(".hint").getBoundingClientRect().height).length,
      text: page.body.innerText,
    }};
    const paragraph = document.createElement("p");
    paragraph.textContent = JSON.stringify(measures);
    document.body.replaceChildren(paragraph);
  }};
  wait();
}});
</script>"""


@pytest.mark.slow
def test_it_fits_a_phone_and_needs_no_javascript_and_the_console_stays_silent(each_report, browse, tmp_path):
    frame = tmp_path / "phone.html"
    frame.write_text(PHONE.format(page=html.escape(each_report.read_text(encoding="utf-8"))), encoding="utf-8")
    document, console = browse(frame, "--virtual-time-budget=20000")
    measures = json.loads(html.unescape(re.search(r"<p>(.*?)</p>", document)[1]))
    text = measures.pop("text")
    players = 3 if each_report.name == "sounds.html" else 0
    assert measures == {
        "width": 375,
        "excess": 0,
        "durations": [0.5] * players,
        "broken": 0,
        "beyond": 0,
        "silent": 0,
    }
    assert console == []
    for heading in ("Summary", "Natural stimuli and their metamers", "Losses", "All verdicts"):
        assert heading in text
    assert "seed 0" in text and ("hen_10" in text or "tone" in text)
