"""An installation for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_jobs.store.statements import all_statements
from tests.integration.world import World
from tests.servers.postgres import PostgresServer

EVERY = "every_postgres and not one_postgres"
"""How the Makefile chooses the tests of an older Postgres."""


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[World]:
    """A migrated database and an empty storage folder."""
    made = World(database, tmp_path)
    yield made
    made.client.close()


@pytest.fixture(scope="session", autouse=True)
def every_statement_is_executed(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[None]:
    """The tests that run on each version of Postgres execute every statement of the product there."""
    yield
    whole = request.config.option.markexpr == EVERY and not request.config.option.keyword
    if whole and not request.session.testsfailed:
        log = postgres.log.read_text(encoding="utf-8", errors="replace")
        missing = [name for name in all_statements() if f"-- {name}\n" not in log]
        assert not missing, f"not executed: {missing}"
