"""An installation for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.world import World


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[World]:
    """A migrated database and an empty storage folder."""
    made = World(database, tmp_path)
    yield made
    made.client.close()
