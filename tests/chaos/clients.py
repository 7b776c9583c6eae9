"""Clients that submit, cancel, put back and reprocess, and that die at it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import DatasetStatus, JobState
from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client
from services.submission import read_file
from tests.chaos.files import File, kind_of, make_file
from tests.chaos.ledger import Ledger
from tests.faults.actor import Actor, Boundary, Crashed, Kind
from tests.faults.connections import sync_connection
from tests.faults.ports import exposed
from tests.kit.submit import submit

FAULTS = 0.01
WANTED = 15
"""Queued jobs that there are to be."""

POOLS = ("default", "second")

BAD = 0.06
"""Files that are to be rejected."""


class Clients:
    """One client after the other.

    Args:
        folder: for the files.
        workbooks: most files are.
    """

    def __init__(
        self, conninfo: str, storage: StorageConfig, folder: Path, ledger: Ledger, random: Random, workbooks: bool
    ) -> None:
        folder.mkdir()
        self.files: dict[str, File] = {}
        """By sha256: what was submitted and answered for."""
        self.queued = 0
        self._conninfo = conninfo
        self._storage = storage
        self._folder = folder
        self._ledger = ledger
        self._random = random
        self._workbooks = workbooks
        self._number = 0
        self._over = False
        self._actor = Actor()
        self._store = Client.connect(conninfo)

    def stop(self) -> None:
        """No more requests."""
        self._over = True

    async def work(self) -> None:
        """Requests, one after the other, until it is stopped."""
        self._come_again()
        while not self._over:
            if self.queued < WANTED:
                for _ in range(self._random.randint(4, 12)):
                    await asyncio.to_thread(self._submit)
            await asyncio.to_thread(self._request, self._random.choice(_REQUESTS))
            await asyncio.sleep(self._random.uniform(0, 0.2))
        self._store.close()

    def _submit(self) -> None:
        """Submits a new file, again and again until there is an answer, as people do."""
        self._number += 1
        rows = 3000 if self._random.random() < 0.05 else 40
        file = make_file(
            self._folder,
            self._number,
            self._random,
            self._random.random() < BAD,
            rows,
            kind_of(self._number, self._workbooks),
        )
        for _ in range(20):
            if self._try(lambda: self._submit_file(file)):
                self.files[read_file(file.path).sha256] = file
                return
        self._ledger.find(f"lost: {file.path} could not be submitted")

    def _submit_file(self, file: File) -> None:
        storage = exposed(open_storage(self._storage), "storage", self._actor)
        pool = POOLS[self._number % len(POOLS)]
        submit(self._store, storage, file.path, file.country, pool=pool)

    def _request(self, name: str) -> None:
        self._try(getattr(self, f"_{name}"))

    def _cancel(self) -> None:
        jobs = [job for job in self._store.jobs.list(limit=60) if job.state in (JobState.RUNNING, JobState.QUEUED)]
        if jobs:
            job = self._random.choice(jobs)
            self._ledger.cancelled.add(job.id)
            self._ledger.fault("cancel")
            self._store.jobs.cancel(job.id)

    def _retry(self) -> None:
        jobs = [*self._store.jobs.failed()] + [
            job.id for job in self._store.jobs.list(state=JobState.CANCELLED, limit=5)
        ]
        if jobs:
            self._store.jobs.retry(self._random.choice(jobs))
            self._ledger.fault("put back by hand")

    def _reprocess(self) -> None:
        datasets = self._store.datasets.list(status=DatasetStatus.COMPLETED, limit=20)
        if datasets:
            self._store.datasets.reprocess(self._random.choice(datasets).id)

    def _look(self) -> None:
        self._store.status()
        self._store.jobs.failed(Cause.REJECTED)

    def _try(self, do: Callable[[], Any]) -> bool:
        try:
            do()
        except InvalidRequest:
            return True
        except RunError:
            return False
        except Crashed:
            self._come_again()
            return False
        return True

    def _come_again(self) -> None:
        self._actor.die()
        self._actor = Actor(self._plan, lambda kind, at: self._ledger.fault(f"client {kind}"))
        store = Client.connect(self._conninfo, connection_class=sync_connection(self._actor))
        self._store = exposed(store, "client's store", self._actor)

    def _plan(self, number: int, at: Boundary) -> Kind | None:
        if self._over or self._random.random() > FAULTS:
            return None
        return self._random.choice(at.kinds)


_REQUESTS = ("cancel", "retry", "reprocess", "reprocess", "reprocess", "reprocess", "look")
