"""What an upload may take."""

from dataclasses import dataclass
from pathlib import Path

FIELD_BYTES = 4096
"""Bytes of a field of a form, and of its name."""

FIELDS = 16
"""Fields of a form, beside the file."""

FORM_BYTES = (FIELDS + 2) * 2 * FIELD_BYTES
"""Bytes of a form beside those of its file: fields, headers and boundaries."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What uploads may take.

    Args:
        folder: of the spool.
        file_bytes: of one file.
        at_once: files that are received at a time, by one process.
        least_rate: bytes a second that a client has to send on average.
        wait_seconds: how long one waits for a place, unread.
        rate_seconds: over which that is measured, and how long it may be silent.
    """

    folder: Path
    file_bytes: int
    at_once: int = 8
    least_rate: int = 1000
    wait_seconds: float = 2.0
    rate_seconds: float = 30.0
