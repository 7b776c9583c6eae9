"""The result of listing a folder of storage."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was found in storage.

    Args:
        uri: to give to `open`.
        name: the part after the last slash.
        version: changes whenever the bytes change.
        size: in bytes.
        stored_at: when its bytes came there, by storage's clock.
    """

    uri: str
    name: str
    version: str
    size: int
    stored_at: datetime
