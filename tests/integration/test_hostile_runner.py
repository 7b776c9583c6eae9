"""A runner that somebody has taken over can finish its own lease, and nothing else: directly and behind a pooler."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from app.countries import iso_countries
from controller.background.stalling import end_stalling
from dataset_jobs import migrations
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import Forbidden, LostLease
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.runner import Assignment, Loaded, Runner, RunnerStore
from tests.cluster.packages import program
from tests.integration.hostile import DENIED, LEFT_OVER, MUTANTS, REFUSED, Mutant
from tests.integration.world import World
from tests.kit.runners import secret_of
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer

pytestmark = [pytest.mark.every_postgres, pytest.mark.needs("pgbouncer")]

LOGIN, WORD = "hostile_runner", "hostile"
LIMIT = 20
CONNECTIONS = 4
"""Of the pooler with the server, for each login."""
ATTEMPTS = {name: text for attempts in REFUSED.values() for name, text in attempts.items()}
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def of_year(year: int) -> Loaded:
    """What a load of one row of that year says of it."""
    return Loaded("test", "births", None, None, [Covered(year, "F", 1, 5)])


@dataclass(frozen=True, slots=True)
class Victim:
    """A database with a run of the hostile runner, and runs of others.

    Args:
        world: as its owner sees it.
        ways: how the hostile runner gets there, by name.
        facts: what it knows, and what it tries to reach.
    """

    world: World
    ways: dict[str, str]
    facts: dict[str, Any]

    @property
    def key(self) -> RunKey:
        """Its own run."""
        return RunKey(self.facts["own_job"], 1)

    @property
    def runner(self) -> Runner:
        """With its own secret."""
        return Runner("own", secret=self.facts["secret"])

    def attempt(self, way: str, text: str, autocommit: bool = False) -> None:
        """Tries some statements, and rolls back what they did."""
        with psycopg.connect(self.ways[way], prepare_threshold=None, autocommit=autocommit) as connection:
            connection.execute("set local search_path = affirm") if not autocommit else None
            try:
                for one in (text % _Quoted(self.facts)).split("; "):
                    connection.execute(one.encode())
            finally:
                connection.rollback()


class _Quoted(dict[str, Any]):
    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        return value if name == "load" or isinstance(value, int) else f"'{value}'"


@pytest.fixture(scope="module")
def login(postgres: PostgresServer, template: str) -> Iterator[None]:
    """The login, as docs/operations.md makes it; the group roles are there once something is migrated."""
    made = f"create role {LOGIN} login password '{WORD}' connection limit {LIMIT} in role affirm_runner"
    postgres.execute(sql.SQL(made))  # type: ignore[arg-type]
    yield
    postgres.execute(sql.SQL(f"drop role {LOGIN}"))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bouncer(postgres: PostgresServer) -> Iterator[PgBouncer]:
    with PgBouncer(program("pgbouncer"), postgres, server_connections=CONNECTIONS, users={LOGIN: WORD}) as bouncer:
        yield bouncer


@pytest.fixture(scope="module")
def victim(
    postgres: PostgresServer, login: None, bouncer: PgBouncer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Victim]:
    """Attempts change nothing, so that one is enough for all."""
    url = postgres.create_database("victim")
    migrations.apply(url, iso_countries())
    world = World(url, tmp_path_factory.mktemp("victim"))
    loaded = world.submit(world.file("yob2023.txt", "Emma,F,15433\n"))
    asyncio.run(world.run_until_idle())
    own, other = world.submit_small(2020), world.submit_small(2021)
    # What the controller has decided would keep a test from claiming.
    world.query(
        "update pools set (desired, reason, decided_at, decided_by, decided_until) = row (null, null, null, null, null)"
    )
    asyncio.run(claim_all(world))
    hostile = url.replace(f"postgres:{postgres.password}@", f"{LOGIN}:{WORD}@")
    with psycopg.connect(url, application_name="affirm-worker controller") as controller:
        facts: dict[str, Any] = {
            "own_job": own.job_id,
            "own_key": world.dataset(own.dataset_id)["key"],
            "secret": secret_of(url, RunKey(own.job_id, 1)),
            "other_job": other.job_id,
            "other_dataset": loaded.dataset_id,
            "other_key": world.dataset(loaded.dataset_id)["key"],
            "controller_pid": controller.info.backend_pid,
        }
        facts["load"] = f"select runner_begin_load('{own.job_id}', 1, '{facts['secret']}', 'own', '60s')"
        made = Victim(world, {"direct": hostile, "pooler": bouncer.url(hostile)}, facts)
        with RunnerStore(hostile, made.key, made.runner) as store:
            store.take()
        with psycopg.connect(hostile) as once:
            once.execute("set search_path = affirm")
            once.execute(facts["load"])
            facts["old_mark"] = once.execute("select current_setting('affirm.loading')").fetchone()[0]  # type: ignore[index]
            once.rollback()
        yield made
    world.client.close()
    postgres.drop_database("victim")


async def claim_all(world: World) -> None:
    """Claims all jobs that wait."""
    async with world.store() as store:
        assert await store.claim("default", 5, "kubernetes", "a", timedelta(hours=1))


WAYS = pytest.mark.parametrize("way", ["direct", "pooler"])


@WAYS
@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_is_not_a_runners_is_refused(victim: Victim, way: str, name: str) -> None:
    with pytest.raises(DENIED):
        victim.attempt(way, ATTEMPTS[name])


@WAYS
def test_its_own_load_is_let_in(victim: Victim, way: str) -> None:
    victim.attempt(way, "%(load)s; insert into names values (%(own_key)s, 2020, 'F', 'Mary', 'mary', 5)")


@WAYS
@pytest.mark.parametrize("name", LEFT_OVER)
def test_what_is_left_over_is_named_with_its_bound(victim: Victim, way: str, name: str) -> None:
    """It is allowed: otherwise it should be in the other list."""
    with psycopg.connect(victim.ways["direct"], autocommit=True) as another:
        victim.facts["runner_pid"] = another.info.backend_pid
        victim.attempt(way, LEFT_OVER[name].sql)
    page = re.sub(r"\s+", " ", OPERATIONS.read_text(encoding="utf-8"))
    assert LEFT_OVER[name].bound in page


@pytest.mark.parametrize("name", MUTANTS)
def test_each_guard_is_found_where_it_is_missing(victim: Victim, name: str) -> None:
    mutant = MUTANTS[name]
    with psycopg.connect(victim.world.conninfo, autocommit=True) as owner:
        original = text_of(owner, mutant)
        assert original.count(mutant.before) == 1, original
        owner.execute(original.replace(mutant.before, mutant.after).encode())
        try:
            victim.facts["secret"] = secret_of(victim.world.conninfo, victim.key)
            victim.facts["load"] = re.sub("[0-9a-f]{64}", victim.facts["secret"], victim.facts["load"])
            with psycopg.connect(victim.ways["direct"]) as once:
                once.execute("set search_path = affirm")
                once.execute(victim.facts["load"])
                mark = once.execute("select current_setting('affirm.loading')").fetchone()
                once.rollback()
            assert mark is not None
            victim.facts["old_mark"] = mark[0]
            victim.attempt("direct", ATTEMPTS[mutant.attempt])
        finally:
            owner.execute(original.encode())
            victim.facts["secret"] = secret_of(victim.world.conninfo, victim.key)
            victim.facts["load"] = re.sub("[0-9a-f]{64}", victim.facts["secret"], victim.facts["load"])


def text_of(owner: psycopg.Connection[Any], mutant: Mutant) -> str:
    row = owner.execute("select pg_get_functiondef(%s::regproc)", [f"affirm.{mutant.function}"]).fetchone()
    assert row is not None
    return str(row[0])


def test_functions_of_the_owner_look_nowhere_else(victim: Victim) -> None:
    """Nobody but its owner can put a table or function where they look before ours."""
    rows = victim.world.query(
        "select proname, prosecdef, proconfig, has_function_privilege('public', oid, 'execute') as anybodys"
        " from pg_proc where pronamespace = 'affirm'::regnamespace"
    )
    assert len([row for row in rows if row["prosecdef"]]) > 10
    for row in rows:
        path = (row["proconfig"] or [""])[0].replace('"', "")
        assert path == "search_path=affirm, pg_temp", row
        assert not row["anybodys"], row


@WAYS
def test_a_secret_ends_with_the_lease(victim: Victim, way: str) -> None:
    """The right one of a run that is over commits nothing, and a wrong one does not learn that it is over."""
    world = victim.world
    result = world.submit_small(1990 if way == "direct" else 1991)
    asyncio.run(claim_all(world))
    key = RunKey(result.job_id, 1)
    runner = Runner("own", secret=secret_of(world.conninfo, key))
    with RunnerStore(victim.ways[way], key, runner) as store:
        assignment = store.take()
        world.query("update runs set ended_at = now(), cause = 'cancelled' where job_id = %s", key.job_id)
        assert not store.heartbeat(1, 1)
        row = f"{assignment.dataset_key}\t2020\tMary\tF\tmary\t5\n".encode()
        with pytest.raises(LostLease, match="has ended"):
            store.load(assignment, [row], of_year(2020), 1)
        assert store.sexes_of(2020, ["Emma"]) == {}
    with RunnerStore(victim.ways[way], key, Runner("own", secret="0" * 64)) as store, pytest.raises(Forbidden):
        store.take()
    world.query("update jobs set state = 'cancelled', finished_at = now() where id = %s", key.job_id)


def seen_by_others(victim: Victim, work: Callable[[], object], waits: dict[str, str]) -> set[str]:
    """What another runner sees of the statements of some work, each of which has to wait for a table.

    Args:
        work: it calls the functions in this order.
        waits: the functions, and the table that each waits for.
    """
    seen: set[str] = set()
    with (
        ExitStack() as owners,
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(victim.ways["direct"], autocommit=True) as other,
    ):
        locks = {name: owners.enter_context(psycopg.connect(victim.world.conninfo)) for name in waits}
        for name, lock in locks.items():
            lock.execute(f"lock table affirm.{waits[name]} in access exclusive mode".encode())
        working = pool.submit(work)
        for name, lock in locks.items():
            while not any(name in query for query in seen):
                if working.done():
                    working.result()
                    raise AssertionError(f"{name} did not wait")
                seen.update(row[0] for row in other.execute("select query from pg_stat_activity") if row[0])
            lock.rollback()
        working.result()
    return seen


@WAYS
def test_no_secret_is_seen_by_another_session(victim: Victim, way: str) -> None:
    """Another runner sees the text of each statement, while it is executed and after."""
    world = victim.world
    year = 1980 if way == "direct" else 1981
    result = world.submit_small(year)
    asyncio.run(claim_all(world))
    key = RunKey(result.job_id, 1)
    runner = Runner("own", secret=secret_of(world.conninfo, key))
    with RunnerStore(victim.ways[way], key, runner) as store:
        seen = seen_by_others(victim, store.take, {"runner_take": "runs"})
        assignment = Assignment.of(store._one("runner.take")["answer"]["assignment"])
        row = f"{assignment.dataset_key}\t{year}\tMary\tF\tmary\t5\n".encode()
        seen |= seen_by_others(victim, lambda: store.heartbeat(1, 1), {"runner_heartbeat": "runs"})
        seen |= seen_by_others(
            victim,
            lambda: store.load(assignment, [row], of_year(year), 1),
            {"runner_begin_load": "runs", "runner_commit_load": "coverage"},
        )
        seen |= seen_by_others(victim, store.has_committed, {"runner_has_committed": "runs"})
        assert store.has_committed()
    assert not [query for query in seen if runner.secret in query]


def test_a_transaction_that_stays_open_is_ended_with_its_run(victim: Victim) -> None:
    """It has its run's row under lock; so settle ends it, as it ends a load."""
    key = victim.key
    with psycopg.connect(victim.ways["direct"]) as connection:
        connection.execute("set search_path = affirm")
        beat = "select runner_heartbeat(%s, 1, %s, 'own', interval '1 minute', 1, 1, null)"
        connection.execute(beat, [key.job_id, victim.runner.secret])
        assert victim.world.one("select terminate_runners(%s, 1) as ended", key.job_id)["ended"] == 1
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


@pytest.mark.parametrize("table", ["jobs", "names"])
async def test_who_waits_for_a_lock_it_may_not_have_is_ended(victim: Victim, table: str) -> None:
    """Postgres looks at rights after it has the lock: until then controllers queue behind it."""
    beat = "select affirm.runner_heartbeat(%s, 1, %s, 'own', interval '1 minute', 1, 1, null)"
    hostile, ended = victim.ways["direct"], threading.Event()
    with psycopg.connect(hostile) as keeps, psycopg.connect(hostile, autocommit=True) as waits:
        keeps.execute(beat, [victim.key.job_id, victim.runner.secret])
        if table == "names":
            keeps.execute("insert into affirm.names (dataset_key) select 1 where false")

        def wait() -> None:
            with pytest.raises(psycopg.OperationalError):
                waits.execute(f"create rule r as on insert to affirm.{table} do nothing")
            ended.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        with psycopg.connect(victim.world.conninfo, autocommit=True) as admin:
            queued = f"select from pg_locks where relation = 'affirm.{table}'::regclass and not granted"
            while not admin.execute(queued).fetchall():
                continue
            with pytest.raises(psycopg.errors.LockNotAvailable), admin.transaction():
                admin.execute("set local lock_timeout = '50ms'")
                admin.execute(f"select from affirm.{table}")
            async with victim.world.store() as store:
                looking = asyncio.create_task(end_stalling(store))
                await asyncio.to_thread(waiting.join)
                looking.cancel()
            assert ended.is_set()
            admin.execute(f"select from affirm.{table}")
            assert keeps.execute("select 1").fetchall(), "who waits for nothing is left alone"


def test_a_lease_has_an_end(victim: Victim) -> None:
    with psycopg.connect(victim.ways["direct"], autocommit=True) as connection:
        beat = "select affirm.runner_heartbeat(%s, 1, %s, 'own', interval '100 years', 1, 1, null)"
        connection.execute(beat, [victim.key.job_id, victim.runner.secret])
    sql = "select lease_until - now() < interval '11 minutes' as soon from runs where job_id = %s"
    assert victim.world.one(sql, victim.key.job_id)["soon"]


def test_a_run_says_only_so_much_of_itself(victim: Victim) -> None:
    with (
        psycopg.connect(victim.ways["direct"], autocommit=True) as connection,
        pytest.raises(psycopg.errors.ProgramLimitExceeded),
    ):
        connection.execute(
            "select affirm.runner_record_outcome(%s, 1, %s, 'own', to_jsonb(repeat('x', 2000000)), null)",
            [victim.key.job_id, victim.runner.secret],
        )


def test_advisory_locks_keep_no_migration_waiting(victim: Victim) -> None:
    with psycopg.connect(victim.ways["direct"], autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(x'61666669726D'::bigint)")
        assert migrations.apply(victim.world.conninfo, iso_countries()) == []


def test_a_login_has_only_so_many_connections(victim: Victim) -> None:
    held: list[psycopg.Connection[Any]] = []
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            held.extend(psycopg.connect(victim.ways["direct"]) for _ in range(LIMIT + 1))
        assert victim.world.one("select 1 as works")["works"] == 1
    finally:
        for connection in held:
            connection.close()


@WAYS
def test_a_notification_wakes_no_controller(victim: Victim, way: str) -> None:
    """A runner does not know their channel."""
    with victim.world.listening() as notified:
        victim.attempt(way, "select pg_notify('affirm_jobs', ''); commit")
        assert not notified()


async def test_rows_reach_our_table_past_a_temporary_one(victim: Victim, bouncer: PgBouncer) -> None:
    """Somebody has left tables of our names on each of the pooler's connections."""
    world = victim.world
    through = bouncer.url(world.conninfo)
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            somebody = stack.enter_context(psycopg.connect(through, prepare_threshold=None))
            somebody.execute("create temporary table names (like affirm.names)")
            somebody.execute("create temporary table jobs (like affirm.jobs)")
    result = world.submit_small(1970)
    async with world.store(through) as store:
        [run] = await store.claim("default", 1, "kubernetes", "a", timedelta(hours=1))
    with RunnerStore(through, run.key, Runner("own", secret=run.secret)) as runner:
        assignment = runner.take()
        runner.load(assignment, [f"{assignment.dataset_key}\t1970\tMary\tF\tmary\t7\n".encode()], of_year(1970), 1)
    assert world.rows(result.dataset_id) == 1


def test_an_error_says_no_secret(victim: Victim) -> None:
    stranger = RunKey(UUID(int=1), 1)
    with RunnerStore(victim.ways["direct"], stranger, victim.runner) as store, pytest.raises(Forbidden) as refused:
        store.take()
    assert victim.runner.secret not in str(refused.value)
    assert victim.runner.secret not in repr(victim.runner)
