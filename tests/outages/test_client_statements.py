"""The connection between a client and Postgres breaks, at every statement: asked again, it is done, and done once."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from controller.loop import Reconciler
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.requests import Conflict, NotFound
from services.client import Client
from tests.integration.world import World, key_of
from tests.kit.submit import submit
from tests.outages.inline import InlineLauncher, until_idle
from tests.outages.invariants import check, check_finished
from tests.servers.postgres_faults import BREAKS, Fault, FaultProxy, Kind

CLIENT = "affirm-worker client"
ANSWER_TIMEOUT = timedelta(seconds=1)
"""How soon a silent server is found out; a busy one answers sooner."""
NONE = UUID(int=0)


class Target(NamedTuple):
    """What a request is about."""

    world: World
    dataset_id: UUID = NONE
    job_id: UUID = NONE


class Case(NamedTuple):
    """A request, and what there is when it was made once, or more often.

    Args:
        before: the state of the dataset's job when it is made; None if there is no dataset yet.
        after: the states of the dataset's jobs then, the oldest first.
        end: the same, when nothing is left to do.
    """

    before: str | None
    request: Callable[[Client, Target], object]
    after: list[str]
    end: list[str]


def submit_it(client: Client, target: Target) -> object:
    [path] = target.world.folder.glob("yob*.txt")
    return submit(client, target.world.storage, path)


CASES = {
    "submit": Case(None, submit_it, ["queued"], ["completed"]),
    "submit-failed": Case("failed", submit_it, ["failed", "queued"], ["failed", "completed"]),
    "cancel-waiting": Case("queued", lambda client, it: client.jobs.cancel(it.job_id), ["cancelled"], ["cancelled"]),
    "cancel-running": Case("running", lambda client, it: client.jobs.cancel(it.job_id), ["running"], ["cancelled"]),
    "retry": Case("failed", lambda client, it: client.jobs.retry(it.job_id), ["queued"], ["completed"]),
    "reprocess": Case(
        "completed",
        lambda client, it: client.datasets.reprocess(it.dataset_id),
        ["completed", "queued"],
        ["completed"] * 2,
    ),
    "delete": Case("completed", lambda client, it: client.datasets.delete(it.dataset_id, it.world.storage), [], []),
}


async def prepared(world: World, reconciler: Reconciler, number: int, state: str | None) -> Target:
    """A dataset of its own file, whose job is in this state."""
    for path in world.folder.glob("yob*.txt"):
        path.unlink()
    path = world.file(f"yob{1900 + number}.txt", f"Mary,F,{number + 5}\nJohn,M,7\n")
    if state is None:
        return Target(world)
    result = world.submit(path)
    launcher = reconciler.context.launcher
    assert isinstance(launcher, InlineLauncher)
    launcher.held = state in ("running", "failed")
    if state != "queued":
        await reconciler.tick()
    if state == "failed":
        key = key_of(world.job(result.job_id))
        launcher.end_as(key, Outcome(Cause.REJECTED, Reason.INVALID_FORMAT, "its first row is malformed"))
    if state in ("failed", "completed"):
        await reconciler.tick()
    launcher.held = False
    assert world.job(result.job_id)["state"] == state
    return Target(world, result.dataset_id, result.job_id)


def states(world: World, number: int) -> list[str]:
    """Of the jobs that the dataset of this number has; there is at most one such dataset."""
    filename = f"yob{1900 + number}.txt"
    assert len(world.query("select 1 from datasets where filename = %s", filename)) <= 1
    query = """select state from jobs join datasets on datasets.id = dataset_id where filename = %s
        order by jobs.created_at"""
    return [row["state"] for row in world.query(query, filename)]


@pytest.mark.parametrize("name", CASES)
async def test_whichever_statement_of_a_client_is_broken_asking_again_does_it_once(
    world: World, proxy: FaultProxy, name: str
) -> None:
    case = CASES[name]
    launcher = InlineLauncher(world.storage_config, world.conninfo)
    async with world.controller(launcher) as reconciler:

        async def ask(number: int, fault: Fault | None) -> None:
            target = await prepared(world, reconciler, number, case.before)
            proxy.arm(fault)
            with Client.connect(proxy.url(world.conninfo), ANSWER_TIMEOUT) as client:
                if fault is None:
                    case.request(client, target)
                else:
                    with pytest.raises(Unavailable):
                        case.request(client, target)
            check(world)
            if fault is not None:
                # Where it was done the first time, it may be refused now.
                with suppress(Conflict, NotFound), Client.connect(world.conninfo) as client:
                    case.request(client, target)
            check(world)
            assert states(world, number) == case.after
            await until_idle(world, reconciler)
            check_finished(world)
            assert states(world, number) == case.end

        await ask(0, None)
        statements = proxy.statements
        assert "COMMIT" in [statement.sql for statement in statements]
        number = 0
        for place in range(1, len(statements) + 1):
            for kind in BREAKS if name in ("submit", "cancel-running") else (Kind.CUT_BEFORE, Kind.ANSWER_LOST):
                number += 1
                await ask(number, Fault(kind, place, CLIENT))
