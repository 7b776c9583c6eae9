"""A client that breaks the rules: it sends what it wants, when it wants, and may leave."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from tests.api.client import Answer, Api

PATH = "/v1/datasets/upload"


class RawClient:
    """A connection to the API."""

    def __init__(self, api: Api) -> None:
        self._socket = socket.create_connection(("127.0.0.1", api.listening.port), timeout=100)
        self._key = api.keys["uploader"]

    def head(self, headers: Mapping[str, object], method: str = "POST", path: str = PATH) -> None:
        """Sends the head of a request."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self._key}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n")

    def send(self, data: bytes) -> None:
        """Sends bytes; whether anybody takes them or not."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def chunk(self, data: bytes) -> None:
        """Sends a chunk of a body without a length; an empty one ends it."""
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def answer(self) -> Answer:
        """Reads the answer."""
        with self._socket.makefile("rb") as reader:
            while (line := reader.readline()).startswith(b"HTTP/1.1 1"):
                while reader.readline().strip():
                    pass
            status = int(line.split()[1])
            headers = dict[str, str]()
            while field := reader.readline().decode().strip():
                name, _, value = field.partition(":")
                headers[name.lower()] = value.strip()
            return Answer(status, headers, reader.read(int(headers.get("content-length", 0))))

    def leave(self) -> None:
        """Closes the connection, whatever comes."""
        self._socket.close()


@contextmanager
def raw(api: Api) -> Iterator[RawClient]:
    """A connection for a block."""
    made = RawClient(api)
    try:
        yield made
    finally:
        made.leave()
