"""Participants who use the keyboard alone, or the mouse alone."""

import re


class Keyboard:
    def __init__(self, page):
        self.page = page

    def press(self, name):
        """Goes to a button with Tab, and presses Enter."""
        self.page.get_by_role("button", name=name, exact=True).and_(self.page.locator(":enabled")).wait_for()
        for _ in range(20):
            if self.page.evaluate("document.activeElement.textContent") == name:
                return self.page.keyboard.press("Enter")
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {name}")

    def choose(self, category):
        """Goes to a category by its initial letter, and answers with Enter."""
        self.page.locator(".grid").wait_for()
        for _ in range(4):
            self.page.keyboard.press(category[0])
            if self.page.evaluate("document.activeElement.textContent") == category:
                return self.page.keyboard.press("Enter")
        raise AssertionError(f"{category[0]} does not lead to {category}")

    def word(self, word):
        """Types two letters, goes down the list to the word, takes it, and answers."""
        box = self.page.get_by_role("combobox")
        box.wait_for()
        self.page.keyboard.type(word[:2])
        for _ in range(8):
            self.page.keyboard.press("ArrowDown")
            marked = self.page.locator("[role=option][aria-selected=true]")
            assert marked.get_attribute("id") == box.get_attribute("aria-activedescendant")
            if marked.text_content() == word:
                self.page.keyboard.press("Enter")
                return self.page.keyboard.press("Enter")
        raise AssertionError(f"{word} is not offered")


class Mouse:
    def __init__(self, page):
        self.page = page

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose(self, category):
        self.page.locator(".grid").get_by_role("button", name=category, exact=True).click()

    def word(self, word):
        """Opens the whole list, takes the word, and answers."""
        self.press("All words")
        self.page.get_by_role("option", name=word, exact=True).click()
        self.press("Answer")


def heading(page, text):
    """Waits for a screen."""
    page.get_by_role("heading", name=text).wait_for()


def arrive(hand):
    """From the consent to the instructions of images, or the level of sounds."""
    hand.press("I agree, and take part")
    heading(hand.page, "Your code")
    hand.press("Continue")


def begin_trials(hand):
    """From the instructions to the first main trial, where there is no practice."""
    heading(hand.page, "Instructions")
    hand.press("Continue")
    hand.press("Start")


def practise_images(hand):
    heading(hand.page, "Instructions")
    hand.press("Continue")
    hand.press("Start")
    hand.press("Show the image")
    hand.choose("dog")
    hand.press("Continue")
    heading(hand.page, "The experiment")
    hand.press("Start")


def look(hand, category):
    """One main trial of the images."""
    hand.press("Show the image")
    hand.choose(category)


def listen(hand, word):
    """One main trial of the sounds."""
    hand.press("Play the sound")
    hand.word(word)


def leave(hand):
    heading(hand.page, "Comments")
    hand.press("Continue")
    heading(hand.page, re.compile("Thank you"))
