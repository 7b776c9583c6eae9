"""The result of listing a folder of storage."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was found in storage.

    Args:
        uri: to give to `open`.
        name: the part after the last slash.
        version: changes whenever the bytes change.
    """

    uri: str
    name: str
    version: str
