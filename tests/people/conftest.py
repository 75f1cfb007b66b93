"""A small experiment of images, built once."""

import pytest

from tests.people.making import build, write_metamers, write_page


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
