"""Forms as clients send them, well made and not."""

from typing import NamedTuple

BOUNDARY = "a-boundary-of-the-tests"
FILE = "file"


class Part(NamedTuple):
    """A part of a form; a file if it has a file name."""

    name: str
    content: bytes | str
    filename: str | bytes | None = None
    headers: str = ""

    def as_bytes(self) -> bytes:
        content = self.content.encode() if isinstance(self.content, str) else self.content
        filename = self.filename.encode() if isinstance(self.filename, str) else self.filename
        named = b"" if filename is None else b'; filename="' + filename + b'"'
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{self.name}"'.encode() + named
        return head + f"\r\n{self.headers}\r\n".encode() + content + b"\r\n"


def form(*parts: Part) -> tuple[bytes, str]:
    """The body of a form, and its Content-Type."""
    return b"".join(part.as_bytes() for part in parts) + end(), f"multipart/form-data; boundary={BOUNDARY}"


def end() -> bytes:
    """How a form ends."""
    return f"--{BOUNDARY}--\r\n".encode()
