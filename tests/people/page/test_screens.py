"""What is on the screens, and who may not come in."""

import numpy as np
import pytest

from tests.people.page.participants import Keyboard, Mouse, arrive, begin_trials, heading, leave, listen, look
from tests.people.page.sites import identifier
from tests.people.page.tours import PHONE, SITES, TOURS


@pytest.fixture
def faults(node_modules):
    """A function that returns what axe finds serious or critical on a page: rules, and what breaks them."""
    axe = (node_modules / "axe-core" / "axe.min.js").read_text()

    def look(page):
        page.evaluate(axe)
        result = page.evaluate("axe.run()")
        assert result["passes"], "axe looked at nothing"
        grave = [fault for fault in result["violations"] if fault["impact"] in ("serious", "critical")]
        return [(fault["id"], [node["html"][:100] for node in fault["nodes"]]) for fault in grave]

    return look


@pytest.mark.parametrize("task", TOURS)
def test_axe_finds_nothing_serious(serve, page, faults, task):
    screens = TOURS[task](page, serve(task, **SITES[task]).url)
    assert {screen: found for screen in screens if (found := faults(page))} == {}


def test_axe_finds_nothing_serious_where_a_session_cannot_go_on(serve, page, context, faults):
    server = serve("images", minimum_window=[900, 700])
    page.set_viewport_size({"width": 800, "height": 600})
    page.goto(server.url)
    server.kill()
    arrive(Mouse(page))
    heading(page, "Connecting")
    assert faults(page) == []
    server.revive()
    heading(page, "The window")
    assert faults(page) == []
    other = context.new_page()
    other.goto(server.url)
    heading(other, "The experiment is open in another tab")
    assert faults(other) == []
    (server.site / "masks" / "001.png").unlink()
    page.set_viewport_size({"width": 1000, "height": 750})
    page.get_by_role("alert").wait_for()
    assert faults(page) == []


def test_onsets_are_within_a_frame_of_the_plan(serve, page):
    """From the page's own log. A machine that is busy drops frames: one trial of three must be good."""
    timing = {"before": 300, "fixation": 300, "stimulus": 200, "mask": 100, "response_limit": None}
    server = serve("images", timing_ms=timing, practice=[], breaks=[], trials=3)
    person = Mouse(page)
    page.goto(server.url)
    arrive(person)
    begin_trials(person)
    for category in ("cat", "dog", "bear"):
        look(person, category)
    heading(page, "Comments")
    rows = page.evaluate(
        "Object.keys(localStorage).filter(key => /row/.test(key)).map(key => JSON.parse(localStorage[key]))"
    )
    rows = [row for row in rows if row["kind"] == "main"]
    assert len(rows) == 3
    frames = {row["frame_ms_median"] for row in rows}
    assert all(5 < frame < 40 for frame in frames)
    for row in rows:
        late = [abs(onset - plan) for onset, plan in zip(row["onsets_ms"], (0, 300, 500, 600), strict=True)]
        durations = [b - a for a, b in zip(row["onsets_ms"], row["onsets_ms"][1:], strict=False)]
        wrong = [abs(duration - plan) for duration, plan in zip(durations, (300, 200, 100), strict=True)]
        assert row["timing_ok"] == (max(wrong) <= row["frame_ms_median"] + 0.01)
        row["late"] = max(late)
    assert min(row["late"] - row["frame_ms_median"] for row in rows) <= 0


def test_phones_are_refused_for_images(serve, browser):
    context = browser.new_context(**PHONE)
    page = context.new_page()
    server = serve("images")
    page.goto(server.url)
    heading(page, "Please use a computer")
    assert server.rows == {}
    context.close()


def test_phones_are_fine_for_sounds(serve, browser):
    context = browser.new_context(**PHONE)
    page = context.new_page()
    server = serve("sounds", practice=[], level=None, trials=1, breaks=[])
    page.goto(server.url)
    for name in ("I agree, and take part", "Continue", "Continue", "Start", "Play the sound", "All words"):
        page.get_by_role("button", name=name, exact=True).tap()
    page.get_by_role("option", name="money", exact=True).tap()
    page.get_by_role("button", name="Answer").tap()
    heading(page, "Comments")
    page.get_by_role("button", name="Continue").tap()
    page.get_by_text("DONE-7").wait_for()
    rows = server.only()
    assert [row["response"] for row in rows if row["kind"] == "main"] == ["money"]
    assert next(row for row in rows if row["kind"] == "consent")["how"] == "touch"
    assert next(row for row in rows if row["kind"] == "check")["client"]["mobile"] is True
    context.close()


def test_who_fails_the_headphone_check_leaves(serve, page):
    server = serve("sounds", headphones={"trials": 1, "pass": 1, "on_fail": "end"}, breaks=[])
    person = Keyboard(page)
    page.goto(server.url)
    arrive(person)
    person.press("Play the noise")
    person.press("Continue")
    (session,) = server.rows
    order = page.evaluate("session => metamers.toneOrders(session, 1)[0]", session)
    person.press("Play the three tones")
    person.press(["First", "Second", "Third"][order.index("O")])
    heading(page, "The session ends here")
    page.get_by_text("All answers are saved").wait_for()
    assert [row["response"] for row in server.only() if row["kind"] == "end"] == ["headphones"]


@pytest.mark.parametrize(("answer", "passed"), [("cat", True), ("boat", False)])
def test_the_trial_run_has_a_pass_mark(serve, page, answer, passed):
    demo = {"trials": [{"stimulus": identifier(0), "answer": "cat", "mask": 0}], "pass": 1}
    server = serve("images", demo=demo, practice=[])
    person = Mouse(page)
    page.goto(server.url)
    arrive(person)
    person.press("Continue")
    person.press("Start")
    look(person, answer)
    heading(page, "The experiment" if passed else "The session ends here")
    if not passed:
        page.get_by_text("All answers are saved").wait_for()
        assert [(row["kind"], row["response"]) for row in server.only()[-2:]] == [("demo", "boat"), ("end", "demo")]


def test_the_window_must_be_large_enough(serve, page):
    server = serve("images", minimum_window=[900, 700])
    page.set_viewport_size({"width": 800, "height": 600})
    page.goto(server.url)
    arrive(Mouse(page))
    heading(page, "The window")
    page.get_by_text("800 by 600").wait_for()
    page.set_viewport_size({"width": 1000, "height": 750})
    heading(page, "Instructions")


def test_a_preview_stores_nothing(serve, page):
    server = serve("images", breaks=[])
    page.goto(f"{server.url}?preview&list=1&trial=2")
    person = Mouse(page)
    person.press("Start")
    heading(page, "Trial 3 of 4")
    look(person, "cat")
    heading(page, "Trial 4 of 4")
    assert server.rows == {} and page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("number", ["2", "-1", "first"])
def test_a_list_that_is_not_there(serve, page, number):
    server = serve("images")
    page.goto(f"{server.url}?preview&trial=0&list={number}")
    page.get_by_text(f"There is no list {number}; the lists are 0 to 1.").wait_for()


def test_the_grid_by_arrow_keys(serve, page):
    """No answer is marked at first; arrows stop at the edges; a letter goes from one answer to the next."""
    server = serve("images", breaks=[])
    page.goto(f"{server.url}?preview&trial=3")
    Mouse(page).press("Start")
    page.keyboard.press("Space")
    page.locator(".grid").wait_for()
    focus = "document.activeElement.getAttribute('role') ?? document.activeElement.textContent"
    assert page.evaluate(focus) == "group"
    at = []
    for key in (
        "Enter",
        "ArrowLeft",
        "ArrowLeft",
        "ArrowRight",
        "ArrowDown",
        "End",
        "ArrowDown",
        "b",
        "b",
        "k",
        "ArrowUp",
    ):
        page.keyboard.press(key)
        at.append(page.evaluate(focus))
    assert at == [
        "group", "airplane", "airplane", "bear", "bottle", "truck", "truck", "bear", "bicycle", "keyboard", "chair"
    ]  # fmt: skip
    page.keyboard.press("Space")
    heading(page, "Comments")


def test_words_are_completed_and_only_words_are_answers(serve, page):
    server = serve("sounds", practice=[], level=None, breaks=[], trials=1)
    person = Keyboard(page)
    page.goto(f"{server.url}?preview&trial=0")
    person.press("Start")
    person.press("Play the sound")
    box = page.get_by_role("combobox", name="Which word was spoken in the middle?")
    options = page.get_by_role("option")
    for typed, offered in {
        "ac": ["account", "accounting"],
        "ket": ["market", "marketing"],
        "dont": ["don't"],
        "well": ["well", "we'll"],
        "we\u2019ll": ["we'll", "well"],
        "ACCOUNT": ["account", "accounting"],
    }.items():
        box.fill(typed)
        assert options.all_text_contents() == offered
    box.fill("xx")
    assert page.get_by_role("status").filter(has_text="No match").is_visible()
    page.keyboard.press("Enter")
    assert page.get_by_text("Please choose a word from the list.").is_visible()
    box.fill("acc")
    page.keyboard.press("ArrowUp")
    assert page.locator("[aria-selected=true]").text_content() == "accounting"
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false" and box.input_value() == "acc"
    box.fill("account")
    page.keyboard.press("Enter")
    heading(page, "Comments")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"format": 2}, "format"),
        ({"lists": [{"list": 0, "trials": [{"trial": 0}]}]}, "lists.trials.kind"),
        ({"categories": None}, "categories"),
        ({"practice": [{"stimulus": "../key", "answer": "cat", "slow": False, "mask": 0}]}, "practice.stimulus"),
        ({"save": {"kind": "server"}}, "save.url"),
    ],
)
def test_another_format_is_refused(make_site, page, changes, named):
    page.goto((make_site("images", **changes) / "site/index.html").as_uri())
    assert named in page.get_by_role("alert").text_content()


def test_a_file_that_is_missing_is_named_before_the_first_trial(serve, page):
    server = serve("images")
    (server.site / "stimuli" / f"{identifier(2)}.png").write_bytes(b"no image")
    page.goto(server.url)
    arrive(Mouse(page))
    assert identifier(2) in page.get_by_role("alert").text_content()
    assert not [row for row in server.only() if row["kind"] == "practice"]


def test_tones_and_noise(make_site, page):
    """Levels and phases of the check (Woods et al. 2017), the level of the noise, and where its energy is."""
    page.goto((make_site("sounds") / "site/index.html").as_uri())
    measured = page.evaluate("""() => {
        const rms = (samples, first, last) => Math.hypot(...samples.slice(first, last)) / Math.sqrt(last - first);
        const tones = metamers.tones("ISO", 0.05), rate = tones.sampleRate;
        const [left, right] = [tones.getChannelData(0), tones.getChannelData(1)];
        const within = tone => [Math.round((1.5 * tone + 0.2) * rate), Math.round((1.5 * tone + 0.8) * rate)];
        const noise = metamers.noise(0.05).getChannelData(0);
        return {
            left: [0, 1, 2].map(tone => rms(left, ...within(tone))),
            sums: [0, 1, 2].map(tone => rms(left.map((value, index) => value + right[index]), ...within(tone))),
            pause: rms(left, Math.round(1.05 * rate), Math.round(1.45 * rate)),
            noise: rms(noise, 0, noise.length), samples: Array.from(noise),
            orders: metamers.toneOrders("a", 300), again: metamers.toneOrders("a", 300),
        };
    }""")
    assert measured["left"] == pytest.approx([0.05, 0.025, 0.05], rel=1e-3)
    assert measured["sums"] == pytest.approx([0.1, 0.05, 0], abs=1e-4)
    assert measured["pause"] == 0
    assert measured["noise"] == pytest.approx(0.05, rel=1e-4)
    power = np.abs(np.fft.rfft(measured["samples"])) ** 2
    octaves = [power[2 * low : 4 * low].sum() for low in (100, 500, 1000, 3000)]
    assert octaves == pytest.approx([octaves[0]] * 4, rel=0.02)
    assert power[: 2 * 45].sum() + power[2 * 8100 :].sum() < 1e-6 * power.sum()
    assert measured["orders"] == measured["again"]
    assert {order: measured["orders"].count(order) > 25 for order in measured["orders"]} == dict.fromkeys(
        ("ISO", "IOS", "SOI", "SIO", "OSI", "OIS"), True
    )


def test_who_does_not_answer_in_time_gives_no_answer(serve, page):
    timing = {"before": 0, "fixation": 30, "stimulus": 30, "mask": 30, "response_limit": 200}
    server = serve("images", timing_ms=timing, practice=[], breaks=[], trials=1)
    person = Mouse(page)
    page.goto(server.url)
    arrive(person)
    person.press("Continue")
    person.press("Start")
    person.press("Show the image")
    heading(page, "Comments")
    person.press("Continue")
    page.get_by_text("DONE-7").wait_for()
    [row] = [row for row in server.only() if row["kind"] == "main"]
    assert not {"response", "rt", "how"} & set(row)


def test_a_page_that_was_hidden_says_so(serve, page):
    server = serve("sounds", practice=[], level=None, breaks=[], trials=2)
    person = Mouse(page)
    page.goto(server.url)
    arrive(person)
    person.press("Continue")
    person.press("Start")
    listen(person, "water")
    heading(page, "Trial 2 of 2")
    page.evaluate("""() => {
        Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
        delete document.visibilityState;
    }""")
    listen(person, "price")
    leave(person)
    page.get_by_text("DONE-7").wait_for()
    assert [row["visible"] for row in server.only() if row["kind"] == "main"] == [True, False]


def test_texts_are_text(serve, page):
    texts = {"consent": "One <b>word</b>.\n\n<img src=x>", "debrief": "", "instructions": ""}
    page.goto(serve("images", texts=texts, language="de").url)
    heading(page, "Consent")
    assert page.locator("form p").all_text_contents() == ["One <b>word</b>.", "<img src=x>"]
    assert page.locator("html").get_attribute("lang") == "de"
