"""Small experiments, built once."""

import pytest

from tests.people.making import TEXTS, WORDS, build, write_metamers, write_page, write_sound_metamers
from tfmetamers.people import pool
from tfmetamers.people.build_record import Design
from tfmetamers.people.site import build_site


@pytest.fixture(scope="session")
def metamers(tmp_path_factory):
    """Twenty-four images, each at two layers of two networks; two failed everywhere."""
    return write_metamers(tmp_path_factory.mktemp("metamers") / "out", 24, failed=(0, 1))


@pytest.fixture(scope="session")
def blank_page(tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("page") / "page")


@pytest.fixture(scope="session")
def experiment(metamers, blank_page, tmp_path_factory):
    """The folder of an experiment of four lists."""
    out = tmp_path_factory.mktemp("experiment") / "out"
    build(metamers, out, blank_page)
    return out


@pytest.fixture(scope="session")
def build_sounds(tmp_path_factory):
    """A function that builds a small experiment of sounds with a page; copies for listening are not judged again."""
    metamers = write_sound_metamers(tmp_path_factory.mktemp("sounds") / "out", 7)

    class Copies:
        labels = (("_none", *WORDS),)

        def __init__(self, look_in):
            pass

        def pass_test(self, folder, record, verdict):
            return True

    def make(page, **numbers):
        out = tmp_path_factory.mktemp("experiment") / "out"
        design = Design("sounds", "feather2019", **{"lists": 2, "trials": 1, "practice": 1, **numbers})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pool, "ListeningCopies", Copies)
            build_site(metamers, out, design, TEXTS, page=page)
        return out

    return make
