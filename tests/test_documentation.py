"""The code of the documents runs as it stands there."""

import ast
import doctest
import importlib
import re
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


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


def test_the_blocks_of_the_document_on_python_run(run_blocks):
    namespace = run_blocks("docs/python.md")
    assert namespace["verdicts"]["included"].notna().all()
    assert [len(metamer.losses) for metamer in namespace["metamers"]] == [401] * 4
    shown = re.findall(r"^    (<.*>)$", (ROOT / "docs/python.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert shown == [repr(namespace["network"])]


def test_the_block_of_the_readme_runs(run_blocks):
    namespace = run_blocks("README.md")
    assert [metamer.record.recipe.steps for metamer in namespace["metamers"]] == [200, 200]


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_what_documents_import_is_there(file):
    text = (ROOT / "docs" / file).read_text(encoding="utf-8")
    for line in re.findall(r"^ *((?:from tfmetamers[\w.]* import|import tfmetamers) .*[^(])$", text, re.MULTILINE):
        exec(line, {})


def modules_with_examples() -> list[str]:
    """Return the modules whose docstrings hold examples."""
    files = [path for path in (ROOT / "tfmetamers").rglob("*.py") if ">>>" in path.read_text(encoding="utf-8")]
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files)


@pytest.mark.parametrize("module", modules_with_examples())
def test_examples_of_docstrings_run(module):
    found = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0 and found.failed == 0
