"""What a look into a folder of storage finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that was found in storage.

    Args:
        uri: to give to `open`.
        name: what stands after the last slash.
        version: another one whenever the bytes are others.
    """

    uri: str
    name: str
    version: str
