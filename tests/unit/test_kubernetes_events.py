"""The texts of Kubernetes events."""

from typing import Any

from aiohttp import web
from kubernetes.aio.client import Configuration

from controller.launchers.kubernetes.api import KubernetesApi
from controller.launchers.kubernetes.events import MESSAGE_LIMIT, KubernetesEvents

HOSTILE = "pool x is blocked: \x1b]0;title\x07\nforged\u202e\udcff\0 " + "名" * 2000


async def test_a_message_of_others_is_posted_as_one_line_within_its_bytes() -> None:
    """With any message, the API server takes the event, and kubectl shows one line of it."""
    posted: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        posted.append(await request.json())
        return web.json_response({})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = KubernetesApi(Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}"), "affirm")
    try:
        await KubernetesEvents(api, "pod", "uid").post("PoolBlocked", HOSTILE, warning=True)
    finally:
        await api.close()
        await runner.cleanup()
    [event] = posted
    message = event["message"]
    assert message.startswith(r"pool x is blocked: \x1b]0;title\x07\nforged\u202e\xff\x00 名")
    assert len(message.encode()) <= MESSAGE_LIMIT
