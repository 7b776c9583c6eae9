"""A real Postgres for the session, a database of its own for every test that asks for one, and the rules of pytest."""

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.countries import iso_countries
from dataset_jobs import migrations
from tests.prepare.rules import pytest_runtest_makereport, pytest_runtest_setup
from tests.servers.postgres import PostgresServer

__all__ = ["pytest_runtest_makereport", "pytest_runtest_setup"]

pytest.register_assert_rewrite("tests.e2e.controllers", "tests.integration.stories")

# As for a user who has installed it: what it prints to type begins with its bare name.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ["AFFIRM_WORKER_CONFIG"] = os.devnull  # the contexts of whoever runs the tests are for something else

# A shell that starts the tests in the background ignores these two, and whatever they start would inherit that.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's server: version 18, or the one in AFFIRM_TEST_POSTGRES, which logs every statement."""
    version = os.environ.get("AFFIRM_TEST_POSTGRES")
    settings = {"log_statement": "all"} if version else {}
    with PostgresServer(int(version or 18), settings=settings) as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: PostgresServer) -> str:
    """The name of a migrated database that nobody connects to: what each test's is a copy of."""
    migrations.apply(postgres.create_database(TEMPLATE), iso_countries())
    return TEMPLATE


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[str]:
    """The URI of a fresh database without any tables."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
def database(postgres: PostgresServer, template: str) -> Iterator[str]:
    """The URI of a fresh migrated database."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name, template)
    postgres.drop_database(name)


@pytest.fixture
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process are over before their first heartbeat, however busy the machine is."""
    monkeypatch.setattr("parser_runner.heartbeat.FIRST_SECONDS", 3600.0)
