"""Installs `cli/` and `checkpoints/` inside the package, so that no top-level `cli` lands on anybody's machine."""

import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version = re.search(r'^__version__ = "(.+)"$', (here / "tfmetamers/version.py").read_text(), re.MULTILINE)[1]

setup(
    name="tfmetamers",
    version=version,
    description="Model metamers of image and sound networks, in TensorFlow 2",
    long_description=(here / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10,<3.13",
    packages=[*find_packages(include=["tfmetamers*"]), "tfmetamers.checkpoints", "tfmetamers.cli"],
    package_dir={"tfmetamers.checkpoints": "checkpoints", "tfmetamers.cli": "cli"},
    package_data={
        "": ["*.pyi", "py.typed"],
        "tfmetamers.checkpoints": ["catalog.toml", "bundled/*/*"],
        "tfmetamers.networks": ["imagenet_labels.txt"],
        "tfmetamers.networks.auditory": ["word_labels.txt", "architectures/*.json"],
        "tfmetamers.recognition": ["categories_16.json"],
        "tfmetamers.report": ["*.html"],
        "tfmetamers.stimuli": ["human.wav"],
    },
    install_requires=[
        "tensorflow>=2.16,<2.22",
        "tf-keras>=2.16",
        "tensorboard>=2.16",
        "tf-slim>=1.1",
        "numpy",
        "scipy",
        "soundfile",
        "pillow",
        "matplotlib",
        "pandas",
        "praatio",
        "click",
        "tqdm",
        "jinja2",
        "tabulate",
        "requests",
        "platformdirs",
        "psutil",
        "filelock",
        "lazy-loader",
        "tomli; python_version < '3.11'",
    ],
    extras_require={
        "io": ["tensorflow-io"],
        "test": ["import-linter", "pytest", "python_speech_features", "ruff"],
    },
    entry_points={"console_scripts": ["tfmetamers = tfmetamers.cli.main:main"]},
)
