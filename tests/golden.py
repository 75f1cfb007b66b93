"""Where data that many projects use lies: a folder called ``shared`` beside the repository, if it is there."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="there is no folder 'shared' beside the repository")
