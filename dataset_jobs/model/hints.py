"""What a person can do next, as data: whoever shows it to people names the command or the button for it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Action(StrEnum):
    """Something that a person can do."""

    SHOW_JOB = "show_job"
    EXPLAIN_JOB = "explain_job"
    CANCEL_JOB = "cancel_job"
    RETRY_JOB = "retry_job"
    RUN_JOB_NOW = "run_job_now"
    DELETE_DATASET = "delete_dataset"
    REPROCESS_DATASET = "reprocess_dataset"
    SUBMIT = "submit"
    SUBMIT_WITH_YEAR_AND_SEX = "submit_with_year_and_sex"
    SUBMIT_AS_REPLACEMENT = "submit_as_replacement"
    PARSE = "parse"
    """Read a file without loading it."""
    SHOW_STATUS = "show_status"
    LIST_SCHEDULES = "list_schedules"
    REMOVE_SCHEDULE = "remove_schedule"
    RUN_CONTROLLER = "run_controller"
    MIGRATE = "migrate"


@dataclass(frozen=True, slots=True)
class Hint:
    """An action, and what it is about.

    Args:
        job_id, dataset_id: for the actions on one.
        name: of the schedule, or of the pool that a controller is to serve.
    """

    action: Action
    job_id: UUID | None = None
    dataset_id: UUID | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person can do, in whole sentences, and the actions that these name; one of several is enough."""

    text: str
    hints: tuple[Hint, ...] = ()
