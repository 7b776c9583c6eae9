"""The connection between controller and Postgres breaks, at every statement."""

from controller.loop import Reconciler
from tests.integration.world import SubmittedFile, World
from tests.outages.inline import InlineLauncher, until_idle
from tests.outages.invariants import check, check_finished
from tests.servers.postgres_faults import SET_UP, Fault, FaultProxy, Kind

CONTROLLER = "affirm-worker controller"

UNDECIDED = """update pools set desired = null, limited_by = null, reason = null, decided_at = null, decided_by = null,
    decided_until = null, history = '{}'"""
"""So that each time the same is decided, in the same statements."""


def submit(world: World, number: int) -> tuple[SubmittedFile, SubmittedFile]:
    """A file that can be loaded, and one that is refused."""
    good = world.submit(world.file(f"yob{1900 + number}.txt", f"Mary,F,{number + 5}\nAnna,F,5\nJohn,M,7\n"))
    bad = world.submit(world.file(f"yob{1900 + number}.txt", f"Mary,F,{number + 5}\nAnna,neither,5\n"))
    return good, bad


async def to_the_end(world: World, proxy: FaultProxy, reconciler: Reconciler, number: int, fault: Fault | None) -> None:
    """Claim, launch, settle, done; each of the two jobs in one run, whatever the fault."""
    world.query(UNDECIDED)
    good, bad = submit(world, number)
    proxy.arm(fault)
    while not await reconciler.tick_safely():
        check(world)
    check(world)
    await until_idle(world, reconciler)
    check_finished(world)
    told = {result.job_id: world.job(result.job_id) for result in (good, bad)}
    ends = {id: (job["state"], job["attempts"], job["interruptions"], job["lease_epoch"]) for id, job in told.items()}
    assert ends == {good.job_id: ("completed", 0, 0, 1), bad.job_id: ("failed", 1, 0, 1)}
    assert (world.rows(good.dataset_id), world.rows(bad.dataset_id)) == (3, 0)


async def test_whichever_statement_of_a_controller_is_broken_each_job_runs_once(
    world: World, proxy: FaultProxy
) -> None:
    launcher = InlineLauncher(world.storage_config, world.conninfo)
    async with world.controller(launcher, conninfo=proxy.url(world.conninfo), concurrency=None) as reconciler:
        await to_the_end(world, proxy, reconciler, 0, None)
        statements = [statement for statement in proxy.statements if SET_UP not in statement.sql]
        asked = " ".join(statement.sql for statement in statements)
        assert all(part in asked for part in ("-- scale.decide", "-- claim.pick", "-- settle.job", "COMMIT"))
        for place, statement in enumerate(statements, start=1):
            for number, kind in enumerate((Kind.CUT_BEFORE, Kind.ANSWER_LOST)):
                fault = Fault(kind, place, CONTROLLER, besides=SET_UP)
                await to_the_end(world, proxy, reconciler, 2 * place + number, fault)
                assert proxy.fired is not None, (kind, place, statement)
        for number, kind in enumerate((Kind.CUT_BEFORE, Kind.ANSWER_LOST)):
            proxy.cut_all()
            fault = Fault(kind, 1, CONTROLLER, SET_UP)
            await to_the_end(world, proxy, reconciler, 2 * len(statements) + 2 + number, fault)
            assert proxy.fired is not None, kind
