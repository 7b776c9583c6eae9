"""Lists read what they show by an index, however many jobs, runs and datasets there are."""

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.states import DatasetStatus, JobState, JobType
from dataset_jobs.store.client_connection import ClientConnection, Row
from dataset_jobs.store.statements import statement
from services.audit import AuditFilter
from services.client import Client
from services.dataset_story import dataset_story
from services.filters import DatasetFilter, JobFilter
from services.glance import read_recent
from services.job_pages import JobOrder
from services.listing import Order
from services.story import story
from tests.kit import many_jobs
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres

NOW = datetime.now(UTC)
JOBS, DATASETS = 200_000, 20_000
BLOCKS = 2_500
"""Of 8 KiB: a few per cent of the table of jobs. Most lists read some hundred."""

JOB_FILTERS = {
    "all": JobFilter(),
    "most": JobFilter((JobState.COMPLETED,)),
    "failed": JobFilter((JobState.FAILED,)),
    "cancelled": JobFilter((JobState.CANCELLED,)),
    "running": JobFilter((JobState.RUNNING,)),
    "queued": JobFilter((JobState.QUEUED,)),
    "scheduled": JobFilter((JobState.SCHEDULED,)),
    "failed or cancelled": JobFilter((JobState.FAILED, JobState.CANCELLED)),
    "not finished": JobFilter((JobState.RUNNING, JobState.QUEUED, JobState.SCHEDULED)),
    "a rare cause": JobFilter(causes=(Cause.UNAVAILABLE,)),
    "failed by a rare cause": JobFilter((JobState.FAILED,), (Cause.UNAVAILABLE,)),
    "a cause": JobFilter(causes=(Cause.REJECTED,)),
    "a country of few": JobFilter(country="FR"),
    "a country of most": JobFilter(country="US"),
    "failed of a country of few": JobFilter((JobState.FAILED,), country="FR"),
    "one file": JobFilter(file="yob77.txt"),
    "files of most": JobFilter(file="yob*"),
    "no file": JobFilter(file="nonsense"),
    "lately": JobFilter(since=timedelta(hours=1)),
    "cancelled lately": JobFilter((JobState.CANCELLED,), since=timedelta(hours=2)),
    "nothing yet": JobFilter(since=timedelta(0)),
    "queued in a pool": JobFilter((JobState.QUEUED,), pool="nightly"),
    "long ago": JobFilter(until=NOW - timedelta(days=2)),
    "a day": JobFilter(since=NOW - timedelta(days=2), until=NOW - timedelta(days=1)),
    "a batch": JobFilter(batch="monday"),
    "no batch": JobFilter(batch="nothing"),
    "a rare reason": JobFilter((JobState.FAILED,), reason="storage"),
    "a reason": JobFilter((JobState.FAILED,), reason="config"),
    "no reason": JobFilter(reason="nothing"),
    "a rare type": JobFilter(kind=JobType.REPROCESS),
    "a type": JobFilter(kind=JobType.PARSE),
    "files of the newest": JobFilter(file="yob1*", newest_files=1000),
}


class Explaining(ClientConnection):
    """Keeps the plan of every statement that it executes."""

    def __init__(self, conninfo: str) -> None:
        super().__init__(conninfo)
        self.plans: list[tuple[str, dict[str, Any]]] = []

    def all(self, name: str, /, **parameters: Any) -> list[Row]:
        with self._connection() as connection:
            explain = b"explain (analyze, buffers, format json) " + statement(name).encode()
            [row] = connection.execute(explain, parameters).fetchall()
        self.plans.append((name, row["QUERY PLAN"][0]))
        return super().all(name, **parameters)

    def ids(self, sql: str) -> list[UUID]:
        """The ids of a query."""
        with self._connection() as connection:
            return [row["id"] for row in connection.execute(sql.encode())]


@pytest.fixture(scope="module")
def large(postgres: PostgresServer, template: str) -> Iterator[str]:
    """A database with so many jobs."""
    conninfo = postgres.create_database("large_lists", template)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(many_jobs.fill(JOBS, DATASETS).encode())
        connection.execute("vacuum jobs, runs, datasets")
    yield conninfo
    postgres.drop_database("large_lists")


@pytest.fixture
def client(large: str) -> Iterator[Client]:
    with Client(Explaining(large)) as made:
        yield made


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def check(client: Client, tables: Collection[str] = ("jobs", "runs")) -> None:
    database = client.database
    assert isinstance(database, Explaining)
    for name, plan in database.plans:
        shown = f"{name}\n{json.dumps(plan, indent=1)}"
        # An index that is read from one end to the other is no better than the table.
        scanned = {one["Relation Name"] for one in nodes(plan["Plan"]) if one["Node Type"] == "Seq Scan"}
        assert not scanned & {*tables}, shown
        assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] <= BLOCKS, shown


@pytest.mark.parametrize("which", JOB_FILTERS)
def test_a_list_of_jobs_reads_few_blocks(client: Client, which: str) -> None:
    found, more = client.jobs.select(JOB_FILTERS[which]).first(50)
    assert found or which in ("no file", "nothing yet", "queued in a pool", "no batch", "no reason")
    assert [job.created_at for job in found] == sorted((job.created_at for job in found), reverse=True)
    assert len(found) == 50 or not more
    check(client)


@pytest.mark.parametrize("which", ["all", "failed", "a rare cause", "a country of few", "not finished"])
def test_the_latest_ends_are_found_by_an_index(client: Client, which: str) -> None:
    selection = client.jobs.select(JOB_FILTERS[which])
    found, _ = selection.first(10, Order("finished", descending=True))
    ends = [job.finished_at for job in found if job.finished_at is not None]
    assert len(found) == 10 and ends == sorted(ends, reverse=True)
    if which != "not finished":
        assert len(ends) == 10
        check(client)


def test_a_page_in_the_middle_reads_few_blocks(client: Client) -> None:
    page = client.jobs.select(JobFilter()).page(50, after=JOBS // 2)
    assert len(page.items) == 50 and page.next is not None
    check(client)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.SCHEDULED, JobState.RUNNING])
def test_why_jobs_wait_is_found_by_an_index(client: Client, state: JobState) -> None:
    jobs, _ = client.jobs.select(JobFilter((state,))).first(50)
    waiting = client.waiting(jobs)
    assert {job.id for job in jobs} == waiting.keys()
    check(client)


def test_a_story_reads_few_blocks(client: Client) -> None:
    for state in (JobState.QUEUED, JobState.FAILED, JobState.RUNNING):
        [job], _ = client.jobs.select(JobFilter((state,))).first(1)
        assert story(client.explain(job.id)).sentence
    check(client)


@pytest.mark.parametrize(
    ("state", "order"), [(JobState.QUEUED, JobOrder.CLAIM), (JobState.SCHEDULED, JobOrder.DUE)], ids=str
)
@pytest.mark.parametrize("pool", [None, "default"])
def test_waiting_jobs_are_paged_in_their_order_by_an_index(
    client: Client, state: JobState, order: JobOrder, pool: str | None
) -> None:
    which, seen, after = JobFilter((state,), pool=pool), list[UUID](), None
    while True:
        page = client.jobs.page(which, 90, after)
        assert page.order is order
        seen += [job.id for job in page.items]
        after = page.next
        if after is None:
            break
    direction = "priority desc, run_at, key" if order is JobOrder.CLAIM else "run_at, key"
    database = client.database
    assert isinstance(database, Explaining)
    assert seen == database.ids(f"select id from jobs where state = '{state}' order by {direction}")
    check(client)


def test_jobs_that_are_over_are_paged_by_an_index(client: Client) -> None:
    first = client.jobs.page(JobFilter(), 90, order=JobOrder.FINISHED)
    then = client.jobs.page(JobFilter(), 90, first.next, order=JobOrder.FINISHED)
    database = client.database
    assert isinstance(database, Explaining)
    expected = database.ids("select id from jobs where finished_at is not null order by finished_at desc, key desc")
    assert [job.id for job in (*first.items, *then.items)] == expected[:180]
    check(client)


def test_what_was_last_reads_few_blocks(client: Client) -> None:
    found = read_recent(client.database, 8)
    assert len(found.running) == len(found.ended) == 8
    check(client)


@pytest.mark.parametrize(
    "which",
    [
        AuditFilter(),
        AuditFilter(actor="ada"),
        AuditFilter(action="job.cancel"),
        AuditFilter(target="dataset/7"),
        AuditFilter(since=NOW - timedelta(minutes=1)),
        AuditFilter(actor="nobody"),
    ],
    ids=str,
)
def test_a_page_of_the_audit_reads_few_blocks(client: Client, which: AuditFilter) -> None:
    page = client.audit.page(which, 50)
    assert page.items or which.actor == "nobody"
    check(client, {"audit"})


def test_the_controllers_are_found_by_an_index(client: Client) -> None:
    client.database.all("status.controllers")
    check(client)


def test_a_count_stops_at_its_bound(client: Client) -> None:
    count = client.jobs.select(JobFilter()).count()
    assert (count.at_least, count.exact) == (10_000, False)
    assert client.jobs.select(JOB_FILTERS["failed by a rare cause"]).count().exact
    check(client)


@pytest.mark.parametrize(
    "which",
    [
        DatasetFilter(),
        DatasetFilter(country="FR"),
        DatasetFilter((DatasetStatus.FAILED,)),
        DatasetFilter(file="yob77.txt"),
        DatasetFilter(since=timedelta(hours=1)),
        DatasetFilter(until=NOW - timedelta(hours=4)),
        DatasetFilter(sha256=f"{77:064x}"),
        DatasetFilter(year=1950),
        DatasetFilter(measure="population"),
        DatasetFilter(region="Bayern"),
        DatasetFilter(batch="monday"),
        DatasetFilter(superseded=True),
        DatasetFilter(superseded=False),
        DatasetFilter(file="yob1*", newest_files=1000),
    ],
    ids=str,
)
def test_a_list_of_datasets_looks_at_coverage_for_those_it_shows(client: Client, which: DatasetFilter) -> None:
    found, _ = client.datasets.select(which).first(50)
    assert found
    check(client)


def test_a_status_of_no_dataset_reads_next_to_nothing(client: Client) -> None:
    assert client.datasets.select(DatasetFilter((DatasetStatus.PROCESSING,))).first(50) == ([], False)
    assert isinstance(client.database, Explaining)
    (_, plan), *_ = client.database.plans
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] <= 20, json.dumps(plan, indent=1)


def test_a_dataset_with_all_that_there_is_of_it_reads_few_blocks(client: Client) -> None:
    for status in (DatasetStatus.COMPLETED, DatasetStatus.FAILED):
        which = DatasetFilter((status,), until=NOW - timedelta(hours=4))
        [dataset], _ = client.datasets.select(which).first(1)
        assert dataset_story(client, dataset.id).jobs
        client.datasets.deletion(dataset.id)
    check(client, {"jobs", "runs", "datasets", "coverage", "audit"})
