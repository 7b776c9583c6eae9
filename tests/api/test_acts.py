"""Every act over HTTP: in the audit with who asked, once, twice or at once, and with the database gone meanwhile."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from api.app import bare_app
from api.declared import UNSAFE, DeclaredRoute
from services.audit import AuditEntry, AuditFilter
from services.keys import Keys
from tests.api.acting import ACTS, Case
from tests.api.client import Api, running
from tests.integration.world import World
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import Fault, FaultProxy, Kind

KIND = {"DELETE /v1/jobs": "operation"}
ELSEWHERE = {
    ("POST", "/v1/datasets/upload"),
    ("PUT", "/v1/datasets/upload/{filename}"),
    ("POST", "/v1/datasets/known"),
    ("POST", "/v1/datasets/validate"),
    ("POST", "/v1/jobs/progress"),
}
"""Uploads, and what only looks: these have tests of their own."""


def entries(api: Api, case: Case) -> list[AuditEntry]:
    """What the audit has of such acts over HTTP."""
    found = api.world.client.audit.page(AuditFilter(action=case.act), 100).items
    return [one for one in found if one.surface == "api"]


def template(case: Case) -> tuple[str, str]:
    """The act's route, without its parameters' names."""
    path = case.path.partition("?")[0]
    for word in ("/SE", "/{}"):
        path = path.replace(word, "/*")
    return case.method, path


def test_every_unsafe_route_is_in_the_table() -> None:
    routes = [one for one in bare_app().routes if isinstance(one, DeclaredRoute) and one.method in UNSAFE]
    ours = {(one.method, one.path) for one in routes} - ELSEWHERE
    plain = {(method, "/".join("*" if part[:1] == "{" else part for part in path.split("/"))) for method, path in ours}
    assert plain == {template(case) for case in ACTS.values()}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_in_the_audit_with_who_asked(api: Api, name: str) -> None:
    case = ACTS[name]
    target = case.given(api)
    before = entries(api, case)
    answer = case.ask(api, target, headers={"X-Request-Id": "from-a-test"})
    assert answer.status == case.first, answer.text
    new = [one for one in entries(api, case) if one not in before]
    [entry] = [one for one in new if one.request_id == "from-a-test" and one.action == case.act]
    admin = next(one for one in Keys(api.world.client.database).all() if one.name == "test admin")
    assert (entry.actor, entry.key_id) == ("test admin", admin.id)


@pytest.mark.parametrize("name", [name for name, case in ACTS.items() if case.again])
def test_asked_twice_it_is_as_the_table_says(api: Api, name: str) -> None:
    case = ACTS[name]
    target = case.given(api)
    before = len(entries(api, case))
    answers = [case.ask(api, target) for _ in range(2)]
    assert [one.status for one in answers] == [case.first, case.again], answers[1].text
    assert len(entries(api, case)) - before == case.times


@pytest.mark.parametrize("name", [name for name, case in ACTS.items() if case.again])
def test_asked_at_once_it_is_done_as_often_as_one_after_the_other(api: Api, name: str) -> None:
    case = ACTS[name]
    target = case.given(api)
    before = len(entries(api, case))
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: case.ask(api, target), range(2)))
    assert case.first in {one.status for one in answers} <= {case.first, case.again}, [one.text for one in answers]
    assert len(entries(api, case)) - before == case.times


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("kind", [Kind.CUT_BEFORE, Kind.ANSWER_LOST])
def test_a_database_that_goes_away_in_the_middle_leaves_nothing_half(
    world: World, postgres: PostgresServer, name: str, kind: Kind
) -> None:
    """At the statement of the audit, and at the COMMIT after it: the act is done and in the audit, or neither."""
    case = ACTS[name]
    with FaultProxy(postgres.port) as proxy, running(world, conninfo=proxy.url(world.conninfo)) as api:
        target = case.given(api)
        before = len(entries(api, case))
        state = _state(world)
        proxy.arm(Fault(kind, sql="-- audit.add", who="affirm-worker clients"))
        answer = case.ask(api, target)
        assert proxy.fired is not None
        proxy.arm(None)
        assert (answer.status, answer.code) == (503, "database-away"), answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert len(entries(api, case)) == before
        assert _state(world) == state
        assert case.ask(api, target).status == case.first


def _state(world: World) -> list[object]:
    """Everything that an act may change."""
    tables = ("datasets", "jobs", "pools", "schedules", "countries", "operations")
    found: list[object] = [world.query(f"select * from {table} order by 1") for table in tables]
    return [*found, world.query("select id, name, revoked_at from api_keys order by 1")]
