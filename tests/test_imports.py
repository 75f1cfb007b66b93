"""The map of the house: imports point one way, as pyproject.toml has it."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def installed_tree(folder: Path) -> Path:
    """Lay the package out as it is installed, with `cli/`, `checkpoints/` and `reproduce/` inside it."""
    ignored = shutil.ignore_patterns("__pycache__", "bundled", "scripts")
    shutil.copytree(ROOT / "tfmetamers", folder / "tfmetamers", ignore=ignored)
    for name in ("cli", "checkpoints", "reproduce"):
        shutil.copytree(ROOT / name, folder / "tfmetamers" / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def check(folder: Path) -> subprocess.CompletedProcess:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    environment = {"PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", command], cwd=folder, capture_output=True, text=True, env=environment)


def test_imports_point_one_way(tmp_path):
    found = check(installed_tree(tmp_path))
    assert found.returncode == 0, found.stdout + found.stderr


def test_an_import_against_the_direction_is_noticed(tmp_path):
    tree = installed_tree(tmp_path)
    metrics = tree / "tfmetamers" / "metrics.py"
    metrics.write_text(metrics.read_text() + "\nimport tfmetamers.synthesis.runs\n")
    found = check(tree)
    assert found.returncode == 1 and "tfmetamers.metrics" in found.stdout
