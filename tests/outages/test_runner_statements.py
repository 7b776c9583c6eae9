"""The connection between parser-runner and Postgres breaks, at every statement and in every way."""

from datetime import timedelta

import pytest

from controller.loop import Reconciler
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.keys import RunKey
from tests.integration.world import World
from tests.outages.inline import InlineLauncher, until_idle
from tests.outages.invariants import check, check_finished
from tests.servers.postgres_faults import BREAKS, COPY_DATA, SET_UP, Fault, FaultProxy, Kind, Statement

RUNNER = "parser-runner"
ANSWER_TIMEOUT = timedelta(seconds=1)
"""How soon a silent server is found out; a busy one answers sooner."""
ROWS = 3


def submit(world: World, number: int) -> RunKey:
    """A dataset unlike those of any other number; the key of its first run."""
    result = world.submit(world.file(f"yob{1900 + number}.txt", f"Mary,F,{number + 5}\nAnna,F,5\nJohn,M,7\n"))
    return RunKey(result.job_id, 1)


async def broken(
    world: World, proxy: FaultProxy, reconciler: Reconciler, key: RunKey, fault: Fault | None, rows_before: int
) -> Cause:
    """Runs a job with a fault in its first run, checks the result, and then runs it to its end."""
    launcher = reconciler.context.launcher
    assert isinstance(launcher, InlineLauncher)
    launcher.broken[key] = proxy.url(world.conninfo)
    proxy.arm(fault)
    await reconciler.tick()
    check(world)
    cause = launcher.outcomes[key].cause
    run = world.one("select committed_at, dataset_id from runs join jobs on id = job_id where id = %s", key.job_id)
    assert (run["committed_at"] is not None) == (cause is Cause.COMPLETED)
    assert world.rows(run["dataset_id"]) == (ROWS if cause is Cause.COMPLETED else rows_before)
    await until_idle(world, reconciler)
    check_finished(world)
    assert world.rows(run["dataset_id"]) == ROWS
    job = world.job(key.job_id)
    assert (job["state"], job["attempts"]) == ("completed", 0 if cause is Cause.COMPLETED else 1)
    return cause


def expected(kind: Kind, statement: Statement) -> Cause:
    """The runner itself asks again only for its run, before it has read the file; and whether it has committed."""
    if any(name in statement.sql for name in (SET_UP, "-- runner.take", "-- runner.end_earlier_loads")):
        return Cause.COMPLETED
    if "-- load.commit" in statement.sql and kind is not Kind.CUT_BEFORE:
        return Cause.COMPLETED
    return Cause.UNAVAILABLE


@pytest.mark.usefixtures("no_heartbeat")
@pytest.mark.parametrize("again", [False, True], ids=["first-load", "reprocess"])
async def test_a_fault_at_any_runners_statement_loses_nothing(world: World, proxy: FaultProxy, again: bool) -> None:
    """Its rows are there once in the end."""
    launcher = InlineLauncher(world.storage_config, world.conninfo, ANSWER_TIMEOUT)
    async with world.controller(launcher, patience=ANSWER_TIMEOUT) as reconciler:
        number = 0

        async def cause_with(fault: Fault | None) -> Cause:
            nonlocal number
            number += 1
            key = submit(world, number)
            if again:
                await until_idle(world, reconciler)
                dataset_id = world.job(key.job_id)["dataset_id"]
                job_id, _ = world.client.datasets.reprocess(dataset_id)
                key = RunKey(job_id, 1)
            return await broken(world, proxy, reconciler, key, fault, ROWS if again else 0)

        assert await cause_with(None) is Cause.COMPLETED
        statements = proxy.statements
        assert {"commit", COPY_DATA} <= {statement.sql.splitlines()[-1] for statement in statements}
        for place, statement in enumerate(statements, start=1):
            # A reprocess differs in what is there before, and not in how a silent database is found out.
            for kind in (Kind.CUT_BEFORE, Kind.ANSWER_LOST) if again else BREAKS:
                assert await cause_with(Fault(kind, place, RUNNER)) is expected(kind, statement), (kind, place)
                assert proxy.fired is not None
                # The rest of a set-up names its backend.
                assert proxy.fired.sql.splitlines()[0] == statement.sql.splitlines()[0]
