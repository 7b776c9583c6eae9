"""The health probe, which fails where the loop stands still or the watch has ended, and the metrics."""

import errno
import os
from collections.abc import Callable

from aiohttp import web

from controller.loop import Progress
from controller.metrics import Metrics
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.text import one_line


class HealthServer:
    """Serves `/healthz` (the loop goes round), `/readyz` (its last tick went through) and `/metrics`.

    Args:
        progress: the loop's.
        stuck_after_seconds: without a tick that went through, the controller is to be restarted.
        watching: whether the watch is alive; always true where there is none.
        metrics: the controller's.
    """

    def __init__(
        self, progress: Progress, stuck_after_seconds: float, watching: Callable[[], bool], metrics: Metrics
    ) -> None:
        self._progress = progress
        self._stuck_after_seconds = stuck_after_seconds
        self._watching = watching
        self._metrics = metrics
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._told)
        self._runner = web.AppRunner(application, access_log=None)

    async def start(self, port: int) -> None:
        """Listens on all interfaces.

        Raises:
            Misconfigured: it cannot listen there.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, port=port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Misconfigured(f"HEALTH_PORT {port}: {_in_words(error)}", Reason.CONFIG) from None

    async def close(self) -> None:
        """Stops listening."""
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        if not self._watching():
            return web.Response(status=500, text="the watch has ended\n")
        idle = self._progress.seconds_since_round()
        if idle > self._stuck_after_seconds:
            return web.Response(status=500, text=f"the loop has stood still for {idle:.0f} s\n")
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._progress.last_error:
            return web.Response(status=503, text=one_line(self._progress.last_error) + "\n")
        return web.Response(text="ok\n")

    async def _told(self, request: web.Request) -> web.Response:
        body, content_type = self._metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})


def _in_words(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another process listens there: set it to a free port, or stop that process"
    if error.errno == errno.EACCES:
        return "this user may not listen there: set it to a port from 1024 on"
    return os.strerror(error.errno) if error.errno else type(error).__name__
