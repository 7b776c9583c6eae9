"""What an upload may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FIELD_BYTES = 4096
"""Bytes of a field of a form, and of its name."""

FIELDS = 16
"""Fields of a form, beside the file."""

FORM_BYTES = (FIELDS + 2) * 2 * FIELD_BYTES
"""Bytes of a form beside those of its file: fields, headers and boundaries."""

USUAL: Mapping[str, str] = {
    ".csv": "text/csv", ".txt": "text/plain", ".tsv": "text/tab-separated-values", ".json": "application/json",
    ".px": "text/plain", ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".zip": "application/zip",
    ".gz": "application/gzip",
}  # fmt: skip
"""The endings of publishers' files, and their types. Files are known by their content: others are taken too."""


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
    wait_seconds: float = 20.0
    rate_seconds: float = 30.0
