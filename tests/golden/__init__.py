"""Where what others computed or published lies: in this folder, and in a folder beside the repository."""

from pathlib import Path

import pytest

#: Small files, each with its source and licence in README.md.
GOLDEN = Path(__file__).parent

#: Networks and data that are too large for the repository.
SHARED = Path(__file__).resolve().parents[3] / "shared"

#: Marks tests that need that folder.
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is missing")
