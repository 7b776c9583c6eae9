"""One load, and one fault: at every boundary that it meets, of every kind. Nothing is listed; they are counted."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.one_load import OneLoad, Story
from tests.faults import clock
from tests.faults.actor import Kind, fault_at
from tests.servers.postgres import PostgresServer

WHATEVER = tuple(kind for kind in Kind if kind is not Kind.SLOW)  # one thing comes after the other here
DIES_OR_DOES_NOT_KNOW = (Kind.CRASH_AFTER, Kind.ANSWER_LOST)
FAILS = (Kind.UNAVAILABLE,)
CASES: list[tuple[Story, str, tuple[Kind, ...], int]] = [
    (Story(), "client", WHATEVER, 8),
    (Story(), "controller", WHATEVER, 50),
    (Story(), "runner", WHATEVER, 30),
    (Story(file="archive"), "runner", FAILS, 60),
    (Story(file="workbook"), "runner", FAILS, 60),
    (Story(cancelled=True), "client", WHATEVER, 7),
    (Story(cancelled=True), "controller", DIES_OR_DOES_NOT_KNOW, 50),
    (Story(refused=True), "controller", DIES_OR_DOES_NOT_KNOW, 50),
    (Story(reprocessed=True), "client", WHATEVER, 7),
    (Story(reprocessed=True), "runner", DIES_OR_DOES_NOT_KNOW, 20),
]
"""Who is hit in which story, by what, and how many boundaries there are at least."""


@pytest.fixture
async def load(postgres: PostgresServer, empty_database: str, tmp_path: Path) -> AsyncIterator[OneLoad]:
    """An installation for all replays of a case."""
    clock.prepare(empty_database)
    for name in ("psycopg", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    made = OneLoad(empty_database, tmp_path, postgres.password)
    yield made
    made.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("story", "who", "kinds", "at_least"), CASES, ids=[f"{story}-{who}" for story, who, *_ in CASES]
)
async def test_a_fault_at_any_boundary_loses_doubles_and_costs_nothing(
    load: OneLoad, story: Story, who: str, kinds: tuple[Kind, ...], at_least: int
) -> None:
    met = (await load.replay(story, {}))[who]
    assert len(met) >= at_least, "boundaries are found by being met"
    not_again = 0
    for number, boundary in enumerate(met):
        occurrence = met[:number].count(boundary)
        for kind in kinds:
            if kind not in boundary.kinds:
                continue
            load.about = f"{kind} at boundary {number} of the {who}: {boundary}"
            before = load.ledger.faults.total()
            await load.replay(story, {who: fault_at(boundary, occurrence, kind)})
            not_again += load.ledger.faults.total() == before
            load.audit()
    # A pool opens its connections when it has time to.
    assert not_again <= len(met) * len(kinds) / 20
