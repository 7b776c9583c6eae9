"""The health probe, which fails if the loop stands still or the watch has ended, and the metrics."""

from collections.abc import Callable

from aiohttp import web

from app.ports import why_not_listening
from controller.loop_health import LoopHealth
from controller.metrics import Metrics
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.text import one_line

STUCK_SECONDS = 300.0
"""If no tick has ended for so long, the controller should be restarted: one answer of a slow database may take 60 s."""

STUCK_POLLS = 6
"""But never before so many poll intervals."""


class HealthServer:
    """Serves `/healthz` (the loop goes round), `/readyz` (its last tick went through) and `/metrics`.

    Args:
        loop: how the loop is. Any tick counts for `/healthz`, one that was broken off too.
        poll_seconds: the loop's.
        watching: whether the watch is alive; true without a watch.
        metrics: the controller's.
    """

    def __init__(self, loop: LoopHealth, poll_seconds: float, watching: Callable[[], bool], metrics: Metrics) -> None:
        self._loop = loop
        self._stuck_after_seconds = max(STUCK_SECONDS, STUCK_POLLS * poll_seconds)
        self._watching = watching
        self._metrics = metrics
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(application, access_log=None)

    async def start(self, port: int) -> None:
        """Listens on all interfaces.

        Raises:
            Misconfigured: it cannot listen on this port.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, port=port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Misconfigured(f"HEALTH_PORT {port}: {why_not_listening(error)}", Reason.CONFIG) from None

    async def close(self) -> None:
        """Stops listening."""
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        if not self._watching():
            return web.Response(status=500, text="the watch has ended\n")
        idle = self._loop.seconds_since_round()
        if idle > self._stuck_after_seconds:
            return web.Response(status=500, text=f"the loop has stood still for {idle:.0f} s\n")
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._loop.last_error:
            return web.Response(status=503, text=one_line(self._loop.last_error) + "\n")
        return web.Response(text="ok\n")

    async def _show_metrics(self, request: web.Request) -> web.Response:
        body, content_type = self._metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})
