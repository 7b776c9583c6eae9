"""What an API counts and measures, for Prometheus: on a port of its own, which nobody outside needs to reach."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from api.declared import UNSAFE
from api.upload.spool import Spool
from app.metrics import LATENCY_BUCKETS, MetricSet
from app.ports import why_not_listening
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured

OTHER = "other"
"""The label of a method or a path that is none of ours: strangers may send any."""

GONE = "gone"
"""The status of a request whose client has left before an answer."""

_METHODS = UNSAFE | {"GET", "HEAD"}


class ApiMetrics(MetricSet):
    """The metrics of one process of the API. Labels are words of ours, so that there are never many series."""

    def __init__(self) -> None:
        super().__init__()
        self._requests = self._counter("api_requests_total", "Requests by method, route and status; the route is other "
            "if there is none, the status gone if the client had left.", "method", "route", "status")  # fmt: skip
        self._durations = self._histogram("api_request_duration_seconds", "How long requests took, from their headers "
            "to the end of the answer; streams last as long as somebody listens.", LATENCY_BUCKETS, "method",
            "route")  # fmt: skip
        self._open = self._gauge("api_requests_open", "Requests under way, streams among them.", shared=False)
        self._uploads = self._counter("api_uploads_total", "Files that came whole and were taken: created, or known "
            "already.", "result")  # fmt: skip
        self._uploaded = self._counter("api_uploaded_bytes_total", "Bytes of these files.")
        self._receiving = self._gauge("api_receiving_files", "Files that are being received or checked.", shared=False)
        self._spool = self._gauge("api_spool_bytes", "Bytes of these files in API_SPOOL_DIR.", shared=False)
        for result in ("created", "known"):
            self._uploads.labels(result)

    def follow(self, spool: Callable[[], Spool]) -> None:
        """How many files are being received, and their bytes, is asked of this at each scrape; in any thread."""
        self._receiving.set_function(lambda: len(spool()))
        self._spool.set_function(lambda: spool().size())

    def began(self) -> None:
        """A request has come."""
        self._open.inc()

    def ended(self, method: str, route: str | None, status: int | None, seconds: float) -> None:
        """It is over.

        Args:
            method: as the client said it.
            route: the path as it was declared; None if there is no such route.
            status: of the answer; None if there was none.
            seconds: since it came.
        """
        where = (method if method in _METHODS else OTHER, route or OTHER)
        self._requests.labels(*where, GONE if status is None else str(status)).inc()
        self._durations.labels(*where).observe(seconds)
        self._open.dec()

    def uploaded(self, created: bool, size: int) -> None:
        """A file of `size` bytes was taken; in any thread."""
        self._uploads.labels("created" if created else "known").inc()
        self._uploaded.inc(size)


@contextmanager
def metrics_served(metrics: ApiMetrics, port: int | None) -> Iterator[None]:
    """Serves them on all interfaces, in a thread, for as long as the block runs.

    Args:
        metrics: the API's.
        port: None for not at all.

    Raises:
        Misconfigured: it cannot listen on this port.
    """
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, registry=metrics.registry)
    except OSError as error:
        raise Misconfigured(f"API_METRICS_PORT {port}: {why_not_listening(error)}", Reason.CONFIG) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
