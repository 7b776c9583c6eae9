"""A request for a file at an address, and its result. `download.py` does it, and imports the client."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from services.sources.addresses import Address


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download may take, in seconds.

    Args:
        connect: until a connection is there.
        idle: without a byte.
        total: until the whole file is here.
    """

    connect: float = 10.0
    idle: float = 30.0
    total: float = 3600.0


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of the version that it gave, to ask only for another one: RFC 9110, section 8.8."""

    etag: str | None = None
    last_modified: str | None = None

    def as_headers(self) -> dict[str, str]:
        """The headers of a conditional request; none if there is nothing to go by."""
        said = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Request:
    """A file that is asked for.

    Args:
        address: where.
        most_bytes: a larger one is refused.
        name: the publisher's name for it, if neither address nor answer says it.
        known: the version that is here already.
        patience: how long it may take.
        loopback: whether this machine itself may be asked.
        before: is called before a new version comes. An exception ends the download.
        seen: gets the bytes so far and the bytes of all, if that is known. An exception ends the download.
    """

    address: Address
    most_bytes: int
    name: str | None = None
    known: Validators = field(default_factory=Validators)
    patience: Patience = field(default_factory=Patience)
    loopback: bool = True
    before: Callable[[], None] = lambda: None
    seen: Callable[[int, int | None], None] = lambda size, total: None


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is here.

    Args:
        path: its last part is the publisher's name.
        moved_to: where the address leads for good, if it does.
    """

    path: Path
    validators: Validators
    moved_to: str | None = None
