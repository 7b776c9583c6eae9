"""Clients among controllers: no two wait for each other, and every lock is waited out."""

import asyncio
import random
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.settlement import Diagnosis, Evidence, RunFacts, Settlement
from dataset_jobs.model.states import JobState
from dataset_jobs.storage import StorageConfig, open_storage
from dataset_jobs.store.client_connection import TRIES, ClientConnection, Transaction
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from services.client import Client
from tests.kit.submit import submit

pytestmark = pytest.mark.every_postgres

ACTS, RUNS = 80, 20
"""What clients and controllers do together, at the least."""
FILES = 3


@dataclass(slots=True)
class Done:
    """What was done so far, by all of them."""

    acts: int = 0
    runs: int = 0
    broken: bool = False

    @property
    def enough(self) -> bool:
        return self.broken or (self.acts >= ACTS and self.runs >= RUNS)


def be_a_client(conninfo: str, folder: Path, seed: int, done: Done) -> None:
    """Submits, reprocesses and deletes the same few datasets; what is refused does not count."""
    chance = random.Random(seed)
    storage = open_storage(StorageConfig("local", path=folder))
    with Client.connect(conninfo) as store:
        while not done.enough:
            path = folder / f"{chance.randrange(FILES)}{chance.choice('ab')}.txt"
            try:
                action = chance.choice(["submit", "submit", "submit", "reprocess", "delete"])
                datasets = store.datasets.list()
                if action == "submit":
                    submit(store, storage, path)
                elif datasets and action == "reprocess":
                    store.datasets.reprocess(chance.choice(datasets).id)
                elif datasets:
                    store.datasets.delete(chance.choice(datasets).id, storage)
                done.acts += 1
            except (InvalidRequest, Unavailable):  # told that too many others are at it is an answer too
                continue


def any_settlement(facts: RunFacts) -> Settlement:
    state = random.choice([JobState.QUEUED, JobState.FAILED, JobState.CANCELLED])
    return Settlement(Diagnosis(Cause.CRASHED, error="it crashed"), state if facts.current else None, attempts=1)


async def be_a_controller(conninfo: str, name: str, done: Done) -> None:
    """Claims and settles."""
    async with controller_pool(conninfo, 2) as pool:
        store = ControllerStore(pool)
        while not done.enough:
            for claimed in await store.claim("default", 2, "test", name, timedelta(minutes=1)):
                async with store.locked_run(claimed.key) as locked:
                    if locked is not None:
                        await locked.settle(any_settlement(locked.facts), Evidence())
                done.runs += 1


def test_clients_and_controllers_never_wait_for_one_another_in_a_circle(database: str, tmp_path: Path) -> None:
    for number in range(FILES):
        for letter in "ab":
            (tmp_path / f"{number}{letter}.txt").write_text(str(number))
    done = Done()
    with ThreadPoolExecutor(6) as threads:
        clients = [threads.submit(be_a_client, database, tmp_path, seed, done) for seed in range(4)]
        controllers = [
            threads.submit(lambda name: asyncio.run(be_a_controller(database, name, done)), name) for name in "ab"
        ]
        wait([*clients, *controllers], return_when=FIRST_EXCEPTION)
        done.broken = not done.enough
        for one in (*clients, *controllers):
            one.result()
    with psycopg.connect(database) as connection:
        connection.execute("select pg_stat_clear_snapshot()")
        deadlocks = connection.execute(
            "select deadlocks from pg_stat_database where datname = current_database()"
        ).fetchone()
        stored = {uri.rpartition("/")[2] for (uri,) in connection.execute("select storage_uri from datasets")}
    assert deadlocks == (0,)
    assert {path.name for path in (tmp_path / "US").iterdir() if path.is_file()} == stored


def test_a_transaction_that_others_got_in_the_way_of_is_done_again(database: str) -> None:
    tries = []

    def work(transaction: Transaction) -> str:
        tries.append(transaction)
        if len(tries) < 3:
            raise psycopg.errors.DeadlockDetected
        return "done"

    connection = ClientConnection(database)
    assert connection.transaction(work) == "done"
    connection.close()


def test_it_is_given_up_where_they_keep_getting_in_the_way(database: str) -> None:
    tries = []

    def work(transaction: Transaction) -> None:
        tries.append(transaction)
        raise psycopg.errors.DeadlockDetected

    connection = ClientConnection(database)
    with pytest.raises(Unavailable):
        connection.transaction(work)
    assert len(tries) == TRIES
    connection.close()
