"""Where the real lists and the real catalogue material lie, when this checkout stands beside them."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
"""The folder beside the checkout; it is not part of the project."""

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared material is not beside this checkout")
