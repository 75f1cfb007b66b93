"""The environments of the Makefile: which Pythons, one process at a time, and what is said where pip fails."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
AS_VERSION = (
    "import runpy, sys; sys.version_info = ({}, 0, 'final', 0); runpy.run_path(sys.argv.pop(1), {{}}, '__main__')"
)


@pytest.fixture
def environment(tmp_path):
    """An environment whose pip is a script of the given lines, and the command that installs into it."""
    pip = tmp_path / "environment" / "bin" / "pip"
    pip.parent.mkdir(parents=True)

    def with_pip(*lines):
        pip.write_text("\n".join(["#!/bin/sh", *lines]))
        pip.chmod(0o755)
        return [sys.executable, str(ROOT / "install.py"), str(pip.parents[1] / "installed"), "--editable", "."]

    return with_pip


def run(command) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize(("version", "why"), [("3, 9", "too old"), ("3, 14", "no release")])
def test_a_python_that_is_too_old_or_too_new_is_refused_at_once(version, why, environment, tmp_path):
    command = environment(f"touch {tmp_path}/called")
    refused = run([sys.executable, "-c", AS_VERSION.format(version), *command[1:]])
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert version.replace(", ", ".") in refused.stderr and why in refused.stderr
    assert not (tmp_path / "called").exists()


def test_what_was_installed_leaves_its_mark(environment, tmp_path):
    run(environment(f'echo "$@" > {tmp_path}/arguments')).check_returncode()
    assert (tmp_path / "environment" / "installed").exists()
    assert (tmp_path / "arguments").read_text().split()[0] == "install"
    assert (tmp_path / "arguments").read_text().split()[-2:] == ["--editable", "."]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("WARNING: Retrying after connection broken by 'NewConnectionError(...)'", "index cannot be reached"),
        ("ERROR: something else", "something else"),
    ],
)
def test_a_failure_says_why_and_leaves_no_mark(environment, tmp_path, said, meant):
    refused = run(environment(f'echo "{said}" >&2', "exit 1"))
    assert refused.returncode == 1 and meant in refused.stderr
    assert not (tmp_path / "environment" / "installed").exists()


def test_a_second_process_waits_and_finds_everything_installed(environment, tmp_path):
    command = environment("sleep 0.5", f"echo once >> {tmp_path}/calls")
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert (tmp_path / "calls").read_text() == "once\n"


def test_make_without_python_says_what_to_install(tmp_path):
    for name in ("Makefile", "install.py", "requirements.txt", "setup.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    refused = run(["make", "-C", str(tmp_path), "demo", "PYTHON=no-such-python"])
    assert refused.returncode == 2 and "no-such-python" in refused.stdout
    assert not (tmp_path / ".venv").exists()
