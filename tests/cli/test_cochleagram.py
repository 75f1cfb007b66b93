"""``tfmetamers cochleagram``: a figure of any sound, and never one in place of the sound."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from PIL import Image

from tfmetamers.cli import main as command_line
from tfmetamers.cochlea.figures import MARKED_FREQUENCIES, plot_cochleagram
from tfmetamers.cochlea.filters import erb_filter_bank
from tfmetamers.cochlea.settings import CochleagramSettings


@pytest.fixture
def cochleagram(capsys, tmp_path, monkeypatch):
    """Run the command in an empty folder and return its status, output and errors."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(*arguments):
        return command_line.run(["cochleagram", *map(str, arguments)]), *capsys.readouterr()

    return run


@pytest.fixture
def sound(tmp_path):
    """A function that writes a tone of some seconds at 8 kHz and returns its path."""

    def write(seconds, name="tone.wav"):
        time = np.arange(round(seconds * 8000)) / 8000
        soundfile.write(tmp_path / name, 0.3 * np.sin(2 * np.pi * 440 * time), 8000)
        return tmp_path / name

    return write


def test_the_figure_is_named_after_the_sound_and_is_here(cochleagram, sound, tmp_path):
    status, output, errors = cochleagram(sound(0.413))
    assert (status, errors) == (0, "")
    assert "tone_cochleagram.png" in output and "211 channels" in output
    with Image.open(tmp_path / "here" / "tone_cochleagram.png") as figure:
        assert figure.format == "PNG"
        assert len(figure.convert("RGB").getcolors(2**24)) > 100


@pytest.mark.parametrize(
    ("options", "summary"),
    [
        (["--settings", "paper_text"], "0.5 s in 171 channels"),
        (["--settings", "feather2023", "--front-end", "fast"], "0.5 s in 211 channels"),
        (["--fit", "centre", "--front-end", "fast"], "2 s in 211 channels"),
    ],
)
def test_options(cochleagram, sound, options, summary):
    status, output, _ = cochleagram(sound(0.5), *options)
    assert status == 0
    assert summary in output


@pytest.mark.parametrize("name", ["deep/er/figure.PNG", "figure.pdf"])
def test_the_figure_can_be_given_another_name(cochleagram, sound, tmp_path, name):
    assert cochleagram(sound(0.2), "--output", name)[0] == 0
    assert (tmp_path / "here" / name).stat().st_size > 1000


@pytest.mark.parametrize("name", ["tone.wav", "figure"])
def test_a_name_that_is_not_a_figures_is_refused(cochleagram, sound, tmp_path, name):
    path = sound(0.2)
    before = path.read_bytes()
    status, _, errors = cochleagram(path, "--output", tmp_path / name)
    assert status == 2
    assert name in errors and ".png" in errors
    assert path.read_bytes() == before


@pytest.mark.parametrize("link", [False, True])
def test_a_sound_is_not_overwritten_whatever_it_is_called(cochleagram, sound, tmp_path, link):
    path = sound(0.2).rename(tmp_path / "tone.png")
    before, output = path.read_bytes(), path
    if link:
        output = tmp_path / "link.png"
        output.hardlink_to(path)
    status, _, errors = cochleagram(path, "--output", output)
    assert status == 2
    assert str(output) in errors
    assert path.read_bytes() == before


@pytest.mark.parametrize(("seconds", "fit"), [(0.04, "pad"), (10_000, "trim")])
def test_a_sound_that_cannot_be_drawn_whole(cochleagram, sound, tmp_path, seconds, fit):
    path = sound(0.04)
    if seconds > 1:
        with path.open("r+b") as stream:
            size = round(16000 * seconds)
            stream.truncate(44 + size)
            stream.seek(40)
            stream.write(size.to_bytes(4, "little"))
    status, _, errors = cochleagram(path)
    assert status == 1
    assert str(path) in errors and f"--fit {fit}" in errors
    assert cochleagram(path, "--fit", fit, "--front-end", "fast")[0] == 0


def test_the_shortest_sound_is_drawn(cochleagram, sound):
    assert "0.055 s" in cochleagram(sound(0.055))[1]


def test_a_file_that_is_not_a_sound_is_refused(cochleagram, tmp_path):
    status, output, errors = cochleagram(tmp_path / "missing.wav")
    assert (status, output) == (1, "") and "missing.wav" in errors
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.parametrize("filters", [50, 40])
def test_frequencies_are_where_their_channels_are(filters):
    bank = erb_filter_bank(20000, 40000, low_limit=20, high_limit=8000, filters=filters)
    channels = len(bank.center_frequencies)
    heard = np.zeros((channels, 400))
    settings = CochleagramSettings(filters=filters)
    front_end = SimpleNamespace(center_frequencies=bank.center_frequencies, settings=settings)
    figure = plot_cochleagram(np.zeros(40000), heard, front_end, "nothing")
    below = figure.axes[0]
    labels = [int(label.get_text()) for label in below.get_yticklabels()]
    assert labels == list(MARKED_FREQUENCIES)
    for place, frequency in zip(below.get_yticks(), labels, strict=True):
        nearest = np.abs(bank.center_frequencies - frequency).argmin()
        assert abs(place - nearest) <= 0.51
    assert below.get_xlim() == (0.0, 2.0)
    assert [axes.get_ylabel() for axes in figure.axes] == ["frequency (Hz)", "compressed envelope", "amplitude"]
