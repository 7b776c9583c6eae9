"""What has changed: one look at the jobs and datasets that many people watch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dataset_jobs.store.client_connection import ClientDatabase

Version = tuple[Any, ...]
"""It differs if anything has changed."""


@dataclass(frozen=True, slots=True)
class Look:
    """How things were.

    Args:
        as_of: when, by the database's clock.
        newest_job, newest_dataset: the number of the newest one; 0 if there is none.
        jobs, datasets: those that were asked for and are there.
    """

    as_of: datetime
    newest_job: int
    newest_dataset: int
    jobs: Mapping[UUID, Version]
    datasets: Mapping[UUID, Version]


def look(database: ClientDatabase, ids: Collection[UUID]) -> Look:
    """Looks at jobs and datasets; raises as the database has it."""
    newest = database.only("live.newest")
    asked = list(ids)
    jobs = database.all("live.jobs", ids=asked) if asked else []
    datasets = database.all("live.datasets", ids=asked) if asked else []
    return Look(
        newest["now"],
        newest["job"],
        newest["dataset"],
        {row["id"]: tuple(row.values()) for row in jobs},
        {row["id"]: tuple(row.values()) for row in datasets},
    )
