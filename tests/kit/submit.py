"""Submitting a file as the command line does, where a refusal is an error."""

from pathlib import Path
from typing import Any

from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.storage import Storage
from services.client import Client
from services.dataset_maker import SubmitResult
from services.submit import FileOptions


def submit(
    client: Client, storage: Storage, path: Path, country: str = "US", hints: FileHints = NO_HINTS, **options: Any
) -> SubmitResult:
    """Submits one file; raises what refuses it.

    Args:
        options: further ones, of `FileOptions`.
    """
    submitted = client.submit_file(storage, path, FileOptions(country, hints, **options))
    if submitted.refusal is not None:
        raise submitted.refusal
    assert submitted.done is not None
    return submitted.done
