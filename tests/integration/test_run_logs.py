"""What runs say, as `jobs logs` has it from the database: while they are at work, and after."""

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from psycopg.conninfo import conninfo_to_dict

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import LogLine, Outcome
from dataset_jobs.model.requests import NotFound
from dataset_jobs.model.run_log import LOG_LINES, RunLog
from dataset_jobs.model.settlement import Diagnosis, Evidence, Settlement
from dataset_jobs.model.states import JobState
from dataset_jobs.store.runner import RunnerStore
from parser_runner.log_tail import LogTail
from parser_runner.run import RunnerContext
from parser_runner.run import run as run_one
from services.run_logs import Event, LogEntry, LogReader
from tests.integration.command_line import Run, answer, runner
from tests.integration.loads import claim_one
from tests.integration.world import World
from tests.kit.runners import proven
from tests.kit.settle import settle
from tests.servers.postgres_faults import FaultProxy

pytestmark = pytest.mark.every_postgres

AGAIN = Settlement(Diagnosis(Cause.VANISHED, error="the pod is gone"), JobState.QUEUED, interruptions=1)


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    settings = {"DATABASE_URL": world.conninfo, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}
    return runner({**settings, **world.storage_config.to_env()}, tmp_path)


@pytest.fixture
def speaking(world: World) -> World:
    """A world whose runners log as installations do."""
    world.log_level = "INFO"
    return world


def lines(*texts: str, dropped: int = 0) -> RunLog:
    return RunLog(
        dropped,
        tuple(LogLine(f"2026-03-01T12:00:0{number}.000Z", "INFO", text) for number, text in enumerate(texts)),
    )


def words(entries: list[LogEntry]) -> list[str]:
    return [entry.message or "" if entry.event is Event.SAID else f"-- {entry.event}" for entry in entries]


async def taken(world: World) -> RunnerStore:
    """A run that its runner has just taken."""
    claimed = await claim_one(world, "test")
    store = RunnerStore(world.conninfo, claimed.key, proven(world.conninfo, claimed.key, "one"))
    store.take()
    return store


def read(world: World, job_id: UUID, number: int | None = None) -> list[LogEntry]:
    return LogReader(world.client.jobs, job_id, number).read()[1]


async def test_a_completed_run_has_what_it_said(speaking: World, run: Run) -> None:
    """Written with its commit: the run was too short for a heartbeat."""
    job = speaking.submit_small()
    await speaking.run_until_idle()
    assert words(read(speaking, job.job_id)) == ["-- began", "started on yob2020.txt", "-- committed"]
    said = run("jobs", "logs", str(job.job_id)[:8]).stdout.splitlines()
    assert [line.partition("  run 1  ")[2] for line in said] == [
        "-- begins, with the process launcher",
        "started on yob2020.txt",
        "-- committed 1 row",
    ]
    assert run("jobs", "logs").stdout.splitlines() == said, "the newest job"


async def test_a_failed_run_says_why_once(speaking: World, run: Run) -> None:
    job = speaking.submit(speaking.file("yob2019.txt", "nonsense\n"))
    await speaking.run_until_idle()
    *_, error, end = read(speaking, job.job_id)
    assert (error.event, error.level) == (Event.SAID, "WARNING")
    assert error.message is not None and error.message.startswith("rejected: yob2019.txt, line 1: ")
    assert (end.event, end.cause, end.reason, end.message) == (Event.ENDED, "rejected", "invalid_format", None)
    assert run("jobs", "logs", str(job.job_id)).stdout.count("no known format") == 1


async def test_lines_come_while_a_run_is_at_work(world: World) -> None:
    job = world.submit_small()
    reader = LogReader(world.client.jobs, job.job_id)
    assert words(reader.read()[1]) == []
    with await taken(world) as store:
        assert words(reader.read()[1]) == ["-- began"]
        store.heartbeat(0, 0, lines("one"))
        assert words(reader.read()[1]) == ["one"]
        store.heartbeat(700, 20)
        [progress] = reader.read()[1]
        assert (progress.event, progress.bytes_done, progress.rows_done) == (Event.PROGRESS, 700, 20)
        store.heartbeat(700, 20, lines("one", "two", "three"))
        assert words(reader.read()[1]) == ["two", "three"]
        assert reader.read()[1] == []


async def test_a_killed_run_has_the_lines_of_its_last_heartbeat(world: World) -> None:
    job = world.submit_small()
    with await taken(world) as store:
        store.heartbeat(0, 0, lines("one"))
    async with world.store() as controller:
        await settle(controller, RunKey(job.job_id, 1), Evidence(), AGAIN, "one")
    entries = read(world, job.job_id)
    assert words(entries) == ["-- began", "one", "-- ended"]
    assert (entries[-1].cause, entries[-1].message) == ("vanished", "the pod is gone")


async def test_lines_of_a_termination_message_follow_those_of_the_heartbeat(world: World) -> None:
    """The database was away when the run ended."""
    job = world.submit_small()
    message = Outcome(Cause.UNAVAILABLE, error="database: away", log=lines("one", "two", "away").lines).to_message()
    with await taken(world) as store:
        store.heartbeat(0, 0, lines("one", "two"))
    async with world.store() as controller:
        await settle(controller, RunKey(job.job_id, 1), Evidence(message=message), AGAIN, "one")
    assert words(read(world, job.job_id)) == ["-- began", "one", "two", "away", "-- ended"]


async def test_lines_that_are_not_kept_are_counted(world: World) -> None:
    job = world.submit_small()
    reader = LogReader(world.client.jobs, job.job_id)
    with await taken(world) as store:
        store.heartbeat(0, 0, lines("3", "4", dropped=2))
        _, lost, *said = reader.read()[1]
        assert (lost.event, lost.lines, words(said)) == (Event.LOST, 2, ["3", "4"])
        store.heartbeat(0, 0, lines("4", "5", dropped=3))
        assert words(reader.read()[1]) == ["5"]
        store.heartbeat(0, 0, lines("9", dropped=8))
        lost, said_last = reader.read()[1]
        assert (lost.event, lost.lines, said_last.message) == (Event.LOST, 3, "9")


async def test_following_tells_each_run_until_the_job_is_over(world: World) -> None:
    """The run ends, the next one begins, and the last one commits."""
    job = world.submit_small()
    told: list[list[str]] = []
    reader, steps = LogReader(world.client.jobs, job.job_id), asyncio.Queue[None]()
    loop = asyncio.get_running_loop()

    def sleep(seconds: float) -> None:
        asyncio.run_coroutine_threadsafe(step(), loop).result(100)

    async def step() -> None:
        steps.put_nowait(None)
        if steps.qsize() == 1:
            with await taken(world) as store:
                store.heartbeat(0, 0, lines("one"))
        elif steps.qsize() == 2:
            async with world.store() as controller:
                await settle(controller, RunKey(job.job_id, 1), Evidence(), AGAIN, "one")
        else:
            await world.run_until_idle()

    def follow() -> None:
        told.extend(words(entries) for entries in reader.follow(sleep))

    await asyncio.to_thread(follow)
    assert told == [[], ["-- began", "one"], ["-- ended"], ["-- began", "-- committed"]]
    assert [words(entries) for entries in LogReader(world.client.jobs, job.job_id).follow(sleep)] == [
        ["-- began", "one", "-- ended", "-- began", "-- committed"]
    ], "a job that is over is told at once"
    assert words(read(world, job.job_id, 2)) == ["-- began", "-- committed"]


async def test_a_run_that_is_not_there_is_refused(world: World, run: Run) -> None:
    with pytest.raises(NotFound, match="there are no jobs"):
        world.client.jobs.latest()
    job = world.submit_small()
    assert run("jobs", "logs").stdout == f"job {job.job_id} has not run yet\n"
    assert answer(run("jobs", "logs", "--json")) == []
    (await taken(world)).close()
    with pytest.raises(NotFound, match=r"has no run 7; it has run 1$"):
        read(world, job.job_id, 7)


async def test_no_line_of_a_log_commands_a_terminal(world: World, run: Run) -> None:
    world.submit_small()
    with await taken(world) as store:
        store.heartbeat(0, 0, lines("a\x1b[2Jb\nc\u202ed"))
    shown = run("jobs", "logs").stdout
    assert r"a\x1b[2Jb c\u202ed" in shown
    assert "\x1b" not in shown
    assert answer(run("jobs", "logs", "--json"))[1]["message"] == "a\x1b[2Jb\nc\u202ed"


@pytest.mark.parametrize("log", ["7", "{}", '{"dropped": "x", "lines": 5}', '{"dropped": 0, "lines": [{"msg": 1}]}'])
async def test_a_log_that_somebody_changed_keeps_nothing_from_being_shown(world: World, log: str) -> None:
    job = world.submit_small()
    (await taken(world)).close()
    world.query("update runs set log = %s::jsonb", log)
    assert words(read(world, job.job_id)) == ["-- began"]


async def test_followed_json_is_an_object_a_line(speaking: World, run: Run) -> None:
    speaking.submit_small()
    await speaking.run_until_idle()
    printed = run("jobs", "logs", "--follow", "--json").stdout.splitlines()
    assert [json.loads(line)["event"] for line in printed] == ["began", "said", "committed"]


@pytest.mark.usefixtures("no_heartbeat")
async def test_a_log_costs_no_exchange_with_the_database(world: World) -> None:
    """It goes with heartbeats, and with the commit or the outcome."""
    asked = []
    port = int(str(conninfo_to_dict(world.conninfo)["port"]))
    with FaultProxy(port) as proxy:
        for year, texts in ((2020, []), (2021, ["one", "two"])):
            world.submit_small(year)
            claimed = await claim_one(world, "test")
            proxy.arm(None)
            tail = LogTail()
            for text in texts:
                tail.handle(logging.makeLogRecord({"msg": text, "levelname": "INFO"}))
            runner_of_it = proven(world.conninfo, claimed.key, "uid")
            await asyncio.to_thread(
                run_one,
                RunnerContext(claimed.key, runner_of_it, proxy.url(world.conninfo), world.storage_config, lines=tail),
            )
            asked.append([statement.sql.partition("\n")[0] for statement in proxy.statements])
    assert asked[0] == asked[1]
    assert [len(row["log"]["lines"]) for row in world.query("select log from runs where log is not null")] == [2]


async def test_a_log_goes_with_its_job(speaking: World) -> None:
    job = speaking.submit_small()
    await speaking.run_until_idle()
    assert sum(speaking.client.jobs.purge(timedelta(0))) == 1
    with pytest.raises(NotFound):
        read(speaking, job.job_id)


@pytest.fixture
def tail() -> Iterator[LogTail]:
    kept = LogTail()
    kept.keep()
    yield kept
    kept.close()


async def test_a_flood_of_lines_stays_within_bounds(
    world: World, tail: LogTail, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for number in range(LOG_LINES * 3):
        logging.getLogger("parser_runner.run").info("%d %s", number, "ü" * 290)
    job = world.submit_small()
    with await taken(world) as store:
        store.heartbeat(0, 0, tail.log())
    row = world.one("select octet_length(log::text) as bytes, (log->>'dropped')::int as dropped from runs")
    assert row["bytes"] < 20_000
    entries = read(world, job.job_id)
    assert entries[1].lines == row["dropped"]
    assert row["dropped"] + len(entries) - 2 == LOG_LINES * 3
