"""GET /v1/stream and GET /v1/jobs/{id}/events."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import TypeAdapter

from api.conditional import body_of
from api.live import MOST_OF_A_CALLER
from api.routes.jobs import ONE_JOB
from api.routes.status import STATUS, status_values
from services.figures import Figures
from services.keys import Keys, Role
from tests.api.client import Api
from tests.api.streaming import Stream, streaming
from tests.integration.world import NO_RETRIES


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def begun(stream: Stream) -> Stream:
    """A stream that has begun."""
    hello = stream.next()
    assert stream.status == 200
    assert hello is not None
    assert 2000 <= (hello.retry or 0) <= 5000
    return stream


async def test_the_progress_of_a_run_comes_to_its_end(api: Api) -> None:
    rows = "".join(f"Name{number},F,{number + 5}\n" for number in range(20_000))
    made = api.world.submit_small(2000, rows)
    with streaming(api, f"/v1/jobs/{made.job_id}/events") as stream:
        begun(stream)
        first = await asyncio.to_thread(stream.until, "state")
        assert (first["state"], first["waiting"]["because"]) == ("queued", "no_controller")
        reading = asyncio.create_task(asyncio.to_thread(stream.rest))
        await api.world.run_until_idle(retry=NO_RETRIES)
        events = await reading
    for event in events:
        if event.name == "state":
            TypeAdapter(ONE_JOB).validate_python(event.data)
    last = [event.data for event in events if event.name == "state"][-1]
    assert (last["state"], last["id"]) == ("completed", str(made.job_id))
    progress = [event.data for event in events if event.name == "progress"][-1]
    assert (progress["share"], progress["rows_done"], progress["id"]) == (1.0, 20_000, str(made.job_id))
    assert (events[-1].name, events[-1].data) == ("bye", {"why": "finished"})


def test_the_events_of_a_job_that_is_over_end_at_once(api: Api) -> None:
    made = api.world.submit_small(2000)
    api.world.client.jobs.cancel(made.job_id)
    with streaming(api, f"/v1/jobs/{made.job_id}/events") as stream:
        assert [one.name for one in begun(stream).rest()] == ["state", "progress", "bye"]


def test_the_events_of_a_job_that_is_removed_end(api: Api) -> None:
    made = api.world.submit_small(2000)
    with streaming(api, f"/v1/jobs/{made.job_id}/events") as stream:
        begun(stream).until("state")
        api.world.client.datasets.delete(made.dataset_id, api.world.storage)
        assert stream.until("bye") == {"why": "gone"}


def test_a_stream_names_what_has_changed(api: Api) -> None:
    one, other = api.world.submit_small(2000), api.world.submit_small(2001)
    unknown = uuid4()
    ids = f"{one.job_id},{other.job_id},{other.dataset_id},{unknown}"
    with streaming(api, f"/v1/stream?ids={ids}") as stream:
        first = begun(stream).until("changed")
        assert first["jobs"] == sorted([str(one.job_id), str(other.job_id)])
        assert (first["datasets"], first["gone"], first["new_jobs"]) == ([str(other.dataset_id)], [str(unknown)], 0)
        api.world.client.jobs.cancel(one.job_id)
        assert stream.until("changed")["jobs"] == [str(one.job_id)]
        api.world.submit_small(2002)
        new = stream.until("changed")
        assert (new["new_jobs"], new["new_datasets"]) == (1, 1)
        api.world.client.datasets.delete(other.dataset_id, api.world.storage)
        gone = set[str]()
        while gone != {str(other.job_id), str(other.dataset_id)}:
            gone |= set(stream.until("changed")["gone"])


def test_a_dataset_has_changed_when_a_job_is_made_for_it(api: Api) -> None:
    made = api.world.submit_small()
    api.world.client.jobs.cancel(made.job_id)
    with streaming(api, f"/v1/stream?ids={made.dataset_id}") as stream:
        assert begun(stream).until("changed")["datasets"] == [str(made.dataset_id)]
        api.world.client.jobs.retry(made.job_id)
        assert stream.until("changed")["datasets"] == [str(made.dataset_id)]


def test_a_second_stream_is_told_of_its_own(api: Api) -> None:
    one, other = api.world.submit_small(2000), api.world.submit_small(2001)
    with streaming(api, f"/v1/stream?ids={one.job_id}") as first:
        assert begun(first).until("changed")["jobs"] == [str(one.job_id)]
        with streaming(api, f"/v1/stream?ids={other.job_id}") as second:
            assert begun(second).until("changed")["jobs"] == [str(other.job_id)]
            api.world.client.jobs.cancel(other.job_id)
            assert second.until("changed")["jobs"] == [str(other.job_id)]
            api.world.client.jobs.cancel(one.job_id)
            assert first.until("changed")["jobs"] == [str(one.job_id)]


def test_figures_are_those_of_the_status(api: Api) -> None:
    with streaming(api, "/v1/stream?figures=1") as stream:
        figures = begun(stream).until("figures")
        TypeAdapter(STATUS).validate_python(figures)
        assert figures["states"]["queued"] == 0
        api.world.submit_small(2000)
        while figures["states"]["queued"] == 0:
            figures = stream.until("figures")
        assert figures["pools"][0]["depth"] == 1


def test_figures_are_written_once_for_all_viewers(api: Api) -> None:
    viewers = 8
    figures, all_ask, written = api.context.sampler.figures(), threading.Barrier(viewers), []

    def write(of: Figures) -> str:
        written.append(of)
        for _ in range(200):  # long enough for every thread to ask meanwhile
            text = body_of(status_values(of)).decode()
        return text

    def ask(_: int) -> str:
        all_ask.wait(100)
        return api.context.hub.text_of(figures, write)

    with ThreadPoolExecutor(viewers) as threads:
        texts = {*threads.map(ask, range(viewers))}
    assert len(texts) == len(written) == 1


def test_proxies_are_told_not_to_hold_it_back(api: Api) -> None:
    with streaming(api, "/v1/stream") as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "no-store" in stream.headers["cache-control"]


def test_a_quiet_stream_has_comments(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.01)
    with streaming(api, "/v1/stream") as stream:
        quiet = begun(stream).next()
        assert quiet is not None
        assert quiet.comment == "ping"


def test_sigterm_ends_all_streams_with_bye(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    made = api.world.submit_small(2000)
    with ExitStack() as opened, caplog.at_level(logging.ERROR, "uvicorn.error"):
        paths = ("/v1/stream", "/v1/stream?figures=1", f"/v1/jobs/{made.job_id}/events")
        streams = [begun(opened.enter_context(streaming(api, path))) for path in paths]
        api.server.handle_exit(signal.SIGTERM, None)
        for stream in streams:
            last = stream.rest()[-1]
            assert (last.name, last.data) == ("bye", {"why": "stopping"})
            assert 2000 <= (last.retry or 0) <= 5000
    # uvicorn says so if it had to break them off.
    assert caplog.messages == []


def test_a_database_that_hangs_holds_up_no_end(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    made = api.world.submit_small(2000)
    with psycopg.connect(api.world.conninfo) as other, caplog.at_level(logging.ERROR, "uvicorn.error"):
        with streaming(api, f"/v1/jobs/{made.job_id}/events") as stream:
            begun(stream).until("progress")
            other.execute("lock table pools in access exclusive mode")
            api.world.query("update jobs set priority = 5 where id = %s", made.job_id)
            until(
                lambda: bool(api.world.query("select 1 as waits from pg_stat_activity where wait_event_type = 'Lock'"))
            )
            api.server.handle_exit(signal.SIGTERM, None)
            assert [one.data for one in stream.rest()] == [{"why": "stopping"}]
        assert caplog.messages == []
        other.rollback()


def test_a_caller_may_have_so_many_streams(api: Api) -> None:
    with ExitStack() as opened:
        streams = [opened.enter_context(streaming(api, "/v1/stream")) for _ in range(MOST_OF_A_CALLER)]
        answer = api.get("/v1/stream", role="viewer")
        assert (answer.status, answer.code) == (429, "too-many-streams")
        assert answer.headers["retry-after"] == "10"
        job_id = api.world.submit_small(2000).job_id
        assert api.get(f"/v1/jobs/{job_id}/events", role="viewer").code == "too-many-streams"
        with streaming(api, "/v1/stream", key=api.keys["admin"]) as another:
            begun(another)
        streams[0].close()
        until(lambda: api.context.hub.viewers < MOST_OF_A_CALLER)
        with streaming(api, "/v1/stream") as again:
            begun(again)


def test_nobody_is_asked_when_nobody_looks_on(api: Api) -> None:
    assert not api.context.hub.looks_on
    with streaming(api, "/v1/stream") as stream:
        begun(stream)
        assert api.context.hub.looks_on
    until(lambda: not api.context.hub.looks_on)


def test_a_revoked_key_ends_its_streams(api: Api) -> None:
    keys = Keys(api.world.client.database)
    made = keys.make("for a while", Role.VIEWER)
    with streaming(api, "/v1/stream", key=made.text) as stream, streaming(api, "/v1/stream") as other:
        begun(stream)
        begun(other)
        keys.revoke(made.key.id)
        assert stream.until("bye") == {"why": "key"}
        assert stream.next() is None
        api.world.submit_small(2000)
        assert other.until("changed")["new_jobs"] == 1


def test_an_expired_key_ends_its_streams(api: Api) -> None:
    made = Keys(api.world.client.database).make("short", Role.VIEWER)
    with streaming(api, "/v1/stream", key=made.text) as stream:
        begun(stream)
        api.world.query("update api_keys set expires_at = now() where id = %s", made.key.id)
        assert stream.until("bye") == {"why": "key"}


def test_streams_survive_connections_that_are_lost(api: Api) -> None:
    made = api.world.submit_small(2000)
    with streaming(api, f"/v1/stream?ids={made.job_id}") as stream:
        begun(stream).until("changed")
        api.world.query(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'affirm-worker clients' and datname = current_database()"
        )
        api.world.client.jobs.cancel(made.job_id)
        assert stream.until("changed")["jobs"] == [str(made.job_id)]


@pytest.mark.parametrize("query", ["ids=x", "ids=" + ",".join(str(UUID(int=one)) for one in range(51)), "figures=2"])
def test_a_wrong_parameter_is_refused(api: Api, query: str) -> None:
    answer = api.get(f"/v1/stream?{query}")
    assert (answer.status, answer.code) == (400, "field-invalid")


def test_head_has_the_headers_of_a_stream_alone(api: Api) -> None:
    job_id = api.world.submit_small(2000).job_id
    for path in ("/v1/stream", f"/v1/jobs/{job_id}/events"):
        answer = api.request("HEAD", path)
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert not api.context.hub.looks_on
