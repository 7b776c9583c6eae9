"""Filters, order and length of the lists of jobs and datasets, as a caller and as a user has them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import DatasetStatus, JobState
from services.filters import DATASET_SORTS, JOB_SORTS, DatasetFilter, JobFilter
from services.listing import Order
from services.submit import FileOptions
from tests.integration.command_line import Run, answer, runner
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

HOUR = timedelta(hours=1)
PLACES: list[tuple[JobState | None, list[int | str]]] = [
    (None, []),
    (None, ["7"]),
    (None, [1, 2]),
    (None, [2**40]),
    (JobState.QUEUED, [3]),
    (JobState.QUEUED, [1, "soon", 3]),
    (JobState.QUEUED, ["x", "2026-01-01T00:00:00+00:00", 3]),
    (JobState.QUEUED, [1, "2026-01-01T00:00:00", 3]),
    (JobState.SCHEDULED, [1, "2026-01-01T00:00:00+00:00", 3]),
]
"""That are none in the list of these jobs."""


@pytest.fixture
def filled(world: World) -> World:
    """Seven jobs of as many datasets: six of the US from 2000 on, one of France."""
    jobs = [world.submit_small(year).job_id for year in range(2000, 2006)]
    world.submit(world.file("nat2022.csv", "x"), country="FR")
    world.query("insert into pools (name, max_running) values ('nightly', 1)")
    world.query("update jobs set pool = 'nightly' where id = %s", jobs[0])
    world.query("update jobs set created_at = now() - interval '10 days' where id = any(%s)", jobs[:2])
    world.query(
        "update jobs set state = 'failed', last_cause = 'rejected', last_error = 'bad', finished_at = now()"
        " where id = any(%s)",
        jobs[1:3],
    )
    world.query(
        "update jobs set state = 'scheduled', last_cause = 'unavailable', last_error = 'away', attempts = 2,"
        " run_at = now() + interval '1 hour' where id = %s",
        jobs[3],
    )
    world.client.jobs.cancel(jobs[4])
    return world


def files(world: World, which: JobFilter, order: Order | None = None) -> list[str]:
    found, _ = world.client.jobs.select(which).first(None, order or Order())
    return [job.filename.removeprefix("yob").partition(".")[0] for job in found]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (JobFilter(), "nat2022 2005 2004 2003 2002 2001 2000"),
        (JobFilter((JobState.FAILED,)), "2002 2001"),
        (JobFilter((JobState.FAILED, JobState.CANCELLED)), "2004 2002 2001"),
        (JobFilter((JobState.RUNNING,)), ""),
        (JobFilter(causes=(Cause.UNAVAILABLE,)), "2003"),
        (JobFilter(causes=(Cause.UNAVAILABLE, Cause.REJECTED)), "2003 2002 2001"),
        (JobFilter(country="fr"), "nat2022"),
        (JobFilter(file="OB200"), "2005 2004 2003 2002 2001 2000"),
        (JobFilter(file="yob200?.txt", country="US"), "2005 2004 2003 2002 2001 2000"),
        (JobFilter(file="200?"), ""),
        (JobFilter(file="%"), ""),
        (JobFilter(pool="nightly"), "2000"),
        (JobFilter(since=HOUR), "nat2022 2005 2004 2003 2002"),
        (JobFilter((JobState.FAILED,), since=timedelta(days=1)), "2002"),
        (JobFilter(since=datetime(2020, 1, 1, tzinfo=UTC)), "nat2022 2005 2004 2003 2002 2001 2000"),
        (JobFilter(since=datetime(2999, 1, 1, tzinfo=UTC)), ""),
    ],
    ids=str,
)
def test_a_filter_selects_jobs(filled: World, which: JobFilter, expected: str) -> None:
    assert files(filled, which) == expected.split()
    assert filled.client.jobs.select(which).count().at_least == len(expected.split())


@pytest.mark.parametrize("name", JOB_SORTS)
def test_jobs_are_sorted_by_each_column(filled: World, name: str) -> None:
    up, down = (files(filled, JobFilter(), Order(name, descending)) for descending in (False, True))
    assert sorted(up) == sorted(down) == sorted(files(filled, JobFilter()))
    if name == "attempts":
        assert (up[-1], down[0]) == ("2003", "2003")


def test_the_latest_end_comes_first_by_index_and_without(filled: World) -> None:
    order = Order("finished", descending=True)
    expected = files(filled, JobFilter(), order)
    for limit in range(1, 8):
        found, more = filled.client.jobs.select(JobFilter()).first(limit, order)
        assert ([job.filename for job in found], more) == (
            [f"yob{name}.txt" if name.isdigit() else f"{name}.csv" for name in expected[:limit]],
            limit < 7,
        )


@pytest.mark.parametrize("name", DATASET_SORTS)
def test_datasets_are_sorted_by_each_column(filled: World, name: str) -> None:
    found, more = filled.client.datasets.select(DatasetFilter()).first(3, Order(name, descending=True))
    assert (len(found), more) == (3, True)


async def test_a_filter_selects_datasets(filled: World) -> None:
    filled.query("update datasets set created_at = now() - interval '3 days' where filename = 'yob2000.txt'")
    for which, expected in (
        (DatasetFilter(country="FR"), 1),
        (DatasetFilter(file="yob*", since=HOUR), 5),
        (DatasetFilter((DatasetStatus.PENDING, DatasetStatus.FAILED)), 7),
        (DatasetFilter((DatasetStatus.FAILED,)), 0),
    ):
        assert len(filled.client.datasets.select(which).first()[0]) == expected
        assert filled.client.datasets.select(which).count().at_least == expected


@pytest.mark.parametrize(
    ("which", "said"),
    [
        (JobFilter(country="UX"), "unknown country 'UX'"),
        (JobFilter(pool="nightlie"), "pool 'nightlie': did you mean nightly"),
        (JobFilter(pool="x"), "pool 'x': there are default, nightly"),
    ],
)
def test_a_filter_of_what_there_is_not_is_refused(filled: World, which: JobFilter, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        filled.client.jobs.select(which)


def test_a_job_that_was_submitted_in_a_long_transaction_is_found_by_its_time(filled: World) -> None:
    """Keys and times are not in the same order then."""
    filled.query("update jobs set created_at = now() - interval '30 minutes' where key % 2 = 0")
    expected = filled.query("select count(*) from jobs where created_at >= now() - interval '20 minutes'")
    assert len(files(filled, JobFilter(since=timedelta(minutes=20)))) == expected[0]["count"]


@pytest.fixture
def run(filled: World, tmp_path: Path) -> Run:
    home = {"DATABASE_URL": filled.conninfo, "AFFIRM_WORKER_HOME": str(tmp_path / "home"), "TZ": "Europe/Berlin"}
    return runner(home, tmp_path)


def test_filters_combine_on_the_command_line(run: Run) -> None:
    options = ("--state", "failed", "--state", "cancelled", "-c", "US", "--file", "yob*", "--since", "3d", "--json")
    found = answer(run("jobs", "list", *options))
    assert [job["filename"] for job in found] == ["yob2004.txt", "yob2002.txt"]
    assert found[0]["created_at"].endswith("Z")
    assert len(answer(run("jobs", "list", "--cause", "rejected", "--sort", "-finished", "--json"))) == 2
    assert len(answer(run("datasets", "list", "--status", "pending", "--file", "nat", "--json"))) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--state", "fail"), "'failed'"),
        (("--cause", "nonsense"), "'rejected'"),
        (("--pool", "defualt"), "did you mean default?"),
        (("--since", "tuesday"), "such as 2h or 3d, a date such as 2026-11-27"),
        (("--sort", "-row"), "did you mean rows?"),
        (("--limit", "-1"), "expected at least 0"),
    ],
)
def test_a_wrong_value_is_wrong_usage_and_says_which_there_are(run: Run, options: tuple[str, ...], said: str) -> None:
    done = run("jobs", "list", *options, code=2)
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""


def test_an_unknown_country_is_refused_as_everywhere(run: Run) -> None:
    for things in ("jobs", "datasets"):
        assert "unknown country 'UX'" in run(things, "list", "--country", "UX", code=65).stderr


def test_a_shortened_list_says_so_beside_what_programs_read(run: Run, filled: World) -> None:
    filled.query(
        "insert into jobs (dataset_id, type, state, finished_at, created_at)"
        " select id, 'parse_dataset', 'completed', now(), now() from datasets, generate_series(1, 10)"
    )
    done = run("jobs", "list", "--json")
    assert len(answer(done)) == 50
    assert done.stderr == "affirm-worker: 50 of 77 shown; -n 0 shows all\n"
    assert run("jobs", "list").stderr == done.stderr
    assert run("jobs", "list", "-n", "50", "--json").stderr == ""
    everything = run("jobs", "list", "-n", "0", "--json")
    assert (len(answer(everything)), everything.stderr) == (77, "")


def test_the_exact_list_is_not_a_part(run: Run) -> None:
    done = run("jobs", "list", "-n", "7", "--json")
    assert (len(json.loads(done.stdout)), done.stderr) == (7, "")


def test_times_are_in_utc_if_somebody_wants_it(run: Run, filled: World) -> None:
    filled.query("update jobs set finished_at = '2026-01-05 12:00:00+00' where state = 'cancelled'")
    wanted = ("jobs", "list", "--state", "cancelled", "--columns", "finished")
    assert "2026-01-05 13:00:00 CET" in run(*wanted).stdout
    assert "2026-01-05 12:00:00 UTC" in run(*wanted, "--utc").stdout
    assert answer(run(*wanted[:4], "--json"))[0]["finished_at"] == "2026-01-05T12:00:00.000Z"


@pytest.mark.parametrize(("state", "place"), PLACES, ids=str)
def test_a_place_of_another_list_is_refused(world: World, state: JobState | None, place: list[int | str]) -> None:
    with pytest.raises(InvalidRequest, match="begin at its first page"):
        world.client.jobs.page(JobFilter(() if state is None else (state,)), 5, place)


def test_queued_jobs_come_in_the_order_of_their_claim(world: World) -> None:
    jobs = [world.submit_small(2000 + number).job_id for number in range(6)]
    world.query("insert into pools (name, max_running) values ('nightly', 1)")
    for number, priority, pool in ((0, 1, "default"), (3, 5, "nightly"), (4, 5, "default")):
        world.query("update jobs set priority = %s, pool = %s where id = %s", priority, pool, jobs[number])
    seen, after = [], None
    while True:
        page = world.client.jobs.page(JobFilter((JobState.QUEUED,)), 2, after)
        seen += [job.id for job in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [jobs[number] for number in (3, 4, 0, 1, 2, 5)]
    in_pool = world.client.jobs.page(JobFilter((JobState.QUEUED,), pool="nightly"), 5)
    assert [job.id for job in in_pool.items] == [jobs[3]] and in_pool.next is None


def test_what_was_submitted_together_is_found_together(world: World) -> None:
    def submit(year: int, batch: str | None) -> None:
        path = world.file(f"yob{year}.txt", f"Mary,F,{year}\n")
        world.client.submit_file(world.storage, path, FileOptions("US", batch=batch))

    for year, batch in ((2000, "monday"), (2001, None), (2002, "monday"), (2003, "tuesday")):
        submit(year, batch)
    jobs = world.client.jobs.page(JobFilter(batch="monday"), 5).items
    assert [(job.filename, job.batch) for job in jobs] == [("yob2002.txt", "monday"), ("yob2000.txt", "monday")]
    submit(2002, "tuesday")  # the last one counts
    submit(2003, None)
    found = world.client.datasets.select(DatasetFilter(batch="tuesday")).first()[0]
    assert [one.filename for one in found] == ["yob2003.txt", "yob2002.txt"]


@pytest.mark.parametrize("batch", ["", " ", "a\nb", "x" * 101])
def test_a_name_of_a_batch_is_one_short_line(world: World, batch: str) -> None:
    path = world.file("yob2000.txt", "Mary,F,5\n")
    done = world.client.submit_file(world.storage, path, FileOptions("US", batch=batch))
    assert done.refusal is not None and "batch" in str(done.refusal)


def test_a_time_has_an_end_and_a_beginning(world: World) -> None:
    jobs = [world.submit_small(2000 + number).job_id for number in range(4)]
    for number, job in enumerate(jobs):
        world.query("update jobs set created_at = now() - %s where id = %s", timedelta(days=9 - number), job)
        world.query(
            "update datasets set created_at = now() - %s where filename = %s",
            timedelta(days=9 - number),
            f"yob{2000 + number}.txt",
        )
    now = world.client.now()
    since, until = now - timedelta(days=8.5), now - timedelta(days=6.5)
    found = world.client.jobs.page(JobFilter(since=since, until=until), 5).items
    assert [job.id for job in found] == [jobs[2], jobs[1]]
    files = world.client.datasets.select(DatasetFilter(since=since, until=until)).first()[0]
    assert [one.filename for one in files] == ["yob2002.txt", "yob2001.txt"]


def test_a_file_can_be_looked_for_among_the_newest(world: World) -> None:
    for year in range(2000, 2006):
        world.submit_small(year)
    newest = DatasetFilter(file="YOB", newest_files=2)
    assert [one.filename for one in world.client.datasets.select(newest).first()[0]] == ["yob2005.txt", "yob2004.txt"]
    assert len(world.client.jobs.page(JobFilter(file="yob*", newest_files=2), 9).items) == 2
    assert len(world.client.jobs.page(JobFilter(file="yob*"), 9).items) == 6
