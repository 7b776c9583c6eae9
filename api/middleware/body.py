"""Bodies of JSON routes: no more bytes and no longer than is needed. Uploads see to theirs themselves."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.exchange import exchange_of
from api.problems import Problem

BODY_SECONDS = 20.0
"""How long a body may take to come."""


class BodyLimit:
    """Refuses a body that is too large, before it is read if it says so itself, and one that does not come.

    Args:
        app: the next one.
        seconds: how long a body may take.
    """

    def __init__(self, app: ASGIApp, seconds: float | None = None) -> None:
        self._app = app
        self._seconds = BODY_SECONDS if seconds is None else seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = exchange_of(scope).declared if scope["type"] == "http" else None
        if declared is None or declared.body_limit is None:
            await self._app(scope, receive, send)
            return
        limit = declared.body_limit
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) > limit:
            raise _too_large(limit)
        await self._app(scope, self._limited(receive, limit), send)

    def _limited(self, receive: Receive, limit: int) -> Receive:
        got, whole = 0, False
        until = asyncio.get_running_loop().time() + self._seconds

        async def limited() -> Message:
            nonlocal got, whole
            if whole:  # then it waits for the end of the connection
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise Problem(
                    "too-slow", f"the body did not come within {self._seconds:g} s", headers={"Connection": "close"}
                ) from None
            got += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if got > limit:
                raise _too_large(limit)
            return message

        return limited


def _too_large(limit: int) -> Problem:
    return Problem(
        "too-large", f"the body may have {limit:,} bytes at most", headers={"Connection": "close"}, limit=limit
    )
