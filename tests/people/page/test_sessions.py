"""Whole sessions in a browser, by keyboard alone and by mouse alone."""

import pytest

from tests.people.page.participants import Keyboard, Mouse, arrive, heading, leave, listen, look, practise_images
from tests.people.page.sites import identifier

HANDS = {"key": Keyboard, "mouse": Mouse}


@pytest.mark.parametrize("manner", HANDS)
def test_images(serve, page, manner):
    server = serve("images")
    hand = HANDS[manner](page)
    page.goto(server.url)
    arrive(hand)
    practise_images(hand)
    for category in ("cat", "boat"):
        look(hand, category)
    heading(page, "Break")
    hand.press("Continue")
    for category in ("truck", "bear"):
        look(hand, category)
    leave(hand)
    page.get_by_text("DONE-7").wait_for()

    rows = server.only()
    assert [row["kind"] for row in rows] == [
        "consent", "check", "practice", "main", "main", "break", "main", "main", "comment", "end"
    ]  # fmt: skip
    main = [row for row in rows if row["kind"] == "main"]
    assert [row["response"] for row in main] == ["cat", "boat", "truck", "bear"]
    assert [row["trial"] for row in main] == [0, 1, 2, 3]
    assert [row["stimulus"] for row in main] == [identifier(number) for number in (1, 2, 3, 4)]
    assert {row["how"] for row in main} == {manner}
    assert all(0 < row["rt"] < 10000 for row in main)
    assert all(row["visible"] for row in main)
    assert [row["correct"] for row in rows if row["kind"] == "practice"] == [True]
    assert server.finished == list(server.rows)


@pytest.mark.parametrize("manner", HANDS)
def test_sounds(serve, page, manner):
    server = serve("sounds", headphones={"trials": 1, "pass": 1, "on_fail": "end"})
    hand = HANDS[manner](page)
    page.goto(server.url)
    arrive(hand)
    hand.press("Play the noise")
    hand.press("Continue")
    (session,) = server.rows
    order = page.evaluate("session => metamers.toneOrders(session, 1)[0]", session)
    hand.press("Play the three tones")
    hand.press(["First", "Second", "Third"][order.index("S")])
    heading(page, "Instructions")
    hand.press("Continue")
    hand.press("Start")
    listen(hand, "water")
    hand.press("Continue")
    hand.press("Start")
    answers = ["account", "don't", "market", "well"]
    for answer in answers[:2]:
        listen(hand, answer)
    hand.press("Continue")
    for answer in answers[2:]:
        listen(hand, answer)
    leave(hand)
    page.get_by_text("DONE-7").wait_for()

    rows = server.only()
    assert [row["kind"] for row in rows] == [
        "consent", "check", "level", "headphone", "practice", "main", "main", "break", "main", "main", "comment", "end"
    ]  # fmt: skip
    main = [row for row in rows if row["kind"] == "main"]
    assert [row["response"] for row in main] == answers
    assert all(row["audio"]["state"] == "ended" and row["plays"] == 1 for row in main)
    assert all(250 < row["audio"]["duration_ms"] < 900 for row in main)
    headphone = next(row for row in rows if row["kind"] == "headphone")
    assert headphone["correct"] and headphone["stimulus"] == order
