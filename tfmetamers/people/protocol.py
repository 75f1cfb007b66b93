"""How participants are asked: what the papers state, and what is taken from elsewhere because they are silent.

Sources: the 2019 paper, sections 3.4 and 3.5; the pages of the 2023 paper, ``example_vision_turk_javascript.html`` and
``example_audio_turk_javascript.html`` of github jenellefeather/model_metamers_pytorch at f89cdad5c3; for masks,
Geirhos et al. (2018).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfmetamers.errors import unknown_name

#: What participants judge, by the name of the domain of the stimuli.
TASKS = {"images": "image", "sounds": "sound"}

#: Milliseconds of what is shown of an image; the answer has no limit.
TIMING = {"before": 500, "fixation": 300, "stimulus": 300, "mask": 300, "response_limit": None}

#: Demo trials of the 2023 pages.
_DEMO_2023 = 12

_OF_2023 = "taken from the 2023 pages: "

_BOTH_TASKS = (
    _OF_2023 + "practice with feedback, breaks after a quarter, a half and three quarters, no limit of time, comments",
    "lists are made in advance: equal numbers of trials in every condition, no stimulus twice in a list",
    "not stated and not asked: gender, age, payment, screen, distance",
)

_NOT_ASKED_2023 = "not asked: what the 2023 pages ask of participants themselves, such as gender and age"

_IMAGES = (
    _OF_2023 + "500 ms blank, 300 ms fixation, 300 ms image, 300 ms mask, 224 x 224 pixels, sixteen categories in "
    "alphabetical order",
    "masks are noise as of Geirhos et al. (2018): amplitude over the square root of frequency, contrast times four",
    "categories are words, not icons; keyboard, mouse or touch",
)

_SOUNDS = (
    _OF_2023 + "one hearing, level set with noise, a headphone check passed with 5 of 6",
    "the headphone check and the noise are synthesised, at the level of the sounds (root mean square 0.05)",
    "suggestions of words can be chosen; those that begin with what was typed come first",
)


@dataclass(frozen=True)
class Protocol:
    """How participants are asked in one task.

    Attributes:
        name: ``"feather2019"`` or ``"feather2023"``.
        task: ``"images"`` or ``"sounds"``.
        trials: trials of each condition; None where `total` is divided among the conditions.
        total: trials of a list, besides catch trials.
        practice: trials with feedback.
        demo: trials without feedback that must be passed; 0 for none.
        demo_naturals: how many natural stimuli are among the 2023 pages' twelve demo trials.
        demo_pass: how many of these twelve must be right.
        catch: natural stimuli among the trials, of which nearly all should be recognised.
        words: the list of words that a sound's word is chosen from; None for images.
        stated: what the paper states, with the part of the design that it is about (``trials``, ``practice``,
            ``demo``, ``catch``, ``words``, ``headphones``); empty for what is always done.
        differences: what is taken from elsewhere, or differs.
    """

    name: str
    task: str
    trials: int | None
    total: int | None
    practice: int
    demo: int
    demo_naturals: int
    demo_pass: int
    catch: int
    words: str | None
    stated: Mapping[str, str]
    differences: tuple[str, ...]

    def demo_numbers(self, trials: int) -> tuple[int, int]:
        """Return how many of a number of demo trials are natural stimuli, and how many must be right.

        Both are the shares of the 2023 pages, the second rounded up.
        """
        return self.demo_naturals * trials // _DEMO_2023, -(-self.demo_pass * trials // _DEMO_2023)

    @property
    def conventions(self) -> dict[str, Any]:
        """The parts of the experiment's file that depend on the task alone."""
        is_images = self.task == "images"
        return {
            "timing_ms": dict(TIMING) if is_images else None,
            "size_px": 224 if is_images else None,
            "minimum_window": [800, 700] if is_images else None,
            "breaks": [0.25, 0.5, 0.75],
        }


_PROTOCOLS = (
    Protocol(
        "feather2019", "images", trials=10, total=None, practice=16, demo=0, demo_naturals=5, demo_pass=7, catch=0,
        words=None,
        stated={"metamers that pass the inclusion test, and their natural images": "", "sixteen categories": "",
                "ten trials of each network and layer": "trials"},
        differences=(*_IMAGES, *_BOTH_TASKS, "no pass mark and no catch trials are stated"),
    ),
    Protocol(
        "feather2019", "sounds", trials=5, total=None, practice=10, demo=0, demo_naturals=2, demo_pass=5, catch=0,
        words="kell2018",
        stated={"metamers that pass the inclusion test": "", "one of 587 words (Kell et al. 2018) is chosen": "words",
                "five trials of each condition": "trials", "random order": ""},
        differences=(*_SOUNDS, *_BOTH_TASKS, "no pass mark and no catch trials are stated"),
    ),
    Protocol(
        "feather2023", "images", trials=None, total=400, practice=16, demo=12, demo_naturals=5, demo_pass=7, catch=16,
        words=None,
        stated={"500 ms blank, 300 ms fixation, 300 ms image, 300 ms mask": "",
                "sixteen practice trials with feedback": "practice",
                "twelve demo trials, of which seven must be right": "demo",
                "400 trials": "trials", "sixteen catch trials": "catch"},
        differences=(*_IMAGES[1:], *_BOTH_TASKS[1:-1], _NOT_ASKED_2023,
                     "catch trials are natural images, not the icons of the answers",
                     "demo trials are of this experiment's stimuli, not those of the laboratory"),
    ),
    Protocol(
        "feather2023", "sounds", trials=None, total=400, practice=10, demo=12, demo_naturals=2, demo_pass=5, catch=16,
        words="feather2023",
        stated={"one of 793 words is chosen": "words", "ten practice trials with feedback": "practice",
                "twelve demo trials, of which five must be right": "demo",
                "headphone check passed with 5 of 6": "headphones",
                "400 trials": "trials", "sixteen catch trials": "catch"},
        differences=(*_SOUNDS[1:], *_BOTH_TASKS[1:-1], _NOT_ASKED_2023,
                     "catch trials are natural sounds of this experiment",
                     "demo trials are of this experiment's stimuli, not those of the laboratory"),
    ),
)  # fmt: skip

#: The names of the protocols.
PROTOCOLS = tuple(dict.fromkeys(each.name for each in _PROTOCOLS))


def find_protocol(name: str, task: str) -> Protocol:
    """Return the protocol of a name for a task.

    Raises:
        ArgumentError: there is no such protocol, or no such task.

    >>> find_protocol("feather2019", "sounds").trials
    5
    """
    if task not in TASKS:
        raise unknown_name("task", task, TASKS)
    for each in _PROTOCOLS:
        if (each.name, each.task) == (name, task):
            return each
    raise unknown_name("protocol", name, PROTOCOLS)
