"""Every screen of a session, one after another: for what is checked, or pictured, on each."""

from tests.people.page.participants import Mouse, heading

#: A context of Playwright that is a phone.
PHONE = {
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 "
    "Mobile Safari/537.36",
    "viewport": {"width": 390, "height": 780},
    "has_touch": True,
    "is_mobile": True,
}


def images(page, url):
    """Names of screens of the images as they come up; the page stays on a screen until the next name is asked for."""
    person = Mouse(page)
    page.goto(url)
    heading(page, "Consent")
    yield "consent"
    person.press("I agree, and take part")
    heading(page, "Your code")
    yield "code"
    person.press("Continue")
    heading(page, "Instructions")
    yield "instructions"
    person.press("Stop taking part")
    yield "withdrawal"
    person.press("Continue taking part")
    person.press("Continue")
    heading(page, "Practice")
    yield "practice"
    person.press("Start")
    heading(page, "Trial 1 of 1")
    yield "trial"
    person.press("Show the image")
    page.locator(".grid").wait_for()
    yield "grid"
    person.choose("cat")
    page.get_by_text("It was: dog").wait_for()
    yield "feedback"
    person.press("Continue")
    heading(page, "The experiment")
    yield "start"
    person.press("Start")
    person.press("Show the image")
    person.choose("cat")
    heading(page, "Break")
    yield "break"
    page.reload()
    heading(page, "Welcome back")
    yield "resume"
    person.press("Go on")
    person.press("Start")
    person.press("Show the image")
    person.choose("dog")
    heading(page, "Comments")
    yield "comments"
    person.press("Continue")
    page.get_by_text("DONE-7").wait_for()
    yield "end"


def sounds(page, url):
    """The same for the sounds, to the first trial."""
    person = Mouse(page)
    page.goto(url)
    heading(page, "Consent")
    yield "consent"
    person.press("I agree, and take part")
    heading(page, "Your code")
    yield "code"
    person.press("Continue")
    heading(page, "Sound level")
    yield "level"
    person.press("Play the noise")
    person.press("Continue")
    heading(page, "Headphone check")
    yield "headphones"
    person.press("Play the three tones")
    person.press("Second")
    heading(page, "Instructions")
    yield "words"
    person.press("Continue")
    person.press("Start")
    heading(page, "Trial 1 of 1")
    yield "sound"
    person.press("Play the sound")
    box = page.get_by_role("combobox")
    box.press_sequentially("ac")
    page.keyboard.press("ArrowDown")
    page.get_by_text("2 words").wait_for()
    yield "word"
    box.fill("zebra")
    page.get_by_text("No match").wait_for()
    yield "no-match"
    box.fill("")
    person.word("water")
    page.get_by_text("Right: water").wait_for()
    yield "right"


SITES = {
    "images": {"trials": 2, "breaks": [0.5]},
    "sounds": {"trials": 2, "headphones": {"trials": 1, "pass": 0, "on_fail": "continue"}},
}
TOURS = {"images": images, "sounds": sounds}
