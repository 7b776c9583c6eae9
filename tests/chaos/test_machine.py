"""The state machine, for some seconds; longer with AFFIRM_CHAOS_EXAMPLES."""

import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.machine import Machine
from tests.faults import clock
from tests.servers.postgres import PostgresServer

EXAMPLES = int(os.environ.get("AFFIRM_CHAOS_EXAMPLES", "60"))
SHRINK = os.environ.get("AFFIRM_CHAOS_SHRINK", "1") == "1"


@pytest.fixture
def machine(postgres: PostgresServer, empty_database: str, tmp_path: Path) -> type[Machine]:
    """A machine over a database of its own."""
    clock.prepare(empty_database)
    (tmp_path / "storage").mkdir()
    for name in ("psycopg", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

    class Installed(Machine):
        conninfo = empty_database
        password = postgres.password
        folder = tmp_path

    return Installed


# Who is killed closes nothing: it is left to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whatever_comes_in_whatever_order_what_must_hold_does(machine: type[Machine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=60,
            deadline=None,
            derandomize="AFFIRM_CHAOS_EXAMPLES" not in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if SHRINK else [])],
            print_blob=True,
        ),
    )
