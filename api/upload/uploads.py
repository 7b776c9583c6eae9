"""The uploads of one API process: where they are received, and how many at a time."""

from dataclasses import dataclass, field
from typing import Self

from api.problems import Problem
from api.upload.limits import UploadLimits
from api.upload.places import Places
from api.upload.spool import Spool
from app.settings import Settings
from dataset_jobs.host import temporary_folder
from dataset_jobs.model.limits import MIB

CHECKS_AT_ONCE = 2
"""Files that are read at a time only to be checked."""

_UPLOAD_AGAIN, _CHECK_AGAIN = 2, 5
"""Seconds."""


@dataclass(slots=True)
class Uploads:
    """What the uploads of a process share. Used by one event loop.

    Args:
        limits: on each.
        spool: where files are while they come.
        receiving: places of files that come.
        checking: places of files that are read only to be checked.
    """

    limits: UploadLimits
    spool: Spool = field(init=False)
    receiving: Places = field(init=False)
    checking: Places = field(init=False)

    def __post_init__(self) -> None:
        most = self.limits
        self.spool = Spool(most.folder)
        self.receiving = Places(most.at_once, most.wait_seconds, self._full)
        self.checking = Places(CHECKS_AT_ONCE, most.wait_seconds, self._too_many_checks)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """By the settings; raises Misconfigured if there is no folder for temporary files."""
        folder = settings.api_spool_dir or temporary_folder()
        return cls(UploadLimits(folder, settings.limit_file_mib * MIB, settings.api_uploads_at_once))

    def _full(self) -> Problem:
        return Problem(
            "uploads-full",
            f"{self.limits.at_once} files are being received already; send this one again in {_UPLOAD_AGAIN} s",
            headers={"Retry-After": str(_UPLOAD_AGAIN)},
        )

    def _too_many_checks(self) -> Problem:
        return busy(f"{CHECKS_AT_ONCE} files are being checked already")


def busy(why: str) -> Problem:
    """The answer if no file can be checked now."""
    return Problem(
        "busy", f"{why}; send this one again in {_CHECK_AGAIN} s", headers={"Retry-After": str(_CHECK_AGAIN)}
    )
