"""Simulated observers are recovered; answers are read from anywhere; exclusions are counted; exports hold the site."""

import json
import math
import zipfile

import numpy as np
import pandas
import pytest

from tests.golden import SHARED, needs_shared
from tests.people.making import build, write_metamers
from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.people import exports
from tfmetamers.people.analysis import analyse, analyse_release
from tfmetamers.people.answers import read_answers
from tfmetamers.people.build_record import read_build, read_key
from tfmetamers.people.database import Database, database_path, read_rows
from tfmetamers.people.exclusions import declared_rules
from tfmetamers.people.experiment_file import read_content
from tfmetamers.people.observers import make_observers, take_part
from tfmetamers.people.proportions import detectable_difference, layer_effects
from tfmetamers.people.rows import text_of, write_rows_csv
from tfmetamers.published import find_published
from tfmetamers.reproduce.catalogue import find_reproduction
from tfmetamers.reproduce.paper_2019.people import PARTICIPANTS, read_participants, tabulate_published

COUNT = 16


@pytest.fixture(scope="module")
def fresh(metamers, blank_page, tmp_path_factory):
    """A function that builds an experiment of its own, and lets observers take part."""

    def make(participants=COUNT, seed=0, design=None, **accuracy):
        out = tmp_path_factory.mktemp("fresh") / "out"
        build(metamers, out, blank_page, **(design or {}))
        observers = make_observers(read_content(out / "site"), read_key(out), participants, seed=seed, **accuracy)
        assert len(list(take_part(Database(database_path(out), read_build(out).experiment), observers))) == participants
        return out

    return make


@pytest.fixture(scope="module")
def falling(fresh):
    """Observers whose accuracy falls with the layer."""
    return fresh(by_layer={"natural": 0.95, "conv1_2": 0.75, "conv2_2": 0.1})


def conditions_of(out, **rules):
    return analyse(out, declared_rules(**rules)).conditions


def test_an_accuracy_of_a_half_is_recovered(fresh):
    conditions = conditions_of(fresh(accuracy=0.5))
    assert len(conditions) == 5  # Natural stimuli, and two layers of two networks.
    assert (conditions["participants"] == COUNT).all() and (conditions["trials"] == COUNT * 3).all()
    expected = math.sqrt(0.5 * 0.5 / (COUNT * 3))
    assert (abs(conditions["value"] - 0.5) < 3 * expected).all()
    assert conditions["sem"].mean() == pytest.approx(expected, rel=0.3)


def test_accuracy_that_falls_with_the_layer_is_recovered_in_order(falling):
    conditions = conditions_of(falling)
    for wanted, layer in ((0.95, "natural"), (0.75, "conv1_2"), (0.1, "conv2_2")):
        own = conditions[conditions["layer"] == layer]
        error = math.sqrt(wanted * (1 - wanted) / (COUNT * 3))
        assert (abs(own["value"] - wanted) < 3 * error).all(), layer
    for network in set(conditions["network"]) - {""}:
        own = conditions[conditions["network"].isin(["", network])].sort_values("place")
        assert list(own["value"]) == sorted(own["value"], reverse=True)


def test_proportions_are_those_counted_by_hand(falling):
    key, conditions = read_key(falling), conditions_of(falling)
    by_session: dict[tuple, list] = {}
    for row in read_rows(database_path(falling)):
        if row.kind == "main":
            shown = key.loc[row.stimulus]
            condition = (shown["network"], shown["layer"], row.session)
            by_session.setdefault(condition, []).append(row.response == shown["answer"])
    for row in conditions.itertuples():
        own = [np.mean(right) for (*condition, _), right in by_session.items() if condition == [row.network, row.layer]]
        assert row.value == pytest.approx(np.mean(own))
        assert row.sem == pytest.approx(np.std(own, ddof=1) / math.sqrt(len(own)))
        assert row.low < row.value < row.high or row.value in (row.low, row.high)
    assert set(conditions["chance"]) == {1 / 16}


class TestPublished:
    @pytest.mark.parametrize(
        ("source", "layers"), [("checkpoint", {"natural", "conv1_2", "conv2_2"}), ("random", set())]
    )
    def test_points_stand_beside_those_of_the_same_network_unless_its_weights_are_random(
        self, blank_page, tmp_path, source, layers
    ):
        metamers = write_metamers(tmp_path / "metamers", 24, networks=("vgg_19",), source=source)
        build(metamers, tmp_path / "out", blank_page)
        content, key = read_content(tmp_path / "out/site"), read_key(tmp_path / "out")
        database = Database(database_path(tmp_path / "out"), content["id"])
        list(take_part(database, make_observers(content, key, 4, accuracy=1.0)))
        comparison = analyse(tmp_path / "out", declared_rules()).tables["comparison"]
        assert set(comparison["layer"]) == layers
        published = find_published("recognition_2019").read()
        for row in comparison.itertuples():
            [point] = published[(published["network"] == "vgg_19") & (published["layer"] == row.layer)].itertuples()
            assert (row.published, row.ours) == (point.people, 1.0)
            assert row.difference == pytest.approx(1.0 - point.people)


def test_what_is_written_can_be_joined_to_the_paper_figures(falling, tmp_path):
    analysis = analyse(falling, declared_rules())
    analysis.write(tmp_path / "analysis")
    pandas.testing.assert_frame_equal(
        read_participants(tmp_path / "analysis"), analysis.conditions, check_exact=False, check_dtype=False
    )
    page = (tmp_path / "analysis/results.md").read_text()
    assert "16 participants" in page and "glmer" in page and (tmp_path / "analysis/figure.png").stat().st_size > 1000


def test_participants_join_the_paper_figure(falling, tmp_path):
    analyse(falling, declared_rules()).write(tmp_path / "analysis")
    people = read_participants(tmp_path / "analysis")
    first, *_ = (name for name in people["network"] if name)
    people = people[people["network"].isin(["", first])].replace({"network": {first: "vgg_19"}})
    figure = find_reproduction("figure-3b")
    table = figure.add_people(tabulate_published("vgg_19"), people[people["layer"] != "conv2_2"])
    own = table[table["who"] == PARTICIPANTS]
    assert set(own["layer"]) == {"natural", "conv1_2"} and set(own["network"]) == {"vgg_19"}
    labels = [line.get_label() for axes in figure.draw(table, {}).get_axes() for line in axes.containers]
    assert PARTICIPANTS in labels
    assert any("16 participants" in each for each in figure.differences("quick", people))
    assert any("Nobody" in each for each in figure.differences("quick", None))


def test_a_folder_without_an_analysis_has_no_participants(tmp_path):
    with pytest.raises(ResultError, match=r"conditions\.csv"):
        read_participants(tmp_path)


class TestExclusions:
    def test_who_withdrew_stopped_or_failed_is_left_out_and_counted(self, fresh):
        out = fresh(design={"catch": 2, "demo": 2}, by_layer={"natural": 0.0, "conv1_2": 1.0, "conv2_2": 1.0})
        database = Database(database_path(out), read_build(out).experiment)
        content = read_content(out / "site")
        for seed, end in ((7, "withdrawn"), (8, None)):
            [observer] = make_observers(content, read_key(out), 1, accuracy=1.0, seed=seed)
            begun = database.begin(observer.session, len(content["lists"]))
            *rows, last = observer.rows(begun.list)
            rows = [*rows[:-3], last.__replace__(response=end)] if end else rows[:-3]
            database.store(observer.session, begun.token, rows)
        analysis = analyse(out, declared_rules(min_demo=1))
        exclusions = analysis.tables["exclusions"].set_index("rule")
        assert exclusions.loc["withdrawn", "sessions"] == 1 and exclusions.loc["incomplete", "sessions"] == 2
        assert exclusions.loc["incomplete", "alone"] == 1
        assert (analysis.conditions["participants"] == COUNT).all()
        assert analysis.tables["everyone"]["participants"].max() == COUNT + 2
        with pytest.raises(ResultError, match="catch"):
            analyse(out, declared_rules(min_catch=0.9))

    @pytest.mark.parametrize("rule", ["min_headphones", "min_demo", "min_catch"])
    def test_a_rule_of_a_check_that_was_not_made(self, falling, rule):
        with pytest.raises(ArgumentError, match=rule.replace("_", "-")):
            analyse(falling, declared_rules(**{rule: 1}))

    def test_an_unknown_flag(self, falling):
        with pytest.raises(ArgumentError, match="tired"):
            analyse(falling, declared_rules(), drop_flagged=["tired"])


class TestSources:
    def test_a_csv_and_results_of_jatos_are_what_the_database_has(self, falling, tmp_path):
        experiment = read_build(falling).experiment
        rows = read_rows(database_path(falling))
        half = len(rows) // 2
        (tmp_path / "a.csv").write_text(write_rows_csv(rows[: half + 5]))
        (tmp_path / "b.txt").write_text("".join(text_of(row) + "\n" for row in rows[half:]))
        files = [tmp_path / "a.csv", tmp_path / "b.txt"]
        assert sorted(map(text_of, read_answers(files, experiment))) == sorted(map(text_of, rows))
        pandas.testing.assert_frame_equal(analyse(falling, declared_rules(), files).conditions, conditions_of(falling))

    def test_exported_answers_are_read_back(self, falling, tmp_path):
        assert exports.export_answers(falling, tmp_path / "answers.csv") == len(read_rows(database_path(falling)))
        assert read_answers([tmp_path / "answers.csv"], read_build(falling).experiment)

    @pytest.mark.parametrize("content", ["a,b\n1,2\n", "session\nx\n", "session,seq\n1\n"])
    def test_a_csv_of_something_else(self, falling, tmp_path, content):
        (tmp_path / "other.csv").write_text(content)
        with pytest.raises(ResultError, match=r"other\.csv"):
            analyse(falling, declared_rules(), [tmp_path / "other.csv"])

    def test_answers_to_another_experiment(self, falling, fresh, tmp_path):
        other = fresh(1, accuracy=1.0, design={"seed": 5})
        exports.export_answers(other, tmp_path / "other.csv")
        with pytest.raises(ResultError, match=read_build(other).experiment[:12]):
            analyse(falling, declared_rules(), [tmp_path / "other.csv"])

    def test_two_files_that_contradict_each_other(self, falling, tmp_path):
        [row, *_] = (row for row in read_rows(database_path(falling)) if row.kind == "main")
        (tmp_path / "a.txt").write_text(text_of(row))
        (tmp_path / "b.txt").write_text(text_of(row.__replace__(response="other")))
        with pytest.raises(ResultError, match=r"b\.txt"):
            read_answers([tmp_path / "a.txt", tmp_path / "b.txt"], row.experiment)

    def test_a_key_that_lacks_a_stimulus_of_the_site(self, fresh):
        out = fresh(1, accuracy=1.0)
        key = out / "private" / "key.csv"
        key.write_text("".join(key.read_text().splitlines(keepends=True)[:-1]))
        with pytest.raises(ResultError, match=r"key\.csv .*1 stimulus"):
            analyse(out, declared_rules())

    def test_nobody_took_part(self, metamers, blank_page, tmp_path):
        build(metamers, tmp_path / "out", blank_page)
        with pytest.raises(ResultError, match=r"data\.sqlite"):
            analyse(tmp_path / "out", declared_rules())


@needs_shared
def test_proportions_of_the_2023_release():
    [file, *_] = sorted((SHARED / "data/behaviour_2023").rglob("*_public.mat"))
    analysis = analyse_release([file])
    assert analysis.conditions["value"].between(0, 1).all() and len(analysis.tables["tests"]) == 1


class TestObservers:
    def test_the_same_seed_gives_the_same_answers_and_takes_part_once(self, falling, fresh):
        content, key = read_content(falling / "site"), read_key(falling)
        one, other = (make_observers(content, key, 2, accuracy=0.5, seed=seed) for seed in (3, 4))
        again = make_observers(content, key, 2, accuracy=0.5, seed=3)
        assert [each.rows(1) for each in one] == [each.rows(1) for each in again] != [each.rows(1) for each in other]
        database = Database(database_path(falling), content["id"])
        with pytest.raises(ResultError, match="seed 0"):
            list(take_part(database, make_observers(content, key, 1, accuracy=0.5, seed=0)))

    @pytest.mark.parametrize(
        ("accuracy", "named"),
        [({"accuracy": 1.5}, "1.5"), ({"by_layer": {"conv9": 0.5}}, "conv9"), ({"by_layer": {"natural": 0.5}}, "conv")],
    )
    def test_accuracies_that_cannot_be(self, experiment, accuracy, named):
        with pytest.raises(ArgumentError, match=named):
            make_observers(read_content(experiment / "site"), read_key(experiment), 1, **accuracy)


class TestStatistics:
    def test_the_effect_of_layers_is_that_of_an_analysis_of_variance(self):
        """The table of Winer's textbook example 4.2-1: F(3, 12) = 24.76."""
        values = np.array([[30, 28, 16, 34], [14, 18, 10, 22], [24, 20, 18, 30], [38, 34, 20, 44], [26, 28, 14, 30]])
        table = pandas.DataFrame(
            [("" if place < 0 else "net", f"l{place}", place, person, float(values[person, place + 1]))
             for person in range(5) for place in range(-1, 3)],
            columns=["network", "layer", "place", "participant", "value"],
        )  # fmt: skip
        [effect] = layer_effects(table, permutations=200).itertuples()
        assert effect.f == pytest.approx(24.76, abs=0.01) and (effect.df, effect.df_error) == (3, 12)
        assert effect.p == pytest.approx(1 / 201)

    def test_what_can_be_detected_shrinks_with_participants(self):
        found = [detectable_difference(participants, 10) for participants in (4, 16, 64)]
        assert found == sorted(found, reverse=True) and detectable_difference(1, 10) is None


class TestExports:
    def test_an_offline_folder_is_the_site_with_another_target(self, experiment, tmp_path):
        exports.export_offline(experiment, tmp_path / "offline", code="C0DE")
        content = read_content(tmp_path / "offline")
        assert content["save"] == {"kind": "offline"} and content["finish"]["code"] == "C0DE"
        assert content["id"] == read_build(experiment).experiment
        assert {path.name for path in (tmp_path / "offline/stimuli").glob("*.png")} == {
            path.name for path in (experiment / "site/stimuli").iterdir()
        }
        with pytest.raises(ResultError, match="offline"):
            exports.export_offline(experiment, tmp_path / "offline")

    def test_an_archive_for_jatos(self, experiment, tmp_path):
        for name in ("a.jzip", "b.jzip"):
            exports.export_jatos(experiment, tmp_path / name)
        assert (tmp_path / "a.jzip").read_bytes() == (tmp_path / "b.jzip").read_bytes()
        with zipfile.ZipFile(tmp_path / "a.jzip") as archive:
            top = {name.split("/")[0] for name in archive.namelist()}
            assert top == {"tfmetamers_images", "tfmetamers_images.jas"}
            study = json.loads(archive.read("tfmetamers_images.jas"))
            page = archive.read("tfmetamers_images/index.html").decode()
            files = {name.removeprefix("tfmetamers_images/") for name in archive.namelist()}
        assert study["version"] == "3" and study["data"]["dirName"] == "tfmetamers_images"
        assert page.index("jatos.js") < page.index("</head>")
        assert files >= {
            path.relative_to(experiment / "site").as_posix() for path in (experiment / "site").rglob("*.png")
        }

    def test_datapipe_needs_its_identifier(self, experiment, tmp_path):
        exports.export_datapipe(experiment, tmp_path / "web", "abcDEF123456")
        assert read_content(tmp_path / "web")["save"] == {"kind": "datapipe", "experiment": "abcDEF123456"}
        with pytest.raises(ArgumentError, match="short"):
            exports.export_datapipe(experiment, tmp_path / "other", "short")
