"""The fuzzer in a short form, and that it notices what it looks for."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.cases import Watch, run_case
from tests.fuzz.doors import DOORS

#: Doors of files of text, pictures, sounds and arrays, whose cases take milliseconds.
QUICK = [
    *("truth", "postprocessing", "array", "picture png", "picture jpg", "sound wav", "sound ogg"),
    *("alignments csv", "alignments ctm", "alignments TextGrid", "AudioSet", "corpus", "cache"),
]


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.mark.parametrize("name", QUICK)
def test_damaged_files_are_refused_in_one_sentence(name, tmp_path, watch):
    (tmp_path / name).mkdir()
    DOORS[name].make(tmp_path / name, tmp_path)
    outcomes = [run_case(tmp_path, name, f"suite/{number}", watch) for number in range(25)]
    assert {outcome.kind for outcome in outcomes} <= {"accepted", "refused"}, outcomes


@pytest.mark.slow
def test_every_door():
    command = [sys.executable, "-m", "tests.fuzz", "--cases", "400", "--workers", "2", "--seed", "suite"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-5000:]


def test_writing_elsewhere_is_noticed_and_removing_a_link_is_not(tmp_path, watch):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("kept")
    link = inside / "link"
    link.symlink_to(outside)
    with watch.over(inside):
        link.unlink()
    assert not watch.outside
    link.symlink_to(outside)
    with watch.over(inside):
        link.write_text("written through the link")
    assert len(watch.outside) == 1 and str(outside) in watch.outside[0]
    with watch.over(inside):
        outside.rename(inside / "moved")
        Path(f"{inside} too").mkdir()
    assert len(watch.outside) == 2
