"""The database goes, and comes back: answers say so, and nothing hangs."""

import threading
from collections.abc import Iterator

import pytest

from api import context as api_context
from tests.api.client import Answer, Api, running
from tests.integration.world import World
from tests.kit.newer_schema import refuse_this_program
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[FaultProxy]:
    """Before the session's Postgres."""
    with FaultProxy(postgres.port) as made:
        yield made


@pytest.fixture
def api(world: World, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An API that reaches its database by way of the proxy, and has little patience."""
    monkeypatch.setattr(api_context, "ANSWER_SECONDS", 2.0)
    monkeypatch.setattr(api_context, "CONNECTION_SECONDS", 2.0)
    with running(world, conninfo=proxy.url(world.conninfo)) as made:
        yield made


def until_there(api: Api) -> Answer:
    """The first answer that is not a 503."""
    while True:
        answer = api.get("/v1/countries")
        if answer.status != 503:
            return answer


def test_a_database_that_is_gone_is_an_answer(api: Api, proxy: FaultProxy) -> None:
    assert api.get("/v1/countries").status == 200
    with proxy.refusing():
        proxy.cut_all()
        answer = api.get("/v1/countries")
        assert (answer.status, answer.code) == (503, "database-away")
        assert answer.headers["retry-after"] == "5"
        assert "127.0.0.1" not in answer.text, "nobody has shown a key yet"
        assert api.get("/readyz", role=None).status == 503
        assert api.get("/health", role=None).json["database"] == "disconnected"
        assert api.get("/healthz", role=None).status == 200
    assert until_there(api).status == 200


def test_a_newer_database_that_refuses_it_is_an_answer(world: World, api: Api) -> None:
    """Before it was upgraded the API worked; who asks whether it is ready is told which versions do not fit."""
    refuse_this_program(world.conninfo)
    ready = api.get("/readyz", role=None)
    assert ready.status == 503
    assert "the database's schema is newer than this affirm-worker" in ready.text
    assert "127.0.0.1" not in ready.text


def test_an_older_database_is_an_answer(world: World, api: Api) -> None:
    """As while it is not migrated yet."""
    world.query(
        "delete from schema_migrations where version = (select max(version) from schema_migrations) returning 1"
    )
    ready = api.get("/readyz", role=None)
    assert (ready.status, "is older than this affirm-worker" in ready.text) == (503, True)


def test_it_is_there_again_after_a_long_time(api: Api, proxy: FaultProxy) -> None:
    """The pool's own tries become ever rarer; those who ask do not wait for them."""
    with proxy.refusing():
        proxy.cut_all()
        assert [api.get("/v1/countries").status for _ in range(8)] == [503] * 8
    assert until_there(api).status == 200
    assert until_there(api).status == 200


def test_a_database_that_is_silent_is_an_answer(api: Api, proxy: FaultProxy) -> None:
    assert api.get("/v1/countries").status == 200
    proxy.stall()
    got: list[Answer] = []
    asking = [threading.Thread(target=lambda: got.append(api.get("/v1/countries"))) for _ in range(20)]
    for one in asking:
        one.start()
    assert api.get("/healthz", role=None).status == 200
    for one in asking:
        one.join(100)
    assert [(one.status, one.code) for one in got] == [(503, "database-away")] * 20
    proxy.flow()
    assert until_there(api).status == 200


def test_a_connection_that_broke_is_not_used_again(api: Api, proxy: FaultProxy) -> None:
    assert api.get("/v1/countries").status == 200
    proxy.cut_all()
    assert api.get("/v1/countries").status == 200


async def test_a_statement_that_takes_too_long_is_ended(api: Api, world: World) -> None:
    """By the server too: nobody waits for its answer any more."""
    world.query("alter table countries rename to real_countries")
    world.query("create view countries as select real_countries.* from real_countries, pg_sleep(60)")
    answer = api.get("/v1/countries")
    assert (answer.status, answer.code) == (503, "database-away")
    at_work = "select from pg_stat_activity where query like '-- countries.read%' and state = 'active'"
    await world.until(f"select where not exists ({at_work})")
