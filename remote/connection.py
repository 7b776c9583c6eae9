"""Requests to the API of an installation: one after the other or at once, with time-outs and retries."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import exceptions as failures
from urllib3.util import Retry, Timeout

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, RunError, Unavailable
from dataset_jobs.model.requests import Conflict
from dataset_jobs.model.text import one_line
from dataset_jobs.version import own_version
from remote.errors import error_of, is_about_waiting, not_ours
from services.sources.line import trusted

PAGE = 200
"""The most items of a page."""

FILE_TRIES = 3
"""How often a file is sent, if the connection breaks off."""

OPERATION_SECONDS = 0.5
"""Between two looks at an operation."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the client waits, in seconds.

    Args:
        connect: for a connection.
        answer: for each part of an answer.
        long: for the answer to an upload, or to the deletion of what may have millions of rows.
        again: in all, while the API says that it is too busy, or away for now.
    """

    connect: float = 5.0
    answer: float = 30.0
    long: float = 300.0
    again: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no error; `data` is None if it has no body."""

    status: int
    data: Any
    meta: Mapping[str, Any]
    headers: Mapping[str, str]


Body = Callable[[], IO[bytes]]
"""Opens what is sent, from its beginning: once more for each try."""


class Connection:
    """The way to an API. Several threads can use it.

    Args:
        address: such as https://names.example.org, with the path that a proxy puts before the API's own.
        key: who asks; None for nobody in particular.
        patience: see the class.
        at_once: connections that are kept.
    """

    def __init__(self, address: str, key: str | None, patience: Patience | None = None, at_once: int = 4) -> None:
        self.address = address.rstrip("/")
        self._patience = patience or Patience()
        self._parts = urlsplit(self.address)
        host = self._parts.hostname or ""
        proxy = None if proxy_bypass(host) else getproxies().get(self._parts.scheme)
        common: dict[str, Any] = {"maxsize": at_once, "block": True, "retries": Retry(False)}
        if self._parts.scheme == "https":
            common["ssl_context"] = trusted()
        self._pool = urllib3.ProxyManager(proxy, **common) if proxy else urllib3.PoolManager(**common)
        self._headers = {"User-Agent": f"affirm-worker/{own_version()}", "Accept": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def get(self, path: str, **query: Any) -> Answer:
        """Reads something; see `send`."""
        return self.send("GET", path, query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Sends a JSON object; see `send`."""
        return self.send("POST", path, json_body=body or {})

    def pages(self, path: str, **query: Any) -> Iterator[Sequence[Any]]:
        """The pages of a list, as far as they are asked for."""
        while True:
            answer = self.get(path, **{"limit": PAGE, **query})
            yield answer.data
            if not answer.meta.get("has_more"):
                return
            query["cursor"] = answer.meta["next_cursor"]

    def until_over(self, operation: Mapping[str, Any]) -> Iterator[int]:
        """Waits for an operation, and says now and then how many are done; raises Conflict if somebody ends it."""
        while True:
            yield int(operation["done"])
            if operation["state"] != "running":
                break
            time.sleep(OPERATION_SECONDS)
            operation = self.get(f"/v1/operations/{operation['id']}").data
        if operation["state"] != "completed":
            raise Conflict(f"operation {operation['id']} is {operation['state']}, after {operation['done']} of it")

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        json_body: Mapping[str, Any] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sends a request. Each can be sent again: the API does nothing twice.

        Args:
            method, path: of the request; the path is quoted already.
            query: of the address; None and empty values are left out.
            json_body: sent as JSON; members that are None are left out.
            body: a file, sent as it is; once more if it does not get there.
            headers: further ones.

        Raises:
            InvalidRequest, Forbidden: the API refuses it.
            Misconfigured: the address is not that of an API of ours, or its certificate is not for it.
            Unavailable: it is away, or does not answer in time.
        """
        said = {name: value for name, value in (query or {}).items() if value is not None and value != ()}
        url = f"{self.address}{path}" + (f"?{urlencode(said, doseq=True)}" if said else "")
        sent = {**self._headers, **(headers or {})}
        content: bytes | None = None
        if json_body is not None:
            sent["Content-Type"] = "application/json"
            content = json.dumps({name: value for name, value in json_body.items() if value is not None}).encode()

        def patiently() -> Answer:
            until = time.monotonic() + self._patience.again
            while True:
                response = self._ask(method, url, sent, content, body)
                wait = _wait(response)
                if wait is None or time.monotonic() + wait > until:
                    return self._answer(method, path, response)
                time.sleep(wait)

        for _ in range(0 if body is None else FILE_TRIES - 1):
            with suppress(Unavailable):
                return patiently()
        return patiently()

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, body: Body | None
    ) -> urllib3.BaseHTTPResponse:
        long = body is not None or method == "DELETE"
        seconds = self._patience.long if long else self._patience.answer
        timeout = Timeout(connect=self._patience.connect, read=seconds)
        try:
            if body is None:
                return self._pool.request(
                    method, url, body=content, headers=headers, timeout=timeout, redirect=False
                )  # fmt: skip
            with body() as opened:
                return self._pool.request(method, url, body=opened, headers=headers, timeout=timeout, redirect=False)
        except (failures.HTTPError, ssl.SSLError) as error:
            raise self._error(error) from None

    def _error(self, error: Exception) -> RunError:
        place = self.address
        cause = error.reason if isinstance(error, failures.MaxRetryError) and error.reason is not None else error
        if isinstance(cause, failures.SSLError | ssl.SSLError):
            return Misconfigured(f"{place}: {_about_tls(cause)}", Reason.CONFIG)
        if isinstance(cause, failures.ProxyError):
            return Unavailable(f"{place}: the proxy that the environment names is not to be reached")
        if isinstance(cause, failures.LocationParseError):
            return Misconfigured(f"{place}: this is no address", Reason.CONFIG)
        if isinstance(cause, failures.NameResolutionError):
            return Unavailable(f"{place}: the name {self._parts.hostname} cannot be resolved")
        if isinstance(cause, failures.NewConnectionError):
            why = getattr(cause.__cause__, "strerror", None) or "no connection"
            return Unavailable(f"{place}: {str(why).lower()}")
        if isinstance(cause, failures.ConnectTimeoutError):
            return Unavailable(f"{place}: no connection within {self._patience.connect:g} s")
        if isinstance(cause, failures.TimeoutError):
            return Unavailable(f"{place}: no answer in time")
        return Unavailable(f"{place}: the connection broke off")

    def _answer(self, method: str, path: str, response: urllib3.BaseHTTPResponse) -> Answer:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        values: Any = None
        if kind in ("application/json", "application/problem+json"):
            try:
                values = json.loads(response.data)
            except (ValueError, RecursionError):
                raise not_ours(self.address, f"{method} {path} gave JSON that cannot be read") from None
        if response.status >= 300:
            raise error_of(self.address, f"{method} {path}", response.status, values, response.headers)
        if response.status == 204:
            return Answer(204, None, {}, dict(response.headers))
        if not isinstance(values, dict) or "data" not in values:
            raise not_ours(self.address, f"{method} {path} gave no JSON of ours")
        meta = values.get("meta")
        return Answer(
            response.status, values["data"], meta if isinstance(meta, dict) else values, dict(response.headers)
        )


def _wait(response: urllib3.BaseHTTPResponse) -> float | None:
    """How long to wait before the same is asked again; None if it is not to be."""
    if not is_about_waiting(response.status):
        return None
    try:
        return max(0.1, float(response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _about_tls(error: Exception) -> str:
    inner: Any = error
    while inner is not None and not isinstance(inner, ssl.SSLError):
        inner = inner.args[0] if inner.args and isinstance(inner.args[0], Exception) else inner.__cause__
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {one_line(inner.verify_message)}"
    return f"TLS failed: {one_line(str(getattr(inner, 'reason', None) or error))}"
