"""Fixtures for every test: the real scans next to the checkout, and a virtual screen."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(os.environ.get("CVRL_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scans; skips where a clone has none of it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real scans: shared/data is not next to the checkout")
    return SHARED_DATA
