"""The scripts of `reproduce/scripts/`, which are no package, as modules."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_script(name: str) -> ModuleType:
    """Load ``reproduce/scripts/<name>.py`` anew."""
    path = Path(__file__).resolve().parents[1] / "reproduce" / "scripts" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.path.insert(0, str(path.parent))  # Where scripts that import others look for them.
    try:
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module
