"""A client of server-sent events."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.api.client import Api


@dataclass(frozen=True, slots=True)
class Event:
    """An event, or only a comment."""

    name: str
    data: Any
    retry: int | None
    comment: str


class Stream:
    """An open stream, read event by event."""

    def __init__(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._answer = answer
        self.status = answer.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in answer.getheaders()}

    def close(self) -> None:
        self._answer.close()
        self._connection.close()

    def next(self) -> Event | None:
        """The next event or comment; None at the end."""
        fields: dict[str, str] = {}
        while line := self._answer.readline().decode():
            line = line.rstrip("\n")
            if not line:
                break
            name, _, value = line.partition(": ")
            fields[name.rstrip(":")] = value
        if not fields:
            return None
        data = json.loads(fields["data"]) if "data" in fields else None
        retry = int(fields["retry"]) if "retry" in fields else None
        return Event(fields.get("event", ""), data, retry, fields.get("", ""))

    def until(self, name: str) -> Any:
        """The data of the next event of that name."""
        while event := self.next():
            if event.name == name:
                return event.data
        raise AssertionError(f"the stream ended without {name}")

    def rest(self) -> list[Event]:
        """All events until the end, without comments."""
        found = []
        while event := self.next():
            if event.name:
                found.append(event)
        return found


@contextmanager
def streaming(api: Api, path: str, *, key: str | None = None) -> Iterator[Stream]:
    """Opens a stream."""
    connection = api.connect()
    headers = {"Authorization": f"Bearer {key or api.keys['viewer']}", "Accept": "text/event-stream"}
    connection.request("GET", path, headers=headers)
    stream = Stream(connection, connection.getresponse())
    try:
        yield stream
    finally:
        stream.close()
