"""How the API server's answers are taken."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from controller.launchers.interface import ClusterSilent
from controller.launchers.kubernetes.api import KubernetesApi
from dataset_jobs.model.errors import Unavailable


@asynccontextmanager
async def an_api(answer: Callable[[], web.Response]) -> AsyncIterator[KubernetesApi]:
    """The client of an API server that answers so."""

    async def handle(_: web.Request) -> web.Response:
        return answer()

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = KubernetesApi(Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}"), "affirm")
    try:
        yield api
    finally:
        await api.close()
        await runner.cleanup()


async def test_an_overloaded_api_server_is_left_alone_for_as_long_as_it_asks() -> None:
    asked: list[float] = []

    def answer() -> web.Response:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return web.json_response({"message": "slow down"}, status=429, headers={"Retry-After": "1"})
        return web.json_response({"metadata": {}, "items": []})

    async with an_api(answer) as api:
        with pytest.raises(Unavailable, match="429: slow down"):
            await api.create_job({})
        assert await api.list_jobs("a=b") == []
    assert asked[1] - asked[0] >= 0.99


@pytest.mark.parametrize("create", [KubernetesApi.create_job, KubernetesApi.create_parser_pool])
async def test_a_conflict_is_not_one_that_is_there_already(
    create: Callable[[KubernetesApi, dict[str, Any]], Awaitable[bool]],
) -> None:
    """A quota that changes meanwhile answers with 409 as well, and so may a webhook."""
    said = {"message": 'Operation cannot be fulfilled on resourcequotas "q"', "reason": "Conflict"}
    async with an_api(lambda: web.json_response(said, status=409)) as api:
        with pytest.raises(ClusterSilent, match="cannot be fulfilled on resourcequotas"):
            await create(api, {})
    said = {"message": 'jobs.batch "a" already exists', "reason": "AlreadyExists"}
    async with an_api(lambda: web.json_response(said, status=409)) as api:
        assert not await create(api, {})
    async with an_api(lambda: web.json_response({}, status=201)) as api:
        assert await create(api, {})


@pytest.mark.parametrize("said", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_time_that_nobody_understands_is_none(said: str) -> None:
    async with an_api(lambda: web.json_response({"message": ""}, status=503, headers={"Retry-After": said})) as api:
        for _ in range(2):
            with pytest.raises(Unavailable, match="503"):
                await api.get_job("a")


@pytest.mark.parametrize("said", ['"items": [', "", '"items": null', '"items": [{"metadata": {"name": "no UID"}}]'])
async def test_an_answer_that_is_no_list_is_none(said: str) -> None:
    text = '{"metadata": {}' + (f", {said}" if said else "") + "}"
    async with an_api(lambda: web.Response(text=text, content_type="application/json")) as api:
        for ask in (api.list_jobs, api.list_pods):
            with pytest.raises(Unavailable, match="cannot be read"):
                await ask("a=b")


async def test_an_answer_that_is_no_text_is_none() -> None:
    body = b'{"metadata": {}, "items": [{"metadata": {"name": "\xff", "uid": "a"}}]}'
    async with an_api(lambda: web.Response(body=body, content_type="application/json")) as api:
        with pytest.raises(Unavailable, match="cannot be read"):
            await api.list_jobs("a=b")


async def test_a_list_is_read_page_by_page() -> None:
    pages = iter(
        [
            {"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a", "uid": "1"}}]},
            {"metadata": {}, "items": [{"metadata": {"name": "b", "uid": "2"}}]},
        ]
    )
    async with an_api(lambda: web.json_response(next(pages))) as api:
        assert [job.metadata.name for job in await api.list_jobs("a=b")] == ["a", "b"]
