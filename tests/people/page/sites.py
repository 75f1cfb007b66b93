"""An experiment of a few trials, in the format that `people build` writes."""

import base64
import hashlib
import io
import json
import shutil
import wave
from pathlib import Path

import numpy as np
from PIL import Image

from tfmetamers.people.build_record import Build, Design
from tfmetamers.people.experiment_file import FORMAT, NAME, experiment_id

PAGE = Path(__file__).parents[3] / "tfmetamers" / "people" / "page"

CATEGORIES = ["airplane", "bear", "bicycle", "bird", "boat", "bottle", "car", "cat"]
CATEGORIES += ["chair", "clock", "dog", "elephant", "keyboard", "knife", "oven", "truck"]
WORDS = ["about", "above", "account", "accounting", "after", "don't", "market", "marketing", "money", "people"]
WORDS += ["price", "water", "we'll", "well", "year"]

VENDOR = {
    "jspsych.js": "jspsych/dist/index.browser.min.js",
    "plugin-browser-check.js": "@jspsych/plugin-browser-check/dist/index.browser.min.js",
}


def identifier(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:16]


def _image(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((224, 224), Image.Resampling.NEAREST).save(path)


def _sound(seed: int) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 0.05 * 32767, 6000).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(20000)
        output.writeframes(samples.tobytes())
    return file.getvalue()


def write_experiment(out: Path, node_modules: Path, task: str, trials: int = 4, **changes) -> Path:
    """A site with two lists of `trials` main trials, one of practice, and no demo; `changes` are keys."""
    images, folder = task == "images", out / "site"
    shutil.copytree(PAGE, folder)
    vendor = folder / "vendor" / "jspsych-8.3.0"
    vendor.mkdir(parents=True)
    for name, source in VENDOR.items():
        shutil.copy(node_modules / source, vendor / name)
    (folder / "stimuli").mkdir()
    experiment = {
        "format": 1,
        "task": task,
        "protocol": "feather2019",
        "title": "",
        "language": "en",
        "timing_ms": None,
        "size_px": None,
        "minimum_window": None,
        "categories": None,
        "words": None,
        "practice": [
            {
                "stimulus": identifier(0),
                "answer": "dog" if images else "water",
                "slow": False,
                "mask": 0 if images else None,
            }
        ],
        "demo": {"trials": [], "pass": 0},
        "lists": [
            {
                "list": number,
                "trials": [
                    {"trial": trial, "kind": "main", "stimulus": identifier(1 + trial), "mask": 1 if images else None}
                    for trial in range(trials)
                ],
            }
            for number in range(2)
        ],
        "breaks": [0.5],
        "headphones": None,
        "level": None if images else {"rms": 0.05},
        "texts": {
            "consent": "You look at images or listen to sounds.\n\nOne flash sequence a trial.",
            "debrief": "The images were made to look alike to a network.",
            "instructions": "",
        },
        "save": {"kind": "server", "url": "api/v1"},
        "finish": {"redirect": None, "code": None},
    }
    if images:
        timing = {"before": 50, "fixation": 50, "stimulus": 50, "mask": 50, "response_limit": None}
        experiment |= {"timing_ms": timing, "size_px": 224, "minimum_window": [640, 480], "categories": CATEGORIES}
        (folder / "masks").mkdir()
        for mask in range(2):
            _image(folder / "masks" / f"{mask:03d}.png", 100 + mask)
    else:
        experiment["words"] = WORDS
    for number in range(trials + 1):
        name = identifier(number)
        if images:
            _image(folder / "stimuli" / f"{name}.png", number)
        else:
            sound = _sound(number)
            (folder / "stimuli" / f"{name}.wav").write_bytes(sound)
            text = base64.b64encode(sound).decode()
            (folder / "stimuli" / f"{name}.js").write_text(
                f'(window.TFMETAMERS_STIMULI = window.TFMETAMERS_STIMULI || {{}})["{name}"] = "{text}";'
            )
    experiment |= changes
    experiment["id"] = experiment_id(experiment)
    (folder / NAME).write_text(f"window.TFMETAMERS_EXPERIMENT = {json.dumps(experiment)};\n")
    build = Build(FORMAT, experiment["id"], Design(task, "feather2019"), 1, {}, (), (), (), {}, None)
    (out / "private").mkdir()
    (out / "private" / "build.json").write_text(json.dumps(build.to_json()))
    return out
