"""From a submitted file to rows, with the process launcher."""

import asyncio
import csv
import hashlib
from datetime import timedelta

import pytest

from controller.outcomes.retry import RetryPolicy
from tests.integration.world import DATA, NATIONAL, World

pytestmark = pytest.mark.every_postgres

YEAR_2023 = NATIONAL / "yob2023.txt"


async def test_a_file_becomes_rows_and_dataset_job_and_run_say_so(world: World) -> None:
    result = world.submit(YEAR_2023)
    await world.run_until_idle()

    with YEAR_2023.open() as file:
        expected = sorted((name, sex, int(count)) for name, sex, count in csv.reader(file))
    rows = world.query('select year, name, gender, count from names order by name collate "C", gender')
    assert {row["year"] for row in rows} == {2023}
    assert [(row["name"], row["gender"], row["count"]) for row in rows] == expected
    dataset = world.dataset(result.dataset_id)
    assert (dataset["status"], dataset["row_count"], dataset["parser"]) == (
        "completed",
        len(expected),
        "us-ssa-national",
    )
    assert dataset["total_count"] == sum(count for _, _, count in expected)
    shown = world.client.datasets.most_frequent(world.client.datasets.get(dataset["id"]), 3)
    most = sorted(expected, key=lambda row: (-row[2], row[0]))[:3]
    assert [(one.year, one.name, one.sex, one.count) for one in shown] == [(2023, *row) for row in most]
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["last_error"]) == ("completed", 0, None)
    run = world.one("select * from runs")
    assert (run["cause"], run["rows_done"], run["bytes_done"]) == ("completed", len(expected), YEAR_2023.stat().st_size)
    assert run["released_at"] is not None


@pytest.mark.parametrize(
    ("path", "country", "parser", "region", "measure", "rows", "total"),
    [
        ("gb-eaw/boysnames2022.xlsx", "GB", "gb-ons-baby-names", "GB-EAW", "births", 6228, 284371),
        ("gb-sct/babies-first-names-20-full-list.zip", "GB", "gb-nrs-full-list", "GB-SCT", "births", 7722, 46805),
        ("ie/VSA11.px", "IE", "ie-cso-pcaxis", None, "births", 3071, 393915),
        ("de/koeln/Vornamen_2018_Koeln.csv", "DE", "de-koeln", "DE-NW-05315", "births", 5632, 21395),
    ],
)
async def test_workbooks_archives_and_other_text_become_rows_too(
    world: World, path: str, country: str, parser: str, region: str | None, measure: str, rows: int, total: int
) -> None:
    result = world.submit(DATA / path, country)
    await world.run_until_idle()
    dataset = world.dataset(result.dataset_id)
    assert (dataset["status"], dataset["error"]) == ("completed", None)
    assert (dataset["parser"], dataset["region"], dataset["measure"]) == (parser, region, measure)
    assert (dataset["row_count"], dataset["total_count"]) == (rows, total)
    assert world.one("select count(*) n, sum(count) s from names") == {"n": rows, "s": total}


async def test_a_name_is_found_whatever_its_letter_case(world: World) -> None:
    world.submit(world.file("yob2020.txt", "McKenzie,F,10\r\nMckenzie,F,7\r\n"))
    await world.run_until_idle()
    assert world.one("select sum(count) from names where folded_name = 'mckenzie'")["sum"] == 17


@pytest.mark.parametrize(
    ("name", "content", "country", "reason", "says"),
    [
        ("yob2020.txt", "Mary,F,10\r\nAnna,F\r\n", "US", "invalid_format", "yob2020.txt, line 2: expected 3 fields"),
        ("yob2020.txt", "Mary,F,10\r\nAnna,X,5\r\n", "US", "invalid_format", "line 2: expected F or M"),
        (
            "yob2020.txt",
            "Mary,F,10\r\nMary,F,5\r\n",
            "US",
            "invalid_format",
            "line 2: the same name and sex as in line 1",
        ),
        ("names.txt", "Mary,F,10\r\n", "US", "invalid_filename", "names.txt: the year stands only in the file's name"),
        ("births.txt", "Marie,F,10\r\n", "JP", "no_parser", "there is no parser for files of JP"),
        ("yob2020.txt", "", "US", "invalid_format", "the file is empty"),
    ],
)
async def test_bad_input_fails_after_one_attempt_with_a_clear_error(
    world: World, name: str, content: str, country: str, reason: str, says: str
) -> None:
    result = world.submit(world.file(name, content), country)
    await world.run_until_idle()
    job, dataset = world.job(result.job_id), world.dataset(result.dataset_id)
    assert (job["state"], job["attempts"], job["last_cause"]) == ("failed", 1, "rejected")
    assert dataset["status"] == "failed"
    assert says in job["last_error"]
    assert dataset["error"] == job["last_error"]
    assert world.one("select reason from runs")["reason"] == reason
    assert world.rows(result.dataset_id) == 0


async def test_a_file_gone_from_storage_fails_the_job(world: World) -> None:
    """A new submit fixes it."""
    result = world.submit(YEAR_2023)
    world.submit(NATIONAL / "yob2022.txt")  # another file, so that the folder is not simply unmounted
    world.storage.delete(world.dataset(result.dataset_id)["storage_uri"])
    await world.run_until_idle()
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"]) == ("failed", 1)
    assert "no such file in storage" in job["last_error"]
    world.submit(YEAR_2023)
    await world.run_until_idle()
    assert world.dataset(result.dataset_id)["status"] == "completed"


async def test_a_file_that_changed_after_submit_is_refused(world: World) -> None:
    result = world.submit(world.file("yob2020.txt", "Mary,F,10\r\n"))
    uri = world.dataset(result.dataset_id)["storage_uri"]
    with world.file("changed", "Mary,F,11\r\n").open("rb") as changed:
        world.storage.put(uri.removeprefix("local:"), changed)
    await world.run_until_idle()
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"]) == ("failed", 1)
    assert "is not the one that was submitted" in job["last_error"]
    assert hashlib.sha256(b"Mary,F,10\r\n").hexdigest()[:12] in job["last_error"]
    assert world.rows(result.dataset_id) == 0


async def test_storage_that_is_away_is_retried_three_times(world: World) -> None:
    """After 1, 5 and 15 minutes; then the job fails."""
    result = world.submit(YEAR_2023)
    (world.folder / "storage").rename(world.folder / "unmounted")
    retry = RetryPolicy()
    waits = []
    for attempt in (1, 2, 3):
        async with world.controller(retry=retry) as reconciler:
            await _until_not_running(reconciler, world, result.job_id)
        job = world.job(result.job_id)
        assert (job["state"], job["attempts"], job["last_cause"]) == ("scheduled", attempt, "unavailable")
        assert world.dataset(result.dataset_id)["status"] == "pending"
        waits.append(world.one("select extract(epoch from run_at - now())::int as s from jobs")["s"])
        world.query("update jobs set run_at = now()")
    assert [round(wait / 60) for wait in waits] == [1, 5, 15]
    await world.run_until_idle(retry=retry)
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"]) == ("failed", 4)
    assert world.dataset(result.dataset_id)["status"] == "failed"


async def test_storage_that_comes_back_in_time_completes_the_job(world: World) -> None:
    result = world.submit(YEAR_2023)
    (world.folder / "storage").rename(world.folder / "unmounted")
    async with world.controller(retry=RetryPolicy(waits=(timedelta(hours=1),))) as reconciler:
        await _until_not_running(reconciler, world, result.job_id)
    (world.folder / "unmounted").rename(world.folder / "storage")
    world.query("update jobs set run_at = now()")
    await world.run_until_idle()
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"]) == ("completed", 1)
    assert world.dataset(result.dataset_id)["error"] is None


async def _until_not_running(reconciler: object, world: World, job_id: object) -> None:
    from controller.loop import Reconciler

    assert isinstance(reconciler, Reconciler)
    async with asyncio.timeout(100):
        while True:
            await reconciler.tick_safely()
            job = world.one("select * from jobs where id = %s", job_id)
            if job["attempts"] and job["state"] != "running" and not await reconciler.context.launcher.list_all():
                return
            await asyncio.sleep(0.02)
