"""`make demo`, with a few steps in place of thousands."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.scripts import load_script


@pytest.fixture
def demo(tmp_path, monkeypatch):
    module = load_script("demo")
    monkeypatch.chdir(tmp_path)
    module.STEPS, module.IMAGE_STEPS = 3, 2
    return module


def test_it_makes_judges_and_shows_metamers_of_sounds_and_pictures(demo, capsys):
    demo.main()
    printed = capsys.readouterr().out
    assert printed.count("\n$ tfmetamers synth --network small_word_") == 2
    assert printed.count("\n$ tfmetamers synth --network efficientnet_lite0 ") == 1
    assert "\n$ tfmetamers evaluate demo/metamers --all-layers" in printed
    assert "Open demo/metamers/report.html in a browser and listen" in printed
    verdicts = {
        (path.parts[2], path.parts[3].partition("~")[0]): json.loads(path.read_text())
        for path in Path("demo").rglob("verdict.json")
    }
    of_pictures = {
        (demo.IMAGE_NETWORK, layer): verdicts.pop((demo.IMAGE_NETWORK, layer)) for layer in demo.IMAGE_LAYERS
    }
    assert set(verdicts) == {(network, layer) for network, layers in demo.LAYERS.items() for layer in layers}
    for verdict in verdicts.values():
        assert verdict["array"]["pairs"] == 10_000
        assert verdict["array"]["original_label"] == "human"
    for verdict in of_pictures.values():
        assert verdict["array"]["null_maximum"] is None and not verdict["array"]["included"]
        assert verdict["array"]["original_label"] == "military uniform"
    page = Path("demo/metamers/report.html").read_text(encoding="utf-8")
    assert page.count("<audio") == 2 * 4
    assert "efficientnet_lite0" in page and page.count('src="data:image/png') >= 1 + len(demo.IMAGE_LAYERS)
    for name in ("sounds.png", "pictures.png"):
        with Image.open(Path("demo/metamers", name)) as picture:
            assert len(picture.convert("RGB").getcolors(2**24)) > 500


def test_it_ends_with_the_status_of_a_command_that_fails(demo, monkeypatch):
    monkeypatch.setattr(demo, "run", lambda command: 130)
    with pytest.raises(SystemExit, match="130"):
        demo.main()
