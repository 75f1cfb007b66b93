"""The scripts of `reproduce/scripts/`, which are no package, as modules."""

import importlib.util
from pathlib import Path
from types import ModuleType


def load_script(name: str) -> ModuleType:
    """Load ``reproduce/scripts/<name>.py`` anew."""
    path = Path(__file__).resolve().parents[1] / "reproduce" / "scripts" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
