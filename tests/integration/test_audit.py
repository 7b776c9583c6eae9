"""The audit: whatever somebody does by a service, the same transaction writes who did it."""

import ast
import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest

import services
from dataset_jobs.model.actor import Act, Actor
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import Conflict
from dataset_jobs.model.states import JobState
from dataset_jobs.store.client_connection import Acting, ClientConnection
from dataset_jobs.store.client_pool import ClientPool
from services.audit import AuditFilter
from services.client import Client
from services.filters import JobFilter
from services.keys import Role
from services.operation_acts import Doing
from services.schedules import Change, How
from services.submission import open_file, read_file
from services.submit import FileOptions
from tests.faults.actor import Actor as Faulty
from tests.faults.actor import Crashed, Kind, fault_at
from tests.faults.connections import boundaries, sync_connection
from tests.integration.world import World
from tests.kit.roles import as_role

pytestmark = pytest.mark.every_postgres

ADA = Actor("ada", "api", "request-1", "0123abcd")


def failed_job(world: World) -> UUID:
    job_id = world.submit_small().job_id
    world.query(
        "update jobs set state = 'failed', last_cause = 'rejected', last_error = 'bad', finished_at = now()"
        " - interval '2 days' where id = %s",
        job_id,
    )
    return job_id


def folder(world: World) -> None:
    (world.folder / "storage" / "in").mkdir()


def add_schedule(client: Client) -> None:
    client.schedules.add("us", "0 5 * * *", "UTC", "in", "US", "default")


def schedule(world: World) -> str:
    folder(world)
    add_schedule(world.client)
    return "us"


def submits(client: Client, world: World) -> object:
    return client.submit_file(world.storage, world.file("yob2001.txt", "Ada,F,5\n"), FileOptions("US"))


def submits_checked(client: Client, world: World) -> object:
    path, options = world.file("yob2001.txt", "Ada,F,5\n"), FileOptions("US")
    return client.submit_checked(
        world.storage, read_file(path, options.hints, options.replaces), partial(open_file, path), options
    )


def submits_several(client: Client, world: World) -> object:
    return client.submit_files(world.storage, [world.file("yob2001.txt", "Ada,F,5\n")], FileOptions("US"))


def waiting_job(world: World) -> UUID:
    return world.submit_small().job_id


def dataset(world: World) -> UUID:
    return world.submit_small().dataset_id


def idle_dataset(world: World) -> UUID:
    return world.client.jobs.get(failed_job(world))[0].dataset_id


def blocked_pool(world: World) -> None:
    world.query(
        "update pools set blocked_since = now(), blocked_cause = 'cannot_start', blocked_error = 'x', probe_at = now()"
    )


def key(world: World) -> str:
    return world.client.keys.make("one", Role.VIEWER).key.id


def session(world: World) -> str:
    return world.client.web_sessions.begin(world.client.keys.make("one", Role.VIEWER).key)


def sessions(world: World) -> str:
    session(world)
    return world.client.keys.all()[0].id


def operation(world: World) -> UUID:
    return world.client.operations.start(Doing.RETRY, JobFilter((JobState.FAILED,))).id


def nothing(_: World) -> None:
    pass


class Case(NamedTuple):
    """An act: what it is, what makes it possible, and how it is done with that."""

    action: Act
    given: Callable[[World], Any]
    do: Callable[[Client, World, Any], object]


ACTS = {
    "submit_file": Case(Act.DATASET_SUBMIT, nothing, lambda it, world, _: submits(it, world)),
    "submit_checked": Case(Act.DATASET_SUBMIT, nothing, lambda it, world, _: submits_checked(it, world)),
    "submit_files": Case(Act.DATASET_SUBMIT, nothing, lambda it, world, _: submits_several(it, world)),
    "jobs.cancel": Case(Act.JOB_CANCEL, waiting_job, lambda it, _, job: it.jobs.cancel(job)),
    "jobs.retry": Case(Act.JOB_RETRY, failed_job, lambda it, _, job: it.jobs.retry(job)),
    "jobs.retry_all": Case(Act.JOB_RETRY, failed_job, lambda it, _, job: it.jobs.retry_all([job])),
    "jobs.reschedule": Case(Act.JOB_SET, waiting_job, lambda it, _, job: it.jobs.reschedule(job, priority=3)),
    "jobs.purge": Case(Act.JOB_PURGE, failed_job, lambda it, *_: list(it.jobs.purge(timedelta(days=1)))),
    "datasets.reprocess": Case(Act.DATASET_REPROCESS, idle_dataset, lambda it, _, one: it.datasets.reprocess(one)),
    "datasets.delete": Case(Act.DATASET_DELETE, dataset, lambda it, world, one: it.datasets.delete(one, world.storage)),
    "datasets.forget": Case(Act.DATASET_DELETE, dataset, lambda it, world, one: it.datasets.forget(one, world.storage)),
    "pools.pause": Case(Act.POOL_PAUSE, nothing, lambda it, *_: it.pools.pause("default", "tests")),
    "pools.resume": Case(Act.POOL_RESUME, nothing, lambda it, *_: it.pools.resume("default")),
    "pools.probe": Case(Act.POOL_PROBE, blocked_pool, lambda it, *_: it.pools.probe("default")),
    "pools.set": Case(Act.POOL_SET, nothing, lambda it, *_: it.pools.set("default", max_running=3)),
    "schedules.add": Case(Act.SCHEDULE_ADD, folder, lambda it, *_: add_schedule(it)),
    "schedules.pause": Case(Act.SCHEDULE_PAUSE, schedule, lambda it, _, name: it.schedules.pause(name, True)),
    "schedules.run": Case(Act.SCHEDULE_RUN, schedule, lambda it, world, name: it.schedules.run(name, world.storage)),
    "schedules.begin_by_hand": Case(Act.SCHEDULE_RUN, schedule, lambda it, _, name: it.schedules.begin_by_hand(name)),
    "schedules.change": Case(
        Act.SCHEDULE_CHANGE, schedule, lambda it, _, name: it.schedules.change(name, Change(priority=3))
    ),
    "schedules.remove": Case(Act.SCHEDULE_REMOVE, schedule, lambda it, _, name: it.schedules.remove(name)),
    "countries.add": Case(Act.COUNTRY_ADD, nothing, lambda it, *_: it.countries.add("XX", "Atlantis")),
    "countries.rename": Case(Act.COUNTRY_CHANGE, nothing, lambda it, *_: it.countries.rename("SE", "Svea rike")),
    "countries.remove": Case(Act.COUNTRY_REMOVE, nothing, lambda it, *_: it.countries.remove("SE")),
    "keys.make": Case(Act.KEY_MAKE, nothing, lambda it, *_: it.keys.make("one", Role.VIEWER)),
    "operations.start": Case(
        Act.OPERATION_START, failed_job, lambda it, *_: it.operations.start(Doing.RETRY, JobFilter((JobState.FAILED,)))
    ),
    "operations.cancel": Case(Act.OPERATION_CANCEL, operation, lambda it, _, one: it.operations.cancel(one)),
    "web_sessions.begin": Case(
        Act.KEY_LOGIN,
        lambda world: world.client.keys.make("one", Role.VIEWER).key,
        lambda it, _, one: it.web_sessions.begin(one),
    ),
    "web_sessions.end": Case(Act.KEY_LOGOUT, session, lambda it, _, token: it.web_sessions.end(token)),
    "web_sessions.end_others": Case(
        Act.KEY_LOGOUT, sessions, lambda it, _, key_id: it.web_sessions.end_others(key_id, "another")
    ),
    "web_sessions.refuse": Case(
        Act.KEY_REFUSE, nothing, lambda it, *_: it.web_sessions.refuse("typed", "no key", "127.0.0.1")
    ),
    "keys.revoke": Case(Act.KEY_REVOKE, key, lambda it, _, one: it.keys.revoke(one)),
}
"""By the method's name."""

LOOKS = {
    *(
        "acting_as",
        "close",
        "connect",
        "country",
        "explain",
        "failures",
        "now",
        "problems",
        "schema_version",
        "check_schema",
        "status",
    ),
    *("glance", "history", "overview", "role", "story", "unserved", "waiting"),
    *("audit.page", "audit.is_upload_of", "audit.uploaders"),
    *("countries.all", "countries.by_code", "countries.get", "countries.named"),
    *("datasets.find", "datasets.get", "datasets.list", "datasets.most_frequent", "datasets.reports"),
    *("datasets.select", "datasets.coverage", "datasets.deletion", "datasets.known"),
    *("jobs.failed", "jobs.find", "jobs.finished_since", "jobs.get", "jobs.latest", "jobs.list", "jobs.progress"),
    *("jobs.one", "jobs.page", "jobs.purgeable", "jobs.select"),
    *("keys.all", "keys.check", "keys.good"),
    # Each act of the batches of an operation is one.
    *("operations.get", "operations.page", "operations.preview", "operations.work"),
    *("pools.details", "pools.get", "pools.list", "pools.names", "pools.recent_runs"),
    *("schedules.get", "schedules.list", "schedules.names"),
    # The controller's ticks: each dataset that one submits is an act.
    *("schedules.claim", "schedules.do", "schedules.do_by_hand", "schedules.give_back"),
    *("web_sessions.key", "web_sessions.keys", "web_sessions.of_key"),
}
"""Methods that do nothing that anybody would ask about later."""

BOOKS = {
    ("dataset_maker", "_read"),
    ("address_look", "_submit"),
    ("address_look", "_make"),
    ("address_look", "seen"),
    ("folder_scan", "run"),
    ("folder_scan", "_submit"),
    ("folder_scan", "_submit_one"),
    ("keys", "note_use"),
    ("operations", "_batch"),
    ("operations", "_end"),
    ("operations", "work"),
    ("schedules", "claim"),
    ("schedules", "_end"),
    ("web_sessions", "begin"),
}
"""Where services have a transaction that is no act: locks to read, ticks of schedules, the last use of a key,
logins."""


def methods(of: object, prefix: str = "") -> Iterator[str]:
    for name, _ in inspect.getmembers(type(of), callable):
        if not name.startswith("_"):
            yield prefix + name


def transactions() -> Iterator[tuple[str, str]]:
    for path in Path(services.__file__).parent.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                yield from ((path.stem, function.name) for call in _own_calls(function) if call == "transaction")


def _own_calls(function: ast.FunctionDef) -> Iterator[str]:
    """The methods that a function calls, but not those within functions that it has."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)


def test_every_method_of_the_services_is_judged(world: World) -> None:
    client = world.client
    parts = {name: part for name, part in vars(client).items() if name != "database"}
    found = {*methods(client), *(each for name, part in parts.items() for each in methods(part, f"{name}."))}
    assert found == LOOKS | ACTS.keys()


def test_what_is_no_act_has_a_reason() -> None:
    assert set(transactions()) == BOOKS


@pytest.mark.parametrize("method", ACTS)
def test_an_act_is_in_the_audit(world: World, method: str) -> None:
    case = ACTS[method]
    given = case.given(world)
    before = world.client.audit.page(AuditFilter(), 100).items
    case.do(world.client.acting_as(ADA), world, given)
    [entry, *rest] = world.client.audit.page(AuditFilter(), 100).items
    assert rest == list(before)
    assert (entry.action, entry.actor, entry.surface) == (case.action, "ada", "api")
    assert (entry.request_id, entry.key_id) == ("request-1", "0123abcd")
    assert entry.target is None or entry.target.split("/")[0] == case.action.split(".")[0]


@pytest.mark.parametrize("method", ACTS)
def test_without_its_audit_nothing_is_done(world: World, method: str) -> None:
    case = ACTS[method]
    given = case.given(world)
    tables = ("datasets", "jobs", "pools", "schedules", "countries", "api_keys", "operations", "web_sessions")
    before = [world.query(f"select * from {table} order by 1") for table in tables]
    world.query("alter table audit add check (actor <> 'ada') not valid")
    with suppress(RunError, psycopg.Error):
        case.do(world.client.acting_as(ADA), world, given)
    assert [world.query(f"select * from {table} order by 1") for table in tables] == before


def test_the_command_line_names_the_user_and_the_machine(world: World) -> None:
    world.client.pools.pause("default")
    [entry] = world.client.audit.page(AuditFilter(), 5).items
    user, at, host = entry.actor.partition("@")
    assert user and at and host and entry.surface == "cli"


def test_what_a_schedule_submits_has_its_name(world: World) -> None:
    schedule(world)
    (world.folder / "storage" / "in" / "yob2001.txt").write_text("Ada,F,5\n")
    world.query("update schedules set next_at = now() - interval '1 minute'")
    tick = world.client.schedules.claim()
    assert tick is not None
    world.client.schedules.do(tick, How(world.storage, min_unchanged_seconds=0.0))
    [entry] = world.client.audit.page(AuditFilter(action=Act.DATASET_SUBMIT), 5).items
    assert (entry.actor, entry.surface, entry.result) == ("schedule/us", "controller", "created")
    assert entry.detail["filename"] == "yob2001.txt"


@pytest.mark.one_postgres
@pytest.mark.parametrize("kind", [Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.ANSWER_LOST])
def test_a_death_anywhere_leaves_both_or_neither(world: World, kind: Kind) -> None:
    job_id = world.submit_small().job_id

    def cancel(client: Client) -> None:
        client.acting_as(ADA).jobs.cancel(job_id)

    found = boundaries(world.conninfo, cancel)
    assert len(found) > 5
    for at, occurrence in found:
        world.query("update jobs set state = 'queued', finished_at = null, cancel_requested_at = null")
        world.query("delete from audit")
        actor = Faulty(fault_at(at, occurrence, kind))
        with Client.connect(world.conninfo, connection_class=sync_connection(actor)) as client:
            try:
                cancel(client)
            except (Crashed, RunError):
                actor.die()
        done = world.job(job_id)["state"] == "cancelled"
        assert world.one("select count(*) from audit")["count"] == int(done), f"{kind} at {at}"
        cancel(world.client)  # whoever saw no answer asks again
        assert world.one("select count(*) from audit")["count"] == 1, f"{kind} at {at}"


def test_a_refused_act_leaves_no_trace(world: World) -> None:
    job_id = world.submit_small().job_id
    before = world.client.audit.page(AuditFilter(), 5).items
    with pytest.raises(Conflict):
        world.client.jobs.retry(job_id)
    world.client.jobs.purge(timedelta(days=1))
    world.client.pools.set("default", max_running=2, dry_run=True)
    assert world.client.audit.page(AuditFilter(), 5).items == before


def test_an_act_that_is_begun_again_is_written_once(world: World) -> None:
    tries = []

    def work(acting: Acting) -> None:
        tries.append(acting)
        if len(tries) < 3:
            raise psycopg.errors.SerializationFailure

    world.client.database.act(Act.POOL_SET, "pool/default", work)
    assert len(tries) == 3
    assert len(world.client.audit.page(AuditFilter(), 5).items) == 1


def test_many_threads_act_each_under_its_own_name(world: World) -> None:
    with ClientPool(world.conninfo, 3, Actor("nobody", "api")) as pool, ThreadPoolExecutor(8) as threads:
        client = Client(pool)
        jobs = [world.submit_small(1950 + number).job_id for number in range(16)]
        wanted = {f"job/{job}": f"user {number}" for number, job in enumerate(jobs)}
        list(
            threads.map(
                lambda job: client.acting_as(Actor(wanted[f"job/{job}"], "api")).jobs.reschedule(job, priority=1), jobs
            )
        )
    found = world.client.audit.page(AuditFilter(action=Act.JOB_SET), 100).items
    assert {entry.target: entry.actor for entry in found} == wanted


def test_pages_go_on_where_the_last_one_ended(world: World) -> None:
    for number in range(7):
        world.client.pools.pause("default", str(number))
    seen, before = [], None
    while True:
        page = world.client.audit.page(AuditFilter(target="pool/default"), 3, before)
        seen += [entry.detail["reason"] for entry in page.items]
        before = page.next
        if before is None:
            break
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_a_filter_of_the_audit_selects(world: World) -> None:
    world.client.acting_as(ADA).pools.pause("default")
    world.client.pools.resume("default")
    world.query("update audit set at = at - interval '2 days' where actor = 'ada'")
    page = world.client.audit.page
    assert [entry.actor for entry in page(AuditFilter(actor="ada"), 5).items] == ["ada"]
    assert [entry.action for entry in page(AuditFilter(action="pool.resume"), 5).items] == ["pool.resume"]
    recent = page(AuditFilter(since=world.client.now() - timedelta(days=1)), 5)
    assert [entry.action for entry in recent.items] == ["pool.resume"] and recent.next is None


def test_an_upload_belongs_to_its_key(world: World) -> None:
    path = world.file("yob2001.txt", "Ada,F,5\n")
    done = world.client.acting_as(ADA).submit_file(world.storage, path, FileOptions("US"))
    assert done.dataset_id is not None
    assert world.client.audit.is_upload_of(done.dataset_id, "0123abcd", "ada")
    assert not world.client.audit.is_upload_of(done.dataset_id, "another1", "ada")
    assert not world.client.audit.is_upload_of(done.dataset_id, None, "ada")
    assert not world.client.audit.is_upload_of(world.submit_small().dataset_id, "0123abcd", "ada")


def test_an_upload_without_a_key_belongs_to_its_actor(world: World) -> None:
    path = world.file("yob2001.txt", "Ada,F,5\n")
    anna = world.client.acting_as(Actor("anna", "api"))
    done = anna.submit_file(world.storage, path, FileOptions("US"))
    assert done.dataset_id is not None
    assert anna.audit.is_upload_of(done.dataset_id, None, "anna")
    assert not anna.audit.is_upload_of(done.dataset_id, None, "bob")
    assert not anna.audit.is_upload_of(done.dataset_id, "0123abcd", "anna")
    by_command = world.submit_small()
    assert not anna.audit.is_upload_of(by_command.dataset_id, None, world.client.database.actor.name)


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[2J", "x" * 500, "a\x00b", "\udcff"])
def test_any_name_of_an_actor_can_be_kept(world: World, name: str) -> None:
    with ClientConnection(world.conninfo, actor=Actor(name, "web")) as database:
        Client(database).pools.pause("default")
    [entry] = world.client.audit.page(AuditFilter(), 5).items
    assert 0 < len(entry.actor) <= 200 and entry.actor.isprintable()


@pytest.mark.parametrize("query", ["update audit set actor = 'x'", "delete from audit", "truncate audit"])
@pytest.mark.parametrize("role", ["affirm_controller", "affirm_api"])
def test_nobody_but_the_owner_changes_the_audit(database: str, role: str, query: str) -> None:
    with (
        psycopg.connect(as_role(database, role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(query.encode())
