"""Who does something, for the audit."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

from dataset_jobs.model.text import one_line

Surface = Literal["api", "web", "cli", "controller"]
"""By what way somebody acts."""

SURFACES: tuple[Surface, ...] = get_args(Surface)

NAME_LENGTH = 200
"""Longer names of actors are cut."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts.

    Args:
        name: of the key, of the user whom a proxy names, `os-user@host`, or the controller's.
        surface: by what way.
        request_id: of the HTTP request.
        key_id: of the key, if there is one.
    """

    name: str
    surface: Surface
    request_id: str | None = None
    key_id: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", one_line(self.name)[:NAME_LENGTH] or "unnamed")


class Act(StrEnum):
    """What somebody does on purpose, and the audit keeps."""

    DATASET_SUBMIT = "dataset.submit"
    DATASET_REPROCESS = "dataset.reprocess"
    DATASET_DELETE = "dataset.delete"
    JOB_CANCEL = "job.cancel"
    JOB_RETRY = "job.retry"
    JOB_SET = "job.set"
    JOB_PURGE = "job.purge"
    POOL_PAUSE = "pool.pause"
    POOL_RESUME = "pool.resume"
    POOL_PROBE = "pool.probe"
    POOL_SET = "pool.set"
    SCHEDULE_ADD = "schedule.add"
    SCHEDULE_CHANGE = "schedule.change"
    SCHEDULE_REMOVE = "schedule.remove"
    SCHEDULE_PAUSE = "schedule.pause"
    SCHEDULE_RESUME = "schedule.resume"
    SCHEDULE_RUN = "schedule.run"
    COUNTRY_ADD = "country.add"
    COUNTRY_CHANGE = "country.change"
    COUNTRY_REMOVE = "country.remove"
    KEY_MAKE = "key.make"
    KEY_REVOKE = "key.revoke"
    KEY_LOGIN = "key.login"
    """A browser has logged in."""
    KEY_LOGOUT = "key.logout"
    KEY_REFUSE = "key.refuse"
    """Somebody has typed a key that lets nobody in."""
    STORAGE_CLEAN = "storage.clean"
    OPERATION_START = "operation.start"
    OPERATION_CANCEL = "operation.cancel"


def target_of(kind: Literal["dataset", "job", "pool", "schedule", "country", "key", "operation"], name: object) -> str:
    """What an act is about, as the audit names it."""
    return f"{kind}/{name}"
