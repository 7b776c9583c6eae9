"""Answers that come before the body has been read: without this, many a client that still sends never reads them.

A connection that is closed while bytes arrive is reset, and the reset overtakes the answer. One that stays open takes a
body without end. So the answer is sent, what still comes is thrown away for a while, and then the connection is closed
(nginx calls it lingering_close).
"""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

LINGER_SECONDS, SILENT_SECONDS = 30.0, 5.0
"""How long a client may go on to send, and how long it may be silent; as in nginx."""


class Reading:
    """A request's `receive`, which notes whether there is more of the body.

    Args:
        scope: of the request.
        receive: of the request.

    Attributes:
        unread: the body has not been read to its end.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self.unread = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        self._receive = receive

    async def __call__(self) -> Message:
        message = await self._receive()
        self.unread = self.unread and bool(message.get("more_body"))
        return message


class Lingering:
    """As `send`. An answer that says no before the body was read ends only when the client has sent all, or is gone.

    Args:
        reading: the rest of the body.
        send: of the request.
    """

    def __init__(self, reading: Reading, send: Send) -> None:
        self._reading = reading
        self._send = send
        self._lingers = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400 and self._reading.unread:
            self._lingers = True
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        if message["type"] != "http.response.body" or message.get("more_body") or not self._lingers:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        until = asyncio.get_running_loop().time() + LINGER_SECONDS
        with suppress(TimeoutError):
            while self._reading.unread:
                async with asyncio.timeout(SILENT_SECONDS), asyncio.timeout_at(until):
                    await self._reading()
        await self._send({"type": "http.response.body", "body": b""})
