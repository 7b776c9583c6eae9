"""The uploads of one API process: where they are received, and how many at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from api.problems import Problem
from api.upload.limits import UploadLimits
from api.upload.spool import Spool
from app.settings import Settings
from dataset_jobs.host import temporary_folder
from dataset_jobs.model.limits import MIB

CHECKS_AT_ONCE = 2
"""Files that are read at a time only to be checked."""

_AGAIN_SECONDS = 5


@dataclass(slots=True)
class Uploads:
    """What the uploads of a process share. Used by one event loop.

    Args:
        limits: on each.
    """

    limits: UploadLimits
    spool: Spool = field(init=False)
    _checks: int = 0

    def __post_init__(self) -> None:
        self.spool = Spool(self.limits.folder, self.limits.at_once)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """By the settings; raises Misconfigured if there is no folder for temporary files."""
        folder = settings.api_spool_dir or temporary_folder()
        return cls(UploadLimits(folder, settings.limit_file_mib * MIB, settings.api_uploads_at_once))

    @contextmanager
    def checking(self) -> Iterator[None]:
        """A place for a file that is only to be checked; raises Problem if there is none."""
        if self._checks >= CHECKS_AT_ONCE:
            raise busy(f"{CHECKS_AT_ONCE} files are being checked already")
        self._checks += 1
        try:
            yield
        finally:
            self._checks -= 1


def busy(why: str) -> Problem:
    """The answer if no file can be checked now."""
    return Problem(
        "busy", f"{why}; send this one again in {_AGAIN_SECONDS} s", headers={"Retry-After": str(_AGAIN_SECONDS)}
    )
