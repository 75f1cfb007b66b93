"""The code of the documents runs as it stands there."""

import ast
import doctest
import functools
import importlib
import inspect
import itertools
import json
import re
import sys
from pathlib import Path

import matplotlib
import pytest

import tfmetamers as tm
from tfmetamers.networks.families import families

ROOT = Path(__file__).resolve().parents[1]
METHODS = (classmethod, property, functools.cached_property)
#: A block of Python code, unless the line before it says why it is not run here.
BLOCK = re.compile(r"(?<! -->\n)^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
REASON = re.compile(r"^<!-- (?:not run: .+|run by (tests/.+)) -->$")


def blocks(file: str) -> list[str]:
    """Return the blocks of Python code of a document."""
    return BLOCK.findall((ROOT / file).read_text(encoding="utf-8"))


def statements(code: str) -> int:
    """Count statements, without imports."""
    return sum(not isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(code).body)


@pytest.fixture
def run_blocks(tmp_path, monkeypatch):
    """A function that runs the blocks of a document one after another, each of at most five statements."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")

    def run(file: str) -> dict:
        namespace = {}
        for block in blocks(file):
            assert statements(block) <= 5, block
            exec(compile(block, file, "exec"), namespace)
        return namespace

    return run


def documents_with_blocks() -> list[str]:
    """Return the documents with blocks to run, except those whose results are tested below."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")]
    return sorted(file for file in files if blocks(file) and file != "docs/python.md")


@pytest.mark.parametrize("file", documents_with_blocks())
def test_blocks_of_documents_run(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks(file):
        exec(compile(block, file, "exec"), namespace)
    if file == "docs/start.md":
        network = tm.load_network("mine.keras", input_range=(0, 1))
        assert {"early", "late"} <= set(network.layers)


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_blocks_that_are_not_run_say_why(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    for before, line in itertools.pairwise(lines):
        if line == "```python" and before:
            reason = REASON.match(before)
            assert reason, f"{before!r} does not say why"
            assert reason[1] is None or path.name in (ROOT / reason[1]).read_text(encoding="utf-8")


def test_the_blocks_of_the_document_on_python_run(run_blocks):
    namespace = run_blocks("docs/python.md")
    assert namespace["verdicts"]["included"].notna().all()
    assert [len(metamer.losses) for metamer in namespace["metamers"]] == [401] * 4
    shown = re.findall(r"^    (<.*>)$", (ROOT / "docs/python.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert shown == [repr(namespace["network"])]


def test_the_block_of_the_readme_runs(run_blocks):
    namespace = run_blocks("README.md")
    assert [metamer.record.recipe.steps for metamer in namespace["metamers"]] == [200, 200]


def public(package=tm) -> dict:
    """Return the public classes and functions of a package by name."""
    found = {name: getattr(package, name) for name in package.__all__}
    return {name: value for name, value in found.items() if callable(value)}


def public_packages() -> list[str]:
    """Return the packages whose stubs say what is public in them."""
    stubs = (ROOT / "tfmetamers").rglob("__init__.pyi")
    return sorted(".".join(path.relative_to(ROOT).parent.parts) for path in stubs)


def is_error(value) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def test_help_tells_every_keyword():
    loading = ["from_frozen_graph", "from_function", "from_saved_model", "load_keras"]
    functions = {**public(), **{name: getattr(tm.networks, name) for name in loading}}
    functions["NullDistribution.from_stimuli"] = tm.NullDistribution.from_stimuli
    for name, function in functions.items():
        if not is_error(function):
            kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
            assert inspect.Parameter.VAR_KEYWORD not in kinds, name


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_what_documents_import_is_there(file):
    text = (ROOT / "docs" / file).read_text(encoding="utf-8")
    for line in re.findall(r"^ *((?:from tfmetamers[\w.]* import|import tfmetamers) .*[^(])$", text, re.MULTILINE):
        exec(line, {})


def modules_with_examples() -> list[str]:
    """Return the modules whose docstrings hold examples."""
    files = [path for path in (ROOT / "tfmetamers").rglob("*.py") if ">>>" in path.read_text(encoding="utf-8")]
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    return sorted(module.removesuffix(".__init__") for module in modules)


@pytest.mark.parametrize("module", modules_with_examples())
def test_examples_of_docstrings_run(module, tmp_path, monkeypatch):
    matplotlib.use("agg")
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for place, found in enumerate(doctest.DocTestFinder().find(importlib.import_module(module))):
        (tmp_path / str(place)).mkdir()
        monkeypatch.chdir(tmp_path / str(place))
        runner.run(found)
    assert runner.tries > 0 and runner.failures == 0


@pytest.mark.parametrize("package", public_packages())
def test_everything_public_has_an_example(package):
    found = public(importlib.import_module(package))
    assert [name for name, value in found.items() if ">>>" not in value.__doc__] == []


@pytest.mark.parametrize("package", public_packages())
def test_every_public_method_has_a_docstring(package):
    for name, value in public(importlib.import_module(package)).items():
        for member, method in vars(value).items() if inspect.isclass(value) else ():
            if not member.startswith("_") and (inspect.isroutine(method) or isinstance(method, METHODS)):
                assert method.__doc__, f"{name}.{member}"


def run_notebook(name: str) -> None:
    """Run the cells of code of a notebook one after another, without what only IPython understands."""
    namespace = {}
    for cell in json.loads((ROOT / f"docs/notebooks/{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = [line for line in cell["source"] if not line.startswith("%")]
            exec(compile("".join(lines), name, "exec"), namespace)


def test_the_notebook_of_a_function_runs():
    run_notebook("function_as_network")


@pytest.fixture
def families_anew(monkeypatch):
    """Families of networks are looked up anew, as in a new process, and those of a test are forgotten."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    families.cache_clear()
    yield
    families.cache_clear()


@pytest.mark.slow
@pytest.mark.usefixtures("families_anew")
@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "docs/notebooks").glob("*.ipynb")))
def test_notebooks_run(name, tmp_path, monkeypatch):
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    if name == "sounds":
        pytest.importorskip("IPython", reason="players need IPython: pip install 'tfmetamers[docs]'")
    run_notebook(name)
