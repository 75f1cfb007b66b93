"""A site has what was asked for, and no answer."""

import base64
import hashlib
import http.server
import json
import shutil
import threading
from collections import Counter
from functools import partial

import pytest

from tests.making import give_verdict
from tests.people.making import LAYERS, NETWORKS, TEXTS, build, write_metamer, write_metamers
from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.metamers.folder import find_metamers
from tfmetamers.people import assets
from tfmetamers.people.build_record import Design, read_build, read_key
from tfmetamers.people.experiment_file import read_content
from tfmetamers.people.site import build_site


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_list_has_every_condition_as_often_as_asked_and_each_stimulus_once(experiment):
    key = read_key(experiment)
    for each in read_content(experiment / "site")["lists"]:
        shown = key.loc[[trial["stimulus"] for trial in each["trials"]]]
        counts = Counter(zip(shown["network"], shown["layer"], strict=True))
        assert set(counts.values()) == {3} and len(counts) == 1 + len(NETWORKS) * len(LAYERS)
        assert not shown["stimulus"].duplicated().any()
        assert [trial["trial"] for trial in each["trials"]] == list(range(15))


def test_practice_stimuli_come_in_no_list(experiment):
    content, key = read_content(experiment / "site"), read_key(experiment)
    practised = set(key.loc[[each["stimulus"] for each in content["practice"]], "stimulus"])
    shown = {trial["stimulus"] for each in content["lists"] for trial in each["trials"]}
    assert len(practised) == 2 and practised.isdisjoint(key.loc[sorted(shown), "stimulus"])


def test_what_failed_is_not_shown_and_is_counted(experiment):
    key, record = read_key(experiment), read_build(experiment)
    assert not key["stimulus"].isin(["airplane/0", "bear/1"])[key["network"] != ""].any()
    assert record.left_out == {"did not pass the inclusion test": 8}
    assert any("8 did not pass" in each for each in record.differences)


def test_metamers_that_fail_as_shown_are_left_out(metamers, blank_page, tmp_path):
    out = write_metamers(tmp_path / "metamers", 11, networks=NETWORKS[:1])
    folder = next(path for path in find_metamers(out) if "conv1_2" in str(path))
    verdict = json.loads((folder / "verdict.json").read_text())
    give_verdict(folder, True, saved={**verdict["saved"], "included": False})
    assert build(out, tmp_path / "out", blank_page).left_out == {"did not pass as shown": 1}


def test_the_key_leads_to_the_files_that_are_shown(experiment, metamers):
    key = read_key(experiment)
    assert set(files(experiment / "site" / "stimuli")) == {f"{name}.png" for name in key.index}
    for name, row in key.iterrows():
        shown = (experiment / "site" / "stimuli" / f"{name}.png").read_bytes()
        source = metamers / row["folder"] / ("metamer.png" if row["network"] else "original.png")
        assert shown == source.read_bytes() and hashlib.sha256(shown).hexdigest() == row["sha256"]


@pytest.mark.parametrize("task", ["images", "sounds"])
def test_the_site_holds_no_answer(experiment, build_sounds, blank_page, task):
    """Answers to choose from are there, and practice has feedback; nothing else of the key is anywhere in the site."""
    experiment = experiment if task == "images" else build_sounds(blank_page)
    key, content = read_key(experiment), read_content(experiment / "site")
    practised = {each["stimulus"] for each in content["practice"]}
    secrets = {*key["layer"], *key["network"], *key["stimulus"], *key["folder"], *key["record_sha256"], *key["sha256"]}
    secrets |= {"metamer", "natural", "original"}
    for path, data in files(experiment / "site").items():
        for secret in secrets - {""}:
            assert secret.encode() not in data and secret not in path, (path, secret)
    trials = json.dumps([content["lists"], content["timing_ms"], content["breaks"]])
    assert not any(f'"{answer}"' in trials for answer in key["answer"])
    for name in set(key.index) - practised:
        assert name not in json.dumps(content["practice"])
    assert key.index.str.fullmatch("[0-9a-f]{16}").all()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_lists_and_names(metamers, blank_page, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        build(metamers, tmp_path / name, blank_page, seed=seed)
    first, again, other = (files(tmp_path / name) for name in "abc")
    assert first == again
    assert set(first) != set(other) and first["site/experiment.js"] != other["site/experiment.js"]


def test_each_trial_of_a_list_has_its_own_mask(experiment):
    for each in read_content(experiment / "site")["lists"]:
        masks = [trial["mask"] for trial in each["trials"]]
        assert len(set(masks)) == len(masks)
        assert all((experiment / "site" / "masks" / f"{mask:03d}.png").is_file() for mask in masks)


def test_catch_and_demo_trials_of_the_2023_protocol(metamers, blank_page, tmp_path):
    design = Design("images", "feather2023", lists=2, trials=2, practice=2, demo=6, catch=4)
    record = build_site(metamers, tmp_path / "out", design, TEXTS, page=blank_page)
    content, key = read_content(tmp_path / "out" / "site"), read_key(tmp_path / "out")
    for each in content["lists"]:
        kinds = Counter(trial["kind"] for trial in each["trials"])
        assert kinds == {"main": 10, "catch": 4}
        caught = [trial["stimulus"] for trial in each["trials"] if trial["kind"] == "catch"]
        assert (key.loc[caught, "network"] == "").all()
    shown = key.loc[[each["stimulus"] for each in content["demo"]["trials"]]]
    assert (shown["network"] != "").tolist() == [False] * 2 + [True] * 4
    assert (shown["layer"].iloc[2:] == "conv1_2").all()
    assert content["demo"]["pass"] == 4  # Seven of twelve are the protocol's.
    assert record.design.catch == 4 and any("catch" in each for each in record.differences)


class TestRefusals:
    def test_no_metamer_passed(self, blank_page, tmp_path):
        out = write_metamers(tmp_path / "metamers", 4, failed=range(4))
        with pytest.raises(ResultError, match="16 did not pass the inclusion test"):
            build(out, tmp_path / "out", blank_page)
        assert not (tmp_path / "out").exists()

    def test_not_judged(self, blank_page, tmp_path):
        write_metamer(tmp_path / "metamers", NETWORKS[0], LAYERS[0], 0)
        with pytest.raises(ResultError, match="1 not judged"):
            build(tmp_path / "metamers", tmp_path / "out", blank_page)

    def test_too_few_for_the_design(self, metamers, blank_page, tmp_path):
        with pytest.raises(ResultError, match="22 for 40 trials"):
            build(metamers, tmp_path / "out", blank_page, trials=40)
        assert not list(tmp_path.iterdir())

    def test_metamers_of_the_other_kind(self, metamers, blank_page, tmp_path):
        with pytest.raises(ArgumentError, match="kind image"):
            build_site(metamers, tmp_path / "out", Design("sounds", "feather2019"), TEXTS, page=blank_page)

    def test_a_folder_that_exists(self, metamers, blank_page, experiment):
        with pytest.raises(ResultError, match="exists"):
            build(metamers, experiment, blank_page)

    def test_a_site_of_another_format(self, experiment, tmp_path):
        content = json.loads((experiment / "private" / "build.json").read_text())
        (tmp_path / "private").mkdir()
        (tmp_path / "private" / "build.json").write_text(json.dumps({**content, "format": 2}))
        with pytest.raises(ResultError, match="format 2"):
            read_build(tmp_path)

    def test_an_altered_site(self, experiment, tmp_path):
        text = (experiment / "site" / "experiment.js").read_text()
        (tmp_path / "experiment.js").write_text(text.replace('"trial": 0', '"trial": 3', 1))
        with pytest.raises(ResultError, match=r"experiment\.js"):
            read_content(tmp_path)


class TestAssets:
    """jsPsych: looked for in places, else downloaded, and in either case compared with its hash."""

    @pytest.fixture(autouse=True)
    def nowhere(self, tmp_path, monkeypatch):
        monkeypatch.delenv(assets.VARIABLE, raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))

    @pytest.fixture
    def served(self, tmp_path, monkeypatch):
        """A folder that a local server gives out in the place of npm's mirrors, and the name of a known file there."""
        (tmp_path / "web").mkdir()
        handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "web")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            monkeypatch.setattr(assets, "_SERVERS", (f"http://127.0.0.1:{server.server_port}",))
            yield tmp_path / "web"
            server.shutdown()

    @staticmethod
    def write(folder, content: bytes, monkeypatch=None):
        """Write jsPsych as npm has it; with a monkeypatch, its hash becomes the expected one."""
        package, version, _ = assets.FILES["jspsych"]
        path = folder / f"{package}@{version}" / "dist/index.browser.min.js"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        if monkeypatch is not None:
            digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
            monkeypatch.setitem(assets.FILES, "jspsych", (package, version, digest))

    def test_it_is_downloaded_once_and_kept(self, served, monkeypatch):
        self.write(served, b"jsPsych", monkeypatch)
        path = assets.find_file("jspsych")
        assert path.read_bytes() == b"jsPsych"
        shutil.rmtree(served)
        assert assets.find_file("jspsych") == path

    def test_a_download_with_another_hash_is_refused_and_not_kept(self, served, tmp_path):
        self.write(served, b"something else")
        with pytest.raises(ResultError, match="SHA-384"):
            assets.find_file("jspsych")
        assert not list(tmp_path.rglob("cache/**/*.js"))

    def test_it_is_nowhere(self, served):
        with pytest.raises(ResultError, match="npm ci"):
            assets.find_file("jspsych")

    def test_a_file_with_another_hash_is_refused(self, tmp_path):
        (tmp_path / "jspsych.js").write_text("// something else")
        with pytest.raises(ResultError, match="SHA-384"):
            assets.find_file("jspsych", tmp_path)

    def test_the_page_may_load_known_files_only(self):
        page = f'<script src="{assets.FOLDER}/NAME.js"></script>'
        assert assets.named_files(page.replace("NAME", "plugin-browser-check")) == ["plugin-browser-check"]
        with pytest.raises(ResultError, match="plugin-survey"):
            assets.named_files(page.replace("NAME", "plugin-survey"))
