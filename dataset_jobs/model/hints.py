"""Next steps for people, as data. The command line shows them as commands; `services/actions.py` is for the others."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataset_jobs.model.file_hints import FileHints


class Action(StrEnum):
    """A next step."""

    EXPLAIN_JOB = "explain_job"
    CANCEL_JOB = "cancel_job"
    RETRY_JOB = "retry_job"
    RETRY_FAILED = "retry_failed"
    """All failed jobs of a cause."""
    RUN_JOB_NOW = "run_job_now"
    SET_JOB = "set_job"
    """Change the priority or the time of a job that waits."""
    DELETE_DATASET = "delete_dataset"
    REPROCESS_DATASET = "reprocess_dataset"
    SUBMIT = "submit"
    SUBMIT_WITH_YEAR = "submit_with_year"
    SUBMIT_WITH_SEX = "submit_with_sex"
    SUBMIT_AS_FORMAT = "submit_as_format"
    SUBMIT_SPLIT = "submit_split"
    """Each file of an archive as a dataset of its own."""
    SUBMIT_AS_REPLACEMENT = "submit_as_replacement"
    LIST_FORMATS = "list_formats"
    SUGGEST_COLUMNS = "suggest_columns"
    """Have the description of a list proposed that no parser knows."""
    LIST_FAILED_JOBS = "list_failed_jobs"
    SHOW_DATASET = "show_dataset"
    SHOW_DESCRIPTION = "show_description"
    """Keep the description of a dataset's columns as a file."""
    SUBMIT_WITH_DESCRIPTION = "submit_with_description"
    SHOW_STATUS = "show_status"
    LIST_SCHEDULES = "list_schedules"
    REMOVE_SCHEDULE = "remove_schedule"
    LIST_POOLS = "list_pools"
    PAUSE_POOL = "pause_pool"
    RESUME_POOL = "resume_pool"
    PROBE_POOL = "probe_pool"
    """Have one run of a blocked pool tried now."""
    SET_POOL_MAXIMUM = "set_pool_maximum"
    PATCH_PARSER_POOL = "patch_parser_pool"
    """Change the Kubernetes object that describes a pool."""
    RUN_CONTROLLER = "run_controller"
    MIGRATE = "migrate"
    CHOOSE_PORT = "choose_port"
    """Keep the embedded Postgres up on another port."""


@dataclass(frozen=True, slots=True)
class Hint:
    """An action and its object.

    Args:
        job_id, dataset_id: for the actions on one.
        name: of the schedule, of the pool, or of the cause.
        namespace: of the ParserPool; None if it is not known.
        patch: of the ParserPool, as JSON.
        country, year, sex, format, region: what to say of a file that is submitted again.
        columns: the description of its columns, as a line.
        replaces: the ids of the datasets whose place it takes, with spaces between them.
        file: its name.
    """

    action: Action
    job_id: UUID | None = None
    dataset_id: UUID | None = None
    name: str | None = None
    country: str | None = None
    format: str | None = None
    region: str | None = None
    namespace: str | None = None
    patch: str | None = None
    file: str | None = None
    year: str | None = None
    sex: str | None = None
    columns: str | None = None
    replaces: str | None = None

    def saying(self, country: str, file: str | None, hints: FileHints, replaces: Iterable[UUID] = ()) -> "Hint":
        """The hint, with what the uploader has said of the file already: else the next try would lack that.

        Args:
            country, file: the code, and the file's name.
            hints: what was given; a region or a format of another country than the hint's is left out.
            replaces: the datasets whose place it takes.
        """
        here = self.country in (None, country)
        return replace(
            self,
            country=self.country or country,
            file=self.file or file,
            year=self.year or (None if hints.year is None else str(hints.year)),
            sex=self.sex or hints.sex,
            format=self.format or (hints.format if here else None),
            region=self.region or (hints.region if here else None),
            columns=self.columns or _columns(hints.description),
            replaces=self.replaces or " ".join(map(str, replaces)) or None,
        )

    def as_dict(self) -> dict[str, str]:
        """Plain JSON values, without empty ones."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Any) -> "Hint | None":
        """Reads `as_dict`; None for anything else, such as an action that only a newer version knows."""
        try:
            texts = {name: str(value) for name, value in values.items() if name in _TEXTS}
            ids = {name: UUID(values[name]) for name in ("job_id", "dataset_id") if name in values}
            return cls(Action(values["action"]), **ids, **texts)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


_TEXTS = (
    "name", "country", "format", "region", "namespace", "patch", "file", "year", "sex", "columns", "replaces",
)  # fmt: skip


def _columns(description: str | None) -> str | None:
    """A description as a line; None if there is none, or if only a newer version understands it."""
    if description is None:
        return None
    # A description is rare, and its modules are many.
    from dataset_jobs.model.description import Description
    from dataset_jobs.model.requests import InvalidRequest

    try:
        return Description.from_json(description).as_columns()
    except InvalidRequest:
        return None


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice in whole sentences, and the actions that they name; one of several actions is enough."""

    text: str
    hints: tuple[Hint, ...] = ()
